"""Each limit of the table of alerts from both sides: just not reached, and reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from support.trials.console_trial import Trial

from study_app.domain.records import RunRecord, Turn
from study_app.services.operation.alert_rules import Machine, conditions

TABLE = "\n[alerts]\nnobody_enrolled_hours = 6\nfailed_replies = 3\nfailed_runs = 3\ndisk_free_gb = 2\n"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Return a launched trial with one participant."""
    made = Trial(tmp_path_factory.mktemp("rules"), launched=True, extra=TABLE)
    made.who = made.enter()
    yield made
    made.close()


class Undone(Exception):
    """Ends a transaction without a trace."""


@contextmanager
def undone(trial: Trial) -> Iterator:
    """A transaction that is never committed."""
    try:
        with trial.app.context.registry.begin() as unit:
            yield unit
            raise Undone
    except Undone:
        pass


def found(trial: Trial, unit, free: float = 1e12) -> set[str]:
    """Return the kinds of alerts whose condition holds."""
    machine = Machine("m", lambda: int(free))
    return {kind for kind, text in conditions(trial.app.context, unit, machine).items() if text is not None}


def turn(trial: Trial, number: int, error: str | None) -> Turn:
    asked = trial.app.context.now() + timedelta(seconds=number)
    return Turn(f"t{number}", trial.who, "trio_timer", "claude", "full", "m", "1", "?", "", "", asked,
                complete=True, error=error)  # fmt: skip


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        (["overloaded", "timeout"], False),
        (["overloaded", "timeout", "connection"], True),
        ([None, "overloaded", "timeout", "connection"], True),
        (["overloaded", "timeout", "connection", None], False),
        # The provider did answer, or a server of ours was stopped.
        (["overloaded", "refused", "connection"], False),
        (["overloaded", "timeout", "interrupted"], False),
    ],
)
def test_so_many_replies_must_fail_in_a_row_until_the_provider_is_said_to_be_out(trial, errors, raised):
    with undone(trial) as unit:
        for number, error in enumerate(errors):
            unit.add_turn(turn(trial, number, error))
        assert ("provider" in found(trial, unit)) is raised


@pytest.mark.parametrize(
    ("ends", "raised"),
    [
        (["infrastructure"] * 2, False),
        (["infrastructure"] * 3, True),
        (["exit", *["infrastructure"] * 3], True),
        (["infrastructure"] * 3 + ["exit"], False),
        (["infrastructure", "time", "infrastructure"], False),
    ],
)
def test_so_many_programs_in_a_row_must_not_run_until_the_server_is_said_to_fail(trial, ends, raised):
    with undone(trial) as unit:
        for number, ended_by in enumerate(ends):
            began = trial.app.context.now() + timedelta(seconds=number)
            unit.add_run(RunRecord(f"r{number}", trial.who, "trio_timer", "tasks", "run", "", began, ended_by=ended_by))
        assert ("failed_runs" in found(trial, unit)) is raised


@pytest.mark.parametrize(("free", "raised"), [(2e9, False), (2e9 - 1, True)])
def test_a_disk_is_full_below_what_is_asked_for_and_not_at_it(trial, free, raised):
    with undone(trial) as unit:
        assert ("disk:m" in found(trial, unit, free)) is raised


@pytest.mark.parametrize(("hours", "raised"), [(6 - 0.001, False), (6, True)])
def test_nobody_enrols_from_the_hour_on_that_is_asked_for(trial, monkeypatch, hours, raised):
    later = trial.app.context.now() + timedelta(hours=hours)
    monkeypatch.setattr(trial.clock, "at", later)
    with undone(trial) as unit:
        assert ("nobody_enrolled" in found(trial, unit)) is raised
