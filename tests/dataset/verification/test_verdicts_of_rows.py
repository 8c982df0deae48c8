"""Cells of compliance and attention checks that contradict the rest of their person's rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from study_app.dataset.verification.derived.verdicts import check_attention, check_verdicts
from study_app.domain.study.analysis_plan import Compliance


class Row(dict):
    """A row as `verify` reads it."""

    number = 3

    @property
    def values(self):
        return self


class KeptFindings:
    """A dataset that keeps its findings."""

    def __init__(self):
        self.found = []
        self.report = SimpleNamespace(add=lambda name, file, row, what: self.found.append((name, file, what)))

    def relative(self, table):
        return table


def piece(**changed):
    row = {"participant_id": "p1", "kind": "typing_burst", "stage": "tasks", "at": None, "amount": 80.0,
           "unit": "characters", "breaks": True, "detail": None}  # fmt: skip
    return Row(row | changed)


RULE = Compliance(burst_chars=100)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([piece(), piece(amount=40.0)], ""),
        ([piece(breaks=False)], ""),
        ([piece(amount=100.004, breaks=False)], ""),
        ([piece(), piece(amount=40.0, breaks=False)], "breaks of typing_burst is False"),
        ([piece()], "breaks of typing_burst is True, kind and amounts give False"),
        ([piece(breaks=False, unit="minutes")], "unit of typing_burst is minutes"),
        ([piece(kind="unheard_of", unit="x")], ""),
    ],
)
def test_unit_and_verdict_follow_from_kind_and_amounts(rows, said):
    opened = KeptFindings()
    check_verdicts(opened, rows, RULE)
    assert ("derived_differs" in str(opened.found)) == bool(said)
    assert said in str(opened.found)


@pytest.mark.parametrize(
    ("passed", "met", "wrong"), [(2, 2, False), (None, None, False), (3, 2, True), (1, None, True)]
)
def test_no_one_passes_more_attention_checks_than_there_were(passed, met, wrong):
    opened = KeptFindings()
    check_attention(opened, Row(participant_id="p1", attention_passed=passed, attention_total=met))
    assert bool(opened.found) == wrong
