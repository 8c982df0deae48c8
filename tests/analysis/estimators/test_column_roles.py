"""A column in two roles would hold the outcome, or the arms, against themselves: refused by name in every method."""

import inspect

import pytest
from support.analysis.oracle_tables import run
from test_arguments_used import usual
from test_estimators_rules import people

import analysis
from analysis.estimators.core.column_roles import AS_ARMS, COLUMNS
from analysis.estimators.core.registry import SHARED
from analysis.estimators.core.request import AnalysisError

NAMES = ("covariates", "stratum", "cluster", "event")
ROLES = [
    (method, role)
    for method, function in analysis.METHODS.items()
    for role in (*NAMES, *COLUMNS)
    if role in function.uses or role in inspect.signature(function).parameters and role not in SHARED
]


@pytest.mark.parametrize(("method", "role"), ROLES)
def test_the_outcome_and_the_arms_have_no_other_role(method, role):
    data, call = usual(method)
    if role != "factors":
        with pytest.raises(AnalysisError, match=f"data: {role}: '{call['outcome']}' is the outcome; name another"):
            run(method, data, **{**call, role: call["outcome"]})
    if call["arm"] is not None and role not in AS_ARMS:
        with pytest.raises(AnalysisError, match=f"data: {role}: '{call['arm']}' is the column of the arms; name"):
            run(method, data, **{**call, role: call["arm"]})


@pytest.mark.parametrize("role", ["covariates", "stratum", "instruments", "factors"])
def test_a_column_that_comes_twice_in_a_role_is_refused(role):
    method = {"instruments": "tsls", "factors": "factorial"}.get(role, "lin")
    data, call = usual(method)
    with pytest.raises(AnalysisError, match=f"data: {role}: 'site' comes twice; name it once"):
        run(method, data, **{**call, role: ["site", "site"]})


def test_a_covariate_may_be_a_stratum_as_documented():
    data = people()
    both = run("lin", data, outcome="score", arm="arm", control="control", covariates="site", stratum="site")
    assert both.estimate is not None


def test_people_who_received_what_their_arm_says_are_no_mistake():
    data = people()
    data["arm"] = (data["arm"] == "ai") * 1
    row = run("wald_iv", data, outcome="score", arm="arm", control=0, received="arm")
    assert row.estimate == pytest.approx(run("welch_t", data, outcome="score", arm="arm", control=0).estimate)


def test_the_outcome_is_not_its_arms():
    with pytest.raises(AnalysisError, match="data: outcome: 'arm' is the column of the arms too; name two columns"):
        run("lin", people(), outcome="arm", arm="arm", control="control")
