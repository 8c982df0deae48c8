"""One pure function makes the result: dataset and plan in, results.json out; all else renders that."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from threadpoolctl import threadpool_limits

import study_app
from analysis.data.dataset import Dataset
from analysis.data.quizzes import quizzes_in
from analysis.data.variables import baseline_variables, several_labels, value_labels
from analysis.data.view import View
from analysis.estimators.core.results import Estimate, _finite
from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.column_words import in_words
from analysis.pipeline.crossover import CrossoverRunner
from analysis.pipeline.description.acting import acting_section
from analysis.pipeline.description.affect import affect_section
from analysis.pipeline.description.baseline import baseline_table
from analysis.pipeline.description.descriptives import mean_rows
from analysis.pipeline.description.explanations import explanations_section
from analysis.pipeline.description.meta_analysis import meta_rows
from analysis.pipeline.description.missingness import missingness_section
from analysis.pipeline.description.models import model_warnings, models_section
from analysis.pipeline.description.outcome_summaries import outcome_summaries
from analysis.pipeline.description.quiz_quality import psychometrics_section
from analysis.pipeline.description.tone import tone_section
from analysis.pipeline.description.treatment import treatment_section, treatment_warnings
from analysis.pipeline.description.variants.passing import passing_section
from analysis.pipeline.family import adjusted
from analysis.pipeline.items.item_rows import item_rows
from analysis.pipeline.looks.final import Looks, looks_of
from analysis.pipeline.looks.final import after_looks as rows_after_looks
from analysis.pipeline.looks.final import deviations as deviations_of_looks
from analysis.pipeline.looks.final import section as interim_section
from analysis.pipeline.people.blinding import blinding_section
from analysis.pipeline.people.flow import flow, units, why_not
from analysis.pipeline.planning.registration import Registration, registration
from analysis.pipeline.planning.unmade import plan_sentences, unmade_rows
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.sections import agreement_section, style_warnings, styles_or_reason
from analysis.pipeline.software import software
from analysis.pipeline.subgroups import subgroup_rows
from analysis.pipeline.trial_ledger import Ledger, PooledLedger, ledger_of
from analysis.pipeline.waves import attrition
from analysis.themes.section import interviews_section, plans_of
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Plan

SCHEMA = "study-results/1"


def analyse(
    dataset: Dataset,
    plan: Plan | None = None,
    *,
    seed: int | None = None,
    include_simulated: bool = False,
    include_preview: bool = False,
) -> dict[str, Any]:
    """Run the plan over the dataset.

    The same dataset, plan, seed and versions give the same value, byte for byte once written: nothing in it comes from
    the wall clock or from chance outside the seed.

    Args:
        dataset: what `analysis.data.load.load` opened.
        plan: None takes the plan in the dataset's own study file.
        seed: None takes the plan's own; any other makes every row exploratory.
        include_simulated: count simulated participants in.
        include_preview: count preview participants in.

    Returns:
        The object of results.json (schema study-results/1), numbers unrounded, None where not computable.

    Raises:
        ProblemsFound: the plan names columns that the data do not have; all of them at once.
    """
    prepared = prepare(dataset, plan, include_simulated=include_simulated, include_preview=include_preview)
    return analyse_prepared(prepared, seed=seed)


def analyse_prepared(prepared: Prepared, *, seed: int | None = None) -> dict[str, Any]:
    """Return the same from what `analysis.pipeline.prepare.prepare` made, so that a report can share it."""
    with threadpool_limits(1):  # with several threads a product of matrices rounds otherwise
        return _analysed(prepared, seed)


def _analysed(prepared: Prepared, seed: int | None) -> dict[str, Any]:
    plan, fitted, shown, frame = prepared.plan, prepared.fitted, prepared.view, prepared.frame
    dataset = prepared.dataset
    used = plan.seed if seed is None else seed
    looks = looks_of(prepared)
    single, met = _planned(prepared, used)
    rows = _after(looks, single, fitted)
    met = [*met, *(deviations_of_looks(looks) if looks else [])]
    quizzes = quizzes_in(dataset, shown)
    if prepared.sequence:
        rows += _periods(prepared, used, None, "").means()
    else:
        rows += item_rows(frame, fitted, shown, quizzes)
        rows += subgroup_rows(frame, fitted, shown) + mean_rows(frame, fitted, shown)
    deviations = [*prepared.left_out, *frame.deviations, *met]
    if used != plan.seed:
        rows = [replace(row, role="exploratory") for row in rows]
        deviations.append(f"Seed {used} is not the plan's ({plan.seed}): every row is exploratory.")
    registered = _registered(prepared, used)
    if skipped := registered.not_run():
        deviations.append(f"In the plan in force and not run, for another plan was given: {', '.join(skipped)}.")
    estimates = [_placed(row, registered) for row in rows]
    styles = styles_or_reason(shown, plan, dataset.study.raw, dataset.study.study)
    treatment = treatment_section(shown)
    some = _of_some_studies(prepared, used, looks, single)
    given = _provenance(dataset, plan, used, shown) | {"registration": registered.to_json(estimates)}
    result = {
        "schema": SCHEMA,
        "state": dataset.study.state,
        "masked": shown.masked,
        "dry_run": shown.dry_run,
        "provenance": given,
        "flow": _flow(shown, _of_periods(prepared, used), fitted) | _waves(dataset, shown),
        "baseline": _baseline(dataset, shown, frame, fitted),
        "estimates": estimates,
        "outcomes": [] if prepared.sequence else outcome_summaries(frame, fitted, shown, estimates),
        "meta_analysis": [] if prepared.sequence else meta_rows(frame, fitted, shown.arm_ids, dataset.study.id),
        "missing": {} if prepared.sequence else missingness_section(frame, fitted, shown),
        "psychometrics": psychometrics_section(shown, frame, quizzes),
        "agreement": agreement_section(dataset, shown),
        "styles": styles,
        "treatment": treatment,
        **some,
        "deviations": list(dict.fromkeys(map(in_words, deviations))),
        "warnings": [
            *dataset.warnings,
            *shown.warnings,
            *frame.warnings,
            *plan_sentences(dataset.study.study, plan),
            *_kinds(shown),
            *style_warnings(styles),
            *treatment_warnings(treatment),
            *model_warnings(some.get("models", {})),
        ],
    }
    # Last, since which packages count follows from what the rows and sections have used.
    provenance = {**given, "packages": software(estimates, result)}
    return dict(_finite({**result, "provenance": provenance}))


def _interviews(dataset: Dataset, shown: View, seed: int) -> dict[str, Any]:
    """Return the section on interviews, or why there is none; empty in a study without interviews."""
    try:
        return interviews_section(shown, dataset.study.raw, plans_of(dataset), seed)
    except (StudyError, LookupError, ValueError, TypeError) as error:
        return {"note": f"not computed: {error}"}


def _registered(prepared: Prepared, seed: int) -> Registration:
    plan, hashes = prepared.plan, prepared.view.participants.get("study_hash", ())
    return registration(prepared.dataset, plan, own_seed=seed == plan.seed, study_hashes=hashes)


def _placed(row: Estimate, registered: Registration) -> dict[str, Any]:
    status, note = registered.status(row.id)
    return row.to_json() | {"status": status, "status_note": note}


def primary_rows(
    prepared: Prepared,
    *,
    seed: int | None = None,
    intervals: bool = True,
    after_looks: bool = True,
    beside: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return the primary rows of results.json alone, equal to those of `analyse`: for studies of many simulated trials.

    Args:
        prepared: dataset and plan.
        seed: None takes the plan's own.
        intervals: False leaves out the intervals that invert a re-randomisation test, which take most of its time.
        after_looks: False gives the rows as at a single analysis, whatever looks the plan has.
        beside: methods whose secondary rows come as well, behind the primary ones.
    """
    used = prepared.plan.seed if seed is None else seed
    rows, _ = _planned(prepared, used, primary_only=True, intervals=intervals, beside=beside)
    rows = _after(looks_of(prepared) if after_looks else None, rows, prepared.fitted)
    # Not by the seed used: each simulated trial has its own, and that alone would make every row exploratory.
    registered = _registered(prepared, prepared.plan.seed)
    return [dict(_finite(_placed(row, registered))) for row in rows]


def _planned(
    prepared: Prepared, seed: int, *, primary_only: bool = False, intervals: bool = True, beside: Collection[str] = ()
) -> tuple[list[Estimate], list[str]]:
    """Return the rows of the plan's analyses, as at a single look, and deviations met on the way."""
    plan, shown = prepared.fitted, prepared.view
    ledger, ledger_note = ledger_of(prepared.dataset, shown)
    if prepared.sequence:
        periods = _periods(prepared, seed, ledger, ledger_note)
        planned = [row for row in prepared.analyses if row.role == "primary" or not primary_only]
        return [row for entry in planned for row in periods.run(entry)], []
    unmade = unmade_rows(prepared.dataset.study.study, prepared.plan, prepared.analyses)
    runner = AnalysisRunner(prepared.frame, plan, shown, ledger, ledger_note, seed, intervals, prepared.levels, unmade)
    chosen = [row for row in prepared.analyses if row.role == "primary" or not primary_only or row.method in beside]
    return [row for entry in chosen for row in runner.run(entry)], runner.deviations


def _after(looks: Looks | None, rows: list[Estimate], plan: Plan) -> list[Estimate]:
    """Rows after the looks that were taken, p of the primary ones adjusted over their family.

    After looks the family is adjusted by the sequential p values, which hold whenever the trial stopped.
    """
    finished = rows if looks is None else rows_after_looks(looks, rows)
    tested = [replace(row, p_value=row.detail.get("sequential_p", row.p_value)) for row in finished]
    family = adjusted(tested, plan)
    return [replace(row, p_value=own.p_value) for row, own in zip(family, finished, strict=True)]


def _periods(prepared: Prepared, seed: int, ledger: Ledger | PooledLedger | None, note: str) -> CrossoverRunner:
    control = prepared.plan.control or prepared.dataset.study.control
    # Sequences of treatments are not pooled.
    own = ledger if isinstance(ledger, Ledger) else None
    return CrossoverRunner(prepared.view, prepared.fitted, control, own, note, seed)


def _of_periods(prepared: Prepared, seed: int) -> AnalysisTable:
    """Return the table in which, of a sequence, the outcomes of who has no period with a value are missing.

    Rows are made of the periods: the columns of the participants table say something else, or are not there.
    """
    frame = prepared.frame
    if not prepared.sequence:
        return frame
    who = frame.data["participant_id"].astype(str)
    measured = _periods(prepared, seed, None, "").measured()
    return replace(frame, data=frame.data.assign(**{k: who.isin(v).map({True: 1.0}) for k, v in measured.items()}))


def _flow(shown: View, frame: AnalysisTable, plan: Plan) -> dict[str, Any]:
    named = plan.primary or tuple(outcome.id for outcome in plan.outcomes)
    first = next((name for name in named if frame.data[name].notna().any()), named[0])
    people: list[dict[Any, Any]] = frame.data.to_dict("records")
    reasons = {name: {str(row["participant_id"]): why_not(row, name) for row in people} for name in {*named, first}}
    primary = {name: reasons[name] for name in plan.primary}
    found = flow(shown.participants, shown.arm_ids, reasons[first], shown.hidden, primary)
    return found | units(frame.data, shown.arm_ids, reasons[first], frame.cluster)


def _waves(dataset: Dataset, shown: View) -> dict[str, Any]:
    """Return attrition by arm in each session; empty for a trial with one."""
    found = attrition(dataset, shown)
    return {"waves": found} if found else {}


def _baseline(dataset: Dataset, shown: View, frame: AnalysisTable, plan: Plan) -> list[dict[str, Any]]:
    names = baseline_variables(dataset, plan)
    data = frame.data[~frame.data["status"].isin(["excluded"])]
    several = several_labels(dataset)
    return baseline_table(data, [name for name in names if name in data], shown.arm_ids, value_labels(dataset), several)


def _of_some_studies(
    prepared: Prepared, seed: int, looks: Looks | None, single: list[Estimate]
) -> dict[str, dict[str, Any]]:
    """Return the sections that only some studies have."""
    shown = prepared.view
    sections = {
        "explanations": explanations_section(shown),
        "passing": passing_section(shown, _varied(prepared.dataset), prepared.plan.level, seed),
        "affect": affect_section(prepared.dataset, shown, prepared.plan.level),
        "tone": tone_section(shown, seed),
        "acting": acting_section(shown, seed),
        "models": models_section(shown),
        "interviews": _interviews(prepared.dataset, shown, seed),
        "blinding": blinding_section(prepared.dataset, shown),
    }
    if looks:
        sections["interim"] = interim_section(looks, [row.to_json() for row in single if row.role == "primary"])
    return {name: found for name, found in sections.items() if found}


def _varied(dataset: Dataset) -> bool:
    """Return whether arms of the study differ by impossible variants."""
    return dataset.study.study is not None and bool(dataset.study.study.varied_tasks)


def _provenance(dataset: Dataset, plan: Plan, seed: int, shown: View) -> dict[str, Any]:
    packages = dataset.manifest.get("study_packages")
    return {
        "dataset_sha256": dataset.sha256,
        "plan_sha256": plan.sha256,
        "study_packages": packages if isinstance(packages, Mapping) else {},
        "package_version": getattr(study_app, "__version__", None) or version("study-app"),
        "python": platform.python_version(),
        "packages": {},
        "seed": seed,
        "exported_at": dataset.manifest.get("exported_at"),
        "study_id": dataset.study.id,
        "study_hash": dataset.manifest.get("study_hash"),
        "participants": list(shown.kinds),
    }


def _kinds(shown: View) -> list[str]:
    found = []
    if "simulated" in shown.kinds:
        found.append("SIMULATED DATA: rows of simulated participants are in; no result here is about people.")
    if "preview" in shown.kinds:
        found.append("PREVIEW DATA: rows from before the launch are in; no result here is of the registered trial.")
    return found
