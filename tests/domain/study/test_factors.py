"""Factors: their levels are crossed into ordinary arms, and what cannot be crossed is refused by name."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.content.study_file import validate_study
from study_app.dataset.schema.versions import read_version
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.factorial.cells import arms_of, factor_problems
from study_app.domain.study.factorial.sections import ArmsFrom, TreatmentFactor
from study_app.domain.study.study import Study

APPROVAL = {"id": "approval", "levels": {"each": {"assistant": "asks"}, "free": {"assistant": "acts"}}}
NOTE = {"id": "note", "levels": {"none": {}, "calm": {"instructions": "Take your time.", "pledge": "I will."}}}


def raw(*factors: dict[str, Any], **arms_from: Any) -> dict[str, Any]:
    """A study file whose arms are made from factors."""
    return {
        "schema": "study/1",
        "id": "crossed",
        "title": "Crossed",
        "factors": list(factors),
        "arms_from": {"factors": [factor["id"] for factor in factors]} | arms_from,
        "allocation": {"method": "permuted_blocks"},
        "assistants": {"asks": {"file": "asks.toml"}, "acts": {"file": "acts.toml"}},
        "stages": [
            {"id": "consent", "kind": "consent"},
            {"id": "instructions", "kind": "instructions"},
            {"id": "debrief", "kind": "debrief"},
        ],
    }


def test_the_cells_are_arms_named_by_their_levels_with_what_each_level_sets():
    study = Study.model_validate(raw(APPROVAL, NOTE))
    assert [arm.id for arm in study.arms] == ["each_none", "each_calm", "free_none", "free_calm"]
    last = study.arm("free_calm")
    assert (last.assistant, last.instructions, last.pledge) == ("acts", "Take your time.", "I will.")
    assert study.control.id == "each_none"
    assert study.arms_at("approval", "free") == ["free_none", "free_calm"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (True, "control"),
        ("alone", "alone"),
        ({"id": "alone", "instructions": "Work alone."}, "alone"),
        ({"id": "alone", "control": True}, "alone"),
    ],
)
def test_a_nested_control_is_an_arm_outside_the_cells(written, name):
    study = Study.model_validate(raw(APPROVAL, NOTE, plus_control=written))
    assert study.control.id == name
    assert len(study.arms) == 5
    assert name not in study.cells


def test_what_every_cell_has_is_written_once_and_a_level_wins():
    study = Study.model_validate(raw(APPROVAL, NOTE, arm={"instructions": "Go.", "weight": 2}, plus_control=True))
    assert [arm.instructions for arm in study.arms] == ["", "Go.", "Take your time.", "Go.", "Take your time."]
    assert [arm.weight for arm in study.arms] == [1, 2, 2, 2, 2]


LEVELS = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=4, unique=True)


@given(st.lists(LEVELS, min_size=1, max_size=3), st.booleans())
def test_a_version_that_is_read_back_has_the_same_arms_in_the_same_order(levels, control):
    factors = [{"id": f"f{n}", "levels": {f"{name}{n}": {} for name in names}} for n, names in enumerate(levels)]
    study = Study.model_validate(raw(*factors, plus_control=control))
    again = read_version(study.canonical())
    assert again.arms == study.arms
    assert again.canonical() == study.canonical()
    assert list(study.cells) == ["_".join(cell) for cell in product(*([*factor["levels"]] for factor in factors))]


def said(study: dict[str, Any]) -> str:
    with pytest.raises(ProblemsFound) as found:
        validate_study(study, "study.toml")
    return str(found.value)


@pytest.mark.parametrize(
    ("study", "sentence"),
    [
        (raw(APPROVAL, NOTE | {"levels": {"a": {}, "b": {"assistant": "acts"}}}), "'approval' and 'note' both set"),
        (
            raw(
                {"id": "one", "levels": {"a": {"variants": {"x": "y"}}, "b": {}}},
                {"id": "two", "levels": {"c": {"variants": {"x": "z"}}, "d": {}}},
            ),
            "both set 'variants.x'",
        ),
        (raw(APPROVAL, factors=["approval", "tone"]), "arms_from.factors: 'tone' is not declared"),
        (raw(APPROVAL, NOTE, factors=["approval"]), "factors.note: it makes no arms"),
        (raw(APPROVAL, APPROVAL), "'approval' is declared twice"),
        (raw(APPROVAL, plus_control="free"), "two arms would be named 'free'"),
        (raw(APPROVAL, plus_control={"control": False}), "arms_from.plus_control.control: this arm is the control"),
        (raw(APPROVAL, arm={"control": True}), "arms_from.arm.control: it follows"),
        (raw(APPROVAL, factors=["approval", "approval"]), "arms_from.factors: 'approval' is named twice"),
        (raw(factors=[], plus_control=True), "arms_from: it names no factors"),
        (raw({"id": "a", "levels": {"x": {"control": True}, "y": {}}}), "factors.a.levels.x.control: it follows"),
        (raw({"id": "a", "levels": {"x": {"asistant": "acts"}, "y": {}}}), "arms.x.asistant: this key is not known"),
        (raw({"id": "a", "levels": {"x": {}}}), "factors.a.levels"),
        (raw(APPROVAL) | {"arms": [{"id": "plain", "control": True}]}, "arms: they are made by [arms_from]"),
        (raw(APPROVAL) | {"allocation": {"method": "sequence"}}, "'sequence' gives a person several arms"),
        ({key: value for key, value in raw(APPROVAL).items() if key != "arms_from"}, "arms: this key is missing"),
        (
            {key: value for key, value in raw(APPROVAL).items() if key != "arms_from"}
            | {"arms": [{"id": "plain", "control": True}]},
            "factors: no arms are made from them",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_crossed_is_refused_by_name(study, sentence):
    assert sentence in said(study)


def test_different_keys_of_one_nested_table_are_no_conflict():
    one = TreatmentFactor(id="one", levels=({"id": "a", "arm": {"variants": {"x": "y"}}}, {"id": "b"}))
    two = TreatmentFactor(id="two", levels=({"id": "c", "arm": {"variants": {"z": "y"}}}, {"id": "d"}))
    crossed = ArmsFrom(factors=("one", "two"))
    assert not any("both set" in line for line in factor_problems([one, two], crossed, [], "simple"))
    assert arms_of([one, two], crossed)[0]["variants"] == {"x": "y", "z": "y"}
