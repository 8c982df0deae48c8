"""Schemes that cannot balance arms are refused by key; blocks that a whole trial does not fill are only warned of."""

from __future__ import annotations

from typing import Any

import pytest

from study_app.domain.study.contradictions.drawing import drawing_problems, size_warnings
from study_app.domain.study.study import Study

SOME = [{"value": "dev", "label": "a"}, {"value": "sci", "label": "b"}]
CODED = [{"value": 1, "label": "a"}, {"value": 2, "label": "b"}]
JOINED = [{"value": "dev; ops", "label": "a"}, {"value": "sci", "label": "b"}]
QUESTIONS = {
    "role": {"kind": "choice", "options": SOME},
    "grade": {"kind": "choice", "options": CODED},
    "team": {"kind": "choice", "options": JOINED},
    "uses": {"kind": "multiple", "options": SOME},
    "hours": {"kind": "slider", "low": 0, "high": 40},
    "years": {"kind": "number", "low": 0, "high": 40},
    "level": {"kind": "scale", "low": 1, "high": 5},
    "why": {"kind": "text"},
}
ARMS = [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}]


def study(allocation: dict[str, Any], target_n: int = 52, arms: list[dict[str, Any]] = ARMS) -> Study:
    asked = [{"id": name, "prompt": "?"} | given for name, given in QUESTIONS.items()]
    stages = [
        {"id": "consent", "kind": "consent"},
        {"id": "more", "kind": "survey", "questions": asked},
        {"id": "instructions", "kind": "instructions"},
        {"id": "debrief", "kind": "debrief"},
    ]
    return Study.model_validate(
        {
            "schema": "study/1", "id": "drawn", "title": "Drawn", "arms": arms, "stages": stages,
            "allocation": allocation, "recruitment": {"target_n": target_n},
        }
    )  # fmt: skip


def refused(allocation: dict[str, Any], arms: list[dict[str, Any]] = ARMS) -> list[str]:
    return [key for key, _, _ in drawing_problems(study(allocation, arms=arms))]


def strata(name: str, **given: Any) -> dict[str, Any]:
    return {"method": "stratified_blocks", "strata": [{"variable": name} | given]}


@pytest.mark.parametrize(
    ("factor", "keys"),
    [
        (strata("role"), []),
        (strata("level"), []),
        (strata("label"), []),
        (strata("years", cuts=[5]), []),
        (strata("hours", cuts=[5]), []),
        (strata("grade", cuts=[2]), []),
        (strata("pretest_points", cuts=[5]), []),
        (strata("warmup_minutes", cuts=[5]), []),
        (strata("warmup_passed"), []),
        (strata("why"), ["allocation.strata.why"]),
        (strata("uses"), ["allocation.strata.uses"]),
        (strata("team"), ["allocation.strata.team"]),
        (strata("role", cuts=[1]), ["allocation.strata.role.cuts"]),
        (strata("hours"), ["allocation.strata.hours.cuts"]),
        (strata("years"), ["allocation.strata.years.cuts"]),
        (strata("pretest_points"), ["allocation.strata.pretest_points.cuts"]),
        (strata("pretest_score"), ["allocation.strata.pretest_score.cuts"]),
        (strata("warmup_minutes"), ["allocation.strata.warmup_minutes.cuts"]),
        (strata("role", weight=2), ["allocation.strata.role.weight"]),
        ({"method": "minimisation", "factors": [{"variable": "role", "weight": 2}]}, []),
        ({"method": "minimisation", "factors": ["why"]}, ["allocation.factors.why"]),
    ],
)
def test_a_variable_has_to_group_people(factor, keys):
    assert refused(factor) == keys


@pytest.mark.parametrize(
    ("probability", "keys"), [(0.5, ["allocation.probability"]), (0.3, ["allocation.probability"]), (0.51, [])]
)
def test_a_biased_coin_has_to_prefer_the_arm_that_balances(probability, keys):
    assert refused({"method": "biased_coin", "probability": probability}) == keys


def test_what_chance_alone_gives_follows_from_the_weights():
    arms = [ARMS[0] | {"weight": 3}, ARMS[1]]
    assert refused({"method": "biased_coin", "probability": 0.25}, arms) == ["allocation.probability"]
    assert refused({"method": "biased_coin", "probability": 0.4}, arms) == []


@pytest.mark.parametrize(
    ("variable", "refused_"),
    [("label", False), ("role", False), ("why", False), ("years", False), ("hours", True), ("level", True),
     ("uses", True), ("pretest_points", True)],
)  # fmt: skip
def test_a_cluster_is_a_group_that_people_belong_to(variable, refused_):
    assert refused({"method": "cluster", "cluster": variable}) == (["allocation.cluster"] if refused_ else [])


def test_a_cluster_is_not_a_stratum_of_its_clusters():
    scheme = {"method": "cluster", "cluster": "role", "base_method": "stratified_blocks"}
    assert refused(scheme | {"strata": ["role"]}) == ["allocation.strata.role"]
    assert refused(scheme | {"strata": ["grade"]}) == []


def test_one_arm_is_not_drawn():
    assert refused(strata("why"), ARMS[:1]) == []


def warned(allocation: dict[str, Any], target_n: int, arms: list[dict[str, Any]] = ARMS) -> list[str]:
    return [line.partition(":")[0] for line in size_warnings(study(allocation, target_n, arms))]


BLOCKS = {"method": "permuted_blocks", "block_sizes": [8, 12]}
STICK = {"method": "big_stick", "bound": 8}


@pytest.mark.parametrize(
    ("allocation", "target_n", "keys"),
    [
        (BLOCKS, 8, []),
        (BLOCKS, 7, ["allocation.block_sizes"]),
        (STICK, 9, []),
        (STICK, 8, ["allocation.bound"]),
        # With the default bound of a method that does not use it.
        ({"method": "simple"}, 2, []),
        # How many clusters a trial has is not known.
        ({"method": "cluster", "cluster": "label", "block_sizes": [8]}, 4, []),
        ({"method": "cluster", "cluster": "label", "base_method": "big_stick", "bound": 8}, 4, []),
        ({"method": "simple"}, 1, ["recruitment.target_n"]),
    ],
)
def test_what_the_whole_trial_does_not_reach_is_warned_of(allocation, target_n, keys):
    assert warned(allocation, target_n) == keys


def test_one_arm_has_all_the_places():
    assert warned({"method": "simple"}, 1, ARMS[:1]) == []


def stratified(**factor: Any) -> dict[str, Any]:
    return {"method": "stratified_blocks", "strata": [{"variable": "years"} | factor]}


def minimised(**factor: Any) -> dict[str, Any]:
    return {"method": "minimisation", "factors": [{"variable": "years"} | factor]}


@pytest.mark.parametrize(
    ("allocation", "said"),
    [
        (stratified(cuts=[20240101, 20240102, 20240103]), "20240101, 20240102, 20240103 of 'years' are alike"),
        (minimised(cuts=[1, 1.0000001]), "1, 1.0000001 of 'years' are alike"),
        (stratified(cuts=[5, 10.5, 123456, 123457]), ""),
        (minimised(weight=1e-10), "the weight 1e-10 of 'years'"),
        (minimised(weight=2000), "the weight 2000 of 'years'"),
        (minimised(weight=0.001), ""),
        (minimised(weight=1000), ""),
    ],
)
def test_cuts_of_one_label_and_weights_that_scores_cannot_bear_are_refused(allocation, said):
    found = [what for _, what, _ in drawing_problems(study(allocation)) if "alike" in what or "weight" in what]
    assert [said in what for what in found] == ([True] if said else [])


def test_labels_of_groups_stay_as_ledgers_hold_them():
    factor = study(stratified(cuts=[20240101, 20240102.5])).allocation.strata[0]
    assert [factor.level(value) for value in (1, 20240102, 20240103)] == [
        "<2.02401e+07", "2.02401e+07-2.02401e+07", ">=2.02401e+07",
    ]  # fmt: skip
