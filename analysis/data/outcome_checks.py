"""Cells that an outcome or a score cannot be made of: refused by row and column, never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.data.plain_cells import FEW, words_among_numbers
from analysis.data.plain_table import OF_GROUPS, label
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Covariate, Outcome, Plan

_REMEDY = "write numbers with a decimal point, and leave the cell empty where the value is missing"


_ROUNDING = 1e-9
_Check = tuple[str, pd.Series, str, str]
"""Column, its wrong cells, what is wrong with them, what to do."""


def cell_problems(plan: Plan, table: pd.DataFrame, file: str, *, plain: bool) -> list[Problem]:
    """Text, infinities and negative times, scores beyond their top, events that say nothing, levels without a score.

    Args:
        plan: its outcomes and covariates, and their names in the user's own table.
        table: the participants.
        file: the table as the user knows it, for the messages; its first row of data is row 2.
        plain: whether it was collected elsewhere. In an export a level may lack a score because an amendment took it
            out of the question, or because it is coarsened: the table of the analysis names these.
    """
    if plain and (taken := _taken(plan, table, file)):
        return taken
    checks = [check for outcome in plan.outcomes for check in _checks(outcome, table)]
    checks += [check for entry in plan.covariates if plain for check in _levels(entry, table)]
    groups = {entry.column for entry in plan.covariates if not entry.scores} | {e.column for e in plan.subgroups}
    groups -= {plan.cluster, *OF_GROUPS}  # their numbers are names
    checks += [check for column in sorted(groups) if plain for check in _words(column, table)]
    return list(dict.fromkeys(_problem(plan, table, file, check) for check in checks if check[1].any()))


_READ = {
    "arm": "who was in which arm", "participant_id": "who is who", "stratum": "the strata of the allocation",
    "site": "where people took part",
}  # fmt: skip
"""Column that is text whatever it holds -> what the analysis reads in it."""


def _taken(plan: Plan, table: pd.DataFrame, file: str) -> list[Problem]:
    """Return columns that the analysis reads as something else than the outcome, event or covariate of the plan."""
    uses = [(o.name, "an outcome") for o in plan.outcomes] + [(o.event, "an event") for o in plan.outcomes]
    given = [(entry.column, "a covariate") for entry in plan.covariates]
    given += [(entry.column, "a subgroup") for entry in plan.subgroups]
    # The strata of the allocation may well be a covariate, too, unless they are numbers.
    uses += [
        (name, use) for name, use in given
        if name != "site" and (name != "stratum" or _many_numbers(table.get(name)))
    ]  # fmt: skip
    return [
        Problem(file, f"column {plan.columns.get(name, name)}", f"is {_READ[name]}, and the plan has {use} in it",
                "give the column another name")
        for name, use in dict.fromkeys(uses) if name in _READ and name in table
    ]  # fmt: skip


def _many_numbers(cells: pd.Series | None) -> bool:
    values = pd.Series(dtype=float) if cells is None else pd.to_numeric(cells, errors="coerce").dropna()
    return bool(values.nunique() > FEW or (values % 1 != 0).any())


def _problem(plan: Plan, table: pd.DataFrame, file: str, check: _Check) -> Problem:
    column, wrong, what, remedy = check
    place = int(wrong.to_numpy().argmax())
    cell, more = table[column].iloc[place], int(wrong.sum()) - 1
    shown = "the cell" if pd.isna(cell) else f"{cell:g}" if isinstance(cell, float) else repr(cell)
    key = f"row {place + 2}, column {plan.columns.get(column, column)}"
    return Problem(file, key, f"{shown} {what}" + (f" ({more} more like it)" if more else ""), remedy)


def scored(cells: pd.Series) -> pd.Series:
    """Return levels as a plan's scores name them: whole numbers without a point."""
    return cells.map(label, na_action="ignore")


def _levels(covariate: Covariate, table: pd.DataFrame) -> Iterator[_Check]:
    if not covariate.scores or covariate.column not in table:
        return
    cells = table[covariate.column]
    wrong = cells.notna() & ~scored(cells).isin(covariate.scores)
    remedy = f"correct it, leave it empty, or give it a place among them: {', '.join(covariate.scores)}"
    yield covariate.column, wrong, "is not among the plan's scores", remedy


def _words(column: str, table: pd.DataFrame) -> Iterator[_Check]:
    if column in table:
        yield column, words_among_numbers(table[column]), "is not a number", _REMEDY


def _checks(outcome: Outcome, table: pd.DataFrame) -> Iterator[_Check]:
    for column in (outcome.name, outcome.upper_column):
        if column not in table:
            continue
        numbers = pd.to_numeric(table[column], errors="coerce")
        yield column, table[column].notna() & numbers.isna(), "is not a number", _REMEDY
        yield column, numbers.isin([np.inf, -np.inf]), "is not finite", _REMEDY
        if outcome.kind == "time":
            yield column, numbers < 0, "is a time below zero", "correct it, or leave the cell empty"
    if outcome.kind == "bounded" and outcome.name in table:
        yield from _beyond(outcome, table)
    if outcome.event in table:
        flags = pd.to_numeric(table[outcome.event], errors="coerce")
        wrong = table[outcome.event].notna() & ~flags.isin([0, 1])
        yield outcome.event, wrong, "says neither yes nor no", "code 1 = the event was seen, 0 = it was not"
        if outcome.kind == "time" and outcome.name in table:
            # Censored, it would be a person less at risk of an event that may have been seen.
            # Of who is in progress the time may be known before the event, and nothing of theirs is analysed.
            wrong = table[outcome.name].notna() & table[outcome.event].isna()
            if "status" in table:
                wrong &= table["status"].ne("in_progress")
            remedy = "write 1 = the event was seen, 0 = it was not, or leave the time empty, too"
            yield outcome.event, wrong, "is empty beside a time", remedy


def _beyond(outcome: Outcome, table: pd.DataFrame) -> Iterator[_Check]:
    values = pd.to_numeric(table[outcome.name], errors="coerce")
    given = table[outcome.upper_column] if outcome.upper_column in table else pd.Series(outcome.upper, table.index)
    tops = pd.to_numeric(given, errors="coerce")
    wrong = values > tops + _ROUNDING
    if wrong.any():
        top = float(tops.to_numpy()[int(wrong.to_numpy().argmax())])
        yield (
            outcome.name,
            wrong,
            f"is above the highest possible value, {top:g}",
            "correct the cell, or the plan's upper",
        )
