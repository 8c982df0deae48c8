"""What a manuscript takes over: captioned tables and figures in the order of CONSORT, as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.data.variables import variable_labels
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.answers import checklists
from analysis.report.flow_diagram import reason_in_words
from analysis.report.interim_table import HEADER, look_rows
from analysis.report.outcome_lines import outcome_lines
from analysis.report.render import item_titles
from analysis.report.scales import decimal, decimals_of_spread, shown, with_interval
from analysis.report.sentences.subgroups import subgroup_name
from analysis.report.wording import analysis_name, counts, p_of_row, p_text, population

Row = Mapping[str, Any]


@dataclass(frozen=True)
class DocumentTable:
    """A table with its caption; cells are text."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def widths(self) -> tuple[float, ...]:
        """Share of the page for each column, by its longest cell, within limits that leave room for all."""
        longest = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        bounded = [min(max(length, 6), 40) for length in longest]
        return tuple(length / sum(bounded) for length in bounded)


@dataclass(frozen=True)
class DocumentFigure:
    """A figure by its file name without ending."""

    name: str
    caption: str


@dataclass(frozen=True)
class Manuscript:
    """Title, stamps, then tables and figures."""

    title: str
    stamps: tuple[str, ...]
    tables: tuple[DocumentTable, ...]
    figures: tuple[DocumentFigure, ...]
    footer: str


def manuscript(
    prepared: Prepared, result: Mapping[str, Any], labels: Mapping[str, str], stamps: Sequence[str],
    figures: Mapping[str, str],
) -> Manuscript:  # fmt: skip
    """Make the tables; figures are taken by name and title.

    Args:
        prepared: what was analysed.
        result: of results.json.
        labels: arm -> what readers see.
        stamps: what every page must say about itself.
        figures: file name without ending -> title.
    """
    plan = prepared.fitted
    titles = {outcome.id: outcome.title for outcome in plan.outcomes} | item_titles(result)
    columns = variable_labels(prepared.dataset, plan)
    arms = [arm.id for arm in prepared.view.arms]
    estimates = result["estimates"]
    primary = [row for row in estimates if row["role"] == "primary"]
    secondary = [row for row in estimates if row["role"] == "secondary" and row["method"] != "mean"]
    sensitivity = [row for row in estimates if row["role"] in ("sensitivity", "exploratory")]
    level = plan.level
    made = (
        _flow(result["flow"], arms, labels, titles, plain=prepared.dataset.plain),
        _sessions(result["flow"], arms, labels),
        _baseline(result["baseline"], arms, labels, variable_labels(prepared.dataset, prepared.fitted)),
        _outcomes(result["outcomes"], arms, labels, titles, level),
        _rows("Primary analyses", primary, titles, labels, level, adjusted=_rule(plan.multiplicity.method)),
        DocumentTable("Interim looks", HEADER, look_rows(result.get("interim", {}), titles, labels)),
        _blinding(result.get("blinding", {})),
        _rows("Sensitivity analyses", sensitivity, titles, labels, level),
        _rows("Secondary analyses", secondary, titles, labels, level, columns=columns),
        *(_checklist(name, items) for name, items in checklists(prepared, result).items()),
    )
    given = result["provenance"]
    footer = (
        f"study-app {given['package_version']}, Python {given['python']}; dataset {given['dataset_sha256'][:12]}, "
        f"plan {given['plan_sha256'][:12]}, seed {given['seed']}"
    )
    study = prepared.dataset.study
    drawn = tuple(DocumentFigure(name, title) for name, title in figures.items())
    return Manuscript(study.title or study.id, tuple(stamps), tuple(t for t in made if t.rows), drawn, footer)


def _blinding(blinding: Row) -> DocumentTable:
    """Lay out who was unblinded, by whom and when, and what was done afterwards."""
    rows = [("unblinding", act["participant_id"], act["at"][:10], act["by"]) for act in blinding.get("unblindings", ())]
    rows += [("exclusion after one", act["participant_id"], act["at"][:10], act["by"])
             for act in blinding.get("exclusions", ())]  # fmt: skip
    rows += [("judgements after one", f"{row['n']} by {row['rubric']}", "", row["by"])
             for row in blinding.get("judgements", ())]  # fmt: skip
    rows += [("judgements after unsealing", f"{row['n']} by {row['rubric']}", "", "")
             for row in blinding.get("late_judgements", ())]  # fmt: skip
    return DocumentTable("Unblindings", ("Act", "Of", "On", "By"), tuple(rows))


def _units(flow: Row, arms: Sequence[str]) -> list[tuple[str, ...]]:
    """Return clusters and the second randomisation, in trials that have them."""
    rows: list[tuple[str, ...]] = []
    if clusters := flow.get("clusters"):
        rows.append(
            ("Clusters allocated, analysed", *(f"{clusters[a]['allocated']}, {clusters[a]['analysed']}" for a in arms))
        )
    if second := flow.get("second"):
        rows.append(("Responded", *(str(second[arm]["responded"]) for arm in arms)))
        for name in second[arms[0]]["treatments"]:
            cells = [second[arm]["treatments"][name] for arm in arms]
            rows.append(
                (
                    f"Second treatment {name}: allocated, analysed",
                    *(f"{c['allocated']}, {c['analysed']}" for c in cells),
                )
            )
    return rows


def _flow(
    flow: Row, arms: Sequence[str], labels: Mapping[str, str], titles: Mapping[str, str], *, plain: bool
) -> DocumentTable:
    counted = [flow["arms"][arm] for arm in arms]
    rows = [("Allocated", *(str(arm["allocated"]) for arm in counted))]
    if all(arm["received"] is not None for arm in counted):
        rows.append(("Used any AI", *(str(arm["received"]) for arm in counted)))
    rows += _units(flow, arms)
    if not plain or any(arm["discontinued"] for arm in counted):
        rows.append(("Left during the study", *(str(arm["discontinued"]) for arm in counted)))
    for name, each in flow["outcomes"].items():
        rows.append((f"Analysed: {titles.get(name, name)}", *(str(each[arm]["analysed"]) for arm in arms)))
        reasons = dict.fromkeys(reason for arm in arms for reason in each[arm]["excluded"])
        for reason in reasons:
            cells = (str(each[arm]["excluded"].get(reason, 0)) for arm in arms)
            rows.append((f"Not analysed, {reason_in_words(reason, titles)}", *cells))
    turned = ", ".join(f"{why.replace('_', ' ')} {count}" for why, count in flow["excluded"].items())
    first = f"{flow['assessed']} rows" if plain else f"{flow['assessed']} assessed"
    note = f"{first}, {flow['allocated']} allocated." + (f" Not allocated: {turned}." if turned else "")
    return DocumentTable("Flow of participants", ("", *(labels[arm] for arm in arms)), tuple(rows), note)


def _sessions(flow: Row, arms: Sequence[str], labels: Mapping[str, str]) -> DocumentTable:
    """Return who completed each session of several, is due for it, and was lost by then."""
    rows = [
        (f"{wave['number']}. {wave['session']}, {state}", *(str(wave["arms"][arm][state]) for arm in arms))
        for wave in flow.get("waves", ())
        for state in ("completed", "due", "lost")
    ]
    return DocumentTable("Sessions", ("", *(labels[arm] for arm in arms)), tuple(rows), "Of the people allocated.")


def _baseline(
    rows: Sequence[Row], arms: Sequence[str], labels: Mapping[str, str], names: Mapping[str, str]
) -> DocumentTable:
    found: list[tuple[str, ...]] = []
    last = ""
    for row in rows:
        name = names.get(row["variable"], row["variable"])
        smd = decimal(row["smd"], 2)
        if row["level"] is None:
            digits = decimals_of_spread(max((row["arms"][arm]["sd"] or 0.0 for arm in arms), default=None))
            cells = (
                f"{decimal(row['arms'][arm]['mean'], digits)} ({decimal(row['arms'][arm]['sd'], digits)})"
                for arm in arms
            )
            found.append((f"{name}, mean (SD)", *cells, smd))
            continue
        if row["variable"] != last:
            found.append((f"{name}, n (%)", *("" for _ in arms), smd))
        last = row["variable"]
        cells = (f"{row['arms'][arm]['count']} ({decimal(row['arms'][arm]['percent'], 0)}%)" for arm in arms)
        found.append((f"    {row['level']}", *cells, ""))
    header = ("Variable", *(labels[arm] for arm in arms), "Standardised difference")
    note = (
        "No p values: allocation was by chance. Of two levels the difference is that of the second; of several it has "
        "no sign."
    )
    return DocumentTable("Baseline characteristics", header, tuple(found), note)


def _outcomes(
    outcomes: Sequence[Row], arms: Sequence[str], labels: Mapping[str, str], titles: Mapping[str, str], level: float
) -> DocumentTable:
    found = []
    for line in outcome_lines(outcomes, labels, titles, level):
        cells = line.cells
        known = [effect for effect in line.effects if (effect.absolute, effect.relative) != ("–", "–")]
        for place, effect in enumerate(known or line.effects[:1]):
            name = f"{line.title}: {line.what}" if not place else ""
            versus = f" [{effect.contrast}]" if len(line.effects) > 1 and known else ""
            shown_cells = cells if not place else tuple("" for _ in cells)
            found.append((name, *shown_cells, effect.absolute + versus, effect.relative, effect.p))
    header = ("Outcome", *(labels[arm] for arm in arms), f"Absolute effect ({100 * level:g}% interval)",
              f"Relative effect ({100 * level:g}% interval)", "p")  # fmt: skip
    note = (
        "Differences are treated minus control, ratios treated over control; p is not adjusted for several tests. An "
        "interval of another level says so."
    )
    return DocumentTable("Every outcome by arm", header, tuple(found), note)


def _rows(
    caption: str, rows: Sequence[Row], titles: Mapping[str, str], labels: Mapping[str, str], level: float,
    adjusted: str = "", columns: Mapping[str, str] | None = None,
) -> DocumentTable:  # fmt: skip
    header = ["Outcome", "Analysis", "Population", "n", f"Estimate ({100 * level:g}% interval)", "p"]
    header += [adjusted] if adjusted else []
    found = []
    for row in rows:
        seen = shown(row)
        title = titles.get(row["outcome"], row["outcome"].replace("_", " "))
        held = any(row[key] is not None for key in ("estimate", "ci_low", "ci_high"))
        text = f"{with_interval(row, seen, level)} {seen.unit}".strip() if held else "–"
        cells = [
            title,
            subgroup_name(row, labels, columns or {}) or analysis_name(row, labels),
            population(row["population"]),
            counts(row),
            text,
        ]
        cells.append(p_text(row["p_value"]) if adjusted else p_of_row(row))
        found.append(tuple([*cells, p_text(row["p_adjusted"])] if adjusted else cells))
    return DocumentTable(caption, tuple(header), tuple(found))


def _rule(multiplicity: str) -> str:
    """Return the head of the adjusted p's column."""
    return "p, adjusted" if multiplicity in ("none", "graphical") else f"p, {multiplicity.capitalize()}"


def _checklist(name: str, items: Sequence[Any]) -> DocumentTable:
    return DocumentTable(
        name, ("Item", "Topic", "Where, or answer"), tuple((i.number, i.topic, i.where) for i in items)
    )
