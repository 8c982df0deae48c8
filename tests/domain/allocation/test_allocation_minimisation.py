"""Minimisation against the published worked example and against an independent implementation."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import smallerize
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.allocation import Allocator, Past, Scheme, draws
from study_app.domain.allocation.arms import Arm

ORACLE = Path(__file__).parents[2] / "oracles" / "randomisation_pocock_simon_pbr_efron"
FACTORS = ("Factor1", "Factor2", "Factor3")
SPREAD_OF_SMALLERIZE = {"range": "range", "sd": "standard_deviation", "variance": "variance"}


def published_trial(metric, ties="random"):
    """Pocock & Simon 1975, section 3.4: 50 patients, 3 arms, factor weights 2, 1, 1."""
    scheme = Scheme(
        method="minimisation",
        metric=metric,
        factors=[{"variable": "Factor1", "weight": 2}, "Factor2", "Factor3"],
        probability=2 / 3,
        ties=ties,
    )
    allocator = Allocator(scheme, [Arm(id=f"arm{number}") for number in (1, 2, 3)])
    for cell in csv.DictReader((ORACLE / "data.csv").open()):
        for _ in range(int(cell["Count"])):
            allocator.replay(Past({name: cell[name] for name in FACTORS}, cell["Arm"].lower()), (0, 0))
    return allocator


@pytest.mark.parametrize(("metric", "key"), [("range", "G_range"), ("sd", "G_sd"), ("variance", "G_var")])
def test_the_published_worked_example_is_met_exactly(metric, key):
    expected = json.loads((ORACLE / "expected.json").read_text())["expected"]
    newcomer = dict(zip(FACTORS, expected["new_patient"], strict=True))
    decision = published_trial(metric).allocate(newcomer, (0, 0.5))
    assert decision.index == 51
    assert decision.imbalance == pytest.approx(expected[key], abs=1e-12)
    assert decision.probabilities == pytest.approx([1 / 6, 1 / 6, 2 / 3], abs=1e-12)
    assert decision.arm == "arm3"


def test_the_published_range_scores_are_whole_numbers():
    newcomer = dict(zip(FACTORS, ("level1", "level2", "level2"), strict=True))
    assert published_trial("range").allocate(newcomer, (0, 0)).imbalance == (6, 10, 5)


@pytest.mark.parametrize("metric", ["range", "sd", "variance"])
@given(
    weights=st.lists(st.integers(1, 3), min_size=2, max_size=4),
    factor_weights=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    people=st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("uv")), min_size=1, max_size=25),
)
@settings(max_examples=40, deadline=None)
def test_scores_and_probabilities_agree_with_smallerize(metric, weights, factor_weights, people):
    """Scores for equal weights only: smallerize adds the newcomer after dividing by the ratio, R's Minirand before."""
    arms = [Arm(id=f"arm{place}", weight=weight) for place, weight in enumerate(weights)]
    factors = [{"variable": name, "weight": weight} for name, weight in zip("ab", factor_weights, strict=True)]
    scheme = Scheme(method="minimisation", metric=metric, factors=factors, probability=0.8)
    ours, theirs = Allocator(scheme, arms), peer(Allocator(scheme, arms).options, factor_weights, metric)
    for index, (a, b) in enumerate(people, start=1):
        decision = ours.allocate({"a": a, "b": b}, draws(b"peer", index))
        scores = {arm.id: score for arm, score in zip(arms, decision.imbalance, strict=True)}
        if len(set(weights)) == 1:
            assert scores == pytest.approx(theirs.get_new_total_imbalances({"a": a, "b": b}), abs=1e-9)
        ranked = sorted(decision.imbalance)
        if ranked[1] - ranked[0] > 1e-6:
            odds = theirs.get_arm_probability(scores)
            assert decision.probabilities == pytest.approx([odds[arm.id] for arm in arms], abs=1e-12)
        theirs.add_existing_participant({"a": a, "b": b}, decision.arm)


def peer(options, factor_weights, metric):
    factors = [
        smallerize.Factor(name, levels, weight=weight)
        for name, levels, weight in zip("ab", (list("xyz"), list("uv")), factor_weights, strict=True)
    ]
    return smallerize.Minimizer(
        factors=factors,
        arms=[smallerize.Arm(option.id, option.weight) for option in options],
        d_imbalance_method=SPREAD_OF_SMALLERIZE[metric],
        total_imbalance_method="weighted_sum",
        probability_method="biased_coin",
        preferred_p=0.8,
    )


def test_unequal_weights_score_counts_per_unit_of_weight():
    """As in R's Minirand, which divides counts by the ratio after adding the newcomer: ranges 1/2 and 1."""
    scheme = Scheme(method="minimisation", factors=["a"])
    decision = Allocator(scheme, [Arm(id="ai", weight=2), Arm(id="no_ai")]).allocate({"a": 1}, (0, 0))
    assert decision.imbalance == (0.5, 1.0)


def test_ties_are_shared_out_or_go_to_the_first_arm_by_the_scheme():
    arms = [Arm(id="ai"), Arm(id="no_ai")]
    table = {"method": "minimisation", "factors": ["a"], "probability": 0.9}
    assert Allocator(Scheme(**table), arms).allocate({"a": 1}, (0, 0)).probabilities == (0.5, 0.5)
    first = Allocator(Scheme(**table, ties="first"), arms).allocate({"a": 1}, (0, 0))
    assert first.probabilities == pytest.approx([0.9, 0.1])


def test_the_first_of_tied_arms_need_not_be_the_first_of_all():
    allocator = Allocator(
        Scheme(method="biased_coin", probability=0.8, ties="first"), [Arm(id=name) for name in ("a", "b", "c")]
    )
    allocator.replay(Past({}, "a"), (0, 0))
    assert allocator.allocate({}, (0, 0)).probabilities == pytest.approx([0.1, 0.8, 0.1])


def test_probability_one_always_takes_the_arm_that_balances_best():
    allocator = Allocator(Scheme(method="minimisation", factors=["a"], probability=1.0), [Arm(id="x"), Arm(id="y")])
    for index in range(1, 101):
        decision = allocator.allocate({"a": index % 2}, draws(b"sure", index))
        if len(set(decision.imbalance)) == 2:
            assert max(decision.probabilities) == 1


def test_five_factors_stay_balanced_at_every_margin():
    allocator = Allocator(Scheme(method="minimisation", factors=list("abcde")), [Arm(id="x"), Arm(id="y")])
    counts: dict[tuple[str, int], int] = {}
    for index in range(1, 401):
        profile = {name: (index * prime) % 3 for name, prime in zip("abcde", (1, 2, 5, 7, 11), strict=True)}
        arm = allocator.allocate(profile, draws(b"five", index)).arm
        for margin in profile.items():
            counts[margin] = counts.get(margin, 0) + (1 if arm == "x" else -1)
    assert max(abs(difference) for difference in counts.values()) <= 10
