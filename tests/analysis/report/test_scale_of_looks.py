"""The table of looks shows estimates on the scale on which the results show them."""

from __future__ import annotations

import math

import pytest

from analysis.report.interim_table import look_rows, stopping_sentence
from study_app.domain.study.plan_sections import Stopping


@pytest.mark.parametrize(
    ("unit", "numbers", "shown"),
    [
        ("log odds ratio", (math.log(2), math.log(0.5), math.log(8)), "2.00 (0.50 to 8.00) odds ratio"),
        ("proportion", (0.1, -0.05, 0.25), "10.00 (−5.00 to 25.00) percentage points"),
        ("points", (1.5, 0.5, 2.5), "1.50 (0.50 to 2.50)"),
        ("log hazard ratio", (None, None, None), "– hazard ratio"),
    ],
)
def test_an_estimate_of_a_look_stands_on_the_scale_of_the_results(unit, numbers, shown):
    estimate, low, high = numbers
    row = {
        "outcome": "passed", "contrast": ["ai", "no_ai"], "unit": unit, "estimate": estimate, "ci_low": low,
        "ci_high": high, "z": 1.0, "sequential_p": 0.2,
    }  # fmt: skip
    look = {"look": 1, "n": 60, "boundary": 2.8, "decision": "go on", "rows": [row]}
    (found,) = look_rows({"looks": [look]}, {}, {})
    assert found[5] == shown


def test_a_checklist_says_of_looks_what_the_plan_does_with_them():
    planned = Stopping(kind="pocock", looks=(0.5, 1.0))
    assert "Pocock boundaries" in stopping_sentence(planned, plain=True) == stopping_sentence(planned, plain=False)
    assert stopping_sentence(Stopping(), plain=False).startswith("No interim analysis")
    assert stopping_sentence(Stopping(), plain=True) == ""
