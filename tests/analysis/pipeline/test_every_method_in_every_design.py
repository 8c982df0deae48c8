"""Every method in every design: a row is made, or `check` refuses it; what is not made says why, in words."""

from __future__ import annotations

import math

import pytest
from support.analysis.planned_rows import judged

from analysis.estimators.methods import METHODS
from study_app.domain.study.designs import TABLE

FIGURES = ("estimate", "std_error", "df", "statistic", "p_value", "ci_low", "ci_high")
BY_CHANCE = ("no more variable than Poisson counts", "no outcome is missing", "no outcome of the treated is missing")
"""What only the data can tell: a row of this kind is taken by `check` and may still come to nothing."""
OF_ARMS = "what was received is not allocated"
"""Of a study whose arms are all offered an assistant; the made-up people receive it as their arms say, or do not."""
SLOW = ("multiple_imputation", "tipping_point", "mixed_logit", "lee_bounds")
QUICK = tuple(name for name in METHODS if name not in SLOW)
STUDIES = tuple(name for name in dict.fromkeys(entry.study for entry in TABLE) if name != "one_arm")
"""All but the one that has nothing to compare, which `analyze` refuses whole."""
BY_DEFAULT = ("clusters", "orders")


def faults(rows):
    """What is wrong, a line for each row."""
    found = []
    for entry in rows:
        name = f"{entry.row.id} ({entry.row.population}, adjusted {entry.row.adjusted})"
        figures = [[getattr(row, key) for key in FIGURES] for row in entry.made]
        notes = "; ".join(row.note for row in entry.made)
        is_made = any(value is not None for values in figures for value in values)
        if any(value is not None and not math.isfinite(value) for values in figures for value in values):
            found.append(f"{name}: a figure is not finite: {figures}")
        if "stopped on these data" in notes:
            found.append(f"{name}: {notes}")
        if not is_made and "not estimable: " not in notes:
            found.append(f"{name}: neither a figure nor a reason")
        if not is_made and not entry.refused and not any(text in notes for text in BY_CHANCE):
            found.append(f"{name}: taken by check and not made: {notes}")
        if is_made and entry.refused and not any(OF_ARMS in text for text in entry.refused):
            found.append(f"{name}: refused by check and made: {entry.refused}")
    return found


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_a_row_of_each_method_is_made_or_refused(tmp_path, name):
    assert faults(judged(tmp_path, name, QUICK, every=False)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_rows_of_each_method_over_every_kind_of_outcome_are_made_or_refused(tmp_path, name):
    assert faults(judged(tmp_path, name)) == []
