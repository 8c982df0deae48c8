"""Promises of the analysis, by simulation: short here, long behind the slow marker; figures in docs/validation.md."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import validation
from analysis.validation import Finding, Setting


def kept(findings):
    broken = [f"{found.name}: {found.found:.4f}, promised {found.expected}" for found in findings if not found.kept]
    assert not broken


def test_short_null_trials_reject_at_their_level():
    kept(validation.null_trials("stratified_blocks", trials=200))


def test_the_same_seed_gives_the_same_findings_for_any_number_of_workers():
    one = validation.published_power(trials=300, workers=1)
    assert one == validation.published_power(trials=300, workers=2)


def test_a_finding_is_kept_within_three_errors_and_broken_beyond():
    assert Finding("x", 100, 0.08, 0.05, 0.0101).kept
    assert not Finding("x", 100, 0.081, 0.05, 0.0101).kept
    assert Finding("x", 100, 0.0, 0.05, 0.0101, "at_most").kept
    assert not Finding("x", 100, 0.9, 0.95, 0.01, "at_least").kept


def test_a_trial_comes_with_re_randomisations_of_its_own_scheme():
    data, drawn = validation.trial(Setting(n=52, replicates=99), np.random.default_rng(1))
    assert drawn.shape == (99, 52)
    assert set(np.unique(drawn)) == {0, 1}
    assert (data["arm"] == "treated").sum() == pytest.approx(26, abs=3)


def test_the_truth_in_capped_minutes_is_smaller_than_the_shift():
    assert -3.0 < validation.true_minutes(Setting(minutes_effect=-3.0, incomplete=0.2), 100_000) < -2.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scheme", sorted(validation.SCHEMES))
def test_ten_thousand_null_trials_reject_at_five_percent(scheme):
    kept(validation.null_trials(scheme, trials=10_000, workers=2))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("incomplete", [0.1, 0.2])
def test_intervals_hold_the_truth_with_people_not_completing(incomplete):
    kept(validation.coverage(incomplete, trials=4_000, workers=2))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_power_complier_coverage_and_lee_bounds():
    kept(validation.published_power(workers=2) + validation.complier_coverage(workers=2))
    kept(validation.selective_dropout(workers=2))
