"""A model that retires before recruitment ends: refused at launch, or enrolment closes by itself then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.export_world import ids, real_study

from study_app.bootstrap import start
from study_app.domain.errors import ProblemsFound
from study_app.services.operation.models.retirement import ASK_AGAIN
from study_app.settings import Settings

POLICY = "[assistant_policy]\n"


@pytest.fixture
def serving():
    found = FakeProvider({MODEL: described(lifecycle="deprecated", retires_at="2026-01-20T00:00:00Z")})
    yield found
    found.close()


def opened(folder, clock, serving, key=""):
    ends = {"target_n = 52": "target_n = 52\nends_on = 2026-02-01"}
    path = real_study(folder, **ends, **{POLICY: f"{POLICY}drift_probes = false\n{key}"})
    settings = Settings(path, f"sqlite:///{folder}/study.db", folder / "var", environment=serving.environment)
    return start(settings, clock=clock, ids=ids(), grading_clock="virtual", seconds_per_word=0.0)


def state(app):
    with app.context.registry.begin(write=False) as unit:
        return app.context.state(unit)


def test_without_the_key_an_early_end_is_refused_with_what_to_do(tmp_path, serving):
    app = opened(tmp_path, HandClock(), serving)
    with pytest.raises(ProblemsFound, match='assistant_policy.on_retirement = "stop"'):
        app.ask_provider("study.toml").refuse_problems()
    app.close()


def test_a_study_that_stops_is_launched_and_closed_once_its_model_is_retired(tmp_path, serving):
    clock = HandClock()
    app = opened(tmp_path, clock, serving, 'on_retirement = "stop"\n')
    asked = app.ask_provider("study.toml")
    asked.refuse_problems()
    assert any("enrolment closes then" in line for line in asked.warnings)
    app.lifecycle.launch()
    app.model_watch.tick()
    assert state(app) == "launched"
    clock.advance(days=14)
    clock.at += timedelta(hours=16)
    app.model_watch.tick()
    assert state(app) == "closed"
    with app.context.registry.begin(write=False) as unit:
        closing = next(entry for entry in unit.audit() if entry.what == "close")
    assert closing.who == "server"
    assert f"'{MODEL}' of 'full' is retired" in closing.why
    app.model_watch.look("cli")
    assert state(app) == "closed"
    app.close()


def test_a_model_that_the_provider_refuses_closes_it_too_and_else_it_goes_on(tmp_path, serving):
    clock = HandClock()
    app = opened(tmp_path, clock, serving, 'on_retirement = "stop"\n')
    app.lifecycle.launch()
    serving.models[MODEL] = described(lifecycle="retired")
    clock.advance(days=1)
    app.model_watch.look("cli")
    assert state(app) == "closed"
    app.close()


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        pytest.param({}, True, id="unknown"),
        pytest.param({MODEL: described(lifecycle="retired")}, True, id="retired", marks=pytest.mark.slow),
        pytest.param({MODEL: described()}, False, id="active", marks=pytest.mark.slow),
        # It goes on until its day.
        ({MODEL: described(lifecycle="deprecated", retires_at="2026-01-20T00:00:00Z")}, False),
    ],
)
def test_a_model_that_refused_a_question_is_replaced_if_it_is_retired_or_unknown_by_now(tmp_path, serving, now, gone):
    clock = HandClock()
    app = opened(tmp_path, clock, serving, 'on_retirement = "stop"\n')
    spec = app.context.content.specs["full"]
    serving.models = {}
    assert not app.model_watch.is_replaced("full", spec, "0" * 64), "a draft may name what is wrong"
    serving.models = {MODEL: described()}
    app.lifecycle.launch()
    assert not app.model_watch.is_replaced("full", spec, "0" * 64)
    serving.models = now
    clock.advance(seconds=ASK_AGAIN.total_seconds() - 1)
    assert not app.model_watch.is_replaced("full", spec, "0" * 64), "the provider is asked once a minute"
    clock.advance(seconds=1)
    assert app.model_watch.is_replaced("full", spec, "0" * 64) == gone
    app.close()
