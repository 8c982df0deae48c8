"""All assignments with their probabilities, where there are few."""

from __future__ import annotations

from collections import Counter
from math import comb

import numpy as np
import pytest

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.rerandomisation import NoRandomisationDistribution, enumerate_assignments, replicate

TWO = (Arm(id="ai"), Arm(id="no_ai"))


def test_a_complete_block_has_as_many_equally_likely_assignments_as_the_binomial_says():
    found = enumerate_assignments(Scheme(block_sizes=[8]), [{}] * 8, arms=TWO)
    assert found.assignments.shape == (comb(8, 4), 8)
    assert found.probabilities == pytest.approx(1 / comb(8, 4), abs=1e-15)


def test_strata_multiply():
    people = [{"a": place % 2} for place in range(8)]
    found = enumerate_assignments(Scheme(method="stratified_blocks", strata=["a"], block_sizes=[4]), people, arms=TWO)
    assert len(found.assignments) == comb(4, 2) ** 2


def test_unequal_weights_count_as_the_multinomial_says():
    arms = (Arm(id="x", weight=2), Arm(id="y"), Arm(id="z"))
    found = enumerate_assignments(Scheme(block_sizes=[4]), [{}] * 4, arms=arms)
    assert len(found.assignments) == 12
    assert {tuple(np.bincount(row, minlength=3)) for row in found.assignments} == {(2, 1, 1)}


SCHEMES = [
    Scheme(method="simple"),
    Scheme(block_sizes=[2, 4]),
    Scheme(method="minimisation", factors=["a", "b"]),
    Scheme(method="biased_coin"),
    Scheme(method="urn"),
    Scheme(method="big_stick", bound=1),
    Scheme(method="cluster", cluster="a"),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.method)
def test_replicates_have_the_enumerated_distribution(scheme):
    people = [{"a": place % 3, "b": place % 2} for place in range(6)]
    found = enumerate_assignments(scheme, people, arms=TWO)
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-12)
    drawn = replicate(scheme, people, 40_000, np.random.default_rng(5), arms=TWO)
    counts = Counter(map(bytes, drawn))
    assert set(counts) <= set(map(bytes, found.assignments))
    for row, probability in zip(found.assignments, found.probabilities, strict=True):
        error = (probability * (1 - probability) / 40_000) ** 0.5
        assert abs(counts[bytes(row)] / 40_000 - probability) <= 5 * error


def test_too_many_to_enumerate_gives_none():
    assert enumerate_assignments(Scheme(method="simple"), [{}] * 20, limit=1000, arms=TWO) is None
    assert enumerate_assignments(Scheme(), [{}] * 52, limit=1000, arms=TWO) is None


def test_deterministic_minimisation_is_refused():
    scheme = Scheme(method="minimisation", factors=["a"], probability=1)
    with pytest.raises(NoRandomisationDistribution):
        enumerate_assignments(scheme, [{"a": 1}] * 4, arms=TWO)


def test_nobody_has_one_empty_assignment():
    found = enumerate_assignments(Scheme(), [], arms=TWO)
    assert found.assignments.shape == (1, 0)
    assert found.probabilities.tolist() == [1.0]
