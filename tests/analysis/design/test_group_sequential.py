"""Group-sequential tests against rpact 3.3.4 (R 4.2.2) and against their own definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.design.monitoring import boundaries, crossing_probabilities
from analysis.design.sequential import SequentialTest, TakenLook, sequential_power, stage_wise
from study_app.domain.study.analysis_plan import Stopping

THREE = (0.25, 0.6, 1.0)


def as_planned(rule: Stopping, size: int = 300) -> SequentialTest:
    return SequentialTest(
        rule, tuple(TakenLook(k, round(share * size), share) for k, share in enumerate(rule.looks, 1))
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        # getDesignGroupSequential(kMax = 3, alpha = .05, sided = 2, informationRates = c(.25, .6, 1)), typeOfDesign
        ({"spending": "obrien_fleming"}, (4.33263364605, 2.66886875778, 1.98097633570)),  # asOF
        ({"spending": "pocock"}, (2.36832770352, 2.29208708555, 2.26703550667)),  # asP
        ({"spending": "kim_demets", "gamma": 2.0}, (2.95516684750, 2.41024614125, 2.04378242046)),  # asKD
        ({"spending": "hwang_shih_decani", "gamma": -4.0}, (3.15537303266, 2.64321251959, 1.99172321707)),  # asHSD
    ],
)
def test_spending_boundaries_are_those_of_rpact(more, expected):
    rule = Stopping(kind="spending", looks=THREE, **more)
    assert as_planned(rule).critical(0.05) == pytest.approx(expected, abs=2e-8)


@pytest.mark.parametrize(("kind", "name"), [("obrien_fleming", "obf"), ("pocock", "pocock")])
def test_fixed_boundaries_hold_at_the_planned_looks_and_keep_the_error_at_others(kind, name):
    rule = Stopping(kind=kind, looks=THREE)
    assert as_planned(rule).critical(0.05) == pytest.approx(list(boundaries(THREE, 0.05, name)), abs=1e-9)
    late = SequentialTest(rule, (TakenLook(1, 90, 0.3), TakenLook(2, 190, 0.63), TakenLook(3, 297, 1.0)))
    info = np.array([90, 190, 297]) / 297
    assert crossing_probabilities(info, np.array(late.critical(0.05)), 2).sum() == pytest.approx(0.05, abs=1e-10)
    left_out = SequentialTest(rule, (TakenLook(2, 180, 0.6), TakenLook(3, 300, 1.0)))
    edges = np.array(left_out.critical(0.05))
    assert crossing_probabilities(np.array([0.6, 1.0]), edges, 2).sum() == pytest.approx(0.05, abs=1e-10)


@pytest.mark.parametrize(
    ("info", "critical", "z", "p", "median", "low", "high"),
    [
        # getAnalysisResults(OF, kMax = 3, sided = 1): final p; estimate and interval over the standard error
        ((1, 2, 3), (3.47109144465, 2.45443229863), 2.10654264793, 0.02049243387515, 2.0738374, 0.0857580, 4.0450581),
        ((1, 2), (3.47109144465,), 2.79354717097, 0.00275921594821, 2.7878513, 0.8217904, 4.7499168),
    ],
)
def test_final_p_median_and_interval_are_those_of_rpact(info, critical, z, p, median, low, high):
    found = stage_wise(info, critical, z, sides=1)
    assert found.p_value == pytest.approx(p, abs=1e-9)
    assert (found.median, found.low, found.high) == pytest.approx((median, low, high), abs=1e-6)
    assert stage_wise(info, critical, z).p_value == pytest.approx(2 * p, abs=1e-9)


def test_without_a_look_before_the_end_everything_is_that_of_a_single_test():
    found = stage_wise([50], [], 1.7)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(1.7), abs=1e-12)
    assert (found.median, found.low, found.high) == pytest.approx((1.7, 1.7 - 1.959964, 1.7 + 1.959964), abs=1e-6)
    alone = SequentialTest(Stopping(kind="pocock", looks=(0.5, 1.0)), (TakenLook(2, 50, 1.0),))
    assert alone.sequential_p([1.7]) == pytest.approx(2 * stats.norm.sf(1.7), rel=1e-8)


@pytest.mark.parametrize("alpha", [*(pytest.param(each, marks=pytest.mark.slow) for each in (0.01, 0.025)), 0.05])
def test_the_sequential_p_is_below_a_level_exactly_where_a_look_crosses_its_boundary(alpha):
    test = as_planned(Stopping(kind="obrien_fleming", looks=(1 / 3, 2 / 3, 1.0)))
    looked_up = test.table([alpha])
    edges = test.critical(alpha)
    for look in range(3):
        for gap, rejects in ((1e-6, True), (-1e-6, False)):
            z = [0.0] * look + [edges[look] + gap]
            z += [0.0] * (3 - len(z))
            assert (test.sequential_p(z) <= alpha) is rejects
            assert (looked_up(z) <= alpha) is rejects


def test_the_stage_wise_p_is_below_the_level_exactly_where_the_boundary_is_crossed():
    edges = as_planned(Stopping(kind="pocock", looks=(0.5, 1.0))).critical(0.05)
    assert stage_wise([1, 2], edges[:1], edges[1]).p_value == pytest.approx(0.05, abs=1e-9)
    at_first = crossing_probabilities(np.array([0.5, 1.0]), np.array(edges), 2)[0]
    assert stage_wise([1], [], edges[0]).p_value == pytest.approx(at_first, abs=1e-9)


def test_binding_futility_lets_later_boundaries_spend_what_it_saves():
    plain = as_planned(Stopping(kind="obrien_fleming", looks=(0.5, 1.0), futility=(0.7,)))
    bound = as_planned(Stopping(kind="obrien_fleming", looks=(0.5, 1.0), futility=(0.7,), binding=True))
    assert plain.critical(0.05) == pytest.approx(list(boundaries([0.5, 1], 0.05, "obf")), abs=1e-9)
    first, last = bound.critical(0.05)
    assert first == pytest.approx(plain.critical(0.05)[0], abs=1e-9)
    assert last < plain.critical(0.05)[1]
    rng = np.random.default_rng(2)
    one = rng.normal(size=400_000)
    two = (one + rng.normal(size=400_000)) / np.sqrt(2)
    rejects = (np.abs(one) >= first) | ((np.abs(one) >= 0.7) & (np.abs(two) >= last))
    assert rejects.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400_000))


def test_power_and_expected_size_are_those_of_rpact():
    # getDesignCharacteristics of getDesignGroupSequential(kMax = 2, alpha = .05, beta = .1, sided = 2, "OF")
    shift, inflation, sample = 10.582303262642, 1.007126409659, 0.851094380958
    fixed = float(stats.norm.cdf(np.sqrt(shift) - stats.norm.isf(0.025)))
    power, expected, early = sequential_power(
        Stopping(kind="obrien_fleming", looks=(0.5, 1.0)), (500, 1000), 0.05, fixed
    )
    assert power == pytest.approx(0.9, abs=1e-6)
    assert early == pytest.approx((0.309855724586,), abs=1e-6)
    assert expected / 1000 * inflation == pytest.approx(sample, abs=1e-6)


def test_a_look_that_cannot_stop_the_trial_has_an_infinite_boundary():
    found = crossing_probabilities(np.array([0.5, 1.0]), [np.inf, 1.959963984540054], 2)
    assert found == pytest.approx([0, 0.05], abs=1e-6)
