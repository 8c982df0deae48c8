"""Replicates of a statistic: what counts as extreme where the observed one is infinite."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from analysis.estimators.numerics.replicated_regression import Moments, Test


def moments(coefficients: list[float], variances: list[float]) -> Moments:
    nothing = np.zeros(len(coefficients))
    return Moments(np.array(coefficients), nothing, np.array(variances), nothing, nothing)


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_where_nothing_varies_about_the_observed_difference_only_infinite_statistics_reach_it(alternative):
    """Arms that are separated without error have the smallest p, not 1."""
    observed = moments([1.0], [0.0])
    drawn = moments([0.1, 0.2, -0.3, 1.0], [1.0, 1.0, 1.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Test(observed, drawn, exact=False, alternative=alternative).p_value() == (1 + 1) / (4 + 1)


def test_a_replicate_whose_statistic_does_not_exist_still_counts_as_extreme():
    drawn = moments([0.1, 0.0], [1.0, 0.0])
    assert Test(moments([1.0], [0.0]), drawn, exact=False, alternative="two-sided").p_value() == (1 + 1) / (2 + 1)
