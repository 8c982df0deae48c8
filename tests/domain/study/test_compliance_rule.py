"""Evidence on compliance against the plan's rule."""

from __future__ import annotations

import pytest

from study_app.domain.study.analysis_plan import Compliance
from study_app.domain.study.compliance import UNITS, Evidence, broken, threshold


def pieces(*pairs):
    return [Evidence(kind, "tasks", None, amount) for kind, amount in pairs]


def test_amounts_of_a_kind_add_up_and_only_more_than_the_threshold_breaks():
    rule = Compliance(outside_chars=200)
    assert broken(pieces(("outside_paste", 120), ("outside_paste", 80)), rule) == frozenset()
    assert broken(pieces(("outside_paste", 120), ("outside_paste", 81)), rule) == {"outside_paste"}


def test_without_a_number_a_kind_is_listed_and_breaks_nothing():
    found = pieces(("away", 500), ("typing_burst", 9000), ("attention_failed", 3), ("other_ai_reported", 1))
    assert broken(found, Compliance()) == {"other_ai_reported"}
    assert broken(found, Compliance(other_ai=False)) == frozenset()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("away", Compliance(away_minutes=5)),
        ("typing_burst", Compliance(burst_chars=5)),
        ("attention_failed", Compliance(attention_failed=5)),
        ("outside_paste", Compliance(outside_chars=5)),
    ],
)
def test_each_kind_has_a_threshold_of_its_own(kind, rule):
    assert threshold(kind, rule) == 5
    assert broken([piece for name in UNITS for piece in pieces((name, 6))], rule) >= {kind}
    assert kind not in broken(pieces((kind, 5)), rule)
