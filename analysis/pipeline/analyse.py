"""One pure function makes the result: dataset and plan in, results.json out; all else renders that."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from threadpoolctl import threadpool_limits

import study_app
from analysis.data.dataset import Dataset
from analysis.data.quizzes import quizzes_in
from analysis.data.variables import baseline_variables, value_labels
from analysis.data.view import View
from analysis.design import multiplicity
from analysis.estimators.core.results import Estimate, _finite
from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.crossover import CrossoverRunner
from analysis.pipeline.description.baseline import baseline_table
from analysis.pipeline.description.descriptives import mean_rows
from analysis.pipeline.description.missingness import missingness_section
from analysis.pipeline.description.outcome_summaries import outcome_summaries
from analysis.pipeline.description.quiz_quality import psychometrics_section
from analysis.pipeline.description.treatment import treatment_section, treatment_warnings
from analysis.pipeline.flow import flow, why_not
from analysis.pipeline.item_rows import item_rows
from analysis.pipeline.planning.registration import Registration, registration
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.sections import agreement_section, style_warnings, styles_or_reason
from analysis.pipeline.software import software
from analysis.pipeline.subgroups import subgroup_rows
from analysis.pipeline.trial_ledger import Ledger, ledger_of
from study_app.domain.errors import Problem, ProblemsFound, StudyError
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
    rows, met = _planned(prepared, used)
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
    styles = styles_or_reason(shown, plan, dataset.study.raw)
    treatment = treatment_section(shown)
    given = _provenance(dataset, plan, used, shown) | {"registration": registered.to_json(estimates)}
    result = {
        "schema": SCHEMA,
        "state": dataset.study.state,
        "masked": shown.masked,
        "dry_run": shown.dry_run,
        "provenance": given,
        "flow": _flow(shown, frame, fitted),
        "baseline": _baseline(dataset, shown, frame, fitted),
        "estimates": estimates,
        "outcomes": [] if prepared.sequence else outcome_summaries(frame, fitted, shown, estimates),
        "missing": {} if prepared.sequence else missingness_section(frame, fitted, shown),
        "psychometrics": psychometrics_section(shown, frame, quizzes),
        "agreement": agreement_section(dataset, shown),
        "styles": styles,
        "treatment": treatment,
        "deviations": list(dict.fromkeys(deviations)),
        "warnings": [
            *dataset.warnings,
            *shown.warnings,
            *frame.warnings,
            *_kinds(shown),
            *style_warnings(styles),
            *treatment_warnings(treatment),
        ],
    }
    provenance = {**given, "packages": software(estimates, result)}
    return dict(_finite({**result, "provenance": provenance}))


def _registered(prepared: Prepared, seed: int) -> Registration:
    plan, hashes = prepared.plan, prepared.view.participants.get("study_hash", ())
    return registration(prepared.dataset, plan, own_seed=seed == plan.seed, study_hashes=hashes)


def _placed(row: Estimate, registered: Registration) -> dict[str, Any]:
    status, note = registered.status(row.id)
    return row.to_json() | {"status": status, "status_note": note}


def primary_rows(prepared: Prepared, *, seed: int | None = None, intervals: bool = True) -> list[dict[str, Any]]:
    """Return the primary rows of results.json alone, equal to those of `analyse`: for studies of many simulated trials.

    Args:
        prepared: dataset and plan.
        seed: None takes the plan's own.
        intervals: False leaves out the intervals that invert a re-randomisation test, which take most of its time.
    """
    used = prepared.plan.seed if seed is None else seed
    rows, _ = _planned(prepared, used, primary_only=True, intervals=intervals)
    registered = _registered(prepared, prepared.plan.seed)
    return [dict(_finite(_placed(row, registered))) for row in rows]


def _planned(
    prepared: Prepared, seed: int, *, primary_only: bool = False, intervals: bool = True
) -> tuple[list[Estimate], list[str]]:
    """Return the rows of the plan's analyses, p adjusted where they are primary, and deviations met on the way."""
    plan, shown = prepared.fitted, prepared.view
    ledger, ledger_note = ledger_of(prepared.dataset, shown)
    if prepared.sequence:
        periods = _periods(prepared, seed, ledger, ledger_note)
        planned = [row for row in prepared.analyses if row.role == "primary" or not primary_only]
        return _adjusted([row for entry in planned for row in periods.run(entry)], plan), []
    runner = AnalysisRunner(prepared.frame, plan, shown, ledger, ledger_note, seed, intervals)
    chosen = [entry for entry in prepared.analyses if entry.role == "primary" or not primary_only]
    return _adjusted([row for entry in chosen for row in runner.run(entry)], plan), runner.deviations


def _periods(prepared: Prepared, seed: int, ledger: Ledger | None, note: str) -> CrossoverRunner:
    control = prepared.plan.control or prepared.dataset.study.control
    return CrossoverRunner(prepared.view, prepared.fitted, control, ledger, note, seed)


def _adjusted(rows: list[Estimate], plan: Plan) -> list[Estimate]:
    """Primary rows with their adjusted p over those that could be made; each says where others could not."""
    primary = [index for index, row in enumerate(rows) if row.role == "primary"]
    rule = plan.multiplicity
    if not primary or rule.method == "none":
        return rows
    made = [index for index in primary if rows[index].p_value is not None]
    if rule.method == "graphical":
        # Weights belong to rows, so a row that could not be made keeps its own and counts as not rejected.
        found = dict(zip(primary, _graphical(rows, primary, plan), strict=True))
    else:
        p = [float(rows[index].p_value or 0.0) for index in made]
        try:
            found = dict(zip(made, multiplicity.adjust(p, rule.method), strict=True))
        except StudyError as error:
            return [replace(row, note=f"{row.note}; p not adjusted: {error}") if row.role == "primary" else row
                    for row in rows]  # fmt: skip
    note = _not_made([rows[index].id for index in primary if index not in made], len(made), rule.method)
    rows = list(rows)
    for index in made:
        text = "; ".join(part for part in (rows[index].note, note) if part)
        rows[index] = replace(rows[index], p_adjusted=float(found[index]), note=text)
    return rows


def _not_made(ids: list[str], count: int, method: str) -> str:
    if not ids:
        return ""
    if method == "graphical":
        return f"counted as not rejected, for it could not be made: {', '.join(ids)}"
    return f"p adjusted over {count} of {count + len(ids)} primary rows; could not be made: {', '.join(ids)}"


def _graphical(rows: list[Estimate], primary: list[int], plan: Plan) -> list[float]:
    rule = plan.multiplicity
    if len(rule.weights) != len(primary):
        what = f"{len(rule.weights)} weights for {len(primary)} primary rows"
        remedy = f"give one to each, in this order: {', '.join(rows[index].id for index in primary)}"
        raise ProblemsFound([Problem("plan", "multiplicity.weights", what, remedy)])
    p = [1.0 if rows[index].p_value is None else float(rows[index].p_value or 0.0) for index in primary]
    return list(multiplicity.graphical(p, rule.weights, rule.transitions).adjusted)


def _flow(shown: View, frame: AnalysisTable, plan: Plan) -> dict[str, Any]:
    named = plan.primary or tuple(outcome.id for outcome in plan.outcomes)
    first = next((name for name in named if frame.data[name].notna().any()), named[0])
    people: list[dict[Any, Any]] = frame.data.to_dict("records")
    reasons = {name: {str(row["participant_id"]): why_not(row, name) for row in people} for name in {*named, first}}
    primary = {name: reasons[name] for name in plan.primary}
    return flow(shown.participants, shown.arm_ids, reasons[first], shown.hidden, primary)


def _baseline(dataset: Dataset, shown: View, frame: AnalysisTable, plan: Plan) -> list[dict[str, Any]]:
    names = baseline_variables(dataset, plan)
    data = frame.data[~frame.data["status"].isin(["excluded"])]
    return baseline_table(data, [name for name in names if name in data], shown.arm_ids, value_labels(dataset))


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
