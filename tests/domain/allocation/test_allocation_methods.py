"""What each method promises, for all arms, weights, seeds and newcomers."""

from __future__ import annotations

import hmac
from collections import Counter
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.allocation import Allocator, Past, Scheme, allocate, draws
from study_app.domain.allocation.arms import Arm
from study_app.domain.allocation.rules import coin_table, pick

TWO = (Arm(id="ai"), Arm(id="no_ai"))

arm_sets = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(
    lambda weights: tuple(Arm(id=f"arm{place}", weight=weight) for place, weight in enumerate(weights))
)
seeds = st.binary(min_size=1, max_size=32)


def run(scheme, arms, seed, profiles):
    allocator = Allocator(scheme, arms)
    return [allocator.allocate(profile, draws(seed, index)) for index, profile in enumerate(profiles, start=1)]


@given(arms=arm_sets, seed=seeds, people=st.lists(st.sampled_from("abc"), min_size=1, max_size=60))
def test_every_prefix_is_as_balanced_as_its_open_blocks_allow(arms, seed, people):
    decisions = run(
        Scheme(method="stratified_blocks", strata=["site"]), arms, seed, [{"site": site} for site in people]
    )
    weights = {option.id: option.weight for option in Allocator(Scheme(), arms).options}
    largest_block = 3 * sum(weights.values())
    for site in set(people):
        counts = Counter()
        for decision in (decision for decision in decisions if decision.stratum == f"site={site}"):
            counts[decision.arm] += 1
            units = [counts[arm] / weight for arm, weight in weights.items()]
            assert max(units) - min(units) <= largest_block / sum(weights.values())


@given(arms=arm_sets, seed=seeds, repeats=st.integers(1, 3))
def test_every_complete_block_holds_the_weights_exactly(arms, seed, repeats):
    weights = {option.id: option.weight for option in Allocator(Scheme(), arms).options}
    size = repeats * sum(weights.values())
    decisions = run(Scheme(block_sizes=[size]), arms, seed, [{}] * (3 * size))
    for start in range(0, 3 * size, size):
        counts = Counter(decision.arm for decision in decisions[start : start + size])
        assert counts == {arm: repeats * weight for arm, weight in weights.items()}


def test_each_order_of_a_block_is_equally_likely():
    orders = Counter(
        "".join(decision.arm[0] for decision in run(Scheme(block_sizes=[4]), TWO, number.to_bytes(4, "big"), [{}] * 4))
        for number in range(6000)
    )
    assert len(orders) == comb(4, 2)
    assert sum((count - 1000) ** 2 / 1000 for count in orders.values()) < 20.5  # chi-square, df 5, p = .001


def test_block_sizes_are_drawn_at_random_among_those_given():
    scheme, sizes = Scheme(block_sizes=[2, 4]), Counter()
    for number in range(2000):
        first_two = [decision.arm for decision in run(scheme, TWO, number.to_bytes(4, "big"), [{}] * 2)]
        sizes[len(set(first_two))] += 1
    # two alike: only in a block of 4 (one half), there with probability 1/3
    assert abs(sizes[1] / 2000 - 1 / 6) < 4 * (1 / 6 * 5 / 6 / 2000) ** 0.5


METHODS = {
    "simple": Scheme(method="simple"),
    "permuted_blocks": Scheme(),
    "stratified_blocks": Scheme(method="stratified_blocks", strata=["a"]),
    "minimisation": Scheme(method="minimisation", factors=["a", "b"]),
    "biased_coin": Scheme(method="biased_coin"),
    "urn": Scheme(method="urn"),
    "big_stick": Scheme(method="big_stick"),
}


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_respected_in_the_limit(method):
    arms = (Arm(id="x", weight=3), Arm(id="y", weight=2), Arm(id="z"))
    people = [{"a": index % 3, "b": index % 5} for index in range(6000)]
    counts = Counter(decision.arm for decision in run(METHODS[method], arms, b"limit", people))
    for arm in arms:
        assert abs(counts[arm.id] / 6000 - arm.weight / 6) < 4 * (0.25 / 6000) ** 0.5


@pytest.mark.parametrize("method", METHODS)
@given(arms=arm_sets, seed=seeds, people=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=30))
@settings(max_examples=25)
def test_the_same_seed_gives_the_same_ledger_and_probabilities_sum_to_one(method, arms, seed, people):
    profiles = [{"a": a, "b": b} for a, b in people]
    first, second = (run(METHODS[method], arms, seed, profiles) for _ in range(2))
    assert first == second
    for decision in first:
        assert sum(decision.probabilities) == pytest.approx(1, abs=1e-12)
        assert all(0 <= probability <= 1 for probability in decision.probabilities)
        assert decision.probabilities[[arm.id for arm in arms].index(decision.arm)] > 0


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds, people=st.lists(st.integers(0, 2), min_size=1, max_size=20))
@settings(max_examples=25)
def test_the_pure_step_from_a_history_agrees_with_the_running_allocator(method, seed, people):
    profiles = [{"a": person, "b": 0} for person in people]
    decisions = run(METHODS[method], TWO, seed, profiles)
    history = [Past(decision.levels, decision.arm) for decision in decisions[:-1]]
    assert allocate(METHODS[method], TWO, seed, history, profiles[-1]) == decisions[-1]


def test_a_draw_depends_on_seed_and_index_alone_and_keeps_53_bits():
    assert draws(b"seed", 7) == draws(b"seed", 7)
    assert draws(b"seed", 7, 3)[:2] == draws(b"seed", 7)
    assert len({draw for index in range(1, 500) for draw in draws(b"seed", index)}) == 998
    assert all((draw * 2**53).is_integer() and 0 <= draw < 1 for index in range(1, 500) for draw in draws(b"s", index))


def test_anyone_can_compute_a_draw_with_hmac_sha256():
    """hmac.new(seed, b"study-allocation/1:1:0", "sha256"), first 53 bits; any change here breaks old trials."""
    seed = bytes(range(32))
    digest = hmac.new(seed, b"study-allocation/1:1:0", "sha256").digest()
    assert draws(seed, 1)[0] == (int.from_bytes(digest[:8], "big") >> 11) / 2**53
    assert draws(seed, 1) == (0.8416040160541914, 0.004502481412410497)
    assert draws(seed, 10_000) == (0.9924906876207397, 0.9488618494604946)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=5).filter(any), st.floats(0, 1, exclude_max=True))
def test_a_draw_falls_on_an_arm_that_has_a_probability(masses, draw):
    shares = [mass / sum(masses) for mass in masses]
    assert shares[pick(shares, draw)] > 0


def test_a_draw_on_the_border_falls_on_the_arm_above_it():
    assert [pick((0.25, 0.75), draw) for draw in (0.0, 0.2499, 0.25, 0.9999)] == [0, 0, 1, 1]


@pytest.mark.slow
def test_efrons_coin_has_the_published_imbalance():
    """Efron 1971, exact Markov chain at n = 50, p = 2/3: P(D = 0) 0.500495, E|D| 1.328842, E D^2 4.405311."""
    differences = []
    for number in range(4000):
        arms = [
            decision.arm for decision in run(Scheme(method="biased_coin"), TWO, number.to_bytes(4, "big"), [{}] * 50)
        ]
        differences.append(abs(2 * arms.count("ai") - 50))
    assert abs(differences.count(0) / 4000 - 0.500495068400104) < 4 * (0.25 / 4000) ** 0.5
    assert abs(sum(differences) / 4000 - 1.32884233563931) < 4 * ((4.405 - 1.3288**2) / 4000) ** 0.5


def test_efrons_coin_is_the_exact_markov_chain():
    """Efron 1971: P(D = 0) = 0.530000508052634 at n = 10, as an exact chain over the rule's own probabilities."""
    chain = {0: 1.0}
    for _ in range(10):
        after = Counter()
        for lead, mass in chain.items():
            up = _probability_of_first(lead)
            after[lead + 1] += mass * up
            after[lead - 1] += mass * (1 - up)
        chain = after
    assert chain[0] == pytest.approx(0.530000508052634, abs=1e-12)
    assert sum(abs(lead) * mass for lead, mass in chain.items()) == pytest.approx(1.14708123761622, abs=1e-12)


def _probability_of_first(lead):
    allocator = Allocator(Scheme(method="biased_coin"), TWO)
    for _ in range(abs(lead)):
        allocator.replay(Past({}, "ai" if lead > 0 else "no_ai"), (0, 0))
    return allocator.allocate({}, (0, 0)).probabilities[0]


@given(arms=arm_sets, seed=seeds, bound=st.integers(1, 4), people=st.integers(1, 80))
def test_the_big_stick_never_lets_the_difference_exceed_its_bound(arms, seed, bound, people):
    counts = Counter()
    weights = {option.id: option.weight for option in Allocator(Scheme(), arms).options}
    for decision in run(Scheme(method="big_stick", bound=bound), arms, seed, [{}] * people):
        counts[decision.arm] += 1
        units = [Fraction(counts[arm], weight) for arm, weight in weights.items()]
        assert max(units) - min(units) <= bound


def test_the_urn_follows_weis_formula():
    """Wei 1978, UD(alpha, beta): P(A) = (alpha + beta n_B) / (2 alpha + beta n)."""
    allocator = Allocator(Scheme(method="urn", alpha=2, beta=3), TWO)
    for arm in ("ai", "ai", "no_ai"):
        allocator.replay(Past({}, arm), (0, 0))
    assert allocator.allocate({}, (0, 0)).probabilities == pytest.approx([(2 + 3) / (4 + 9), (2 + 6) / (4 + 9)])


def test_the_urn_of_unequal_arms_begins_with_their_ratio():
    """Alpha balls for each unit of weight, then beta (n w - n_k) more."""
    allocator = Allocator(Scheme(method="urn", alpha=2, beta=3), [Arm(id="ai", weight=2), Arm(id="no_ai")])
    assert allocator.allocate({}, (0, 0)).probabilities == pytest.approx([2 / 3, 1 / 3])
    allocator.replay(Past({}, "no_ai"), (0, 0))
    ai, no_ai = 2 * 2 + 3 * (2 * 2 - 1), 2 * 1 + 3 * (2 * 1 - 1)
    assert allocator.allocate({}, (0, 0)).probabilities == pytest.approx([ai / (ai + no_ai), no_ai / (ai + no_ai)])


@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.floats(0.5, 1))
def test_the_biased_coin_keeps_unequal_ratios_on_the_whole(weights, probability):
    """Han, Enas & McEntegart 2009: preferred in proportion to weight, arms are drawn in proportion to weight."""
    table, total = coin_table(weights, probability), sum(weights)
    for arm, weight in enumerate(weights):
        drawn = sum(preferred / total * row[arm] for preferred, row in zip(weights, table, strict=True))
        assert drawn == pytest.approx(weight / total, abs=1e-12)
