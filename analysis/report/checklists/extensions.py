"""The extensions of CONSORT that a design calls for, answered from the data and the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pipeline.factorial.rows import METHODS_OF_FACTORS
from analysis.pipeline.people.flow import clusters_in
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.consort import AUTHORS, ChecklistItem
from analysis.report.interim_table import adaptive_items
from analysis.report.scales import decimal, in_unit, shown, with_interval
from analysis.report.sentences.design import adjustment, comparisons
from analysis.report.sentences.estimands import estimands
from analysis.report.wording import MARGINS, METHODS, p_phrase
from study_app.domain.allocation.options import order_of

Result = Mapping[str, Any]


def extensions(prepared: Prepared, result: Result) -> dict[str, tuple[ChecklistItem, ...]]:
    """Title -> items of each extension of CONSORT that the design calls for."""
    plan = prepared.fitted
    primary = [row for row in result["estimates"] if row["role"] == "primary"]
    found: dict[str, tuple[ChecklistItem, ...]] = {}
    if len(prepared.compared) > 2 and prepared.levels is None:
        found["CONSORT extension: multi-arm trials"] = _multi_arm(prepared, result)
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


def _multi_arm(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    plain, stated = prepared.dataset.plain, bool(estimands(prepared, result))
    what = "treatments" if prepared.sequence else "arms"
    labels = {arm: treatment_label(prepared, arm) for arm in prepared.compared}
    return (
        ChecklistItem("1a", "Title names a multi-arm trial", AUTHORS),
        ChecklistItem("3a", "Number of arms, and which are compared",
                      f"{len(labels)} {what}: {comparisons(prepared, result, labels)}", "design"),
        ChecklistItem("6a", "Outcomes of each comparison", "Estimands" if stated else "Every outcome",
                      "estimands" if stated else "outcomes"),
        ChecklistItem("7a", "Sample size for each comparison",
                      AUTHORS if plain else "study power, one row a comparison"),
        ChecklistItem("12a", "Adjustment for several comparisons", capital(adjustment(prepared, result))),
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
        ChecklistItem("17a", "Main effects with intervals",
                      _effects(prepared, deciding or kinds["main"]) or "Not estimated",
                      "primary"),
        ChecklistItem("17b", "Interactions with intervals",
                      _effects(prepared, kinds["interaction"]) or "Not estimated",
                      "primary"),
        ChecklistItem("20", "What an interaction does to the reading of main effects", AUTHORS),
    )  # fmt: skip


def _effects(prepared: Prepared, rows: list[Any]) -> str:
    study = prepared.dataset.study.study
    titles = {factor.id: factor.title for factor in (study.factors if study is not None else ())}
    return "; ".join(
        f"{prepared.fitted.outcome(row['outcome']).title}, "
        f"{' by '.join(titles.get(name, name) for name in row['detail']['factors'])}"
        f"{', ' + ' minus '.join(row['contrast']) if row['contrast'] else ''}: "
        f"{with_interval(row, shown(row))} {shown(row).unit}"
        for row in rows
    )


def _clusters(prepared: Prepared, result: Result) -> tuple[ChecklistItem, ...]:
    data, column = prepared.frame.data, prepared.frame.cluster or ""
    numbers = ", ".join(
        f"{prepared_label(prepared, arm)} {clusters_in(data[data['arm'] == arm], column)}"
        for arm in prepared.view.arm_ids
    )
    icc: dict[str, float] = {}
    for row in result["estimates"]:
        if row["outcome"] in prepared.fitted.primary and row["detail"].get("icc") is not None:
            icc.setdefault(prepared.fitted.outcome(row["outcome"]).title, row["detail"]["icc"])
    return (
        ChecklistItem("1a", "Title names a cluster-randomised trial", AUTHORS),
        ChecklistItem("2a", "Why clusters were allocated", AUTHORS),
        ChecklistItem("3a", "Definition of cluster, and how the design concerns them",
                      AUTHORS if prepared.dataset.plain else "Study file: allocation"),
        ChecklistItem("7a", "Sample size: clusters, their size, assumed ICC",
                      AUTHORS if prepared.dataset.plain else "study power --icc --cluster-size"),
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
        f"{prepared.fitted.outcome(row['outcome']).title}, {treatment_label(prepared, row['contrast'][0])} minus "
        f"{treatment_label(prepared, row['contrast'][1])}: {with_interval(row, shown(row))} {shown(row).unit}"
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
                      f"Each treatment with {treatment_label(prepared, control)} within people, periods as effects"
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


def treatment_label(prepared: Prepared, arm: str) -> str:
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
        return in_unit(row["unit"], detail["margin_low"], detail["margin_high"])
    return f"{in_unit(row['unit'], detail['margin'])}, {detail['better']} is better"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{count} {noun}{'s' * (count != 1)}"


def capital(text: str) -> str:
    """Return a phrase as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def prepared_label(prepared: Prepared, arm: str) -> str:
    """Return what readers see for an arm; of a sequence for an order of treatments."""
    if prepared.sequence:
        named = {entry.id: entry.label or entry.id for entry in prepared.dataset.study.arms}
        return ", then ".join(named.get(part, part) for part in order_of(arm))
    return next((entry.label or entry.id for entry in prepared.view.arms if entry.id == arm), arm)
