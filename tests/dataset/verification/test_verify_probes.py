"""Probes whose minute came and that no page asked for, whatever happened on other stages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from study_app.dataset.verification.derived.probes import _never_shown
from study_app.domain.events import Event
from study_app.domain.events.server import StageReopened

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("reopened", "named"), [(None, True), ("warmup", True), ("main", False)])
def test_a_probe_that_no_page_asked_for_is_named_unless_its_own_stage_was_reopened(reopened, named):
    payload = StageReopened(minutes=1.0).payload()
    events = [Event("p", "server", 1, StageReopened.kind, reopened, BEGAN, payload=payload)] if reopened else []
    visit = SimpleNamespace(stage="main", started_at=BEGAN, ended_at=BEGAN + timedelta(minutes=10))
    plan = SimpleNamespace(tasks=(), minute=2.0)
    person = SimpleNamespace(
        visits=[visit], events=events, paused=lambda _: 0.0, study=SimpleNamespace(probes_at=lambda stage: [plan])
    )
    assert bool(list(_never_shown(person, []))) is named
