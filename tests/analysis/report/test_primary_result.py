"""The section of the primary result: which rows it has, what they test, in which direction, and for what adjusted."""

from __future__ import annotations

import re
from html import unescape

import pytest
from support.analysis.method_rows import MARGINS, ROWS, plan, row_of, table

from analysis.data.load import load
from analysis.estimators.core.no_effect import no_effect
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.prepare import prepare
from analysis.report.render import _primary
from analysis.report.sentences.decision import verdict
from study_app.domain.study.analysis_plan import Plan

LABELS = {"old": "Old", "new": "New"}
ONE_WAY = ("wald_iv", "tsls", "dunnett", "tukey_hsd")
"""Methods that take no contrast the other way round."""


def sections(folder, *planned, effect=0.0, columns=(), **keys):
    """Rows of results.json, and of each row in the section of the primary result its sentence and verdict."""
    path = folder / "data.csv"
    table(effect=effect).drop(columns=list(columns)).to_csv(path, index=False)
    prepared = prepare(load(path, {}), Plan.model_validate(plan(*planned, **keys)))
    result = analyse_prepared(prepared)
    blocks = [block for entry in _primary(prepared, result, LABELS) for block in entry["sentences"]]
    return result["estimates"], {
        block["row"]["id"]: (unescape(re.sub("<[^>]+>", "", str(block["lines"][-1]))), block["verdict"])
        for block in blocks
    }


def test_sensitivity_rows_of_a_primary_method_are_no_decisions_of_the_plan(tmp_path):
    beside = [{"outcome": "score", "method": "welch_t", "role": "sensitivity", "population": "as_treated"}]
    beside += [{"outcome": "score", "method": "lin", "role": "sensitivity", "population": "per_protocol"}]
    given = [row_of("welch_t"), row_of("lin", adjusted=True), *beside]
    rows, said = sections(tmp_path, *given, effect=0.2)
    assert set(said) == {"score.welch_t", "score.lin"} == {row["id"] for row in rows if row["role"] == "primary"}
    assert all("adjusted over 2 primary tests by Holm" in sentence for sentence, _ in said.values())


@pytest.fixture(scope="module")
def every_method(tmp_path_factory):
    """Each method in both directions, and adjusted where it can be, in one analysis of a strong effect."""
    backwards = [row_of(name, contrast=["old", "new"]) for name in ROWS if ROWS[name].words and name not in ONE_WAY]
    adjusted = [row_of(name, adjusted=True, label="adjusted") for name in ROWS if ROWS[name].adjustable]
    given = [*(row_of(name) for name in (*ROWS, *MARGINS)), *backwards, *adjusted]
    folder = tmp_path_factory.mktemp("methods")
    rows, said = sections(folder, *given, effect=1.0, multiplicity={"method": "none"})
    return {row["id"]: row for row in rows}, said


@pytest.mark.slow
@pytest.mark.parametrize("method", list(ROWS))
def test_of_every_method_the_unit_the_null_and_the_direction_are_said_as_they_are(every_method, method):
    rows, said = every_method
    want, name = ROWS[method], f"{ROWS[method].outcome}.{method}"
    assert rows[name]["unit"] == want.unit
    assert rows[name]["p_value"] is not None, rows[name]["note"]
    sentence, verdict = said[name]
    assert want.null in verdict
    assert "adjusted for" not in sentence
    if want.words is None:
        assert " than with " not in verdict
        return
    assert rows[name]["p_value"] < 0.05
    treated, control = (LABELS.get(arm, arm) for arm in rows[name]["contrast"])
    assert f"{want.null} is rejected: {want.words[0]} with {treated} than with {control}." in verdict
    if method not in ONE_WAY:
        backwards = said[f"{ROWS[method].outcome}.{method}.old_vs_new"][1]
        assert f"is rejected: {want.words[1]} with Old than with New." in backwards


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in ROWS if ROWS[name].adjustable])
def test_only_a_row_whose_model_has_the_covariates_is_said_to_be_adjusted(every_method, method):
    rows, said = every_method
    name = f"{ROWS[method].outcome}.{method}.adjusted"
    assert rows[name]["p_value"] is not None, rows[name]["note"]
    sentence = said[name][0]
    by_contrast = rows[name]["contrast"] is not None and rows[name]["estimate"] is not None
    assert (", adjusted for the plan's covariates" in sentence) == by_contrast


@pytest.mark.slow
@pytest.mark.parametrize("method", list(MARGINS))
def test_a_row_against_a_margin_says_so(every_method, method):
    assert "difference of zero" not in every_method[1][f"score.{method}"][1]


@pytest.mark.slow
def test_without_a_rule_only_a_test_of_several_arms_adjusts_and_over_its_own_comparisons(every_method):
    said = {name: sentence for name, (sentence, _) in every_method[1].items() if "; adjusted" in sentence}
    assert set(said) == {"score.dunnett", "score.dunnett.adjusted", "score.tukey_hsd"}
    assert all("; adjusted over its own comparisons: p " in sentence for sentence in said.values())


def test_an_unadjusted_fallback_is_said_to_be_none(tmp_path):
    rule = {"max_leverage": 0.99, "people_per_covariate": 500.0}
    _, said = sections(tmp_path, row_of("rerandomization", adjusted=True), fallback=rule)
    assert "adjusted for" not in said["score.rerandomization"][0]


def test_a_ratio_below_one_and_a_lower_hazard_are_said_as_such():
    row = {
        "id": "t.cox", "method": "cox", "unit": "log hazard ratio", "estimate": -0.43, "ci_low": -0.8, "ci_high": -0.1,
        "contrast": ["new", "old"], "p_value": 0.01, "p_adjusted": None, "note": "", "detail": {},
    }  # fmt: skip
    later = "a ratio of one is rejected: the event comes later with New than with Old."
    assert verdict(row, LABELS, 0.05).endswith(later)
    odds = row | {"method": "cmh", "unit": "odds ratio", "estimate": 0.48, "ci_low": 0.2, "ci_high": 0.9}
    assert verdict(odds, LABELS, 0.05).endswith("a ratio of one is rejected: lower with New than with Old.")
    assert no_effect("welch_t", "probability") == 0.0, "the unit of an outcome may be any word"
