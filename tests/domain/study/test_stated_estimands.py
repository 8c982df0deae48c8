"""The usual estimands say what is assumed of missing outcomes, and which methods show how much hangs on that."""

from __future__ import annotations

import pytest
from support.analysis.shipped_plan import study

from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.comparing.stated_estimands import ABOUT_LOSS, stated_estimands

ASSUMED = "Quiz never opened: missing at random given arm, covariates and strata."
SHIPPED = study()
BOTH = SHIPPED.analysis.model_copy(update={"primary": ("completion_minutes", "quiz_points")})


def missing(*methods: str, of: str = "quiz_points") -> str:
    (found,) = (entry for entry in stated_estimands(BOTH, SHIPPED, {of: methods}) if entry.outcome == of)
    return found.missing


@pytest.mark.parametrize(
    ("methods", "more"),
    [
        ((), ""),
        (("lee_bounds",), " Lee's bounds show how much hangs on that."),
        (("multiple_imputation",), " Multiple imputation shows how much hangs on that."),
        # In the order of a sentence, whatever the plan's is.
        (
            ("worst_case", "multiple_imputation", "lee_bounds"),
            " Multiple imputation, Lee's bounds and worst-case bounds show how much hangs on that.",
        ),
        (("ols",), ""),
    ],
)
def test_of_quiz_points_it_is_said_what_is_assumed_and_what_shows_how_much_hangs_on_it(methods, more):
    assert missing(*methods) == ASSUMED + more


def test_other_outcomes_keep_what_their_estimand_says():
    (usual,) = (entry for entry in Plan().estimands if entry.outcome == "completion_minutes")
    assert missing(*ABOUT_LOSS, of="completion_minutes") == usual.missing


def test_usual_estimands_of_outcomes_that_are_not_primary_are_left_out():
    plan = SHIPPED.analysis.model_copy(update={"primary": ("quiz_points",)})
    assert {entry.outcome for entry in stated_estimands(plan, SHIPPED, {})} == {"quiz_points"}
    assert stated_estimands(plan.model_copy(update={"primary": ()}), SHIPPED, {}) == ()
