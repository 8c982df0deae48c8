"""What a scheme does at the planned size, and what the console tells of the protocol."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.domain.allocation import Scheme
from study_app.rerandomisation.outlook import outlook, outlooks
from study_app.services.researcher.monitoring import Monitor


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    yield made
    made.close()


def test_complete_blocks_of_two_balance_and_half_of_them_are_foreseen(trial):
    found = outlook("blocks", Scheme(method="permuted_blocks", block_sizes=(2,)), trial.app.study, 20, 100)
    assert found.imbalance == 0
    # The second of each pair is certain, the first a coin: (1/2 + 1) / 2.
    assert found.guessed == pytest.approx(0.75)


def test_simple_randomisation_cannot_be_foreseen(trial):
    found = outlook("simple", Scheme(method="simple"), trial.app.study, 50, 200)
    assert found.guessed == pytest.approx(found.by_chance, abs=0.02)
    # Mean of |difference| of 50 fair coins: about sqrt(2 n / pi).
    assert found.imbalance == pytest.approx((2 * 50 / 3.14159) ** 0.5, rel=0.15)


def test_the_studys_own_scheme_comes_first(trial):
    found = outlooks(trial.app.study, 12, 5)
    assert found[0].scheme == trial.app.study.allocation
    assert len({each.name for each in found}) == len(found)


def test_the_preregistration_is_the_one_of_the_launch(tmp_path):
    folder = tmp_path / "launched"
    folder.mkdir()
    trial = Trial(folder)
    assert Monitor(trial.app.context).preregistration() is None
    launched = trial.app.lifecycle.launch()
    document, text = Monitor(trial.app.context).preregistration()
    assert document["seed_commitment"] == launched.commitment
    assert document == launched.prereg
    assert text == launched.prereg_text
    trial.close()
