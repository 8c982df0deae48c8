"""How well stated confidence fits the points of the same answers."""

from __future__ import annotations

from study_app.domain.quiz.confidence import gamma


def test_only_pairs_of_answers_that_differ_in_both_confidence_and_points_count():
    # The first answer was given with less confidence than the second and is better: the only such pair.
    assert gamma([(0.1, 1.0), (0.9, 0.0), (0.9, 1.0)]) == -1
    assert gamma([(0.1, 0.0), (0.9, 1.0), (0.9, 0.0), (0.1, 1.0)]) == 0
    assert gamma([(0.5, 0.0), (0.5, 1.0)]) is None
