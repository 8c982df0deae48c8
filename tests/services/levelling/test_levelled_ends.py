"""Whatever stops or moves the clock of a stage, its end is one: the page's, the server's, and, masked, every arm's."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.trials.console_trial import Trial

from study_app.domain.events.server import DeadlineExtended, Outage
from study_app.domain.records import Participant, Turn, Visit
from study_app.domain.shown_times import MOVES, ShownTimes
from study_app.services.attending.pausing import pause, resume
from study_app.services.participant.chatting.turns import record_outage
from study_app.storage import open_registry

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LIMIT = 600
ACTS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "extend", "reply failed", "isolation", "wait"]), st.integers(1, 400)),
    max_size=10,
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    made = open_registry(f"sqlite:///{tmp_path_factory.mktemp('twins')}/study.db")
    yield made
    made.close()


class Twin:
    """A person at a stage with a limit, in an arm whose assistant fails, or in one without an assistant."""

    def __init__(self, unit, who: str, *, helped: bool) -> None:
        self.unit, self.who, self.helped = unit, who, helped
        unit.add_participant(Participant(who, "real", "hash", "in_progress", "work", 0, START, START))
        unit.open_visit(Visit(who, "work", START, deadline_at=after(LIMIT)))

    @property
    def visit(self) -> Visit:
        return self.unit.visit(self.who, "work")

    @property
    def paused(self) -> bool:
        return self.unit.participant(self.who).paused_at is not None

    def is_there(self, at: datetime) -> bool:
        return self.paused or at < self.visit.deadline_at

    def shown(self) -> ShownTimes:
        return ShownTimes.of({"work": LIMIT / 60}, self.unit.events_of(self.who, MOVES))

    def act(self, what: str, seconds: int, at: datetime) -> None:
        """What is done at this moment to who is still at the stage."""
        if not self.is_there(at):
            return
        if what == "pause" and not self.paused:
            pause(self.unit, self.unit.participant(self.who), at)
        elif what == "resume" and self.paused:
            resume(self.unit, self.unit.participant(self.who), at)
        elif what == "extend" and not self.shown().is_past(self.visit, at):
            self.unit.extend_visit(self.who, "work", timedelta(seconds=60 * seconds))
            self.unit.record(self.who, "work", at, DeadlineExtended(minutes=float(seconds)))
        elif what == "isolation":
            self.unit.extend_visit(self.who, "work", timedelta(seconds=10))
            self.unit.record(self.who, "work", at, Outage(cause="isolation", seconds=10.0))
        elif what == "reply failed" and self.helped and not self.paused:
            asked = at - timedelta(seconds=seconds)
            turn = Turn(f"{at}", self.who, "t", "n", "full", "m", "1", "How?", "", "", asked, error="timeout")
            record_outage(self.unit, turn, float(seconds), at)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@contextmanager
def taken_back(registry):
    with suppress(LookupError), registry.begin() as unit:
        yield unit
        raise LookupError


@given(ACTS)
@example([("wait", 300), ("reply failed", 60), ("wait", 320), ("pause", 1), ("wait", 100), ("resume", 1)])
@example([("wait", 300), ("reply failed", 60), ("wait", 320), ("isolation", 1), ("wait", 1)])
@example([("wait", 300), ("reply failed", 60), ("wait", 290), ("pause", 1), ("wait", 100), ("extend", 1)])
def test_the_end_that_is_shown_while_arms_are_hidden_is_that_of_a_person_without_an_assistant(registry, acts):
    at = after(1)
    with taken_back(registry) as unit:
        helped, plain = Twin(unit, "p1", helped=True), Twin(unit, "p2", helped=False)
        for what, seconds in acts:
            at += timedelta(seconds=seconds) if what == "wait" else timedelta(0)
            for twin in (plain, helped):
                twin.act(what, seconds, at)
            shown = helped.shown().visit(helped.visit, at)
            # Once the other is on the next stage, what is done there to both moves no end of this one.
            assert shown.deadline_at == plain.visit.deadline_at
            # Where time was given back at all, who has been in it is shown as gone, as the other is.
            if helped.is_there(at) and shown.deadline_at < helped.visit.deadline_at:
                assert (shown.ended_at is None) == plain.is_there(at)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("pages"), launched=True)
    yield made
    made.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_the_end_on_a_participants_page_is_the_one_that_the_server_keeps(trial, acts):
    who = trial.enter()
    trial.to_tasks(who)
    left = (trial.app.session.begin_stage(who, "tasks").deadline_at - trial.clock.at).total_seconds()
    paused = False
    for what, seconds in acts:
        if what == "wait" and paused:
            trial.clock.advance(seconds=seconds)
        elif what == "wait":
            # Beyond the end there is nothing more to be moved.
            seconds = min(seconds, left - 1)
            trial.clock.advance(seconds=seconds)
            left -= seconds
        elif what in ("pause", "resume") and paused == (what == "resume"):
            getattr(trial.app.acts, what)(who, "the fire alarm rang", "anna")
            paused = not paused
        elif what == "extend" and not paused:
            trial.app.acts.extend(who, seconds, "the fire alarm rang", "anna")
            left += 60 * seconds
        elif what == "isolation":
            with trial.app.context.registry.begin() as unit:
                unit.extend_visit(who, "tasks", timedelta(seconds=10))
                unit.record(who, "tasks", trial.app.context.now(), Outage(cause="isolation", seconds=10.0))
            # As from the server's watch: at the beginning of the seconds in which the clock stands.
            trial.clock.advance(seconds=10)
        elif what == "reply failed" and not paused:
            seconds = min(seconds, left - 1)
            trial.clock.advance(seconds=seconds)
            reply_failed(trial, who, seconds)
        place = trial.app.session.peek(who)
        assert place.screen == ("paused" if paused else "stage")
        if not paused:
            assert (place.deadline_at - place.now).total_seconds() == pytest.approx(left, abs=0.01)
    if paused:
        trial.app.acts.resume(who, "it is over", "anna")
    trial.clock.at = trial.app.session.peek(who).deadline_at - timedelta(milliseconds=1)
    assert trial.at(who) == "tasks"
    trial.clock.advance(milliseconds=1)
    assert trial.at(who) != "tasks"


def reply_failed(trial: Trial, who: str, seconds: float) -> None:
    now = trial.app.context.now()
    turn = Turn(f"{who}{now}", who, "trio_timer", "n", "full", "m", "1", "How?", "", "", now, error="timeout")
    with trial.app.context.registry.begin() as unit:
        record_outage(unit, replace(turn, asked_at=now - timedelta(seconds=seconds)), seconds, now)
