"""Replies that give code where they must not: one figure in the export, on the console and in the report."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, real_study

from analysis.cli import analyze
from study_app.domain.assistants.fidelity import LEAK_THRESHOLD
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor

ASKED, GIVEN = 4, 1


@pytest.fixture
def app(tmp_path):
    """A study whose assistant hints, and a person of its arm: one of four replies holds the solution."""
    clock = HandClock()
    app = open_app(
        tmp_path, clock, real_study(tmp_path, **{'file = "assistants/full.toml"': 'file = "assistants/hints.toml"'})
    )
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai")
    walker.begin_tasks()
    for number in range(ASKED):
        walker.ask(f"how does a nursery wait, part {number}?")
        clock.advance(minutes=1)
    with app.context.registry.begin() as unit:
        first = unit.turns(walker.id)[0]
        assert unit.update_turn(replace(first, reply=walker.solution("trio_timer")))
    yield app
    app.close()


@pytest.mark.slow
def test_export_console_and_report_count_the_same_replies(app, tmp_path):
    (shown,) = Monitor(app.context).overview("preview").leaks.values()
    export(app.context, tmp_path / "data", include_preview=True)
    (file,) = (tmp_path / "data" / "data").glob("*_description-turns_data.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        shares = [float(row["solution_share"]) for row in csv.DictReader(lines) if row["solution_share"]]
    analyze(tmp_path / "data", tmp_path / "out", include_preview=True)
    (reported,) = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))["treatment"].values()
    assert (shown.leaked, shown.replies) == (GIVEN, ASKED)
    assert (sum(share >= LEAK_THRESHOLD for share in shares), len(shares)) == (GIVEN, ASKED)
    assert reported["overall"]["leaked"] == shown.share
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Share that give a function of the solution" in page
    assert page.count(f'<span class="n" data-result="treatment.hints.weeks">{shown.share:.2f}</span>') == 1
