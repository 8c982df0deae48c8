import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis.simulated_codes import coded_arms, coverage

from analysis.estimators.core.validation import AnalysisError
from analysis.multiplicity import adjust
from analysis.themes.corrected import CodedGroup, corrected_difference, corrected_share, naive_share, theme_rows

GOLD_Y = [1, 0, 1, 1, 0, 0, 1, 0, 0, 1]
GOLD_F = [1, 0, 1, 0, 0, 1, 1, 0, 0, 1]
REST_F = [1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0]
REFERENCE = {"estimate": 0.4, "half_width": 0.2834616617219786}
bits = st.lists(st.integers(0, 1), min_size=4, max_size=30)


def group(**more):
    return CodedGroup.of(GOLD_F + REST_F, GOLD_Y + [None] * len(REST_F), **more)


def test_the_share_and_its_standard_error_are_those_of_prediction_powered_inference():
    # ppi-python 0.2.3: ppi_mean_pointestimate(Y, F, U, lam=0.75) and ppi_mean_ci(Y, F, U, alpha=0.05, lam=0.75), lam
    # being the share outside the sample. Its standard deviations divide by n, ours by n - 1.
    y, f, u = (np.asarray(each, dtype=float) for each in (GOLD_Y, GOLD_F, REST_F))
    by_ppi = np.sqrt((0.75 * u).var() / 30 + (y - 0.75 * f).var() / 10)
    assert by_ppi == pytest.approx(REFERENCE["half_width"] / 1.959963984540054)
    found = corrected_share(group())
    assert float(found) == pytest.approx(REFERENCE["estimate"])
    ours = np.sqrt((0.75 * u).var() / 29 + (y - 0.75 * f).var() / 9)
    assert found.std_error == pytest.approx(ours)


def test_unequal_probabilities_weigh_each_error_by_one_over_its_own():
    probability = [0.5] * 5 + [0.25] * 5 + [0.5] * 10 + [0.25] * 20
    found = corrected_share(group(probability=probability))
    errors = np.asarray(GOLD_Y) - np.asarray(GOLD_F)
    weights = np.repeat([2.0, 4.0], 5)
    assert float(found) == pytest.approx(np.mean(GOLD_F + REST_F) + (weights * errors).sum() / weights.sum())


@given(bits, bits)
def test_with_everything_coded_by_people_the_program_does_not_matter(human, machine):
    human, machine = human[: len(machine)], machine[: len(human)]
    found = corrected_share(CodedGroup.of(machine, human))
    assert float(found) == pytest.approx(np.mean(human))
    if found.std_error is not None:
        assert found.std_error == pytest.approx(np.std(human, ddof=1) / np.sqrt(len(human)))
    assert naive_share(CodedGroup.of(machine, human)).ci == found.ci


@given(bits, st.data())
def test_intervals_hold_the_estimate_and_lie_between_0_and_1(machine, data):
    human = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=len(machine), max_size=len(machine)))
    found = corrected_share(CodedGroup.of(machine, [np.nan if each is None else each for each in human]))
    if not np.isnan(found):
        assert 0 <= found.ci_low <= float(found) <= found.ci_high <= 1
        assert found.ci_low < found.ci_high


def test_a_naive_share_is_refused_unless_people_coded_everything():
    with pytest.raises(AnalysisError, match="30 of 40 interviews were coded by a program alone"):
        naive_share(group())


@pytest.mark.parametrize(
    ("machine", "human", "probability", "said"),
    [
        ([1, 0, None], [1, None, None], None, "machine"),
        ([1, 2, 0], [1, None, None], None, "machine"),
        ([1, 0, 0], [3, None, None], None, "human"),
        ([1, 0, 0], [1, None, None], [0.0, 0.5, 0.5], "probability"),
        ([1, 0], [1, None, None], None, "2 codes for 3 people"),
    ],
)
def test_a_code_or_probability_that_is_none_is_refused_by_its_name(machine, human, probability, said):
    columns = [np.asarray(each, dtype=float) for each in (machine, human)]
    with pytest.raises(AnalysisError, match=said):
        CodedGroup.of(*columns, probability)


def test_an_arm_without_gold_is_not_estimable_and_says_so():
    bare = CodedGroup.of([1, 0, 1], [1, None, None])
    assert np.isnan(corrected_share(bare))
    assert "people coded 1 of 3" in corrected_share(bare).note
    found = corrected_difference(bare, group())
    assert (np.isnan(found), found.p_value) == (True, None)


def test_codes_that_never_vary_get_a_score_interval_and_no_test():
    never = CodedGroup.of([0] * 20, [0] * 6 + [None] * 14)
    found = corrected_share(never)
    # Reference: statsmodels proportion_confint(0, 6, method="wilson")
    assert (float(found), found.ci_low, found.std_error) == (0.0, 0.0, None)
    assert found.ci_high == pytest.approx(0.390334, abs=1e-6)
    difference = corrected_difference(group(), never)
    assert difference.ci_low < difference < difference.ci_high
    assert difference.p_value is None
    assert "no test" in difference.note


def test_members_of_a_cluster_count_together():
    machine, human = np.repeat(GOLD_F + REST_F, 4), np.repeat(GOLD_Y + [np.nan] * 30, 4)
    alone = corrected_share(group())
    together = corrected_share(CodedGroup.of(machine, human, cluster=np.repeat(np.arange(40), 4)))
    blind = corrected_share(CodedGroup.of(machine, human))
    assert float(together) == pytest.approx(float(alone))
    assert together.std_error == pytest.approx(alone.std_error, rel=0.05)
    assert blind.std_error < 0.6 * alone.std_error
    assert together.df == 39


def test_differences_of_three_arms_are_adjusted_over_all_codes_and_contrasts():
    rng = np.random.default_rng(4)
    arms = {name: coded_arms(rng, 120, 0.4)["ai"] for name in ("ai", "hints", "no_ai")}
    shares, differences = theme_rows({"hurry": arms, "trust": arms | {"ai": arms["hints"]}}, "no_ai")
    assert len(shares) == 6
    assert [row.contrast for row in differences] == 2 * [("ai", "no_ai"), ("hints", "no_ai")]
    due = adjust([row.p_value for row in differences], "holm")
    assert [row.p_adjusted for row in differences] == pytest.approx(list(due))
    assert all(row.to_json()["detail"] for row in shares)


def test_a_program_that_errs_more_in_one_arm_does_not_bias_the_difference():
    found = coverage(400, 0.25, 300, seed=11)
    # 300 replications: standard error of a share of .95 is .0126.
    assert found["naive"] < 0.75
    assert 0.91 <= found["corrected"] <= 0.99
    assert found["standard_error"] < 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("n", "gold"), [(52, 0.5), (52, 0.3), (400, 0.25)])
def test_corrected_intervals_cover_in_2000_replications(n, gold):
    found = coverage(n, gold, 2000, seed=7)
    assert 0.93 <= found["corrected"] <= 0.97
    assert found["naive"] < found["corrected"] - 0.04
    assert found["standard_error"] < 0.9
