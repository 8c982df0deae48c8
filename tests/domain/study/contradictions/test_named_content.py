"""A path of content has one spelling, and no two packs and no two banks have one name."""

from __future__ import annotations

import posixpath
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.content.content_paths import name_of, spelled
from study_app.domain.study.contradictions.everything import contradictions
from study_app.domain.study.contradictions.named_content import named_content_problems
from study_app.domain.study.study import Study

DECOMPOSED = unicodedata.normalize("NFD", "übung/timer")


def study(**given: Any) -> Study:
    packs, bank = given.get("packs", ["tasks/timer"]), given.get("bank", "quizzes/trio")
    arms = [
        {"id": "plain", "control": True},
        {"id": "full", "assistant": "full", "persona": "warm", "variants": given.get("variants", {})},
    ]
    stages = [
        {"id": "consent", "kind": "consent"},
        {"id": "work", "kind": "tasks", "packs": packs, "minutes": 9, "assistant": True},
        {"id": "more", "kind": "tasks", "packs": given.get("more", ["more/last"]), "minutes": 9},
        {"id": "quiz", "kind": "quiz", "bank": bank, "minutes": 9},
        {"id": "later", "kind": "quiz", "bank": given.get("later", bank), "minutes": 9, "role": "other"},
        {"id": "talk", "kind": "interview", "plan": given.get("plan", "interviews/exit.toml"), "minutes": 9},
        {"id": "debrief", "kind": "debrief"},
    ]
    return Study.model_validate(
        {
            "schema": "study/1", "id": "named", "title": "Named", "arms": arms, "stages": stages,
            "allocation": {"method": "simple"}, "recruitment": {"target_n": 20},
            "assistants": {"full": {"file": given.get("assistant", "assistants/full.toml")}},
            "personas": {"warm": {"file": given.get("persona", "personas/warm.toml")}},
            "requirements": given.get("requirements", "requirements.txt"),
        }
    )  # fmt: skip


def refused(**given: Any) -> list[tuple[str, str]]:
    return [(key, remedy) for key, _, remedy in named_content_problems(study(**given))]


def test_paths_in_their_one_spelling_are_let_pass():
    assert refused() == []
    assert refused(packs=["../shared/timer", "/srv/tasks/users"], bank="übung/trio") == []


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("tasks/timer/", "tasks/timer"),
        ("./tasks/timer", "tasks/timer"),
        ("tasks//timer", "tasks/timer"),
        ("//srv/timer", "/srv/timer"),
        ("tasks/./timer", "tasks/timer"),
        ("tasks/../more/timer", "more/timer"),
        ("tasks\\timer", "tasks/timer"),
        (DECOMPOSED, "übung/timer"),
    ],
)
def test_another_spelling_is_refused_with_the_right_one(path, right):
    ((key, remedy),) = refused(packs=[path])
    assert key == "stages.work.packs"
    assert repr(right) in remedy


@pytest.mark.parametrize("path", [".", "./", "..", "/"])
def test_a_path_that_ends_in_no_name_is_refused(path):
    assert [key for key, _ in refused(packs=[path])] == ["stages.work.packs"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("bank", ["stages.quiz.bank", "stages.later.bank"]),
        ("plan", ["stages.talk.plan"]),
        ("assistant", ["assistants.full.file"]),
        ("persona", ["personas.warm.file"]),
        ("requirements", ["requirements"]),
    ],
)
def test_every_key_that_names_content_is_held_to_the_spelling(name, keys):
    assert [key for key, _ in refused(**{name: "./folder/name"})] == keys


def test_a_variant_is_held_to_the_spelling():
    assert [key for key, _ in refused(variants={"timer": "tasks/timer_x/"})] == ["arms.full.variants.timer"]


def test_two_packs_or_two_banks_of_one_name_are_refused():
    assert [key for key, _ in refused(packs=["tasks/timer", "more/timer"])] == ["stages.work.packs"]
    assert [key for key, _ in refused(packs=["tasks/timer", "more/Timer"])] == ["stages.work.packs"]
    assert [key for key, _ in refused(later="later/trio")] == ["stages.later.bank"]
    tasks = {"more": ["more/users"], "variants": {"timer": "tasks/users"}}
    assert [key for key, _ in refused(**tasks)] == ["arms.full.variants.timer"]


def test_check_and_launch_read_these_rules():
    found = [(each.key, each.remedy) for each in contradictions(study(packs=["tasks/timer/"]), "study.toml")]
    assert [remedy for key, remedy in found if key == "stages.work.packs"] == [refused(packs=["tasks/timer/"])[0][1]]


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.sampled_from(["a", "é", "e\u0301", ".", "..", "", "\\", "B"]), max_size=6).map("/".join))
def test_the_one_spelling_of_a_spelling_is_itself_and_names_the_same_place(path):
    right = spelled(path)
    if right:
        assert spelled(right) == right
        assert name_of(right) not in ("", ".", "..")
        plain = unicodedata.normalize("NFC", path).replace("\\", "/")
        assert posixpath.relpath(plain, "/x/y/z") == posixpath.relpath(right, "/x/y/z")
