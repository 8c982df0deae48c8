"""Time is given back once: a pause, a reply that fails and isolation that falls can cover the same seconds."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.trials.console_trial import NoSandbox, Trial

from study_app.bootstrap import start
from study_app.domain.events import saying
from study_app.domain.events.server import Outage
from study_app.domain.records import Participant, Turn, Visit
from study_app.services.attending.pausing import pause, resume
from study_app.services.participant.chatting.turns import record_outage
from study_app.storage import open_registry

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PERSON = Participant("p1", "real", "hash", "in_progress", "work", 0, START, START)
LIMIT = 600


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    made = open_registry(f"sqlite:///{tmp_path_factory.mktemp('outages')}/study.db")
    yield made
    made.close()


@contextmanager
def taken_back(registry):
    """A transaction with a participant at a stage with a limit, of which nothing is kept."""
    with suppress(LookupError), registry.begin() as unit:
        unit.add_participant(PERSON)
        unit.open_visit(Visit("p1", "work", START, deadline_at=after(LIMIT)))
        yield unit
        raise LookupError


def moved(unit) -> float:
    return (unit.visit("p1", "work").deadline_at - after(LIMIT)).total_seconds()


def recorded(unit) -> float:
    return sum(outage.seconds or 0.0 for _, outage in saying(unit.events_of("p1", {Outage.kind}), Outage))


def isolation_fell(unit, at: int, seconds: int = 10) -> None:
    unit.extend_visit("p1", "work", timedelta(seconds=seconds))
    unit.record("p1", "work", after(at), Outage(cause="isolation", seconds=float(seconds)))


SECONDS = st.integers(0, 500)


@given(SECONDS, st.integers(0, 2000), SECONDS, st.integers(0, 2000), st.none() | st.integers(0, 400))
def test_a_deadline_moves_by_what_a_pause_a_failed_reply_and_isolation_cover_together(
    registry, asked, replying, paused, pausing, fell
):
    failed, resumed = asked + replying, paused + pausing
    # A person who is paused asks nothing, and who is resumed has the stage's time left.
    assume(not paused <= asked <= resumed)
    assume(failed < LIMIT or paused <= failed <= resumed or (resumed <= failed < LIMIT + pausing))
    assume(paused < LIMIT and (asked < paused or asked < LIMIT))
    turn = Turn("t1", "p1", "sort", "claude", "full", "m", "1", "How?", "", "", after(asked), error="timeout")
    acts = [
        (failed, 1, lambda unit: record_outage(unit, turn, float(replying), after(failed))),
        (paused, 0, lambda unit: pause(unit, unit.participant("p1"), after(paused))),
        (resumed, 2, lambda unit: resume(unit, unit.participant("p1"), after(resumed))),
    ]
    spans = [(asked, failed), (paused, resumed)]
    if fell is not None:
        acts.append((fell, 0, lambda unit: isolation_fell(unit, fell)))
        spans.append((fell, fell + 10))
    with taken_back(registry) as unit:
        for _, _, act in sorted(acts, key=lambda each: each[:2]):
            act(unit)
        together = set().union(*(range(*span) for span in spans))
        assert moved(unit) == len(together)
        assert recorded(unit) == pytest.approx(moved(unit))


def test_a_reply_in_flight_when_the_person_was_paused_takes_nothing_from_the_pause(registry):
    turn = Turn("t1", "p1", "sort", "claude", "full", "m", "1", "How?", "", "", after(100), error="interrupted")
    with taken_back(registry) as unit:
        pause(unit, PERSON, after(160))
        # The server was down beyond the deadline, which stands still for the pause.
        record_outage(unit, turn, 1260.0, after(1360))
        assert moved(unit) == 60
        resume(unit, unit.participant("p1"), after(1440))
        assert moved(unit) == 60 + 1280
        assert recorded(unit) == 60 + 1280


def test_isolation_that_fell_before_a_pause_and_reaches_into_it_is_counted_once(registry):
    with taken_back(registry) as unit:
        isolation_fell(unit, 95)
        pause(unit, PERSON, after(100))
        resume(unit, unit.participant("p1"), after(200))
        assert moved(unit) == 5 + 100


def test_a_restart_during_a_pause_leaves_the_person_all_the_time_that_was_left(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    trial.app.session.begin_stage(who, "tasks")
    trial.clock.advance(minutes=20)
    asked = Turn("t1", who, "trio_timer", "notes", "full", "notes", "1", "How?", "", "", trial.app.context.now())
    with trial.app.context.registry.begin() as unit:
        unit.add_turn(asked)
    trial.clock.advance(seconds=30)
    left = trial.app.session.where(who).deadline_at - trial.clock.at
    trial.app.acts.pause(who, "the machine restarts", "anna")
    trial.clock.advance(minutes=20)
    later = start(trial.settings, clock=trial.clock, sandbox=NoSandbox())
    later.help.close_interrupted(who)
    trial.clock.advance(seconds=80)
    later.acts.resume(who, "it is back", "anna")
    place = later.session.where(who)
    assert place.participant.stage == "tasks"
    assert place.deadline_at - trial.clock.at == left + timedelta(seconds=30)
    later.close()
    trial.close()
