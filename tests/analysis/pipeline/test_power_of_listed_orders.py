"""Power of crossovers whose listed orders give a treatment twice, or not every treatment to each person."""

from __future__ import annotations

import numpy as np
import pytest
from support.trials import design_studies
from support.trials.quiz_study import ARMS

from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import trial_power
from study_app.content.study_file import read_study
from study_app.domain.allocation.options import order_of

QUIZ = design_studies.PERIOD_QUIZ
TWO_PERIODS = QUIZ + design_studies.SECOND
THREE_PERIODS = (
    TWO_PERIODS + QUIZ.replace("first_quiz", "second_quiz") + design_studies.SECOND.replace("between", "third_part")
)
LISTED = {
    "aba": (ARMS, [["plain", "other", "plain"], ["other", "plain", "other"]], THREE_PERIODS),
    "balaam": (ARMS, [["plain", "other"], ["other", "plain"], ["plain", "plain"], ["other", "other"]], TWO_PERIODS),
    "incomplete": (
        ARMS + design_studies.THIRD_ARM, [["plain", "other"], ["other", "third"], ["third", "plain"]], TWO_PERIODS
    ),
    "once_each": (ARMS, [["plain", "other"], ["other", "plain"]], TWO_PERIODS),
}  # fmt: skip


def listed(folder, name, monkeypatch):
    arms, orders, after = LISTED[name]
    parts = {"arms": arms, "allocation": f'method = "sequence"\norders = {orders}', "after": after}
    monkeypatch.setitem(design_studies.STUDIES, name, parts)
    return read_study(design_studies.made(folder, name))


@pytest.mark.parametrize("name", ["aba", *(pytest.param(each, marks=pytest.mark.slow) for each in LISTED)])
def test_each_person_has_a_row_for_each_period_of_their_order(tmp_path, monkeypatch, name):
    study = listed(tmp_path, name, monkeypatch)
    tables = PlannedTrial(study, study.analysis, Assumptions()).dataset(24, 0.5, np.random.default_rng(1)).tables
    arms = dict(zip(tables["participants"]["participant_id"], tables["participants"]["arm"], strict=True))
    had = tables["periods"].sort_values("period").groupby("participant_id")["treatment"].agg(tuple)
    assert dict(had) == {who: order_of(arm) for who, arm in arms.items()}
    assert set(arms.values()) == {">".join(order) for order in LISTED[name][1]}


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTED)
def test_the_paired_formula_stands_beside_orders_with_each_treatment_once_and_no_others(tmp_path, monkeypatch, name):
    found = trial_power(listed(tmp_path, name, monkeypatch), sizes=[24], effects=[0.5], sims=20, workers="1")
    [row, *_] = found["power"][0]["rows"]
    assert row["not_estimable"] == 0
    assert bool(row["formulas"]) == (name == "once_each")
