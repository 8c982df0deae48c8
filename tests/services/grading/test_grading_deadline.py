"""A deadline hands in sixty submissions at one moment: all are graded within ten minutes on two cores, none wrongly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sandbox.busy_machine import busy

from study_app.bootstrap import start
from study_app.domain.records import RunRecord
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("processes", [0, 8])
def test_sixty_submissions_at_one_moment_are_graded_in_ten_minutes_and_none_wrongly(tmp_path, processes):
    app = start(Settings(ROOT / "study.toml", f"sqlite:///{tmp_path}/study.db", tmp_path, environment={}))
    stage = app.study.main_task_stages[0]
    now = app.context.now()
    for number in range(60):
        who = app.enrol.enter(EntryRequest()).participant.id
        pack = app.context.content.pack(stage.packs[number % len(stage.packs)])
        run = RunRecord(app.context.fresh_id(), who, pack.id, stage.id, "submission", pack.solution, now)
        with app.context.registry.begin() as unit:
            unit.add_run(run)
    began = time.monotonic()
    with busy(processes):
        while app.grading.pending():
            app.grading.grade_pending()
    assert time.monotonic() - began < 600
    with app.context.registry.begin(write=False) as unit:
        runs = [run for run in unit.runs() if run.kind == "submission"]
    assert [run.grading for run in runs] == [None] * 60
    assert all(check["passed"] is True for run in runs for check in run.checks)
    app.close()
