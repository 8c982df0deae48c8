"""Batches by the queue: identity, forged kinds and deadlines are judged in the transaction that stores them."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import Malformed, UnknownParticipant
from study_app.domain.events import Batch
from study_app.domain.records import Visit
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.session import ParticipantSession

TASK = "trio_timer"


@pytest.fixture
def trial(tmp_path):
    trial = Trial(tmp_path)
    yield trial
    trial.app.close()


def at_work(trial: Trial, minutes: float = 30):
    """A participant on the main tasks with the clock running."""
    admitted = trial.app.enrol.enter(EntryRequest())
    now = trial.app.context.now()
    with trial.app.context.registry.begin() as unit:
        unit.touch(admitted.participant.id, stage="tasks", arm="ai")
        unit.open_visit(Visit(admitted.participant.id, "tasks", now, now + timedelta(minutes=minutes)))
    return admitted


def edits(first: int, *texts: str, page: str = "page1", kind: str = "edit") -> Batch:
    """The page's load and its next edits, each at the text's start."""
    load = {"seq": 1, "kind": "load", "client_time_ms": 0, "payload": {"task": TASK, "text": ""}}
    events = [
        {"seq": n, "kind": kind, "client_time_ms": n, "payload": {"task": TASK, "changes": [_at_start(text)]}}
        for n, text in enumerate(texts, max(first, 2))
    ]
    return Batch.model_validate({"page": page, "events": ([load] if first == 1 else []) + events})


def _at_start(text: str) -> dict:
    return {"from": 0, "to": 0, "insert": text}


def text_of(trial: Trial, admitted) -> str | None:
    document = trial.app.session.document(admitted.participant.id, TASK)
    return document.text if document else None


def test_edits_by_the_queue_change_the_saved_text_once_however_often_they_are_sent(trial):
    admitted = at_work(trial)
    for _ in range(3):
        assert trial.app.session.submit(admitted.token, edits(1, "b", "a")).result(10).ack == 3
    assert trial.app.session.submit(admitted.token, edits(4, "c", "é")).result(10).ack == 5
    assert text_of(trial, admitted) == "écab"


def test_a_batch_without_or_with_an_unknown_cookie_is_nobodys(trial):
    with pytest.raises(UnknownParticipant):
        trial.app.session.submit(None, edits(1, "a"))
    assert isinstance(trial.app.session.submit("guessed", edits(1, "a")).exception(10), UnknownParticipant)


def test_a_forged_kind_stores_nothing_and_hurts_nobody(trial):
    mine, forger = at_work(trial), at_work(trial)
    forged = trial.app.session.submit(forger.token, edits(1, "a", kind="submitted"))
    honest = trial.app.session.submit(mine.token, edits(1, "a"))
    assert isinstance(forged.exception(10), Malformed)
    assert honest.result(10).ack == 2
    with trial.app.context.registry.begin(write=False) as unit:
        assert [e for e in unit.events(forger.participant.id) if e.page == "page1"] == []


def test_what_comes_after_the_deadline_is_stored_and_changes_no_text(trial):
    admitted = at_work(trial)
    trial.app.session.submit(admitted.token, edits(1, "in time")).result(10)
    trial.clock.advance(minutes=31)
    late = trial.app.session.submit(admitted.token, edits(3, "too late ")).result(10)
    assert (late.ack, late.stage_before) == (3, "tasks")
    assert late.place.participant.stage != "tasks"
    assert text_of(trial, admitted) == "in time"


def test_another_page_is_told_that_it_has_been_superseded(trial):
    admitted = at_work(trial)
    trial.app.session.take_over(admitted.participant.id, "page2")
    assert trial.app.session.submit(admitted.token, edits(1, "a")).result(10).superseded


def test_a_batch_whose_request_was_given_up_leaves_no_failure_in_the_log(caplog):
    given_up = Future()
    context = SimpleNamespace(registry=SimpleNamespace(submit=lambda work: given_up))
    stored = ParticipantSession(context, flow=None).submit("a cookie", Batch(page="p", events=[]))
    assert stored.cancel()
    assert caplog.records == []
