"""results.json and its figures -> one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.data.variables import baseline_variables, value_labels, variable_labels
from analysis.estimators.core.no_effect import CHANCES
from analysis.estimators.methods import METHODS
from analysis.pipeline.description.baseline import MAX_LEVELS, cut
from analysis.pipeline.description.treatment import MEASURES, RECORDED_WORDS, SIDES
from analysis.pipeline.prepare import Prepared
from analysis.plotting import ARMS, VARIABLES, svg, themed
from analysis.report import wording
from analysis.report.checklists.answers import checklists
from analysis.report.flow_diagram import diagram
from analysis.report.outcome_lines import outcome_lines
from analysis.report.pictures import Picture, deciding_differences, pictures
from analysis.report.sample_size import sample_size_sentence
from analysis.report.scales import bounds_note, other_level, shown
from analysis.report.sentences import captions, design
from analysis.report.sentences.decision import verdict
from analysis.report.sentences.estimands import estimands
from analysis.report.sentences.means import mean_cells, means_sentence, what_cells_hold
from analysis.report.sentences.set_aside import without
from study_app.domain.allocation.options import order_of
from study_app.domain.assistants.persona_checks.probing import MEASURES as PROBE_MEASURES
from study_app.domain.study.analysis_plan import Analysis


@dataclass(frozen=True)
class Report:
    """What `analyze` writes beside results.json and the tables."""

    html: str
    figures: dict[str, str]
    """File name without ending -> SVG text."""
    drawn: dict[str, Picture]
    """The same before they are written, for other formats."""


def render(prepared: Prepared, result: Mapping[str, Any]) -> Report:
    """Draw the figures and fill the page; nothing is computed here that is not in `result`.

    Args:
        prepared: the analysed table, for the points in the figures.
        result: the object of results.json.
    """
    labels = labels_of(prepared)
    drawn = pictures(prepared, result, labels)
    files = {name: svg(*picture) for name, picture in drawn.items()}
    environment = Environment(
        loader=PackageLoader("analysis.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    environment.filters |= {
        "num": wording.number,
        "compact": wording.compact,
        "p": wording.p_text,
        "p_of_row": wording.p_of_row,
        "note": partial(wording.note, arms=_arm_labels(prepared), columns=_columns(prepared)),
        "analysis_name": partial(wording.analysis_name, labels=labels),
        "shown": shown,
        "bounds_note": bounds_note,
        "other_level": other_level,
        "population": wording.population,
        "counts": wording.counts,
    }
    html = environment.get_template("report.html.j2").render(_context(prepared, result, labels, files))
    return Report(html, files, drawn)


def _arm_labels(prepared: Prepared) -> dict[str, str]:
    """Arm -> label, and what populations by receipt are called."""
    labels = labels_of(prepared)
    named = [*(arm.id for arm in prepared.view.arms), *prepared.view.arm_ids, "received", "not_received"]
    return {name: labels[name] for name in named}


def _columns(prepared: Prepared) -> dict[str, str]:
    """Column or outcome -> what readers see."""
    titles = {name: outcome.title for outcome in prepared.fitted.outcomes for name in (outcome.id, outcome.name)}
    own = {entry.column: entry.label for entry in prepared.fitted.covariates if entry.label}
    known = variable_labels(prepared.dataset, prepared.fitted) | own
    return _indicators(prepared, known) | known | titles


def _indicators(prepared: Prepared, names: Mapping[str, str]) -> dict[str, str]:
    """Column of one level of a covariate of categories -> the covariate and its level, as notes of models name it."""
    people = prepared.dataset.participants
    found: dict[str, str] = {}
    for entry in prepared.fitted.covariates:
        if entry.column in people and not pd.api.types.is_numeric_dtype(people[entry.column]):
            levels = people[entry.column].dropna().astype(str).unique()
            found |= {
                f"{entry.column}_{level}": f"{names.get(entry.column, entry.column)} ({level})" for level in levels
            }
    return found


def labels_of(prepared: Prepared) -> dict[str, str]:
    """Return what readers see for arms and for levels (`column=level`)."""
    arms = {arm.id: arm.label or arm.id for arm in (*prepared.dataset.study.arms, *prepared.view.arms)}
    if not prepared.dataset.plain:  # elsewhere a > in a name of an arm says nothing of an order
        arms |= {name: ", then ".join(arms.get(arm, arm) for arm in order_of(name)) for name in prepared.view.arm_ids}
    levels = {
        f"{column}={int(value) if isinstance(value, float) else value}": text
        for column, options in value_labels(prepared.dataset).items()
        for value, text in options.items()
    }
    study = prepared.dataset.study.study
    named = {
        level.id: str(level.arm.get("label") or level.id.replace("_", " "))
        for factor in (study.factors if study is not None else ())
        for level in factor.levels
    }
    titles = {factor.id: factor.title for factor in (study.factors if study is not None else ())}
    arms = titles | named | {"cells": "all cells"} | arms
    return arms | {"received": "received AI", "not_received": "no AI received"} | levels


def _context(
    prepared: Prepared, result: Mapping[str, Any], labels: Mapping[str, str], drawn: Mapping[str, str]
) -> dict[str, Any]:
    plan, study = prepared.fitted, prepared.dataset.study
    rows = {row["id"]: row for row in result["estimates"]}
    titles = {outcome.id: outcome.title for outcome in plan.outcomes} | item_titles(result)
    return {
        "result": result,
        "plan": plan,
        "study": study,
        "plain": prepared.dataset.plain,
        "labels": labels,
        "arms": [arm.id for arm in prepared.view.arms],
        "compared": prepared.compared,
        "stamps": stamps(result),
        "mixed": not result["provenance"]["registration"]["note"],
        "primary": _primary(prepared, result, labels),
        "in_subgroups": [name for name in rows if ".subgroup." in name or ".interaction." in name],
        "figures": {name: Markup(themed(text, name)) for name, text in drawn.items()},  # noqa: S704 (our own SVG)
        "flow": diagram(
            result["flow"],
            labels,
            hidden=result["masked"] or result["dry_run"],
            titles=titles,
            plain=prepared.dataset.plain,
        ),
        "baseline": _baseline(result),
        "crossover": prepared.sequence,
        "most_levels": MAX_LEVELS,
        "not_shown": _not_shown(prepared, result),
        "variables": variable_labels(prepared.dataset, prepared.fitted),
        "allocation": {} if result["masked"] else study.raw.get("allocation", {}),
        "checklists": checklists(prepared, result),
        "estimands": estimands(prepared, result),
        "apart": without(prepared, labels),
        "rows": rows,
        "quizzes": _quizzes(result),
        "titles": titles,
        "sample_size": sample_size_sentence(prepared, result),
        "comparisons": design.comparisons(prepared, result, labels),
        "adjustment": design.adjustment(prepared, result),
        "tests": design.tests(prepared, result),
        "adjusted_by": design.covariates(prepared, variable_labels(prepared.dataset, prepared.fitted)),
        "level": f"{100 * plan.level:g}",
        "estimated": _estimated(prepared, result),
        "lost": captions.lost(result["estimates"]),
        "summaries": what_cells_hold([plan.outcome(name) for name in plan.primary], ranked=bool(result["outcomes"])),
        "outcomes": outcome_lines(result["outcomes"], labels, titles, plan.level),
        "columns": _columns(prepared),
        "treatment_measures": MEASURES,
        "recorded_matches": RECORDED_WORDS,
        "answered_sides": SIDES,
        "probe_measures": PROBE_MEASURES,
        "palette": {variable: colour for colour, variable in VARIABLES.items()},
        "arm_count": len(ARMS),
    }


def _quizzes(result: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Stage and figures of each quiz; the main one first, by its place at the top of the section."""
    main = result["psychometrics"]
    rest = {stage: quiz for stage, quiz in main["quizzes"].items() if stage != main.get("stage")}
    return [*([(main.get("stage", ""), main)] if "stage" in main or not rest else []), *rest.items()]


def item_titles(result: Mapping[str, Any]) -> dict[str, str]:
    """Return what readers see for the outcomes that are the items of a quiz."""
    quizzes = result["psychometrics"]["quizzes"]
    others = {f"{stage}_items": f"{quiz['title']}, item by item" for stage, quiz in quizzes.items()}
    return others | {"quiz_items": "Quiz, item by item"}


def stamps(result: Mapping[str, Any]) -> list[str]:
    """Return what every section must say about itself."""
    found = []
    if result["dry_run"]:
        found.append("DRY RUN: labels are shuffled, no number is about the arms")
    if result["masked"]:
        found.append("MASKED: arms are shown under letters")
    registered = result["provenance"]["registration"]["note"]
    if registered:
        found.append(f"EXPLORATORY: {registered}")
    kinds = result["provenance"]["participants"]
    if "simulated" in kinds:
        found.append("SIMULATED DATA")
    if "preview" in kinds:
        found.append("PREVIEW DATA")
    return found


def _primary(prepared: Prepared, result: Mapping[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """For each primary outcome: its sentences, its rows, its means, its estimand."""
    plan = prepared.fitted
    found = []
    every = prepared.deciding(result["estimates"])
    # Rows that could not be made are not in the family over which the others' p is adjusted.
    family = sum(row["p_adjusted"] is not None for _, row in every)
    summaries = {entry["outcome"]: entry for entry in result["outcomes"]}
    for name in plan.primary:
        outcome = plan.outcome(name)
        summary = summaries.get(name, {})
        means = {arm: row for row in result["estimates"] for arm in row["n"] if row["id"] == f"{name}.mean.{arm}"}
        mine = sorted(
            (each for each in every if each[1]["outcome"] == name), key=lambda each: _place(prepared, each[1])
        )
        sentences = []
        for analysis, row in mine:
            contrast = row["contrast"]
            # The means are those of everybody, in the arm allocated.
            known = contrast and set(contrast) <= set(means) and row["population"] == "itt"
            lines = [means_sentence(outcome, tuple(contrast), means, labels, summary)] if known else []
            by = adjusted_for(prepared, analysis, row)
            lines.append(wording.difference_sentence(row, labels, plan.multiplicity.method, family, adjusted_for=by))
            decision = "" if result["dry_run"] else verdict(row, labels, 1 - plan.level)
            sentences.append({"lines": lines, "verdict": decision, "row": row})
        estimand = next((entry for entry in estimands(prepared, result) if entry.outcome == name), None)
        found.append({
            "outcome": outcome, "sentences": sentences, "estimand": estimand,
            "means": mean_cells(outcome, means, summary),
            "among": captions.among(outcome),
            "beside": captions.beside(
                outcome, plan.level, within=prepared.sequence, clusters=bool(prepared.frame.cluster),
                differences=bool(deciding_differences(outcome, result["estimates"])),
            ),
        })  # fmt: skip
    return found


def adjusted_for(prepared: Prepared, analysis: Analysis, row: Mapping[str, Any]) -> str:
    """Return what the model of a row is adjusted for, by the plan and the step down that its note tells; else empty."""
    if not analysis.adjusted or prepared.sequence:
        return ""
    fallen = wording.step_down(row)
    if fallen == "unadjusted":
        return ""
    uses = METHODS[analysis.method].uses
    if prepared.frame.covariates and "covariates" in uses:
        strata = " and strata" if prepared.frame.strata else ""
        return f"part of the plan's covariates{strata}" if fallen else "the plan's covariates"
    return "the strata of the allocation" if prepared.frame.strata and "stratum" in uses else ""


def _estimated(prepared: Prepared, result: Mapping[str, Any]) -> str:
    """Return the head of the estimates of primary rows, which are not always differences."""
    rows = [row for _, row in prepared.deciding(result["estimates"])]
    others = [row for row in rows if shown(row).ratio or row["method"] in CHANCES]
    return "Estimate" if others else "Difference"


def _place(prepared: Prepared, row: Mapping[str, Any]) -> int:
    """Return where the treated arm stands in the study file."""
    arms = list(prepared.view.arm_ids)
    return arms.index(row["contrast"][0]) if row["contrast"] and row["contrast"][0] in arms else len(arms)


def _not_shown(prepared: Prepared, result: Mapping[str, Any]) -> list[str]:
    """Return the baseline variables that the table leaves out for the number of their levels."""
    shown_ones = {name for row in result["baseline"] for name in (row["variable"], row["variable"].partition(".")[0])}
    names = variable_labels(prepared.dataset, prepared.fitted)
    found = cut(prepared.frame.data, baseline_variables(prepared.dataset, prepared.fitted), shown_ones)
    return [names.get(name, name) for name in found]


def _baseline(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the table, levels gathered under their variable."""
    found: list[dict[str, Any]] = []
    for row in result["baseline"]:
        if row["level"] is None:
            found.append({"variable": row["variable"], "smd": row["smd"], "rows": [row]})
        elif found and found[-1]["variable"] == row["variable"]:
            found[-1]["rows"].append(row)
        else:
            found.append({"variable": row["variable"], "smd": row["smd"], "rows": [row]})
    return found
