"""Imbalance and predictability against theory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.errors import UserError
from study_app.rerandomisation.scheme_properties import alternatives, guesses, scheme_properties

TWO = (Arm(id="ai"), Arm(id="no_ai"))
ORACLE = Path(__file__).parents[1] / "oracles" / "randomisation_pocock_simon_pbr_efron" / "expected.json"
THEORY = json.loads(ORACLE.read_text())["expected"]


def properties(scheme, n, arms=TWO, **more):
    more.setdefault("replicates", 4000)
    return scheme_properties(scheme, arms, n, rng=np.random.default_rng(11), **more)


def near(estimate, theory):
    return abs(estimate["mean"] - theory) <= 4 * estimate["mc_error"] + 1e-12


@pytest.mark.parametrize("block", THEORY["pbr"], ids=lambda block: str(block["b"]))
def test_blocks_are_as_predictable_as_blackwell_and_hodges_say(block):
    """Blackwell & Hodges 1957: m + 2^(2m-1) / C(2m, m) - 1/2 correct guesses in a block of 2m."""
    chosen = properties(Scheme(block_sizes=[block["b"]]), 6 * block["b"])["schemes"][0]
    assert near(chosen["predictability"], block["frac"])


@pytest.mark.parametrize("chain", THEORY["efron"], ids=lambda chain: str(chain["n"]))
def test_efrons_coin_is_as_predictable_and_as_balanced_as_its_chain_says(chain):
    chosen = properties(Scheme(method="biased_coin", probability=chain["p"]), chain["n"])["schemes"][0]
    assert near(chosen["predictability"], chain["expected_correct_guess_frac"])
    assert near(chosen["imbalance"]["overall"], chain["Eabs"])
    balanced = dict(map(tuple, chosen["imbalance"]["overall"]["distribution"])).get(0.0, 0.0)
    assert abs(balanced - chain["P0"]) <= 4 * (0.25 / 4000) ** 0.5


def test_simple_randomisation_cannot_be_guessed():
    assert near(properties(Scheme(method="simple"), 52)["schemes"][0]["predictability"], 0.5)


def test_the_chosen_scheme_stands_first_beside_every_alternative():
    found = properties(
        Scheme(method="stratified_blocks", strata=["e"]), 52, margins={"e": {"a": 1, "b": 2}}, replicates=200
    )
    assert [entry["chosen"] for entry in found["schemes"]] == [True] + [False] * 6
    assert found["schemes"][0]["method"] == "stratified_blocks"
    assert len({entry["method"] for entry in found["schemes"]}) == 7
    assert json.loads(json.dumps(found)) == found


def test_stratifying_balances_strata_where_plain_blocks_do_not():
    found = properties(Scheme(method="stratified_blocks", strata=["e"]), 60, margins={"e": {"a": 1, "b": 1, "c": 1}})
    worst = {entry["method"]: entry["imbalance"]["worst_stratum"]["mean"] for entry in found["schemes"]}
    assert worst["stratified_blocks"] < worst["permuted_blocks"]
    assert worst["minimisation"] < worst["simple"]


def test_newcomers_may_be_drawn_from_people_already_known():
    known = [{"e": "a"}, {"e": "b"}, {"e": "b"}]
    found = properties(Scheme(method="minimisation", factors=["e"]), 30, profiles=known, replicates=100)
    assert found["schemes"][0]["imbalance"]["worst_margin"]["mean"] < 6


def test_variables_without_shares_are_named():
    with pytest.raises(UserError, match="no shares are known for e"):
        properties(Scheme(method="minimisation", factors=["e"]), 30)


def test_weights_set_what_guessing_without_looking_gets_right():
    found = properties(Scheme(), 30, (Arm(id="ai", weight=2), Arm(id="no_ai")), replicates=100)
    assert found["chance"] == pytest.approx(2 / 3)
    assert found["schemes"][0]["predictability"]["mean"] > 2 / 3


def test_people_who_join_a_class_are_not_counted_as_guessed():
    scheme = Scheme(method="cluster", cluster="label", base_method="simple")
    found = properties(scheme, 40, margins={"label": dict.fromkeys("abcdefghijklmnopqrst", 1)})
    assert near(found["schemes"][0]["predictability"], 0.5)
    assert {entry["base_of"] for entry in found["schemes"]} == {"cluster"}


def test_alternatives_to_a_crossover_draw_orders_too():
    assert {scheme.method for scheme in alternatives(Scheme(method="sequence"))} == {"sequence"}


def test_the_guesser_takes_the_arm_that_lags_and_half_of_a_tie():
    drawn = np.array([[0, 1, 1, 0]], dtype=np.int8)
    assert guesses(drawn, np.array([1.0, 1.0]), [()] * 4).tolist() == [[0.5, 1.0, 0.5, 1.0]]


def test_equal_generators_give_equal_figures():
    assert properties(Scheme(), 20, replicates=100) == properties(Scheme(), 20, replicates=100)
