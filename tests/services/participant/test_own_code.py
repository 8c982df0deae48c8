"""A task that begins with what the participant handed in for an earlier one, without the assistant."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from support.paths import ROOT

from study_app.bootstrap import start
from study_app.domain.records import submitted
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.fitness import fitness_problems
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "own"
title = "Own code"
[[arms]]
id = "only"
control = true
assistant = "full"
[assistants.full]
file = "assistants/full.toml"
[allocation]
method = "permuted_blocks"
block_sizes = [1]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "tasks"
kind = "tasks"
minutes = 10
packs = ["tasks/warmup"]
assistant = true
[[stages]]
id = "later"
kind = "tasks"
minutes = 10
packs = ["tasks/again"]
[[stages]]
id = "debrief"
kind = "debrief"
"""


@pytest.fixture
def app(tmp_path):
    shutil.copytree(ROOT / "tasks" / "warmup", tmp_path / "tasks" / "warmup")
    shutil.copytree(ROOT / "tasks" / "warmup", tmp_path / "tasks" / "again")
    shutil.copytree(ROOT / "assistants", tmp_path / "assistants")
    settings = tmp_path / "tasks" / "again" / "task.toml"
    text = settings.read_text().replace('id = "warmup"', 'id = "again"\nstarter = "own:warmup"')
    settings.write_text(text)
    (tmp_path / "study.toml").write_text(STUDY)
    app = start(Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    yield app
    app.close()


def handed_in(app, code: str) -> str:
    who = app.enrol.enter(EntryRequest()).participant.id
    app.session.consent(who, True)
    app.session.where(who)
    app.submitting.submit(who, code, confirm=True, task="warmup")
    return who


def test_the_editor_begins_with_what_was_handed_in_and_there_is_no_assistant(app):
    who = handed_in(app, "def sign(words):\n    return 'mine'\n")
    place = app.session.where(who)
    assert place.task == "again"
    assert app.work.beginning(place) == "def sign(words):\n    return 'mine'\n"
    assert place.assistant is None
    other = app.session.where(handed_in(app, ""))
    assert app.work.beginning(other) == app.context.content.pack("tasks/again").starter, "nothing was handed in"


def test_at_the_deadline_the_untouched_program_is_the_participants_own(app):
    who = handed_in(app, "own = 1\n")
    app.session.where(who)
    with app.context.registry.begin() as unit:
        participant = unit.participant(who)
        place = app.session.flow.place(unit, participant)
        visit = replace(unit.visit(who, "later"), deadline_at=place.now)
        app.session.flow.end_overdue(unit, place.study, participant, visit)
        assert submitted(unit.runs(who))["again"] == "own = 1\n"


def test_check_refuses_own_code_with_an_assistant_and_before_its_task(app):
    study = app.study
    assert fitness_problems(study, app.context.content, "study.toml") == []
    consent, tasks, later, debrief = study.stages
    helped = study.model_copy(
        update={"stages": (consent, tasks, later.model_copy(update={"assistant": True}), debrief)}
    )
    [problem] = fitness_problems(helped, app.context.content, "study.toml")
    assert "this stage has assistants" in problem.what
    early = study.model_copy(update={"stages": (consent, later, tasks, debrief)})
    [problem] = fitness_problems(early, app.context.content, "study.toml")
    assert "is not an earlier task" in problem.what
