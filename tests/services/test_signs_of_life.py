"""How long a server's sign of life counts, by its own clock, and from when its silence says that it is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.trials.console_trial import Trial

from study_app.domain.records import Replica
from study_app.services import replicas as replicas_module


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("life"), launched=True)
    made.who = made.enter()
    yield made
    made.close()


@pytest.mark.parametrize(("seconds", "again"), [(0, False), (3.999, False), (4, True), (-1, True)])
def test_work_begins_with_a_new_sign_of_life_unless_the_last_is_younger_than_two_beats(trial, seconds, again):
    context, replicas = trial.app.context, trial.app.context.replicas
    with context.registry.begin() as unit:
        replicas.beat(unit)
    replicas.beat_stored()
    before = context.now()
    trial.clock.at += timedelta(seconds=seconds)
    work = replicas.mine(trial.who, "run", "r1")
    with context.registry.begin() as unit:
        assert replicas.take(unit, work)
        unit.end_work(work)
        assert unit.replica(replicas.me.name).beat_at == (context.now() if again else before)


def test_a_server_is_gone_after_ten_seconds_of_silence_while_this_one_looked(trial, monkeypatch):
    context, replicas, passed = trial.app.context, trial.app.context.replicas, [0.0]
    monkeypatch.setattr(replicas_module.time, "monotonic", lambda: passed[0])
    # Its clock is a day behind, which says nothing.
    other = Replica("other", "elsewhere", 1, context.now() - timedelta(days=1), context.now() - timedelta(days=1))

    def is_gone(after: float) -> bool:
        trial.clock.at += timedelta(seconds=after)
        passed[0] += after
        with context.registry.begin(write=False) as unit:
            return replicas.is_gone(unit, "other")

    with context.registry.begin() as unit:
        unit.beat(other)
    assert [is_gone(after) for after in (0, 5, 5, 0.001)] == [False, False, False, True]
    with context.registry.begin() as unit:
        unit.beat(Replica("other", "elsewhere", 1, other.began_at, other.beat_at + timedelta(seconds=1)))
    assert not is_gone(0)
    # Of a time in which this server did not look it says nothing of others.
    assert [is_gone(after) for after in (5.001, 5, 5, 0.001)] == [False, False, False, True]
