"""All figures of a report as SVG text, by file name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.data.variables import variable_labels
from analysis.interaction.selection import main_tables
from analysis.interaction.timeline import timeline
from analysis.pipeline.prepare import Prepared
from analysis.plotting import svg
from analysis.report import figures
from analysis.report import interaction_figures as use
from analysis.report.wording import stepped_down

Row = Mapping[str, Any]
DIFFERENCES = (
    "rerandomization", "permutation", "lin", "ancova", "ols", "welch_t", "student_t", "rmst", "wald_iv", "tsls", "tost",
    "lee_bounds", "worst_case", "mixed_model", "cluster_robust",
)  # fmt: skip
"""Methods whose rows are in the outcome's unit, and so fit into one forest."""


def pictures(prepared: Prepared, result: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    """Draw what the data allow; a figure without data is left out."""
    plan, view = prepared.fitted, prepared.view
    data = prepared.frame.population("itt")
    names = variable_labels(prepared.dataset)
    found: dict[str, str] = {}
    if result["baseline"] and len(view.arms) > 1:
        found["balance"] = svg(figures.balance(result["baseline"], names), "Standardised differences at baseline")
    for name in plan.primary:
        outcome = plan.outcome(name)
        rows = [row for row in result["estimates"] if row["outcome"] == name]
        values = data[data[name].notna()]
        if values.empty:
            continue
        first = [row for row in rows if row["id"].startswith(f"{name}.rerandomization")]
        picture = figures.estimation(values, outcome, view.arm_ids, labels, first)
        found[f"{name}_estimation"] = svg(picture, f"{outcome.title}: values by arm and difference")
        if outcome.kind == "time":
            picture = figures.survival(values, outcome, view.arm_ids, labels, plan.level)
            found[f"{name}_survival"] = svg(picture, f"{outcome.title}: share not yet completed")
        found |= _forest(f"{name}_sensitivity", rows, outcome.unit, labels, f"{outcome.title}: sensitivity")
        found |= _subgroups(name, rows, outcome.unit, {**labels, **names}, outcome.title)
    main = result["psychometrics"]
    others = {f"items_{stage}": quiz for stage, quiz in main["quizzes"].items() if stage != main.get("stage")}
    for name, quiz in {"items": main, **others}.items():
        items = quiz.get("items", [])
        if items and all(_split(row) for row in items):
            found[name] = svg(figures.items(items, view.arm_ids, labels), f"{quiz['title']}: items by arm")
    return found | _use(prepared, result["styles"])


def _split(row: Mapping[str, Any]) -> bool:
    """Whether an item's points are known by arm; those of a quiz before allocation are not split."""
    return bool(row["arms"]) and all(arm["n"] for arm in row["arms"].values())


def _use(prepared: Prepared, section: Mapping[str, Any]) -> dict[str, str]:
    """Figures of the assistant's use; none while it is withheld or where nobody asked."""
    if "assignments" not in section:
        return {}
    patterns = {str(row["participant_id"]): str(row["pattern"]) for row in section["assignments"]}
    found = {}
    actions = timeline(main_tables(prepared.view.tables, prepared.dataset.study.raw))
    actions = actions[actions["participant_id"].isin(patterns)]
    if len(actions):
        order = [str(group["pattern"]) for group in section["groups"]]
        found["timelines"] = svg(use.swimlanes(actions, patterns, order), "Timelines of use")
    if section["trajectory"].get("measures"):
        found["trajectory"] = svg(use.trajectory_plot(section["trajectory"]), "Shares by quarter of the session")
    if section["process"].get("counts"):
        found["process"] = svg(use.flow_plot(section["process"]), "Flow between states")
    return found


def _forest(name: str, rows: Sequence[Row], unit: str, labels: Mapping[str, str], title: str) -> dict[str, str]:
    kept = [row for row in rows if row["method"] in DIFFERENCES and row["unit"] == unit and _drawable(row)]
    kept = [row for row in kept if ".subgroup." not in row["id"] and ".interaction." not in row["id"]]
    if len(kept) < 2:
        return {}
    first = [row["role"] == "primary" or row["method"] == "rerandomization" for row in kept]
    several = len({tuple(row["contrast"] or ()) for row in kept if row["population"] != "as_treated"}) > 1
    names = [row_name(row, labels, several) for row in kept]
    return {name: svg(figures.forest(kept, names, unit, primary=first), title)}


def _subgroups(outcome: str, rows: Sequence[Row], unit: str, labels: Mapping[str, str], title: str) -> dict[str, str]:
    kept = [row for row in rows if ".subgroup." in row["id"] and _drawable(row)]
    everyone = [
        row for row in rows if row["method"] == "welch_t" and row["id"] == f"{outcome}.welch_t" and _drawable(row)
    ]
    if not kept:
        return {}
    drawn = [*everyone, *kept]
    names = ["Everyone (unadjusted)"] * len(everyone) + [_level_name(row, labels) for row in kept]
    picture: Figure = figures.forest(drawn, names, unit, primary=[False] * len(drawn))
    return {f"{outcome}_subgroups": svg(picture, f"{title}: subgroups")}


def _level_name(row: Row, labels: Mapping[str, str]) -> str:
    column, _, level = row["id"].split(".subgroup.")[1].partition(".")
    return f"{labels.get(column, column)}: {labels.get(f'{column}={level}', level)}"


def row_name(row: Row, labels: Mapping[str, str], several: bool) -> str:
    """A row of a forest in words."""
    names = {
        "rerandomization": "Re-randomisation (decides)",
        "lin": "Lin-adjusted, HC3",
        "ancova": "ANCOVA",
        "welch_t": "Unadjusted, Welch",
        "rmst": "Restricted mean (Greenwood)",
        "wald_iv": "Compliers (Wald)",
        "tsls": "Compliers (two-stage)",
        "lee_bounds": "Lee bounds",
        "worst_case": "Worst case",
        "tost": "Equivalence test",
    }
    text = "Lin's fallback (see note)" if stepped_down(row) else names.get(str(row["method"]), str(row["method"]))
    text += {"per_protocol": ", per protocol", "as_treated": ", as treated"}.get(str(row["population"]), "")
    text += ", censored at last activity" if "last_activity" in row["id"] else ""
    return f"{text} · {labels.get(row['contrast'][0], row['contrast'][0])}" if several and row["contrast"] else text


def _drawable(row: Row) -> bool:
    return row["estimate"] is not None or (row["ci_low"] is not None and row["ci_high"] is not None)
