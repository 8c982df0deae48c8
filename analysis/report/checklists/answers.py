"""Checklists beside CONSORT 2025: its extension for the design, SAMPL, and the attributes of ICH E9(R1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.people.flow import clusters_in
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.consort import AUTHORS, ChecklistItem, filled
from analysis.report.checklists.elsewhere import of_a_table
from analysis.report.checklists.extensions import capital, counted, extensions, prepared_label, treatment_label
from analysis.report.interim_table import stopping_sentence
from analysis.report.sample_size import sample_size_sentence
from analysis.report.scales import decimal
from analysis.report.sentences.design import adjustment
from analysis.report.sentences.estimands import estimands
from analysis.report.sentences.set_aside import without
from analysis.report.wording import MARGINS, METHODS

Result = Mapping[str, Any]


def checklists(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    """Title -> items, each answered from the data and the plan, or left to the authors."""
    items = filled(result)
    if prepared.dataset.plain:
        items = of_a_table(items)
    found = {"CONSORT 2025": _answered(items, prepared, result)}
    found |= extensions(prepared, result)
    found["SAMPL guidelines"] = _sampl(prepared, result)
    if estimands(prepared, result):
        found["ICH E9(R1): estimands"] = _estimands(prepared, result)
    return found


def _answered(items: tuple[ChecklistItem, ...], prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    """CONSORT's items with the numbers that answer them."""
    flow, study, plain = result["flow"], prepared.dataset.study, prepared.dataset.plain
    allocation = study.raw.get("allocation", {}) if not result["masked"] else {}
    method = str(allocation.get("method", "")).replace("_", " ")
    weights = ":".join(f"{arm.weight:g}" for arm in prepared.view.arms)
    dates = flow["recruitment"]
    analysed = "; ".join(
        f"{prepared.fitted.outcome(name).title} "
        + ", ".join(f"{prepared_label(prepared, arm)} {cell['analysed']}" for arm, cell in arms.items())
        for name, arms in flow["outcomes"].items()
    )
    excluded = sum(sum(arm["excluded"].values()) for arm in flow["arms"].values())
    group = "order" if prepared.sequence else "arm"
    apart = without(prepared, {arm: prepared_label(prepared, arm) for arm in flow["arms"]})
    ancillary = [".subgroup." in row["id"] or ".interaction." in row["id"] for row in result["estimates"]]
    ratio = (
        f", {':'.join(str(arm['allocated']) for arm in flow['arms'].values())} people; planned ratio: by the authors"
    )
    assessed = "" if plain else f"{flow['assessed']} assessed, "
    stated = any(estimand.outcome in prepared.fitted.primary for estimand in estimands(prepared, result))
    answers = {
        "7": "" if stated else AUTHORS,
        "9": _design(prepared)
        + (ratio if plain else f", ratio {weights}")
        + (f"; {method}" if method else "")
        + "; Design",
        "14": "" if stated else "Primary outcomes under Design; Every outcome",
        "16a": sample_size_sentence(prepared, result) + ("; why so many: by the authors" if plain else ""),
        "17b": f"{method.capitalize()}; Design" if method else "",
        "22a": f"{assessed}{flow['allocated']} allocated; analysed: {analysed}; Flow",
        "22b": f"{excluded} allocated and not in the first primary analysis, with reasons; Flow",
        "23a": f"Enrolled from {dates['first']} to {dates['last']}; Flow" if dates["first"] else "",
        "25": f"{counted(len({row['variable'] for row in result['baseline']}), 'variable')} by arm; Baseline",
        "26": "Every outcome by arm with absolute and relative effects and intervals; Every outcome"
        if result["outcomes"]
        else "Differences within people with their intervals; Primary result",
        "16b": stopping_sentence(prepared.fitted.stopping, plain),
        "21b": f"Everyone allocated{apart}, in the {group} allocated: {_analysed(result, group)}; population and n of "
        "each row",
        "21c": _missing(result, apart),
        "28": "" if any(ancillary) else "No subgroup was compared; sensitivity",
        "24a": _received(prepared, result),
    }
    found = (item._replace(where=answers.get(item.number) or item.where) for item in items)
    return tuple(item._replace(anchor="") if item.where == AUTHORS else item for item in found)


def _design(prepared: Prepared) -> str:
    if prepared.sequence:
        return f"Crossover of {len(prepared.compared)} treatments"
    whole = ""
    if prepared.frame.cluster:
        whole = f", allocated in {clusters_in(prepared.frame.data, prepared.frame.cluster)} clusters"
    study = prepared.dataset.study.study
    again = ", with a second randomisation (sequential, SMART)" if study is not None and study.second_decision else ""
    return f"{len(prepared.view.arms)} parallel arms{whole}{again}"


def _analysed(result: Result, group: str) -> str:
    counted = [cell["analysed"] for arms in result["flow"]["outcomes"].values() for cell in arms.values()]
    return f"{min(counted)} to {max(counted)} people an {group}" if counted else "no primary outcome"


def _missing(result: Result, apart: str) -> str:
    gaps = result["missing"]
    if not gaps:
        return "Notes of the rows say who is left out; Sensitivity"
    count = sum(entry["n"] for entry in gaps["patterns"] if entry["missing"])
    found = f"{count} of {gaps['n']} people allocated{apart} lack a covariate or an outcome, by pattern"
    bounded = (
        "; Lee's bounds and the worst case count those excluded as missing"
        if "excluded" in gaps.get("left_out", {})
        else ""
    )
    return f"{found}{bounded}; Missing data"


def _received(prepared: Prepared, result: Result) -> str:
    arms = result["flow"]["arms"]
    # In a crossover everyone has each treatment: what an order's people received says nothing of keeping to it.
    if prepared.sequence or any(arm["received"] is None for arm in arms.values()):
        return ""
    received = ", ".join(f"{prepared_label(prepared, name)} {arm['received']} of {arm['allocated']}"
                     for name, arm in arms.items())  # fmt: skip
    return f"Received: {received}; Flow"


def _summaries(prepared: Prepared, result: Result) -> ChecklistItem:
    if not prepared.sequence:
        named = "Variables and summaries: mean (SD) or median [quartiles], n/N (%)"
        return ChecklistItem("2", named, "Every outcome", "outcomes")
    # Outcomes of a crossover are not summed up by arm, for everyone had each treatment.
    found = [
        f"{prepared.fitted.outcome(row['outcome']).title}, {treatment_label(prepared, arm)}: "
        + decimal(row["estimate"], 2)
        + (f" ({decimal(row['effect_size']['value'], 2)})" if row["effect_size"]["value"] is not None else "")
        + f", {count} periods"
        for row in result["estimates"] if row["method"] == "mean"
        for arm, count in row["n"].items()
    ]  # fmt: skip
    return ChecklistItem(
        "2", "Variables and summaries: mean (SD)", "; ".join(found) or "No period has a value", "analyses"
    )


def _sampl(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    plan, given = prepared.fitted, result["provenance"]
    methods = sorted({row["method"].replace("_", " ") for row in result["estimates"]})
    left = [row for row in result["estimates"] if "left out" in row["note"]]
    software = ", ".join(f"{name} {version}" for name, version in given["packages"].items())
    sided = dict.fromkeys(METHODS[row["method"]] for row in result["estimates"] if row["method"] in MARGINS)
    two = f"Two-sided, alpha {1 - plan.level:.3g}" + (f"; one-sided: {', '.join(sided)}" if sided else "")
    return (
        ChecklistItem("1", "Purpose of each analysis", "Role and status of each row", "analyses"),
        _summaries(prepared, result),
        ChecklistItem(
            "3", "Tests and models by name", f"{counted(len(methods), 'method')}, each named in its row", "analyses"
        ),
        ChecklistItem("4", "Assumptions checked", "Notes of the rows; deviations list each step down", "deviations"),
        ChecklistItem("5", "Multiple comparisons", capital(adjustment(prepared, result)), "primary"),
        ChecklistItem(
            "6",
            "Missing data",
            f"{counted(len(left), 'row')} without some of the participants; each says how many and why"
            if left
            else "No row goes without participants",
            "sensitivity",
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
    for number, estimand in enumerate(estimands(prepared, result), start=1):
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
    answer = f"{counted(len(rows), 'row')}; Sensitivity" if rows else "No row of this design"
    found.append(ChecklistItem("S", "Sensitivity to the assumptions", answer, "sensitivity"))
    return tuple(found)
