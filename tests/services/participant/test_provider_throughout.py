"""A trial whose provider changes its model, and one whose cost limit is reached, by the real services."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider
from support.trials.export_world import Walker, ids, real_study

from analysis.data.load import load
from analysis.pipeline.description.treatment import treatment_section, treatment_warnings
from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.services.participant.chatting.questions import BudgetSpent
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor
from study_app.settings import Settings


def app_of(folder: Path, serving: FakeProvider, clock: HandClock, **replaced: str) -> App:
    path = real_study(folder, **replaced)
    settings = Settings(
        study_file=path,
        database=f"sqlite:///{folder}/study.db",
        var=folder / "var",
        environment=serving.environment,
    )
    return start(settings, clock=clock, ids=ids(), grading_clock="virtual")


def assisted(app: App, clock: HandClock) -> Walker:
    """A participant on the main tasks of the arm with an assistant."""
    for _ in range(12):
        walker = Walker(app, clock).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker
    raise AssertionError("no participant was allocated to the assistant")


@pytest.mark.slow
def test_a_provider_that_changes_its_model_at_turn_40_is_named_by_verify_and_shown_in_the_report(tmp_path):
    clock = HandClock()
    serving = FakeProvider(serves=lambda number: f"{MODEL}-20260101" if number < 40 else f"{MODEL}-20260601")
    app = app_of(tmp_path, serving, clock)
    try:
        walker = assisted(app, clock)
        for number in range(45):
            assert walker.ask(f"What is a nursery? {number}")
        export(app.context, tmp_path / "data", include_preview=True)
    finally:
        app.close()
        serving.close()
    report = verify(tmp_path / "data")
    found = [one for one in report.findings if one.name == "model_differs"]
    assert len(found) == 6
    assert {one.finding_class for one in found} == {"protocol"}
    assert not report.ok
    assert f"served by {MODEL}-20260601" in found[0].message
    section = _section(tmp_path / "data")
    assert [one["replies"] for one in section["full"]["served"]] == [39, 6]
    assert treatment_warnings(section)


def _section(dataset: Path):
    from types import SimpleNamespace

    tables = load(dataset).tables
    return treatment_section(SimpleNamespace(tables=tables, participants=tables["participants"], hidden=False))


def test_a_model_that_stays_is_no_finding_and_its_dated_name_neither(tmp_path):
    clock = HandClock()
    serving = FakeProvider(serves=lambda _number: f"{MODEL}-20260101")
    app = app_of(tmp_path, serving, clock)
    try:
        walker = assisted(app, clock)
        for number in range(3):
            walker.ask(f"What is a nursery? {number}")
        export(app.context, tmp_path / "data", include_preview=True)
    finally:
        app.close()
        serving.close()
    assert verify(tmp_path / "data").counts.get("model_differs") is None


def ask_on(walker: Walker, times: int) -> None:
    for number in range(times):
        walker.ask(f"What is a nursery? {number}")


def test_the_studys_cost_limit_refuses_new_questions_of_everybody(tmp_path):
    clock = HandClock()
    serving = FakeProvider()
    limit = {"allow_embedded = false": "allow_embedded = true\nstudy_cost_limit = 0.005"}
    app = app_of(tmp_path, serving, clock, **limit)
    try:
        walker = assisted(app, clock)
        with pytest.raises(BudgetSpent) as first:
            ask_on(walker, 20)
        with pytest.raises(BudgetSpent):
            assisted(app, clock).ask("What is a nursery?")
        view = Monitor(app.context).overview("preview")
    finally:
        app.close()
        serving.close()
    assert first.value.message_key == "assistant.limit.study_cost"
    assert 3 <= serving.messages <= 6
    assert view.cost_limit_usd == 0.005
    assert 0.003 < view.spent_usd <= 0.008
