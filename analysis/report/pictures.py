"""All figures of a report, by file name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from analysis.data.variables import variable_labels
from analysis.interaction.selection import main_tables
from analysis.interaction.timeline import timeline
from analysis.pipeline.crossover import CrossoverRunner
from analysis.pipeline.prepare import Prepared
from analysis.report import figures
from analysis.report import interaction_figures as use
from analysis.report.affect_figure import affect_courses
from analysis.report.drawings.estimation import estimation
from analysis.report.drawings.forest import forest
from analysis.report.scales import other_level
from analysis.report.sentences.subgroups import level_name, subgroup_of
from analysis.report.tipping import tipping
from analysis.report.wording import method_name, p_phrase, stepped_down
from study_app.domain.errors import present
from study_app.domain.study.analysis_plan import Outcome

Row = Mapping[str, Any]
DIFFERENCES = (
    "rerandomization", "permutation", "lin", "ancova", "ols", "welch_t", "student_t", "rmst", "wald_iv", "tsls", "tost",
    "noninferiority", "crossover", "newcombe", "dunnett", "tukey_hsd", "lee_bounds", "worst_case", "mixed_model",
    "cluster_robust", "inverse_probability", "multiple_imputation", "factorial", "factorial_rerandomization",
)  # fmt: skip
"""Methods whose rows are in the outcome's unit, and so fit into one forest."""


class Picture(NamedTuple):
    """A figure with the title that a screen reader says."""

    figure: Figure
    title: str


def pictures(prepared: Prepared, result: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Picture]:
    """Draw what the data allow; a figure without data is left out."""
    plan, view = prepared.fitted, prepared.view
    data = prepared.frame.population("itt")
    names = variable_labels(prepared.dataset, prepared.fitted)
    found: dict[str, Picture] = {}
    if result["baseline"] and len(view.arms) > 1:
        found["balance"] = Picture(figures.balance(result["baseline"], names), "Standardised differences at baseline")
    for name in plan.primary:
        outcome = plan.outcome(name)
        rows = [row for row in result["estimates"] if row["outcome"] == name]
        values = _compared(prepared, outcome, data)
        if values.empty:
            continue
        first = deciding_differences(outcome, rows)
        if name not in prepared.frame.censored:  # the mean of times that were cut off would be no one's
            means = {arm: row for row in rows if row["method"] == "mean" for arm in row["n"]}
            picture = estimation(values, outcome, prepared.compared, labels, first, means)
            found[f"{name}_estimation"] = Picture(picture, f"{outcome.title}: values by arm and difference")
        if outcome.kind == "time" and not prepared.sequence:
            picture = figures.survival(
                values, outcome, view.arm_ids, labels, plan.level, of_tasks=not prepared.dataset.plain
            )
            found[f"{name}_survival"] = Picture(picture, f"{outcome.title}: share without the event")
        found |= _forest(f"{name}_sensitivity", rows, outcome, labels, plan.level)
        if tipped := tipping(name, rows, outcome, labels):
            found[f"{name}_tipping"] = Picture(tipped, f"{outcome.title}: tipping point of the missing outcomes")
        found |= _subgroups(name, rows, outcome.unit, {**labels, **names}, outcome.title)
    main = result["psychometrics"]
    others = {f"items_{stage}": quiz for stage, quiz in main["quizzes"].items() if stage != main.get("stage")}
    for name, quiz in {"items": main, **others}.items():
        items = quiz.get("items", [])
        if items and all(_split(row) for row in items):
            found[name] = Picture(figures.items(items, view.arm_ids, labels), f"{quiz['title']}: items by arm")
    for stage, made in result.get("affect", {}).get("stages", {}).items():
        picture = affect_courses(made["scales"], view.arm_ids, labels)
        found[f"affect_{stage}"] = Picture(picture, f"How people felt over time: {made['title'] or stage}")
    return found | _use(prepared, result["styles"])


def deciding_differences(outcome: Outcome, rows: Sequence[Row]) -> list[Row]:
    """Return the deciding rows that are differences in an outcome's unit."""
    mine = [row for row in rows if row["outcome"] == outcome.id]
    found = [row for row in mine if row["role"] == "primary" and row["unit"] == outcome.unit and row["contrast"]]
    # With another seed than the plan's every row is exploratory.
    mine = [row for row in mine if row["role"] == "exploratory"]
    return found or [row for row in mine if row["id"].startswith(f"{outcome.id}.rerandomization")]


def _compared(prepared: Prepared, outcome: Outcome, data: pd.DataFrame) -> pd.DataFrame:
    """Return what a primary row compares: people by arm, or of a sequence their periods by treatment."""
    if not prepared.sequence:
        return data[data[outcome.id].notna()]
    runner = CrossoverRunner(prepared.view, prepared.fitted, prepared.compared[0], None, "", 0)
    try:
        return runner.values(outcome)
    except LookupError:
        return pd.DataFrame()


def _split(row: Mapping[str, Any]) -> bool:
    """Return whether an item's points are known by arm; those of a quiz before allocation are not split."""
    return bool(row["arms"]) and all(arm["n"] for arm in row["arms"].values())


def _use(prepared: Prepared, section: Mapping[str, Any]) -> dict[str, Picture]:
    """Figures of the assistant's use; none while it is withheld or where there were no questions."""
    if "assignments" not in section:
        return {}
    patterns = {str(row["participant_id"]): str(row["pattern"]) for row in section["assignments"]}
    found = {}
    actions = timeline(main_tables(prepared.view.tables, prepared.dataset.study.raw))
    actions = actions[actions["participant_id"].isin(patterns)]
    if len(actions):
        order = [str(group["pattern"]) for group in section["groups"]]
        found["timelines"] = Picture(use.swimlanes(actions, patterns, order), "Timelines of use")
    if section["trajectory"].get("measures"):
        found["trajectory"] = Picture(use.trajectory_plot(section["trajectory"]), "Shares by quarter of the session")
    if section["process"].get("counts"):
        found["process"] = Picture(use.flow_plot(section["process"]), "Flow between states")
    return found


def _forest(
    name: str, rows: Sequence[Row], outcome: Outcome, labels: Mapping[str, str], level: float
) -> dict[str, Picture]:
    """One analysis below the other; an interval of another level than the plan's says so beside the row's name."""
    kept = [row for row in rows if row["method"] in DIFFERENCES and row["unit"] == outcome.unit and _drawable(row)]
    kept = [row for row in kept if ".subgroup." not in row["id"] and ".interaction." not in row["id"]]
    # Of factors the main effects: simple effects and cells would be dozens of lines.
    kept = [row for row in kept if row["method"] != "factorial" or (row["detail"] or {}).get("effect") == "main"]
    if len(kept) < 2:
        return {}
    first = [row["role"] == "primary" or row["method"] == "rerandomization" for row in kept]
    contrasts = {tuple(row["contrast"] or ()) for row in kept if row["population"] != "as_treated"}
    pairs = len({contrast[-1] for contrast in contrasts if contrast}) > 1
    names = [row_name(row, labels, len(contrasts) > 1, both=pairs) + other_level(row, level) for row in kept]
    return {name: Picture(forest(kept, names, outcome.unit, primary=first), f"{outcome.title}: sensitivity")}


def _subgroups(
    outcome: str, rows: Sequence[Row], unit: str, labels: Mapping[str, str], title: str
) -> dict[str, Picture]:
    """Everyone, then each subgroup under its name with the p of its interaction."""
    kept = [row for row in rows if ".subgroup." in row["id"] and _drawable(row)]
    if not kept:
        return {}
    of = {str(row["id"]): present(subgroup_of(row, labels), "a subgroup") for row in kept}
    tests = {row["id"].split(".interaction.")[1]: row for row in rows if ".interaction." in row["id"]}
    drawn = [row for row in rows if row["method"] == "welch_t" and row["id"] == f"{outcome}.welch_t" and _drawable(row)]
    names = ["Everyone (unadjusted)"] * len(drawn)
    for column in dict.fromkeys(each.column for each in of.values()):
        p = tests.get(column, {}).get("p_value")
        heading = "no test of the interaction" if p is None else f"interaction {p_phrase(p)}"
        drawn.append({"estimate": None, "ci_low": None, "ci_high": None, "heading": heading})
        levels = [row for row in kept if of[row["id"]].column == column]
        drawn += levels
        names += [labels.get(column, column), *(level_name(of[row["id"]], labels) for row in levels)]
    first = ["heading" in row for row in drawn]
    picture: Figure = forest(drawn, names, unit, primary=first, counted=True)
    return {f"{outcome}_subgroups": Picture(picture, f"{title}: subgroups")}


def row_name(row: Row, labels: Mapping[str, str], several: bool, *, both: bool = False) -> str:
    """Return a row of a forest as a sentence.

    Args:
        row: of results.json.
        labels: arm -> what readers see.
        several: whether the figure has several contrasts, so that each row names its own.
        both: whether they are not all with the same arm, so that each row names what it compares with.
    """
    names = {
        "rerandomization": "Re-randomisation",
        "lin": "Lin-adjusted, HC3",
        "ancova": "ANCOVA",
        "welch_t": "Unadjusted, Welch",
        "rmst": "Restricted mean (Greenwood)",
        "wald_iv": "Compliers (Wald)",
        "tsls": "Compliers (two-stage)",
        "lee_bounds": "Lee bounds",
        "worst_case": "Worst case",
        "crossover": "t test within people",
        "newcombe": "Risk difference (Newcombe)",
        "tost": "Equivalence test",
        "mixed_model": "Random-intercept model",
        "cluster_robust": "Cluster-robust means",
        "inverse_probability": "Weighted for loss",
    }
    method = str(row["method"])
    text = "Lin's fallback (see note)" if stepped_down(row) else names.get(method, method_name(method, None))
    if (row.get("detail") or {}).get("clusters") is not None:  # the error is over them, whatever is usual without them
        text = text.partition(", ")[0].partition(" (G")[0]
    text += ", within cells" if method == "lee_bounds" and "covariates" in str(row["id"]).split(".") else ""
    text += {
        "with_excluded": ", with the excluded",
        "per_protocol": ", per protocol",
        "as_treated": ", as treated",
    }.get(str(row["population"]), "")
    text += ", censored at last activity" if "last_activity" in row["id"] else ""
    text += " (decides)" if row["role"] == "primary" else ""
    if not several or not row["contrast"]:
        return text
    arms = [labels.get(arm, arm) for arm in row["contrast"]]
    return f"{text} · {' minus '.join(arms if both else arms[:1])}"


def _drawable(row: Row) -> bool:
    return row["estimate"] is not None or (row["ci_low"] is not None and row["ci_high"] is not None)
