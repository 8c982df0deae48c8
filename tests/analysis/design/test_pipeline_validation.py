"""Promises of the analysis, by simulation: short here, long if marked slow; figures in docs/reference/validation.md."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.design import more_gates, simulated_trials, validation
from analysis.design.simulated_trials import CAP
from analysis.design.validation import TrialSetting, ValidationFinding
from analysis.estimators.methods import METHODS


def kept(findings):
    broken = [f"{found.name}: {found.found:.4f}, promised {found.expected}" for found in findings if not found.kept]
    assert not broken


def test_short_null_trials_reject_at_their_level():
    kept(validation.null_trials("stratified_blocks", trials=200))


def test_the_same_seed_gives_the_same_findings_for_any_number_of_workers():
    one = validation.null_trials("simple", trials=20, workers=1)
    assert one == validation.null_trials("simple", trials=20, workers=2)


def test_a_finding_is_kept_within_three_errors_and_broken_beyond():
    assert ValidationFinding("x", 100, 0.08, 0.05, 0.0101).kept
    assert not ValidationFinding("x", 100, 0.081, 0.05, 0.0101).kept
    assert ValidationFinding("x", 100, 0.0, 0.05, 0.0101, "at_most").kept
    assert not ValidationFinding("x", 100, 0.9, 0.95, 0.01, "at_least").kept


@pytest.mark.parametrize("scheme", simulated_trials.SCHEMES)
def test_a_trial_comes_with_re_randomisations_of_its_own_scheme(scheme):
    one, two = simulated_trials.batch(TrialSetting(scheme, replicates=99), np.random.default_rng(1), 2)
    assert one.drawn.shape == two.drawn.shape == (99, 52)
    assert set(np.unique(one.drawn)) == {0, 1}
    assert one.treated.sum() == pytest.approx(26, abs=12)
    assert (one.treated != two.treated).any()
    assert (one.quiz != two.quiz).all()


@pytest.mark.parametrize("scheme", ["stratified_blocks", "simple"])
def test_what_is_counted_is_what_the_methods_say(scheme):
    setting = TrialSetting(scheme, quiz_effect=-3.0, minutes_effect=-3.0, incomplete=0.2)
    (made,) = simulated_trials.batch(setting, np.random.default_rng(5))
    table, found = made.table(), simulated_trials.analysed(made, True)
    arms = {"arm": "arm", "control": "control"}
    named = {**arms, "outcome": "quiz", "covariates": ("warmup", "years")}
    named |= {"stratum": "stratum"} if made.stratified else {}
    replayed = {"scheme": made.drawn, "arms": ("control", "treated")}
    rows = {
        "lin": METHODS["rerandomization"](table, **named, **replayed),
        "mean": METHODS["rerandomization"](table, **arms, outcome="minutes", statistic="mean", **replayed),
        "hc3": METHODS["lin"](table, **named),
        "rmst": METHODS["rmst"](table, **arms, outcome="minutes", event="event", horizon=CAP)[0],
    }
    plain = {key: value for key, value in named.items() if key != "stratum"}
    rows["ancova"] = METHODS["rerandomization"](table, **plain, **replayed, statistic="ancova")
    for name, row in rows.items():
        counted = [found[f"{name}_{part}"] for part in ("p", "low", "high")]
        assert counted == pytest.approx([row.p_value, row.ci_low, row.ci_high], rel=1e-9)


def test_the_truth_in_capped_minutes_is_smaller_than_the_shift():
    assert -3.0 < validation.true_minutes(TrialSetting(minutes_effect=-3.0, incomplete=0.2), 100_000) < -2.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scheme", sorted(validation.SCHEMES))
def test_ten_thousand_null_trials_reject_at_five_percent(scheme):
    kept(validation.null_trials(scheme, trials=10_000, workers=2))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("incomplete", [0.1, 0.2])
def test_intervals_hold_the_truth_with_people_not_completing(incomplete):
    kept(validation.coverage(incomplete, workers=2))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_power_complier_coverage_and_lee_bounds():
    kept(validation.published_power(workers=2) + validation.complier_coverage(workers=2))
    kept(validation.one_true_null(workers=2))
    kept(validation.selective_dropout(workers=2))


def test_every_further_gate_gives_findings_and_the_page_keeps_what_was_not_run_again():
    names = [name for name, _ in (*validation.parts(10), *more_gates.gates(10))]
    assert len(names) == len(set(names))
    found = [*more_gates.two_looks(500), *more_gates.sequences(20), *more_gates.few_clusters(6, 4)]
    assert len(found) == 3 + 2 + 5
    first = validation.page(found[:3])
    again = validation.page([*found[2:]], first)
    assert [line.split(" | ")[0] for line in again.splitlines()[-10:]] == [f"| {finding.name}" for finding in found]


@pytest.mark.slow
@pytest.mark.parametrize("part", [name for name, _ in more_gates.gates(1)])
def test_further_gates_are_kept(part):
    kept(dict(more_gates.gates(400))[part]())
