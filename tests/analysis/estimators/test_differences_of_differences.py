"""The difference of two differences of arms, beside statsmodels' interaction and limits by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from support.paths import ROOT

from analysis.estimators.core.examples import four_arms
from analysis.estimators.core.validation import AnalysisError
from analysis.estimators.methods import METHODS
from analysis.estimators.outcomes.proportions import wilson
from analysis.pipeline.factorial.variants import cell_problems_of, crossed_arms, of_variants
from study_app.content.study_file import read_study
from study_app.domain.study.comparing.delayed_outcomes import with_delayed

METHOD = METHODS["difference_of_differences"]
CELLS = ("ai_variant", "ai", "none_variant", "none")
LISTED = ", ".join(CELLS)


def test_of_means_it_is_the_interaction_with_hc2_errors():
    data = four_arms()
    ai, variant = data["arm"].str.startswith("ai"), data["arm"].str.endswith("variant")
    design = np.column_stack([np.ones(len(data)), ai, variant, ai & variant]).astype(float)
    fitted = sm.OLS(data["score"], design).fit(cov_type="HC2")
    row = METHOD(data, outcome="score", arm="arm", cells=LISTED)
    assert (row.estimate, row.std_error) == (pytest.approx(fitted.params.iloc[3]), pytest.approx(fitted.bse.iloc[3]))
    assert row.n == dict.fromkeys(CELLS, 3)


def test_of_shares_the_limits_are_wilsons_and_p_is_where_they_end_at_zero():
    data = four_arms()
    row = METHOD(data, outcome="done", arm="arm", cells=LISTED)
    shares = [data.loc[data["arm"] == name, "done"].mean() for name in CELLS]
    limits = [wilson(int(3 * share + 0.5), 3) for share in shares]
    moved = [shares[0] - limits[0][0], limits[1][1] - shares[1], limits[2][1] - shares[2], shares[3] - limits[3][0]]
    assert row.estimate == pytest.approx(shares[0] - shares[1] - shares[2] + shares[3])
    assert row.ci_low == pytest.approx(row.estimate - np.sqrt(np.square(moved).sum()))
    again = METHOD(data, outcome="done", arm="arm", cells=LISTED, level=1 - row.p_value)
    assert min(abs(again.ci_low), abs(again.ci_high)) == pytest.approx(0, abs=1e-6)


def test_arms_without_any_yes_have_a_width():
    data = four_arms().assign(done=[0] * 9 + [1, 0, 0])
    row = METHOD(data, outcome="done", arm="arm", cells=LISTED)
    assert row.ci_low < 0 < row.estimate < row.ci_high


@pytest.mark.parametrize("cells", [(), CELLS[:3], (*CELLS[:3], CELLS[0])])
def test_other_than_four_arms_are_refused(cells):
    with pytest.raises(AnalysisError, match="are not four arms"):
        METHOD(four_arms(), outcome="score", arm="arm", cells=", ".join(cells))


def test_a_study_with_variants_has_the_row_for_points_and_for_passing_what_can_be_seen():
    study = read_study(ROOT / "examples" / "impossible" / "study.toml")
    assert crossed_arms(study) == [("ai_variant", "ai", "no_ai_variant", "no_ai")]
    rows = of_variants(with_delayed(study.analysis, study), study)
    assert {row.outcome for row in rows} >= {*study.analysis.primary, "visible_only_pass"}
    assert {row.id.split(".", 1)[1] for row in rows} == {"difference_of_differences.ai_variant"}
    assert cell_problems_of(study, "study.toml") == []


@pytest.mark.slow
def test_coverage_of_shares_is_that_of_the_level():

    rng, rates, n, trials = np.random.default_rng(7), (0.3, 0.02, 0.15, 0.02), 30, 1500
    truth, inside = rates[0] - rates[1] - rates[2] + rates[3], 0
    for _ in range(trials):
        data = pd.DataFrame({"arm": np.repeat(CELLS, n), "done": np.concatenate([rng.random(n) < r for r in rates])})
        row = METHOD(data.assign(done=data["done"].astype(int)), outcome="done", arm="arm", cells=LISTED)
        inside += row.ci_low <= truth <= row.ci_high
    assert inside / trials == pytest.approx(0.95, abs=0.025), inside / trials
