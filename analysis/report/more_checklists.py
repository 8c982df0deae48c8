"""Checklists beside CONSORT 2025: its extension for the design, SAMPL, and the attributes of ICH E9(R1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.prepare import Prepared
from analysis.report.checklist import AUTHORS, ChecklistItem, filled
from analysis.report.sample_size import sample_size_sentence

Result = Mapping[str, Any]


def checklists(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    """Title -> items, each answered from the data and the plan, or left to the authors."""
    found = {"CONSORT 2025": _answered(filled(result), prepared, result)}
    found |= _extensions(prepared, result)
    found["SAMPL guidelines"] = _sampl(prepared, result)
    if prepared.fitted.estimands:
        found["ICH E9(R1): estimands"] = _estimands(prepared, result)
    return found


def _answered(items: tuple[ChecklistItem, ...], prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    """CONSORT's items with the numbers that answer them."""
    flow, study = result["flow"], prepared.dataset.study
    allocation = study.raw.get("allocation", {}) if not result["masked"] else {}
    method = str(allocation.get("method", "")).replace("_", " ")
    weights = ":".join(f"{arm.weight:g}" for arm in prepared.view.arms)
    dates = flow["recruitment"]
    analysed = "; ".join(
        f"{name.replace('_', ' ')} "
        + ", ".join(f"{prepared_label(prepared, arm)} {cell['analysed']}" for arm, cell in arms.items())
        for name, arms in flow["outcomes"].items()
    )
    excluded = sum(sum(arm["excluded"].values()) for arm in flow["arms"].values())
    answers = {
        "9": f"Parallel arms, ratio {weights}" + (f"; {method}" if method else "") + "; Design",
        "16a": sample_size_sentence(prepared, result),
        "17b": f"{method.capitalize()}; Design" if method else "",
        "22a": f"{flow['assessed']} assessed, {flow['allocated']} allocated; analysed: {analysed}; Flow",
        "22b": f"{excluded} allocated and not in the first primary analysis, with reasons; Flow",
        "23a": f"Enrolled from {dates['first']} to {dates['last']}; Flow" if dates["first"] else "",
        "25": f"{len({row['variable'] for row in result['baseline']})} variables by arm; Baseline",
        "26": "Every outcome by arm with absolute and relative effects and intervals; Every outcome",
    }
    return tuple(item._replace(where=answers.get(item.number) or item.where) for item in items)


def prepared_label(prepared: Prepared, arm: str) -> str:
    """Return what readers see for an arm."""
    return next((entry.label or entry.id for entry in prepared.view.arms if entry.id == arm), arm)


def _extensions(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    plan, arms = prepared.fitted, prepared.view.arms
    method = prepared.dataset.study.raw.get("allocation", {}).get("method", "")
    primary = [row for row in result["estimates"] if row["role"] == "primary"]
    found: dict[str, tuple[ChecklistItem, ...]] = {}
    if len(arms) > 2:
        found["CONSORT extension: multi-arm trials"] = _multi_arm(prepared, primary)
    if prepared.frame.cluster:
        found["CONSORT extension: cluster trials"] = _clusters(prepared, result)
    if method == "sequence":
        found["CONSORT extension: crossover trials"] = _crossover()
    if plan.margins or any(row["method"] == "tost" for row in primary):
        found["CONSORT extension: non-inferiority and equivalence"] = _margins(prepared)
    if plan.stopping.kind != "none":
        looks = ", ".join(f"{look:g}" for look in plan.stopping.looks)
        found["CONSORT extension: adaptive designs"] = (
            ChecklistItem("3b", "Type of the adaptive design", f"{plan.stopping.kind.replace('_', ' ')} boundaries"),
            ChecklistItem("7b", "Interim looks and rules for stopping", f"At information {looks}; Design", "design"),
            ChecklistItem("14c", "Decisions taken at the looks", "Audit log of the dataset"),
        )
    return found


def _multi_arm(prepared: Prepared, primary: list[Any]) -> tuple[ChecklistItem, ...]:
    control = prepared_label(prepared, prepared.view.control)
    rule = prepared.fitted.multiplicity.method
    return (
        ChecklistItem("1a", "Title names a multi-arm trial", AUTHORS),
        ChecklistItem("3a", "Number of arms, and which are compared",
                      f"{len(prepared.view.arms)} arms, each with {control}", "design"),
        ChecklistItem("6a", "Outcomes of each comparison", "Estimands", "estimands"),
        ChecklistItem("7a", "Sample size for each comparison", "study power, one row a comparison"),
        ChecklistItem("12a", "Adjustment for several comparisons",
                      f"{rule.capitalize()} over {len(primary)} primary tests" if rule != "none" else "None planned"),
        ChecklistItem("17a", "Results of every planned comparison", "Primary result; Every outcome", "outcomes"),
    )  # fmt: skip


def _clusters(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    data, column = prepared.frame.data, prepared.frame.cluster
    numbers = ", ".join(
        f"{prepared_label(prepared, arm)} {data.loc[data['arm'] == arm, column].nunique()}"
        for arm in prepared.view.arm_ids
    )
    icc = [row["detail"].get("icc") for row in result["estimates"] if row["detail"].get("icc") is not None]
    return (
        ChecklistItem("1a", "Title names a cluster-randomised trial", AUTHORS),
        ChecklistItem("2a", "Why clusters were allocated", AUTHORS),
        ChecklistItem("3a", "Definition of cluster, and how the design concerns them", "Study file: allocation"),
        ChecklistItem("7a", "Sample size: clusters, their size, assumed ICC", "study power --icc --cluster-size"),
        ChecklistItem("12a", "How clustering was taken into account",
                      "Clusters are re-randomised whole; CR2 errors elsewhere; All analyses", "analyses"),
        ChecklistItem("13a", "Clusters allocated, treated and analysed in each arm", numbers),
        ChecklistItem("16", "Clusters in each analysis", "Number of clusters and people of each row", "analyses"),
        ChecklistItem("17a", "Coefficient of intracluster correlation of each primary outcome",
                      f"{icc[0]:.3f}" if icc else "Not estimated"),
    )  # fmt: skip


def _crossover() -> tuple[ChecklistItem, ...]:
    return (
        ChecklistItem("1a", "Title names a randomised crossover trial", AUTHORS),
        ChecklistItem("3a", "Periods, their length, washout, carry-over", AUTHORS),
        ChecklistItem("12a", "Analysis within persons, period effects", "All analyses", "analyses"),
        ChecklistItem("13a", "Numbers by sequence and period", "Flow", "flow"),
        ChecklistItem("17a", "Within-person difference with its interval", "Primary result", "primary"),
    )


def _margins(prepared: Prepared) -> tuple[ChecklistItem, ...]:
    margins = ", ".join(f"{entry.outcome.replace('_', ' ')} {entry.margin:g}" for entry in prepared.fitted.margins)
    return (
        ChecklistItem("1a", "Title names the type of trial", AUTHORS),
        ChecklistItem("2b", "Hypothesis of non-inferiority or equivalence, with the margin's reason", AUTHORS),
        ChecklistItem("7a", "Margin", margins or "Options of the primary analysis"),
        ChecklistItem(
            "12a", "One- or two-sided interval", f"Level {prepared.fitted.level:g}; All analyses", "analyses"
        ),
        ChecklistItem("17a", "Interval beside the margin", "Sensitivity; All analyses", "sensitivity"),
    )


def _sampl(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    plan, given = prepared.fitted, result["provenance"]
    methods = sorted({row["method"].replace("_", " ") for row in result["estimates"]})
    left = [row for row in result["estimates"] if "left out" in row["note"]]
    software = ", ".join(f"{name} {version}" for name, version in given["packages"].items())
    two = f"Two-sided, alpha {1 - plan.level:.3g}"
    return (
        ChecklistItem("1", "Purpose of each analysis", "Role and status of each row", "analyses"),
        ChecklistItem(
            "2", "Variables and summaries: mean (SD) or median [quartiles], n/N (%)", "Every outcome", "outcomes"
        ),
        ChecklistItem(
            "3", "Tests and models by name", f"{len(methods)} methods, each documented under Methods", "analyses"
        ),
        ChecklistItem("4", "Assumptions checked", "Notes of the rows; deviations list each step down", "deviations"),
        ChecklistItem(
            "5", "Multiple comparisons", f"{plan.multiplicity.method.capitalize()} over the primary tests", "primary"
        ),
        ChecklistItem(
            "6", "Missing data", f"{len(left)} rows leave participants out; each says how many and why", "sensitivity"
        ),
        ChecklistItem("7", "One- or two-sided, level", two, "design"),
        ChecklistItem(
            "8",
            "Estimates with intervals, exact p",
            f"{100 * plan.level:g}% intervals; p to three decimals",
            "outcomes",
        ),
        ChecklistItem("9", "Software", f"study-app {given['package_version']}, {software}", "provenance"),
        ChecklistItem("10", "Post hoc analyses marked", "Status of each row", "registration"),
    )


def _estimands(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    found: list[ChecklistItem] = []
    for number, estimand in enumerate(prepared.fitted.estimands, start=1):
        title = prepared.fitted.outcome(estimand.outcome).title
        events = "; ".join(f"{entry.event}: {entry.strategy.replace('_', ' ')}" for entry in estimand.intercurrent)
        parts = {
            "Treatments": estimand.treatments, "Population": estimand.population, "Variable": estimand.variable,
            "Intercurrent events": events or "None named", "Summary": estimand.summary,
            "Missing outcomes": estimand.missing or "Nothing stated; Missing data shows how many and which",
        }  # fmt: skip
        found += [
            ChecklistItem(f"{number}.{place}", f"{title}: {name.lower()}", text, "estimands")
            for place, (name, text) in enumerate(parts.items(), start=1)
        ]
    rows = [row["id"] for row in result["estimates"] if row["role"] == "sensitivity" and row["estimate"] is not None]
    found.append(ChecklistItem("S", "Sensitivity to the assumptions", f"{len(rows)} rows; Sensitivity", "sensitivity"))
    return tuple(found)
