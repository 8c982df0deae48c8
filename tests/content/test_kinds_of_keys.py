"""Every key of a study file with values of another kind: refused in sentences that name it, never by a traceback."""

from __future__ import annotations

import tomllib

import pytest
from support.hostile.wrong_kinds import faults
from support.trials.design_studies import STUDIES, made

from study_app.content.study_file import validate_study
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan, read_plan
from study_app.domain.study.study import Study

BY_DEFAULT = ("every_stage",)
WALKED = ("every_stage", "factors_and_control", "populations", "roles", "strata", "minimisation", "looks_hsd", "orders")
"""Studies of the design table that have every table of a study file between them."""


@pytest.mark.parametrize(
    "name", [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in WALKED]
)
def test_a_key_of_another_kind_is_refused_by_name(tmp_path, name):
    assert name in STUDIES
    raw = tomllib.loads(made(tmp_path, name).read_text("utf-8"))
    found, tried = faults(raw, Study, lambda table: validate_study(table, "study.toml"))
    assert tried > 500
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["every_stage", pytest.param("looks_hsd", marks=pytest.mark.slow)])
def test_a_key_of_another_kind_in_a_plan_by_itself_is_refused_by_name(tmp_path, name):
    raw = tomllib.loads(made(tmp_path, name).read_text("utf-8"))["analysis"]
    rows = [{"outcome": "quiz_points", "method": "lin", "options": {"vcov": "HC2"}}]
    found, tried = faults(raw | {"analyses": rows}, Plan, lambda table: read_plan(table, file="plan.toml", key=""))
    assert tried > 150
    assert not found, "\n".join(found)


@pytest.mark.parametrize("value", [[0, 10], {"low": 0}, [[0]]])
def test_an_option_with_several_values_is_one_sentence(value):
    rows = [{"outcome": "quiz_points", "method": "worst_case", "options": {"bounds": value}}]
    with pytest.raises(ProblemsFound) as refused:
        read_plan({"analyses": rows}, file="plan.toml", key="")
    (line,) = map(str, refused.value.problems)
    assert "options.bounds: a method takes one value here" in line


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_an_option_that_is_not_finite_is_one_sentence(value):
    rows = [{"outcome": "quiz_points", "method": "tost", "options": {"margin": value}}]
    with pytest.raises(ProblemsFound) as refused:
        read_plan({"analyses": rows}, file="plan.toml", key="")
    (line,) = map(str, refused.value.problems)
    assert "options.margin: " in line
    assert "not a finite number; give one" in line
