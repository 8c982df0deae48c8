"""What is being stored as a participant's data are erased goes with them, and what comes after is not stored."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel
from support.meanwhile import at_stage, came_of, in_between, while_held
from support.trials.console_trial import Trial
from support.trials.scripted_runs import Scripted

from study_app.domain.errors import NotAllowed
from study_app.domain.events import Batch
from study_app.domain.events.server import ProgramError, ReportedImpossible
from study_app.domain.records import Answer, Document, RunRecord, TextReview, Turn
from study_app.services.attending.panel_acts import PanelAct, PanelActs
from study_app.services.participant.chatting.questions import ParticipantQuestion
from study_app.services.reasons import ERASED_REASON, readable
from study_app.storage.aggregates.erasing import SqlErasing

WORDS = "what they said"


@pytest.fixture
def trial(tmp_path, database_url):
    made = Trial(tmp_path, database=database_url, entry="open")
    made.app.context.sandbox = Scripted()
    yield made
    made.close()


@pytest.fixture
def postgres_trial(tmp_path, postgres_url_with_tables):
    made = Trial(tmp_path, database=postgres_url_with_tables, entry="open")
    made.app.context.sandbox = Scripted()
    yield made
    made.close()


def left(trial) -> list[str]:
    """Tables in which the words stand."""
    with trial.app.context.registry.begin(write=False) as unit:
        tables = SQLModel.metadata.sorted_tables
        return [each.name for each in tables if WORDS in str(unit.connection.execute(select(each)).all())]


# -- whatever writes, in the unit of work ------------------------------------------------------------------------------


def run(unit, who, now):
    unit.add_run(RunRecord("run1", who, "trio_timer", "tasks", "run", WORDS, now))


def turn(unit, who, now):
    unit.add_turn(Turn("turn1", who, "trio_timer", "notes", "full", "notes", "1", WORDS, "", "", now))


def answer(unit, who, now):
    unit.save_answer(Answer(who, "background", "experience", WORDS, saved_at=now))


def text(unit, who, now):
    unit.save_document(Document(who, "trio_timer", WORDS, "saved"), "page")


def review(unit, who, now):
    unit.add_text_review(TextReview(who, "answers", "response", WORDS, "0" * 64, True, "eva", now))


def event(unit, who, now):
    unit.record(who, "tasks", now, ReportedImpossible(task="trio_timer", run_id="run1", reason=WORDS))
    unit.record(who, "tasks", now, ProgramError(run_id="run1", error_type="X", message=WORDS, line=1))


WRITERS = (run, turn, answer, text, review, event)


def writing(trial, who, write):
    def act():
        with trial.app.context.registry.begin() as unit:
            # As a request that has looked where the participant is before the erasure is committed.
            unit.known_participant(who)
            with suppress(NotAllowed):
                write(unit, who, trial.clock.now())

    return act


def stored_while_erasing(trial, write):
    """Write while an erasure has done its work and is not committed, of a person who was over before."""
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.withdraw(who, False)
    while_held(trial, lambda unit: trial.app.session.erase(unit, who, "participant"), writing(trial, who, write))
    return who


def test_a_program_that_comes_while_the_data_are_erased_is_not_stored(postgres_trial):
    stored_while_erasing(postgres_trial, run)
    assert left(postgres_trial) == []


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS)
def test_nothing_that_comes_while_the_data_are_erased_is_stored(trial, write):
    who = stored_while_erasing(trial, write)
    assert left(trial) == []
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.known_participant(who).data_withdrawn


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS)
def test_what_was_being_stored_as_the_erasure_began_is_erased(trial, write):
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.withdraw(who, False)
    now = trial.clock.now()
    while_held(trial, lambda unit: write(unit, who, now), lambda: trial.app.session.withdraw(who, True))
    assert left(trial) == []


def test_of_a_person_whose_data_were_erased_an_event_keeps_no_words(tmp_path):
    trial = Trial(tmp_path, entry="open")
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.withdraw(who, True)
    with trial.app.context.registry.begin() as unit:
        event(unit, who, trial.clock.now())
    found = left(trial)
    trial.close()
    assert found == []


def test_who_is_excluded_after_their_data_were_erased_is_so_without_the_reason(tmp_path):
    trial = Trial(tmp_path, entry="open")
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.withdraw(who, True)
    is_excluded(trial, who)
    with trial.app.context.registry.begin(write=False) as unit:
        kept = unit.known_participant(who).exclusion_reason
        (act,) = readable(unit, unit.audit_of(["exclude"]))
    found = left(trial)
    trial.close()
    assert found == []
    assert (kept, act.why, act.who, act.detail["participant_id"]) == (ERASED_REASON, ERASED_REASON, "eva", who)


# -- what people do, in the services -----------------------------------------------------------------------------------


def runs(trial, who):
    return trial.app.work.run(who, WORDS, lambda line: None)


def submits(trial, who):
    return trial.app.submitting.submit(who, WORDS, confirm=True)


def asks(trial, who):
    return trial.app.help.questions.begin(who, ParticipantQuestion(WORDS, None, None, None))


def pastes(trial, who):
    said = {"text": WORDS, "length": 14, "from": "outside", "target": "editor", "how": "paste"}
    sent = [{"seq": 1, "kind": "paste_attempt", "client_time_ms": 0, "mono_ms": 1, "payload": said}]
    return trial.app.session.ingest(who, Batch.model_validate({"page": "page", "events": sent}))


def is_noted(trial, who):
    return trial.app.acts.note(who, WORDS, "eva")


def is_excluded(trial, who):
    return trial.app.lifecycle.exclude(who, WORDS, "eva")


def is_unblinded(trial, who):
    return trial.app.lifecycle.unblind(who, WORDS, "eva")


def is_written_to(trial, who):
    panel = SimpleNamespace(message=lambda _study, _ids, _text: None)
    paid = PanelAct("message", who, "pid", "study", "main", None, "planned")
    return PanelActs(trial.app.context, panel).send([paid], WORDS, "eva")


@pytest.mark.parametrize("act", [is_excluded, is_unblinded, is_written_to])
def test_what_is_typed_about_who_was_erased_before_is_not_kept(tmp_path, act):
    trial = Trial(tmp_path, entry="open")
    who = at_stage(trial, "tasks", "ai")
    trial.app.session.withdraw(who, True)
    act(trial, who)
    found = left(trial)
    trial.close()
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["leaves", "takes back"])
@pytest.mark.parametrize("act", [runs, submits, asks, pastes, is_noted, is_excluded, is_unblinded, is_written_to])
def test_nothing_that_is_done_while_the_data_are_erased_leaves_words(trial, monkeypatch, act, way):
    who = at_stage(trial, "tasks", "ai")
    if way == "takes back":
        trial.app.session.withdraw(who, False)
    with in_between(monkeypatch, SqlErasing, "erase_payloads", lambda: act(trial, who)) as begun:
        trial.app.session.withdraw(who, True)
    came_of(begun)
    assert left(trial) == []
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.works() == []
