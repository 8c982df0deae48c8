"""Subgroups of a primary outcome against R: interaction with robust errors, Holm over subgroups, levels by Welch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.data.dataset import DeclaredArm
from analysis.data.view import View
from analysis.pipeline.analysis_table import AnalysisTable
from analysis.pipeline.subgroups import subgroup_rows
from study_app.domain.study.analysis_plan import Plan

PLAN = Plan.model_validate(
    {
        "outcomes": [{"id": "y", "kind": "continuous"}], "primary": ["y"], "level": 0.9, "covariates": [],
        "subgroups": [{"column": "x"}, {"column": "g"}],
    }
)  # fmt: skip


def people() -> pd.DataFrame:
    """In R: i <- 0:29; arm is t where i is odd; x <- (i * 7) %% 5; g by turns of pairs; y as here."""
    i = np.arange(30)
    treated, x, g = i % 2, i * 7 % 5, i // 2 % 3
    y = (3 * i * i + 5 * i) % 17 + treated * (4 * x + 6 * g)
    return pd.DataFrame(
        {"arm": np.where(treated, "t", "c"), "x": x.astype(float), "g": np.array(list("pqr"))[g],
         "y": y.astype(float), "status": "completed"}
    )  # fmt: skip


def test_interactions_are_wald_tests_with_hc3_errors_and_holm_adjusts_them_over_the_subgroups():
    """R: car::linearHypothesis(lm(y ~ arm * x), "armt:x", white.adjust = "hc3"), the same of g; p.adjust, t.test."""
    arms = (DeclaredArm("c"), DeclaredArm("t"))
    view = View(people(), arms, {}, False, False, ("real",), ())  # type: ignore[arg-type]
    rows = {row.id: row for row in subgroup_rows(AnalysisTable(people(), (), (), {}, (), ()), PLAN, view)}
    of_x, of_g = rows["y.interaction.x"], rows["y.interaction.g"]
    assert (of_x.statistic, of_x.df, of_x.p_value) == pytest.approx((3.0339767598472, 26, 0.0933584903862))
    assert (of_x.estimate, of_x.ci_low, of_x.ci_high) == pytest.approx((3.1, 0.0644505004065, 6.1355494995935))
    assert (of_g.statistic, of_g.df, of_g.p_value) == pytest.approx((0.937359646954, 24, 0.405533874378))
    assert (of_g.estimate, of_g.detail["df1"]) == (None, 2)
    assert (of_x.p_adjusted, of_g.p_adjusted) == pytest.approx((0.186716980772, 0.405533874378))
    for row, eta in ((of_x, 0.104497457752), (of_g, 0.0724537055886)):
        assert (row.effect_size.name, row.effect_size.value) == ("partial eta squared", pytest.approx(eta))
    level = rows["y.subgroup.g.q"]
    assert (level.estimate, level.p_value, level.p_adjusted) == (pytest.approx(10.8), pytest.approx(0.101973421), None)
    assert (level.ci_low, level.ci_high) == pytest.approx((-0.0824401825957, 21.6824401825957))
    assert [name for name in rows if ".subgroup.x." in name] == [f"y.subgroup.x.{number}" for number in range(5)]
