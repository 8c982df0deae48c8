"""A model that is retired in a running trial: a recording answers from then on, and everything says so."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.agent_study import AgentPage
from support.trials.export_world import settle
from support.trials.replayed_study import KNOWN, asking, opened, replayed_study

from analysis.data.load import load
from analysis.pipeline.description.treatment import treatment_section, treatment_warnings
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.services.operation.models.board import model_board
from study_app.services.operation.models.replacing import replacements
from study_app.services.researcher.exporting.export import export

NEAR = "stop a task after some time limit"
UNKNOWN = "Zebra?"


@pytest.fixture
def serving():
    found = FakeProvider()
    yield found
    found.close()


def turns_of(app, walker):
    with app.context.registry.begin(write=False) as unit:
        return unit.turns(walker.id)


def conditions(app):
    app.alert_watch.tick()
    with app.context.registry.begin(write=False) as unit:
        return [entry for entry in unit.audit() if entry.what == "alert"]


def unsealed(app, clock, folder):
    clock.advance(hours=25)
    app.lifecycle.close("enough")
    app.lifecycle.unseal("analysis")
    settle(app)
    export(app.context, folder)
    return folder


def test_a_model_that_is_retired_at_a_question_is_replaced_within_it(tmp_path, serving):
    clock = HandClock()
    app = opened(replayed_study(tmp_path), clock, serving)
    app.lifecycle.launch()
    app.model_watch.look("server")
    serving.retires_at = 3
    walker = asking(app, clock)
    heard = [walker.ask(text) for text in (KNOWN, KNOWN, KNOWN, NEAR, UNKNOWN)]
    assert heard[:4] == ["A nursery holds tasks."] * 2 + ["A nursery holds tasks, as recorded.", "Use a limit."]
    assert heard[4].startswith("I am sorry, I have no answer to that.")
    turns = turns_of(app, walker)
    assert [turn.assistant for turn in turns] == ["claude", "claude", "recorded", "recorded", "recorded"]
    assert [turn.parameters.get("recorded_match") for turn in turns] == [None, None, "exact", "near", "none"]
    assert all(turn.error is None for turn in turns)
    # The question that found it out reached the provider; no later one does.
    assert serving.messages == 3
    with app.context.registry.begin(write=False) as unit:
        (act,) = [entry for entry in unit.audit() if entry.what == "model replaced"]
        board = model_board(app.context, unit)
    assert act.who == "server"
    assert act.why == f"the model '{MODEL}' of 'full' is retired"
    assert act.detail["sha256"] == app.library.materials()["recordings/full.jsonl"]
    assert any("answered by recordings/full.jsonl since" in line for line in board.lines())
    assert any("recording answers participants" in entry.why for entry in conditions(app))
    dataset = unsealed(app, clock, tmp_path / "data")
    app.close()
    report = verify(dataset)
    assert report.ok, report.lines()
    assert any("3 replies of recordings in a model's place" in line for line in report.passed)
    tables = load(dataset).tables
    section = treatment_section(SimpleNamespace(tables=tables, participants=tables["participants"], hidden=False))
    found = section["full"]["replaced"]
    assert [found["sides"][side]["questions"] for side in ("model", "recording")] == [2, 3]
    assert found["participants"] == {"model": 0, "both": 1, "recording": 0}
    assert any("a recording took its model's place" in line for line in treatment_warnings(section))


@pytest.mark.slow
def test_what_the_log_does_not_say_of_a_recording_is_found(tmp_path, serving):
    clock = HandClock()
    app = opened(replayed_study(tmp_path), clock, serving)
    app.lifecycle.launch()
    serving.retires_at = 1
    asking(app, clock).ask(KNOWN)
    dataset = unsealed(app, clock, tmp_path / "data")
    app.close()
    manifest = dataset / "manifest.json"
    said = json.loads(manifest.read_text())
    said["audit"]["model_replacements"] = []
    manifest.write_text(json.dumps(said))
    found = [one.message for one in verify(dataset).findings if one.name == "model_differs"]
    assert found == ["answered by a recording, and the audit log does not say that one replaced the model of full"]


@pytest.mark.parametrize(
    "way", [*(pytest.param(way, marks=pytest.mark.slow) for way in ("announced", "retired")), "unknown"]
)
def test_the_daily_look_replaces_it_before_anybody_asks(tmp_path, serving, way):
    clock = HandClock()
    app = opened(replayed_study(tmp_path), clock, serving)
    app.lifecycle.launch()
    app.model_watch.tick()
    if way == "announced":
        serving.models[MODEL] = described(lifecycle="deprecated", retires_at="2026-01-02T00:00:00Z")
    elif way == "retired":
        serving.models[MODEL] = described(lifecycle="retired")
    else:
        del serving.models[MODEL]
    clock.advance(days=1)
    app.model_watch.tick()
    with app.context.registry.begin(write=False) as unit:
        assert [each.treatment for each in replacements(unit)] == ["full"]
        assert app.context.state(unit) == "launched"
    assert asking(app, clock).ask(KNOWN) == "A nursery holds tasks, as recorded."
    assert serving.messages == 0
    app.close()


@pytest.mark.slow
def test_links_are_made_although_the_model_is_retired(tmp_path, serving):
    app = opened(replayed_study(tmp_path), HandClock(), serving)
    serving.models[MODEL] = described(lifecycle="retired")
    with pytest.raises(ProblemsFound, match="is retired"):
        app.ask_provider("study.toml").refuse_problems()
    app.lifecycle.launch()
    asked = app.ask_provider("study.toml")
    asked.refuse_problems()
    assert any(line.startswith("'full' is answered by recordings/full.jsonl since") for line in asked.warnings)
    app.close()


@pytest.mark.slow
def test_an_assistant_that_acts_takes_recorded_steps_once_its_model_is_gone(tmp_path, serving):
    clock = HandClock()
    steps = [
        {"tool": "view"},
        {"tool": "report", "input": {"summary": "Done"}},
    ]
    turn = {"message": KNOWN, "reply": "", "steps": steps}
    path = replayed_study(tmp_path, [turn], **{'file = "assistants/full.toml"': 'file = "agent.toml"'})
    said = (tmp_path / "assistants" / "full.toml").read_text().replace('manner = "answers"', 'manner = "agent"')
    (tmp_path / "agent.toml").write_text(f'{said}\n[agent]\napproval = "none"\n')
    app = opened(path, clock, serving)
    app.lifecycle.launch()
    serving.retires_at = 1
    walker = asking(app, clock)
    for _ in range(2):
        page = AgentPage(walker, lambda _frame: "approve").ask(KNOWN)
        assert [frame["tool"] for frame in page.frames if frame["type"] == "action"] == ["view", "report"]
    assert serving.messages == 1
    assert [(turn.assistant, turn.error) for turn in turns_of(app, walker)] == [("recorded", None)] * 2
    app.close()


def test_a_refused_question_alone_replaces_nothing(tmp_path, serving):
    clock = HandClock()
    app = opened(replayed_study(tmp_path), clock, serving)
    app.lifecycle.launch()
    walker = asking(app, clock)
    serving.refuses = 2
    assert walker.ask(KNOWN) == ""
    walker.ask(KNOWN)
    assert [turn.error for turn in turns_of(app, walker)] == ["other", "other"]
    assert walker.ask(KNOWN) == "A nursery holds tasks."
    with app.context.registry.begin(write=False) as unit:
        assert replacements(unit) == []
    app.close()


@pytest.mark.slow
def test_a_preview_of_a_draft_replaces_nothing(tmp_path, serving):
    clock = HandClock()
    app = opened(replayed_study(tmp_path), clock, serving)
    serving.retires_at = 1
    walker = asking(app, clock)
    assert walker.ask(KNOWN) == ""
    with app.context.registry.begin(write=False) as unit:
        assert replacements(unit) == []
    app.close()


@pytest.mark.parametrize("where", [pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.slow)])
def test_two_servers_replace_it_once_and_both_answer_from_the_recording(tmp_path, serving, request, where):
    clock, url = HandClock(), ""
    if where == "postgres":
        url = request.getfixturevalue("postgres_url_with_tables")
    path = replayed_study(tmp_path)
    one = opened(path, clock, serving, url)
    one.lifecycle.launch()
    two = opened(path, clock, serving, url, fresh=one.context.fresh_id)
    serving.retires_at = 2
    first, second = asking(one, clock), asking(two, clock)
    assert [first.ask(KNOWN), first.ask(KNOWN), second.ask(KNOWN)] == [
        "A nursery holds tasks.", *["A nursery holds tasks, as recorded."] * 2
    ]  # fmt: skip
    assert serving.messages == 2
    with two.context.registry.begin(write=False) as unit:
        assert len([entry for entry in unit.audit() if entry.what == "model replaced"]) == 1
    one.close()
    two.close()
