"""Two transactions at the same moment, over Postgres, where two can write at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta

from support.trials.console_trial import Trial

from study_app.domain.records import Visit
from study_app.ports import UnitOfWork
from study_app.services.participant.enrolment import EntryRequest


def while_held(trial: Trial, first: Callable[[UnitOfWork], object], second: Callable[[], object]) -> object:
    """Do an act in a thread while another has written and not committed; returns what came of the act in the thread."""
    with ThreadPoolExecutor(1) as pool:
        with trial.app.context.registry.begin() as unit:
            first(unit)
            waiting = pool.submit(second)
            # Long enough for it to read what was committed before; without a lock it waits no further than there.
            wait([waiting], timeout=1)
        return waiting.result()


@contextmanager
def in_between(monkeypatch, owner: object, name: str, act: Callable[[], object]):
    """Do an act in a thread as soon as that function has done its part, and before who called it goes on.

    An act that is kept out is not waited for there; it is over at the end. Yields what came of it, once it was begun.
    """
    real, begun = getattr(owner, name), []
    with ThreadPoolExecutor(1) as pool:

        def then(*given, **named):
            result = real(*given, **named)
            if not begun:
                begun.append(pool.submit(act))
                wait(begun, timeout=1)
            return result

        monkeypatch.setattr(owner, name, then)
        yield begun
    monkeypatch.setattr(owner, name, real)
    assert begun, f"{name} was not called"


def came_of(begun: list[Future]) -> object:
    """Return what came of the act of `in_between`; a refusal or failure in the place of a result."""
    return begun[0].exception() or begun[0].result()


def at_stage(trial: Trial, stage: str, arm: str | None = None) -> str:
    """A participant on a stage that ends in five minutes, with a page open."""
    who = trial.app.enrol.enter(EntryRequest()).participant.id
    now = trial.clock.now()
    with trial.app.context.registry.begin() as unit:
        unit.touch(who, stage=stage, arm=arm)
        unit.open_visit(Visit(who, stage, now, now + timedelta(minutes=5)))
    trial.app.session.take_over(who, "page", 0.0)
    return who
