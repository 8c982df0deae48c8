"""A wrong clock ends no stage, turns no ledger back and is not overlooked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.console_trial import NoSandbox, Trial

from study_app.bootstrap import start
from study_app.clock import CONFIRMED_AFTER, TOLERANCE, SystemClock
from study_app.services.operation.clock_watch import ClockWatch, clock_alert
from study_app.services.researcher.monitoring import Monitor

START = 1_780_000_000.0


class Hands:
    """A wall clock and a monotonic one, moved by hand."""

    def __init__(self) -> None:
        self.wall_at, self.mono_at = START, 100.0
        self.clock = SystemClock(lambda: self.wall_at, lambda: self.mono_at)
        self.clock.watched = True

    def pass_(self, seconds: float) -> None:
        self.wall_at += seconds
        self.mono_at += seconds

    def advance(self, **delta: float) -> None:
        self.pass_(timedelta(**delta).total_seconds())

    def step(self, seconds: float) -> None:
        self.wall_at += seconds

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    made.hands = Hands()
    made.app.context.clock = made.hands.clock
    made.watch = ClockWatch(made.app.context)
    made.watch.begin()
    made.clock = made.hands
    yield made
    made.close()


def deadline(trial: Trial, who: str):
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.visit(who, "warmup").deadline_at


def on_warmup(trial: Trial) -> str:
    who = trial.enter()
    trial.to_warmup(who)
    return who


def look(trial: Trial) -> None:
    trial.watch.check()
    trial.app.session.sweep()


def audited(trial: Trial) -> list[str]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [entry.detail["state"] for entry in unit.audit() if entry.what == "clock step"]


def test_two_hours_ahead_for_some_seconds_end_no_stage_and_are_audited(trial):
    who = on_warmup(trial)
    before = deadline(trial, who)
    trial.hands.step(7200)
    look(trial)
    assert trial.at(who) == "warmup"
    trial.hands.pass_(3)
    trial.hands.step(-7200)
    look(trial)
    look(trial)
    assert (trial.at(who), deadline(trial, who)) == ("warmup", before)
    assert audited(trial) == ["away", "back"]


def test_a_step_ahead_that_stands_moves_the_deadlines_and_is_then_followed(trial):
    who = on_warmup(trial)
    before = deadline(trial, who)
    trial.hands.step(7200)
    for _ in range(3):
        look(trial)
        trial.hands.pass_(CONFIRMED_AFTER / 2)
    look(trial)
    assert trial.at(who) == "warmup"
    assert (deadline(trial, who) - before).total_seconds() == pytest.approx(7200, abs=1)
    assert trial.hands.now == pytest.approx(trial.hands.wall_at, abs=0.01)
    assert audited(trial) == ["away", "taken"]
    left = (deadline(trial, who).timestamp() - trial.hands.now) + 1
    trial.hands.pass_(left)
    look(trial)
    assert trial.at(who) != "warmup"


@pytest.mark.parametrize(
    ("more", "later", "times"),
    [
        (0, 0, 1),
        # Each measures it by its own count, and looks when it comes to it.
        (4.9, 0, 1),
        (-4.9, 100, 1),
        (0, 119 + 7200, 1),
        # Another step.
        (5.1, 0, 2),
        (0, 121 + 7200, 2),
    ],
)
def test_a_step_that_two_servers_on_one_machine_see_moves_the_deadlines_once(trial, more, later, times):
    who, hands = on_warmup(trial), Hands()
    before = deadline(trial, who)
    hands.pass_(trial.hands.mono_at - hands.mono_at)
    other = start(trial.settings, clock=hands.clock, sandbox=NoSandbox())
    watch = ClockWatch(other.context)
    watch.begin()
    trial.hands.step(7200)
    hands.step(7200 + more)
    for _ in range(2):
        look(trial)
        watch.check()
        for each in (trial.hands, hands):
            each.pass_(CONFIRMED_AFTER / 2)
    look(trial)
    hands.pass_(later)
    watch.check()
    other.close()
    assert (deadline(trial, who) - before).total_seconds() == pytest.approx(times * 7200 + (times - 1) * more, abs=1)


def test_a_clock_that_was_set_back_never_takes_time_back(trial):
    who = on_warmup(trial)
    seen = trial.hands.now
    trial.hands.step(-3600)
    look(trial)
    assert trial.hands.now >= seen
    assert "the server goes on by its own count" in Monitor(trial.app.context).clock()
    left = deadline(trial, who).timestamp() - trial.hands.now + 1
    trial.hands.pass_(left)
    look(trial)
    assert trial.at(who) != "warmup", "the stage ends when its time is really up"
    with trial.app.context.registry.begin(write=False) as unit:
        assert clock_alert(unit).state == "away"


def test_health_and_console_tell_of_a_step(trial):
    assert trial.app.health.check().alerts == ()
    trial.hands.step(7200)
    look(trial)
    trial.app.health._kept = None
    (alert,) = trial.app.health.check().alerts
    assert alert.startswith("the machine's clock went ahead by 7200 s")


def test_a_server_that_starts_with_a_clock_set_back_goes_on_from_the_newest_event():
    hands = Hands()
    latest = hands.clock.now() + timedelta(hours=1)
    hands.clock.not_before(latest)
    assert hands.clock.now() >= latest
    assert hands.clock.step().by < timedelta(0)


def test_where_nobody_watches_a_step_that_stands_is_followed():
    hands = Hands()
    hands.clock.watched = False
    hands.step(7200)
    assert hands.now == pytest.approx(START, abs=1)
    hands.pass_(CONFIRMED_AFTER + 1)
    assert hands.now == pytest.approx(hands.wall_at, abs=0.01)


MOVES = st.lists(st.tuples(st.sampled_from(["pass", "step"]), st.floats(-10_000, 10_000)), max_size=30)


@given(MOVES)
def test_whatever_the_wall_clock_does_time_never_goes_back_nor_faster_than_it_passes(moves):
    hands = Hands()
    passed, before = 0.0, hands.now
    for kind, seconds in moves:
        if kind == "pass":
            hands.pass_(abs(seconds))
            passed += abs(seconds)
        else:
            hands.step(seconds)
        assert hands.now >= before
        before = hands.now
        assert before - START <= passed + TOLERANCE * (len(moves) + 1)
