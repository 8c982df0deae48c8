"""What a launch fixes permanently: an amendment that changes it is refused by the key of the study file."""

from __future__ import annotations

from typing import Any

import pytest
from support.analysis.shipped_plan import study

from study_app.domain.study.amending.frozen import frozen_problems
from study_app.domain.study.study import Study

SHIPPED = study()


def changed(**update: Any) -> Study:
    return SHIPPED.model_copy(update=update)


def with_quiz(**update: Any) -> Study:
    """The shipped study with another main quiz."""
    assert SHIPPED.main_quiz is not None
    found = [each.model_copy(update=update) if each == SHIPPED.main_quiz else each for each in SHIPPED.stages]
    return changed(stages=tuple(found))


NO_QUIZ = with_quiz(role="other")
FIRST, *OTHERS = SHIPPED.arms


@pytest.mark.parametrize(
    ("locked", "now", "keys"),
    [
        (SHIPPED, SHIPPED, []),
        (SHIPPED, changed(title="Another", arms=(FIRST.model_copy(update={"label": "Another"}), *OTHERS)), []),
        (SHIPPED, changed(schema_="study/0"), ["schema"]),
        (SHIPPED, changed(id="another"), ["id"]),
        (SHIPPED, changed(allocation=SHIPPED.allocation.model_copy(update={"block_sizes": (2,)})), ["allocation"]),
        (SHIPPED, changed(second_decision={}), ["second_decision"]),
        (SHIPPED, changed(arms=(FIRST.model_copy(update={"weight": 2}), *OTHERS)), ["arms"]),
        (SHIPPED, with_quiz(id="another"), ["stages"]),
        (SHIPPED, with_quiz(minutes=99.0), []),
        (SHIPPED, NO_QUIZ, ["stages"]),
        # Where no quiz was the main one, no column holds points yet.
        (NO_QUIZ, SHIPPED, []),
        (NO_QUIZ, NO_QUIZ, []),
    ],
)
def test_what_a_launch_fixes_is_refused_by_its_key_and_the_rest_may_change(locked, now, keys):
    assert [problem.key for problem in frozen_problems(locked, now, "study.toml")] == keys
