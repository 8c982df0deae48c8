"""The vectorised allocator equals the domain's, draw by draw, for every method."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.allocation import Allocator, Scheme, draws
from study_app.domain.allocation.arms import Arm
from study_app.domain.allocation.options import options
from study_app.domain.ledger import LedgerReplay, Version, append
from study_app.rerandomisation import (
    Design,
    NoRandomisationDistribution,
    RandomisationWarning,
    Regime,
    RegimeRow,
    replicate,
    replicate_design_with_draws,
    replicate_with_draws,
)

TWO = (Arm(id="ai"), Arm(id="no_ai"))
FACTORS = [{"variable": "a", "weight": 1.5}, "b", {"variable": "x", "cuts": (1, 2)}]
SCHEMES = [
    Scheme(method="simple"),
    Scheme(),
    Scheme(method="stratified_blocks", strata=["a", "b"]),
    Scheme(method="stratified_blocks", strata=["a"], replacement="return_slot"),
    Scheme(method="minimisation", factors=FACTORS),
    Scheme(method="minimisation", factors=FACTORS, metric="sd", probability=0.7),
    Scheme(method="minimisation", factors=FACTORS, metric="variance", ties="first"),
    Scheme(method="minimisation", factors=["a"], probability=1.0),
    Scheme(method="minimisation", factors=["a", "b"], replacement="return_slot"),
    Scheme(method="biased_coin"),
    Scheme(method="biased_coin", strata=["a"], ties="first", replacement="return_slot"),
    Scheme(method="urn"),
    Scheme(method="urn", alpha=0, beta=0.3, strata=["b"], replacement="return_slot"),
    Scheme(method="big_stick", bound=2),
    Scheme(method="big_stick", bound=1, strata=["a"], replacement="return_slot"),
    Scheme(method="cluster", cluster="b"),
    Scheme(method="cluster", cluster="b", base_method="minimisation", factors=["a"]),
    Scheme(method="sequence"),
    Scheme(method="sequence", orders="williams", base_method="biased_coin"),
]

arm_sets = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(
    lambda weights: tuple(Arm(id=f"arm{place}", weight=weight) for place, weight in enumerate(weights))
)
people = st.lists(
    st.fixed_dictionaries(
        {"a": st.sampled_from([1, 2, None]), "b": st.sampled_from(["u", "v", None]), "x": st.floats(0, 3)}
    ),
    min_size=1,
    max_size=40,
)
seeds = st.binary(min_size=1, max_size=8)
REPLICATES = 3


def uniforms(seed, number):
    return np.array([[draws(seed + bytes([r]), index) for index in range(1, number + 1)] for r in range(REPLICATES)])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: "-".join(sorted(map(str, scheme.model_fields_set))))
@given(arms=arm_sets, profiles=people, seed=seeds)
@settings(max_examples=40, deadline=None)
def test_equal_draws_give_equal_arms(scheme, arms, profiles, seed):
    given_draws = uniforms(seed, len(profiles))
    drawn = replicate_with_draws(scheme, profiles, given_draws, arms=arms)
    assert drawn.shape == (REPLICATES, len(profiles))
    assert drawn.dtype == np.int8
    for row, of_replicate in zip(drawn, given_draws, strict=True):
        allocator = Allocator(scheme, arms)
        ids = [option.id for option in allocator.options]
        expected = [
            allocator.allocate(profile, tuple(uniform)).arm
            for profile, uniform in zip(profiles, of_replicate, strict=True)
        ]
        assert [ids[place] for place in row] == expected


def ledger(versions, names, profiles, returned):
    replay, rows = LedgerReplay(versions), []
    by_name = {version.study_hash: version for version in versions}
    for place, (name, profile) in enumerate(zip(names, profiles, strict=True), start=1):
        decision = replay.decide(name, profile, returned.get(place, ()))
        rows.append(
            append(
                "0" * 64,
                decision,
                participant_id=f"p{place}",
                profile={variable: profile[variable] for variable in by_name[name].scheme.variables},
                ledger="real",
                method=by_name[name].scheme.method,
                study_hash=name,
                allocated_at=datetime(2026, 1, 5, tzinfo=UTC),
                salt="ab",
            )
        )
    return rows


def regime_rows(rows, versions):
    """Rows of the platform's ledger as the design takes them."""
    regimes = {v.study_hash: Regime(v.scheme, options(v.scheme, v.arms), "real") for v in versions}
    return [
        RegimeRow(regimes[row.study_hash], row.allocation_index, row.levels, row.returned, row.participant_id)
        for row in rows
    ]


@given(
    first=st.sampled_from(SCHEMES[:17]),
    second=st.sampled_from(SCHEMES[:17]),
    profiles=people,
    choices=st.lists(st.booleans(), min_size=40, max_size=40),
    back=st.dictionaries(st.integers(2, 40), st.integers(1, 39), max_size=8),
    seed=seeds,
)
@settings(max_examples=150, deadline=None)
def test_an_amended_ledger_with_returned_slots_is_walked_as_it_was_made(first, second, profiles, choices, back, seed):
    three = (*TWO, Arm(id="hints", weight=2))
    versions = [Version("v1", first, TWO, seed), Version("v2", second, three, seed)]
    names = ["v2" if later else "v1" for later in choices[: len(profiles)]]
    returned, gone = {}, set()
    for place, index in sorted(back.items()):
        if index < place and index not in gone:
            returned[place] = (index,)
            gone.add(index)
    rows = ledger(versions, names, profiles, returned)
    design = Design.from_ledger(regime_rows(rows, versions)[::-1])
    given_draws = np.array([[draws(seed, row.allocation_index) for row in rows]])
    drawn = replicate_design_with_draws(design, given_draws)[0]
    assert [design.arms[place] for place in drawn] == [row.arm for row in rows]


def test_deterministic_minimisation_is_refused_with_the_reason():
    scheme = Scheme(method="minimisation", factors=["a"], probability=1.0)
    with pytest.raises(NoRandomisationDistribution, match="fixes nearly every arm .* probability below 1"):
        replicate(scheme, [{"a": 1}] * 4, 10, np.random.default_rng(1), arms=TWO)


def test_a_replacement_policy_is_warned_of():
    with pytest.warns(RandomisationWarning, match="only if withdrawing did not depend on the arm"):
        replicate(Scheme(replacement="return_slot"), [{}] * 4, 10, np.random.default_rng(1), arms=TWO)


def test_equal_generators_give_equal_replicates_and_unequal_ones_do_not():
    one, two, three = (replicate(Scheme(), [{}] * 30, 50, np.random.default_rng(seed), arms=TWO) for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != three).any()


def test_a_table_and_names_serve_as_scheme_and_arms():
    drawn = replicate({"block_sizes": [4]}, [{}] * 8, 5, np.random.default_rng(1), arms=["AI", "No AI"])
    assert (drawn.sum(axis=1) == 4).all()
