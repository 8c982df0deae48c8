"""A server that is killed within a step: the same question comes, and no row is there twice."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path

import pytest
from support.clock import HandClock
from support.trials.console_trial import NoSandbox
from support.trials.export_world import table
from support.trials.interview_study import LONG, Interviewee
from support.warm_processes import start_warm

from study_app.bootstrap import start
from study_app.dataset.verification import verify
from study_app.domain.events.server import InterviewAnswered, InterviewAsked, InterviewClosed
from study_app.services.participant.interviewing.interviews import Interviews
from study_app.settings import Settings

POINTS = [
    "before the question is written",
    "within the transaction",
    "after the question is written",
    "once the page has it",
]


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ask_until_killed(folder: Path, who: str, point: str, at: datetime) -> None:
    """In a separate process: ask the next question, and be killed at a point of it."""
    settings = Settings(
        study_file=folder / "study.toml", database=f"sqlite:///{folder}/study.db", var=folder / "var", environment={}
    )
    app = start(settings, clock=HandClock(at), sandbox=NoSandbox())
    if point == "before the question is written":
        Interviews._record = die
    elif point == "within the transaction":
        Interviews._ask = Interviews._close = die
    elif point == "after the question is written":
        written = Interviews._record

        def record(self, *arguments):
            written(self, *arguments)
            die()

        Interviews._record = record
    app.interviews.view(who)
    die()


def killed(person: Interviewee, point: str) -> None:
    process = start_warm(ask_until_killed, person.folder, person.id, point, person.clock.now())
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("point", [POINTS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in POINTS[1:])])
def test_after_a_kill_at_any_step_the_same_question_comes_and_no_row_twice(tmp_path, point):
    person = Interviewee(tmp_path)
    shown = []
    for words in ("Slowly.", LONG, LONG, LONG):
        person.app.close()
        killed(person, point)
        person.app = start(person.settings, clock=person.clock, sandbox=person.app.context.sandbox)
        shown.append(person.asked)
        assert person.asked == shown[-1]
        person.say(words)
    assert person.asked is None
    assert len(set(shown)) == len(shown) == 4
    assert [each.number for each in person.events(InterviewAsked)] == [1, 2, 3, 4]
    assert len(person.events(InterviewAnswered)) == 4
    assert len(person.events(InterviewClosed)) == 1
    dataset = person.export()
    assert [turn["number"] for turn in table(dataset, "interview_turns")] == ["1", "2", "3", "4"]
    assert [str(each) for each in verify(dataset).findings] == []
