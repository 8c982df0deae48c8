"""Kappa over all classes of programs: Cohen's of the programs, its interval from whole participants."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.agreement import cohen_kappa
from analysis.interaction.coders.agreement import REPLICATES
from analysis.pipeline.description.variants.hack_coding import _nominal

RNG = np.random.default_rng(4)
PAIRS = [(int(first), int(first if RNG.random() < 0.7 else RNG.integers(3))) for first in RNG.integers(0, 3, 60)]
WHO = [f"p{number % 20}" for number in range(60)]


def kappa(pairs: list[tuple[int, int]]) -> float:
    """Observed agreement over that expected by chance (Cohen 1960)."""
    first, second = (np.bincount(codes, minlength=3) / len(pairs) for codes in zip(*pairs, strict=True))
    observed, expected = np.mean([one == two for one, two in pairs]), float(first @ second)
    return float((observed - expected) / (1 - expected))


def test_kappa_of_classes_is_cohens_and_its_interval_resamples_people_with_all_their_programs():
    found = _nominal(PAIRS, WHO, 3, 1, 0.9)
    assert found["kappa"] == pytest.approx(float(cohen_kappa(*map(list, zip(*PAIRS, strict=True)))))
    rng, drawn = np.random.default_rng(9), []
    for _ in range(REPLICATES):
        people = rng.integers(0, 20, 20)
        own = [PAIRS[program] for person in people for program in (person, person + 20, person + 40)]
        drawn.append(kappa(own))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.04)


def test_one_class_or_none_has_no_kappa_and_replicates_without_variation_are_counted():
    assert _nominal([(0, 0)] * 5, list("abcde"), 1, 1, 0.95)["kappa"] is None
    assert _nominal([], [], 0, 1, 0.95)["kappa"] is None
    found = _nominal([(0, 0)] * 4 + [(1, 1)], list("abcde"), 2, 1, 0.95)
    missing = int(found["note"].split(" of ")[0])
    # Resamples without the one person of another class: (4/5)^5 of them; with only them hardly any.
    assert missing / REPLICATES == pytest.approx(0.8**5, abs=0.05)
    assert (found["kappa"], found["ci_low"], found["ci_high"]) == pytest.approx((1, 1, 1))
