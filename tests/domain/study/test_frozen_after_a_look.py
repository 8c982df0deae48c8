"""Once the data were looked at, no amendment changes what decides the primary rows."""

from __future__ import annotations

import pytest
from support.analysis.shipped_plan import study

from study_app.domain.study.amending.frozen import frozen_problems
from study_app.domain.study.analysis_plan import Plan

BESIDE = {
    "secondary": [{"id": "mine", "kind": "continuous", "column": "enjoyed"}],
    "estimands": [],
    "margins": [{"outcome": "quiz_points", "margin": 2.0}],
    "subgroups": [],
}
DECIDES = {
    "control": "ai",
    "primary": ["completion_minutes", "quiz_points"],
    "multiplicity": {"method": "hommel"},
    "level": 0.9,
    "replicates": 1000,
    "horizon": 5.0,
    "covariates": [],
    "strata": False,
    "cluster": "room",
    "fallback": {"max_leverage": 0.01},
    "compliance": {"outside_chars": 100},
    "variant_time": True,
    "coder": "human",
    "columns": {"quiz_points": "points"},
}
APART = {"outcomes", "analyses", "stopping"}
"""Compared in part, or under another key."""


def found(key, value):
    locked = study()
    plan = locked.analysis.model_dump()
    now = locked.model_copy(update={"analysis": Plan.model_validate(plan | {key: value})})
    assert now.analysis != locked.analysis, key
    return frozen_problems(locked, now, "study.toml", looked=True)


@pytest.mark.parametrize(("key", "value"), DECIDES.items())
def test_what_decides_the_primary_rows_is_frozen(key, value):
    (problem,) = found(key, value)
    assert problem.key == "analysis.primary"
    assert "an interim look was taken" in problem.remedy


@pytest.mark.parametrize(("key", "value"), BESIDE.items())
def test_what_only_adds_to_them_may_change(key, value):
    assert found(key, value) == []


def test_every_key_of_a_plan_is_one_or_the_other():
    assert {*DECIDES, *BESIDE, *APART} == {*Plan.model_fields}
