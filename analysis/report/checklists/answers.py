"""Checklists beside CONSORT 2025: its extension for the design, SAMPL, and the attributes of ICH E9(R1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.factorial.rows import METHODS_OF_FACTORS
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.consort import AUTHORS, ChecklistItem, filled
from analysis.report.interim_table import adaptive_items, stopping_sentence
from analysis.report.sample_size import sample_size_sentence
from analysis.report.scales import decimal, shown, with_interval
from analysis.report.sentences.estimands import estimands
from analysis.report.sentences.set_aside import without
from analysis.report.wording import MARGINS, METHODS, p_phrase

Result = Mapping[str, Any]


def checklists(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    """Title -> items, each answered from the data and the plan, or left to the authors."""
    found = {"CONSORT 2025": _answered(filled(result), prepared, result)}
    found |= _extensions(prepared, result)
    found["SAMPL guidelines"] = _sampl(prepared, result)
    if estimands(prepared, result):
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
    of_group = f"in the {'order' if prepared.sequence else 'arm'} allocated"
    apart = without(prepared, {arm: prepared_label(prepared, arm) for arm in flow["arms"]})
    answers = {
        "9": f"{_design(prepared)}, ratio {weights}" + (f"; {method}" if method else "") + "; Design",
        "16a": sample_size_sentence(prepared, result),
        "17b": f"{method.capitalize()}; Design" if method else "",
        "22a": f"{flow['assessed']} assessed, {flow['allocated']} allocated; analysed: {analysed}; Flow",
        "22b": f"{excluded} allocated and not in the first primary analysis, with reasons; Flow",
        "23a": f"Enrolled from {dates['first']} to {dates['last']}; Flow" if dates["first"] else "",
        "25": f"{len({row['variable'] for row in result['baseline']})} variables by arm; Baseline",
        "26": "Every outcome by arm with absolute and relative effects and intervals; Every outcome"
        if result["outcomes"]
        else "Differences within people with their intervals; Primary result",
        "16b": stopping_sentence(prepared.fitted.stopping, prepared.dataset.plain),
        "21b": f"Everyone allocated{apart}, {of_group}: {_analysed(result)}; population and n of each row",
        "21c": _missing(result, apart),
        "24a": _received(prepared, result),
    }
    return tuple(item._replace(where=answers.get(item.number) or item.where) for item in items)


def _design(prepared: Prepared) -> str:
    if prepared.sequence:
        return f"Crossover of {len(prepared.compared)} treatments"
    whole = ""
    if prepared.frame.cluster:
        whole = f", allocated in {prepared.frame.data[prepared.frame.cluster].nunique()} clusters"
    study = prepared.dataset.study.study
    again = ", with a second randomisation (sequential, SMART)" if study is not None and study.second_decision else ""
    return f"{len(prepared.view.arms)} parallel arms{whole}{again}"


def _analysed(result: Result) -> str:
    counted = [cell["analysed"] for arms in result["flow"]["outcomes"].values() for cell in arms.values()]
    return f"{min(counted)} to {max(counted)} people an arm" if counted else "no primary outcome"


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


def prepared_label(prepared: Prepared, arm: str) -> str:
    """Return what readers see for an arm."""
    return next((entry.label or entry.id for entry in prepared.view.arms if entry.id == arm), arm)


def _extensions(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    plan, arms = prepared.fitted, prepared.view.arms
    primary = [row for row in result["estimates"] if row["role"] == "primary"]
    found: dict[str, tuple[ChecklistItem, ...]] = {}
    if len(arms) > 2:
        found["CONSORT extension: multi-arm trials"] = _multi_arm(prepared, primary)
    if prepared.levels is not None:
        found["CONSORT extension: factorial trials"] = _factorial(prepared, result)
    if prepared.frame.cluster:
        found["CONSORT extension: cluster trials"] = _clusters(prepared, result)
    if prepared.sequence:
        found["CONSORT extension: crossover trials"] = _crossover(prepared, result)
    if plan.margins or any(row["method"] in MARGINS for row in primary):
        found["CONSORT extension: non-inferiority and equivalence"] = _margins(prepared, result)
    if plan.stopping.interim:
        items = adaptive_items(plan.stopping, result.get("interim", {}))
        found["CONSORT extension: adaptive designs"] = items
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
                      f"{rule.capitalize()} over {len(primary)} primary test{'s' * (len(primary) != 1)}"
                      if rule != "none" else "None planned"),
        ChecklistItem("17a", "Results of every planned comparison", "Primary result; Every outcome", "outcomes"),
    )  # fmt: skip


def _factorial(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    study = prepared.dataset.study.study
    factors = study.factors if study is not None else ()
    named = "; ".join(f"{factor.title}: {', '.join(factor.level_ids)}" for factor in factors)
    rows = [row for row in result["estimates"] if row["method"] in METHODS_OF_FACTORS and row["estimate"] is not None]
    kinds = {kind: [row for row in rows if row["detail"].get("effect") == kind] for kind in ("main", "interaction")}
    deciding = [row for row in kinds["main"] if row["role"] == "primary"]
    primary = [row for row in result["estimates"] if row["role"] == "primary"]
    cells = "; ".join(
        f"{prepared_label(prepared, arm)} {cell['allocated']}" for arm, cell in result["flow"]["arms"].items()
    )
    return (
        ChecklistItem("1a", "Title names a factorial trial", AUTHORS),
        ChecklistItem("2b", "Why the factors were crossed, and whether an interaction was expected", AUTHORS),
        ChecklistItem("3a", "Factors, their levels, and any control outside the cells", named, "design"),
        ChecklistItem("6a", "Main comparisons", "Each level with the first, over the other factors; interactions",
                      "primary"),
        ChecklistItem("7a", "Sample size for each main comparison, and what was assumed of interactions",
                      "study power, one row a comparison, without interaction"),
        ChecklistItem("12a", "How each comparison was analysed: at the margins or within the table",
                      "At the margins, cells weighted equally; simple effects within the table", "analyses"),
        ChecklistItem("12b", "Adjustment for several comparisons",
                      f"{prepared.fitted.multiplicity.method.capitalize()} over {len(primary)} primary rows"),
        ChecklistItem("13a", "Numbers in each cell", cells, "flow"),
        ChecklistItem("17a", "Main effects with intervals", _effects(deciding or kinds["main"]) or "Not estimated",
                      "primary"),
        ChecklistItem("17b", "Interactions with intervals", _effects(kinds["interaction"]) or "Not estimated",
                      "primary"),
        ChecklistItem("20", "What an interaction does to the reading of main effects", AUTHORS),
    )  # fmt: skip


def _effects(rows: list[Any]) -> str:
    return "; ".join(f"{row['id']} {with_interval(row, shown(row))} {shown(row).unit}" for row in rows)


def _clusters(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    data, column = prepared.frame.data, prepared.frame.cluster
    numbers = ", ".join(
        f"{prepared_label(prepared, arm)} {data.loc[data['arm'] == arm, column].nunique()}"
        for arm in prepared.view.arm_ids
    )
    icc: dict[str, float] = {}
    for row in result["estimates"]:
        if row["outcome"] in prepared.fitted.primary and row["detail"].get("icc") is not None:
            icc.setdefault(prepared.fitted.outcome(row["outcome"]).title, row["detail"]["icc"])
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
                      "; ".join(f"{title} {decimal(value, 3)}" for title, value in icc.items()) or "Not estimated"),
    )  # fmt: skip


def _crossover(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    control = prepared.compared[0]
    rows = [row for row in result["estimates"] if row["role"] == "primary" and row["estimate"] is not None]
    found = "; ".join(
        f"{prepared.fitted.outcome(row['outcome']).title}, {_label(prepared, row['contrast'][0])} minus "
        f"{_label(prepared, row['contrast'][1])}: {with_interval(row, shown(row))} {shown(row).unit}"
        for row in rows
    )
    periods = sorted({row["detail"]["periods"] for row in rows if "periods" in row["detail"]})
    sequences = ", ".join(
        f"{prepared_label(prepared, name)} {arm['allocated']}" for name, arm in result["flow"]["arms"].items()
    )
    return (
        ChecklistItem("1a", "Title names a randomised crossover trial", AUTHORS),
        ChecklistItem("3a", "Periods, their length, washout, carry-over",
                      f"{', '.join(map(str, periods))} periods; length, washout and carry-over: "
                      f"{AUTHORS[:1].lower()}{AUTHORS[1:]}" if periods else AUTHORS),
        ChecklistItem("12a", "Analysis within persons, period effects",
                      f"Each treatment with {_label(prepared, control)} within people, periods as effects"
                      f"{_of_periods(rows)}, orders allocated again; All analyses", "analyses"),
        ChecklistItem("13a", "Numbers by sequence and period", f"Allocated: {sequences}; Flow", "flow"),
        ChecklistItem("17a", "Within-person difference with its interval", found or "Not estimated", "primary"),
    )  # fmt: skip


def _of_periods(rows: list[Any]) -> str:
    """Return the p of the periods' effects and of carry-over, from the first row that has them."""
    known = [row["detail"] for row in rows if row["detail"].get("period_p") is not None]
    if not known:
        return ""
    carried = known[0].get("carryover_p")
    return f" ({p_phrase(known[0]['period_p'])}" + (
        f"; carry-over {p_phrase(carried)})" if carried is not None else ")"
    )


def _label(prepared: Prepared, arm: str) -> str:
    """Return what readers see for an arm or for a treatment of a sequence."""
    named = {entry.id: entry.label or entry.id for entry in prepared.dataset.study.arms}
    return named.get(arm, prepared_label(prepared, arm))


def _margins(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    tested = [row for row in result["estimates"] if row["method"] in MARGINS]
    margins = dict.fromkeys(f"{prepared.fitted.outcome(row['outcome']).title}: {_margin_of(row)}" for row in tested
                            if row["detail"])  # fmt: skip
    sides = dict.fromkeys(
        f"{METHODS[row['method']]} at {1 - prepared.fitted.level:.3g}, interval of {100 * row['ci_level']:g}%"
        for row in tested
    )
    found = "; ".join(
        f"{prepared.fitted.outcome(row['outcome']).title} {with_interval(row, shown(row))} {shown(row).unit}, margin "
        f"{_margin_of(row)}"
        for row in tested if row["estimate"] is not None and row["detail"]
    )  # fmt: skip
    return (
        ChecklistItem("1a", "Title names the type of trial", AUTHORS),
        ChecklistItem("2b", "Hypothesis of non-inferiority or equivalence, with the margin's reason", AUTHORS),
        ChecklistItem("7a", "Margin", "; ".join(margins) or "Options of the analysis; nothing could be tested"),
        ChecklistItem("12a", "One- or two-sided interval", "; ".join(sides) or "No row tests a margin", "analyses"),
        ChecklistItem("17a", "Interval beside the margin", found or "Not estimated", "analyses"),
    )


def _margin_of(row: Mapping[str, Any]) -> str:
    detail = row["detail"]
    if "margin_low" in detail:
        return f"{detail['margin_low']:g} to {detail['margin_high']:g} {row['unit']}"
    return f"{detail['margin']:g} {row['unit']}, {detail['better']} is better"


def _summaries(prepared: Prepared, result: Result) -> ChecklistItem:
    if not prepared.sequence:
        named = "Variables and summaries: mean (SD) or median [quartiles], n/N (%)"
        return ChecklistItem("2", named, "Every outcome", "outcomes")
    # Outcomes of a crossover are not summed up by arm, for everyone had each treatment.
    found = [
        f"{prepared.fitted.outcome(row['outcome']).title}, {_label(prepared, arm)}: {decimal(row['estimate'], 2)}"
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
    counted = f"{len(rows)} row{'s' * (len(rows) != 1)}; Sensitivity" if rows else "No row of this design"
    found.append(ChecklistItem("S", "Sensitivity to the assumptions", counted, "sensitivity"))
    return tuple(found)
