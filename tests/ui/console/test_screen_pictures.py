"""Pictures of screens: in the languages of the study, of every kind of stage, task and assistant."""

from __future__ import annotations

import shutil
import tomllib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.paths import ROOT
from support.trials.small_study import BLOCKS, TEXT

from study_app.bootstrap import start
from study_app.content.study_file import validate_study
from study_app.domain.localisation.study_texts import in_language
from study_app.services.author.screens import Screen, all_screens, arm_name, arms_of
from study_app.settings import Settings
from study_app.ui import page
from study_app.ui.console.screen_picture import draw_picture, position_of
from study_app.ui.screens import form, workspace


@pytest.mark.parametrize(
    ("asked", "language", "said"), [("de", "de", "Los."), ("en", "en", "Go."), ("", "en", "Go."), ("xx", "en", "Go.")]
)
def test_a_picture_is_in_the_language_that_is_asked_for_or_in_the_default(asked, language, said):
    raw = tomllib.loads(TEXT.format(allocation=BLOCKS))
    raw |= {"languages": ["en", "de"], "translations": {"de": {"arms.plain.instructions": "Los."}}}
    study = validate_study(raw, "study.toml")
    context = SimpleNamespace(
        study=study,
        study_hash="0" * 64,
        now=lambda: datetime(2026, 1, 5, tzinfo=UTC),
        localised=lambda study, language, _hash: in_language(study, language),
    )
    screen = Screen("instructions", 0, "stage", "Instructions", True)
    place = position_of(SimpleNamespace(context=context), screen, "plain", asked)
    assert place.participant.language == language
    assert place.study.language == language
    assert place.arm.instructions == said


EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/study.toml"))
ALWAYS = {"exit_interview", "impossible"}
"""Drawn by default: an interview; an assistant, a variant and probes of affect."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.slow]) for name in EXAMPLES]
)
def test_every_screen_of_an_example_is_drawn_as_each_arm_sees_it(tmp_path, monkeypatch, name):
    drawn: list[dict] = []
    for module, component in ((form, "form"), (workspace, "workspace"), (page, "actions")):
        monkeypatch.setattr(module, component, lambda data, key, **_more: drawn.append(dict(data)))
    app = start(
        Settings(
            ROOT / "examples" / name / "study.toml", f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}
        )
    )
    try:
        for screen in all_screens(app.context):
            for arm in arms_of(app.study):
                before = len(drawn)
                draw_picture(app, screen, arm)
                assert len(drawn) > before, (screen.key, arm)
    finally:
        app.close()
    if name == "exit_interview":
        (asked,) = {each["fields"][0]["prompt"] for each in drawn if each.get("kind") == "interview"}
        assert asked.startswith("Please think back to the coding tasks.")
    if name == "impossible":
        rooms = [each for each in drawn if "probes" in each]
        assert rooms
        assert all(room["probes"] == {"due_ms": [], "open": False} for room in rooms)


def test_behind_a_second_decision_a_screen_is_as_each_of_its_treatments_has_it(tmp_path):
    file = ROOT / "examples" / "second_decision" / "study.toml"
    app = start(Settings(file, f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    try:
        screens = {screen.key: screen for screen in all_screens(app.context)}
        helped = {
            arm_name(app.study, arm): [
                position_of(app, screens[key], arm, "").arm.assistant for key in ("tasks/0/stage", "more_tasks/0/stage")
            ]
            for arm in arms_of(app.study)
        }
    finally:
        app.close()
    asks, hints = "An assistant that asks back", "An assistant that gives hints"
    assert helped == {
        asks: ["socratic", "socratic"],
        f"{asks}, then The same assistant": ["socratic", "socratic"],
        f"{asks}, then An assistant that answers in full": ["socratic", "full"],
        hints: ["hints", "hints"],
        f"{hints}, then The same assistant": ["hints", "hints"],
        f"{hints}, then An assistant that answers in full": ["hints", "full"],
    }
    assert screens["more_tasks/0/stage"].by_arm


def test_a_task_that_goes_on_with_an_own_program_is_drawn_with_its_starter(tmp_path, monkeypatch):
    drawn: list[dict] = []
    monkeypatch.setattr(workspace, "workspace", lambda data, key: drawn.append(dict(data)))
    shutil.copytree(ROOT / "tasks" / "warmup", tmp_path / "tasks" / "warmup")
    settings = tmp_path / "tasks" / "again" / "task.toml"
    shutil.copytree(ROOT / "tasks" / "warmup", settings.parent)
    settings.write_text(settings.read_text().replace('id = "warmup"', 'id = "again"\nstarter = "own:warmup"'))
    tasks = '[[stages]]\nid = "{}"\nkind = "tasks"\nminutes = 9\npacks = ["tasks/{}"]\n'
    both = tasks.format("first", "warmup") + tasks.format("later", "again")
    text = TEXT.format(allocation=BLOCKS).replace('[[stages]]\nid = "debrief"', both + '[[stages]]\nid = "debrief"')
    (tmp_path / "study.toml").write_text(text)
    app = start(Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    try:
        draw_picture(app, next(each for each in all_screens(app.context) if each.key == "later/0/stage"), "plain")
    finally:
        app.close()
    assert [room["doc"] for room in drawn] == [(settings.parent / "starter.py").read_text()]


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("impossible", "timer/0/stage", "all {m} examples pass"),
        ("crossover", "tasks_1/0/stage", "the example passes"),
    ],
)
def test_of_a_single_example_it_is_not_said_that_all_pass(tmp_path, monkeypatch, name, key, said):
    drawn: list[dict] = []
    monkeypatch.setattr(workspace, "workspace", lambda data, key: drawn.append(dict(data)))
    file = ROOT / "examples" / name / "study.toml"
    app = start(Settings(file, f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    try:
        screen = next(each for each in all_screens(app.context) if each.key == key)
        draw_picture(app, screen, app.study.control.id)
    finally:
        app.close()
    assert [room["texts"]["examples_all_pass"] for room in drawn] == [said]
