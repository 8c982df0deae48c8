"""The table of how well raters agree on the board Grading."""

from __future__ import annotations

import pytest

from study_app.ui.console.pages.grading_agreement import agreement_rows

NOTHING = {"value": None, "note": "not estimable"}
FIGURES = {"objects": 2, "raters": 2, "percent_agreement": 50.0} | dict.fromkeys(
    ("kappa", "krippendorff_alpha", "icc"), NOTHING
)


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (["quiz"], ["why, in points", "why: idea"]),
        (
            ["pretest", "quiz"],
            ["why (pretest), in points", "why (quiz), in points", "why (pretest): idea", "why (quiz): idea"],
        ),
    ],
)
def test_an_item_of_several_quizzes_is_named_with_its_stage(stages, names):
    items = [{"stage": stage, "item": "why", **FIGURES} for stage in stages]
    found = FIGURES | {"items": items, "criteria": [each | {"criterion": "idea"} for each in items]}
    assert [row[0] for row in agreement_rows(found)] == ["All answers, in points", *names]
