"""The points that a person may give reach the most that a criterion is worth, and no further."""

from __future__ import annotations

import pytest

from study_app.domain.quiz.judged_by_people import steps_to


@pytest.mark.parametrize(
    ("most", "steps"),
    [(1, [0, 0.5, 1]), (0.25, [0, 0.25]), (0.75, [0, 0.5, 0.75]), (1.25, [0, 0.5, 1, 1.25]), (2 / 3, [0, 0.5, 2 / 3])],
)
def test_points_go_in_halves_up_to_what_a_criterion_is_worth(most, steps):
    assert steps_to(most) == steps
