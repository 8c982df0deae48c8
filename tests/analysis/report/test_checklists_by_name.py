"""Checklists filled from the data: every item has an answer or says that a person must write it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from support.trials.design_studies import made

from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.power.assumptions import Assumptions
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan
from analysis.pipeline.prepare import prepare
from analysis.report.checklists.named import CHECKLISTS, _Facts, answered, text_of
from analysis.report.checklists.sources import CAVEATS, ERCT, LLM_SE, NAMED
from analysis.report.scales import shown
from study_app.content.study_file import read_study


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    study = read_study(made(tmp_path_factory.mktemp("listed"), "factors_and_control"))
    plan = simulated_plan(study.analysis, len(study.arms))
    data = PlannedTrial(study, plan, Assumptions()).dataset(80, 0.5, np.random.default_rng(1))
    prepared = prepare(data, plan, include_simulated=True)
    return prepared, analyse_prepared(prepared)


def test_the_lists_are_whole():
    assert len(ERCT) == 12
    assert [*dict.fromkeys(entry.number[0] for entry in LLM_SE)] == list("12345678")
    assert set(CAVEATS) == set(CHECKLISTS)
    for entries in NAMED.values():
        assert len({entry.number for entry in entries}) == len(entries)


@pytest.mark.parametrize("name", CHECKLISTS)
def test_each_item_is_answered_or_open_and_says_where(trial, name):
    items = answered(*trial, name)
    assert all(item.where for item in items)
    assert all(bool(item.answer) or item.open for item in items)
    assert any(item.open for item in items)
    assert any(not item.open for item in items)
    text = text_of(items, name)
    assert text.count("\n| ") == len(items) + 2
    assert f"{sum(item.open for item in items)} open." in text


def test_the_factorial_items_of_consort_have_the_trial_s_figures(trial):
    _, result = trial
    items = {item.item: item for item in answered(*trial, "consort")}
    tone = next(row for row in result["estimates"] if row["id"].endswith("factorial_rerandomization.tone"))
    assert f", tone, keen minus calm: {shown(tone).value} (" in items["factorial trials 17a"].answer
    assert "tone: calm, keen" in items["factorial trials 3a"].answer
    assert items["factorial trials 1a"].open


def test_the_approval_is_the_study_s_own_words():
    study = SimpleNamespace(raw={"contact": "anna@example.org", "ethics": "Committee X, no. 17"})
    facts = _Facts(SimpleNamespace(dataset=SimpleNamespace(study=study), fitted=None), {})
    assert facts.ethics() == "Approval: Committee X, no. 17."
