"""Clusters, orders of arms, slots that go back, amendments."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.allocation import Allocator, Scheme, draws, options, order_of
from study_app.domain.allocation.arms import Arm
from study_app.domain.ledger import LedgerBroken, LedgerReplay, Version

TWO = (Arm(id="ai"), Arm(id="no_ai"))


def run(allocator, profiles, returned=None):
    return [
        allocator.allocate(profile, draws(b"units", allocator.next_index), (returned or {}).get(place, ()))
        for place, profile in enumerate(profiles, start=1)
    ]


@pytest.mark.parametrize("base", ["simple", "permuted_blocks", "biased_coin", "urn", "big_stick"])
@given(classes=st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=50))
def test_everyone_of_a_class_is_allocated_together(base, classes):
    decisions = run(
        Allocator(Scheme(method="cluster", cluster="label", base_method=base), TWO),
        [{"label": label} for label in classes],
    )
    assert len({(decision.levels["label"], decision.arm) for decision in decisions}) == len(set(classes))


def test_who_joins_a_class_has_no_chance_left_and_uses_no_slot():
    scheme = Scheme(method="cluster", cluster="label", block_sizes=[4])
    decisions = run(Allocator(scheme, TWO), [{"label": label} for label in "aaaabbbbccccdddd"])
    assert all(max(decision.probabilities) == 1 for place, decision in enumerate(decisions) if place % 4)
    assert Counter(decision.arm for decision in decisions) == {"ai": 8, "no_ai": 8}


def test_people_without_a_class_are_clusters_of_their_own():
    decisions = run(Allocator(Scheme(method="cluster", cluster="label", block_sizes=[2]), TWO), [{}] * 10)
    assert Counter(decision.arm for decision in decisions) == {"ai": 5, "no_ai": 5}


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_a_williams_design_lets_each_arm_follow_each_other_equally_often(count):
    arms = [Arm(id=f"arm{number}") for number in range(count)]
    orders = [order_of(option.id) for option in options(Scheme(method="sequence", orders="williams"), arms)]
    follows = Counter(pair for order in orders for pair in pairwise(order))
    assert len(follows) == count * (count - 1)
    assert len(set(follows.values())) == 1
    for position in range(count):
        assert len(set(Counter(order[position] for order in orders).values())) == 1


def test_a_latin_square_begins_with_each_arm_once_and_turns_the_arms_as_they_are_listed():
    arms = [Arm(id=name) for name in ("a", "b", "c", "d")]
    orders = [option.id for option in options(Scheme(method="sequence", orders="latin_square"), arms)]
    assert orders == ["a>b>c>d", "b>c>d>a", "c>d>a>b", "d>a>b>c"]


def test_orders_are_counterbalanced_in_blocks():
    decisions = run(Allocator(Scheme(method="sequence", block_sizes=[4]), TWO), [{}] * 40)
    assert Counter(decision.arm for decision in decisions) == {"ai>no_ai": 20, "no_ai>ai": 20}


def test_a_returned_slot_goes_back_into_the_open_block():
    scheme = Scheme(block_sizes=[6], replacement="return_slot")
    decisions = run(Allocator(scheme, TWO), [{}] * 7, {6: (1, 2)})
    staying = Counter(decision.arm for decision in decisions[2:])
    assert max(staying.values()) - min(staying.values()) <= 1


def test_a_returned_slot_waits_when_no_block_is_open():
    """A block of that one slot would show its arm to anyone who knows who withdrew."""
    decisions = run(Allocator(Scheme(block_sizes=[2], replacement="return_slot"), TWO), [{}] * 5, {3: (1,)})
    assert sorted(decisions[2].probabilities) == pytest.approx([1 / 3, 2 / 3])
    staying = Counter(decision.arm for decision in decisions[1:])
    assert staying == {"ai": 2, "no_ai": 2}


def test_slots_do_not_go_back_without_the_policy():
    with_returns = run(Allocator(Scheme(block_sizes=[4]), TWO), [{}] * 8, {3: (1,), 6: (2,)})
    assert [decision.arm for decision in with_returns] == [
        decision.arm for decision in run(Allocator(Scheme(block_sizes=[4]), TWO), [{}] * 8)
    ]


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(method="minimisation", factors=["a"], replacement="return_slot"),
        Scheme(method="biased_coin", replacement="return_slot"),
        Scheme(method="urn", replacement="return_slot"),
        Scheme(method="big_stick", replacement="return_slot"),
    ],
    ids=lambda scheme: scheme.method,
)
def test_who_withdrew_no_longer_counts(scheme):
    people = [{"a": place % 2} for place in range(6)]
    emptied = run(Allocator(scheme, TWO), [*people, {"a": 0}], {7: (1, 2, 3, 4, 5, 6)})[-1]
    fresh = run(Allocator(scheme, TWO), [{"a": 0}])[0]
    assert emptied.probabilities == fresh.probabilities


def version(name, scheme, arms=TWO):
    return Version(name, scheme, arms, b"sealed")


def test_an_amendment_of_something_else_changes_no_arm():
    replay, straight = (
        LedgerReplay([version("v1", Scheme()), version("v2", Scheme())]),
        LedgerReplay([version("v1", Scheme())]),
    )
    names = ["v1"] * 5 + ["v2"] * 9
    assert [replay.decide(name, {}).arm for name in names] == [straight.decide("v1", {}).arm for _ in names]


def test_an_amended_scheme_starts_afresh_and_the_old_one_goes_on_beside_it():
    three = (*TWO, Arm(id="hints"))
    replay = LedgerReplay([version("v1", Scheme(block_sizes=[4])), version("v2", Scheme(block_sizes=[3]), three)])
    arms = [(name, replay.decide(name, {}).arm) for name in ["v1", "v1", "v2", "v1", "v2", "v1", "v2"]]
    assert Counter(arm for name, arm in arms if name == "v1") == {"ai": 2, "no_ai": 2}
    assert Counter(arm for name, arm in arms if name == "v2") == {"ai": 1, "no_ai": 1, "hints": 1}


def test_an_amendment_does_not_tear_a_class_apart():
    old = Scheme(method="cluster", cluster="label")
    new = Scheme(method="cluster", cluster="label", base_method="urn")
    replay = LedgerReplay([version("v1", old), version("v2", new)])
    before = {label: replay.decide("v1", {"label": label}).arm for label in "abcdef"}
    assert {label: replay.decide("v2", {"label": label}).arm for label in "abcdef"} == before


def test_nobody_is_allocated_while_the_seed_is_sealed():
    with pytest.raises(LedgerBroken, match="sealed"):
        LedgerReplay([Version("v1", Scheme(), TWO)]).decide("v1", {})
