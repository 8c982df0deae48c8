"""The models over time: looked at each day, asked the same at launch, weekly and at the close, by one server."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.trials.export_world import ids, real_study, table
from support.trials.quiz_study import change_row, results

from analysis.cli import analyze
from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.domain.assistants.drift import EVERY, likeness, occasion_due
from study_app.domain.assistants.persona_checks.probing import QUESTIONS
from study_app.services.operation.alert_watch import incidents
from study_app.services.operation.models.board import model_board
from study_app.services.operation.models.kept import keep_looks, looks, replies_of, rounds
from study_app.services.operation.models.watch import LEFT
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.reimport import reimport
from study_app.services.spending import spent_usd
from study_app.settings import Settings
from study_app.storage.restored_rows import put_back

ONE_TASK = {'packs = ["tasks/trio_timer", "tasks/trio_users"]': 'packs = ["tasks/trio_timer"]'}

ENDING = {"lifecycle": "deprecated", "retires_at": "2026-01-20T00:00:00Z"}


def opened(
    folder: Path,
    clock: HandClock,
    serving: FakeProvider | None = None,
    database: Path | None = None,
    changed_ok: bool = False,
    **replaced: str,
) -> App:
    path = folder / "study.toml"
    if not path.exists():
        real_study(folder, **ONE_TASK, **replaced)
    settings = Settings(
        study_file=path,
        database=f"sqlite:///{database or folder / 'study.db'}",
        var=folder / "var",
        environment={} if serving is None else serving.environment,
    )
    return start(settings, clock=clock, ids=ids(), grading_clock="virtual", seconds_per_word=0.0, changed_ok=changed_ok)


def board(app: App):
    with app.context.registry.begin(write=False) as unit:
        return model_board(app.context, unit)


def ticked(app: App, times: int = 2 + len(QUESTIONS)) -> None:
    for _ in range(times):
        app.model_watch.tick()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_a_draft_is_neither_looked_at_nor_asked(tmp_path, clock):
    app = opened(tmp_path, clock)
    ticked(app)
    assert (board(app).looks, board(app).rounds) == ((), ())
    app.close()


def test_a_trial_is_asked_at_launch_weekly_and_at_the_close_and_its_dataset_and_report_say_so(tmp_path, clock):
    app = opened(tmp_path, clock)
    app.lifecycle.launch()
    ticked(app)
    clock.advance(days=6)
    ticked(app)
    assert [each.occasion for each in board(app).rounds] == ["launch"]
    clock.advance(days=1)
    ticked(app)
    app.lifecycle.close("enough")
    ticked(app)
    found = board(app)
    assert [(each.occasion, each.replies) for each in found.rounds] == [
        ("launch", len(QUESTIONS)), ("weekly", len(QUESTIONS)), ("close", len(QUESTIONS)),
    ]  # fmt: skip
    # The embedded assistant says the same to the same question.
    assert {(each.exact, tuple(each.drifts)) for each in found.compared} == {(1.0, ())}
    export(app.context, tmp_path / "sealed")
    assert table(tmp_path / "sealed", "model_replies") == []
    assert verify(tmp_path / "sealed").ok
    app.lifecycle.unseal("the end")
    export(app.context, tmp_path / "data")
    rows = table(tmp_path / "data", "model_replies")
    assert len(rows) == 3 * len(QUESTIONS)
    assert {row["provider"] for row in rows} == {"notes"}
    assert len(table(tmp_path / "data", "model_looks")) == 3
    report = verify(tmp_path / "data")
    assert report.ok, report.findings
    analyze(tmp_path / "data", tmp_path / "out")
    section = results(tmp_path / "out")["models"]
    assert [each["occasion"] for each in section["rounds"]] == ["launch", "weekly", "close"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "full answered the fixed questions in round" in page.partition('id="treatment"')[2]
    (tmp_path / "again").mkdir()
    again = opened(tmp_path, clock, database=tmp_path / "again" / "study.db", changed_ok=True)
    reimport(again.context, tmp_path / "data", put_back, who="test")
    export(again.context, tmp_path / "returned")
    again.close()
    for name in ("model_looks", "model_replies"):
        assert table(tmp_path / "returned", name) == table(tmp_path / "data", name)
    assert "model_round_differs" not in verify(tmp_path / "returned").counts
    change_row(tmp_path / "data", "model_replies", lambda row: row["question"] == "4", reply="Another word")
    assert "model_round_differs" in {each.name for each in verify(tmp_path / "data").findings}
    app.close()


@pytest.mark.slow
def test_another_model_is_an_alert_a_finding_and_a_warning(tmp_path, clock):
    serving = FakeProvider(serves=lambda number: MODEL if number <= len(QUESTIONS) else "claude-haiku-5-5")
    app = opened(tmp_path, clock, serving)
    app.lifecycle.launch()
    ticked(app)
    clock.advance(days=8)
    ticked(app)
    (one,) = board(app).compared
    assert one.another_model
    assert "served by claude-haiku-5-5, at first by claude-sonnet-5-5" in one.drifts[0]
    app.alert_watch.tick()
    with app.context.registry.begin(write=False) as unit:
        kinds = {each.kind: each.text for each in incidents(unit)}
        cost = spent_usd(unit, app.library, "real")
        made = replies_of(unit, 1)
    assert "claude-haiku-5-5" in kinds["model_drift"]
    # 500 tokens read and 6 written, each of 24 times, by the shipped prices.
    price = app.library.specs["full"].price
    assert cost == pytest.approx(24 * (500 * price.input_usd + 6 * price.output_usd) / 1e6)
    assert {(each.declared, each.model, each.input_tokens) for each in made} == {(MODEL, MODEL, 500)}
    app.lifecycle.close("enough")
    app.lifecycle.unseal("the end")
    export(app.context, tmp_path / "data")
    found = [each for each in verify(tmp_path / "data").findings if each.name == "model_drifted"]
    assert [each.finding_class for each in found] == ["protocol"]
    assert "claude-haiku-5-5" in found[0].message
    analyze(tmp_path / "data", tmp_path / "out")
    assert any("round 2" in line for line in results(tmp_path / "out")["warnings"])
    app.close()
    serving.close()


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("described_as", "ends_on", "days", "said"),
    [
        (
            {"lifecycle": "deprecated", "retires_at": "2026-01-20T00:00:00Z"},
            "2026-02-01",
            14,
            "before recruitment ends",
        ),
        (ENDING, "2026-01-10", 14, ""),
        ({"lifecycle": "retired", "retires_at": "2026-01-01T00:00:00Z"}, "2026-02-01", -5, "is retired"),
    ],
)
def test_days_left_and_an_alert_where_a_model_retires_within_recruitment(
    tmp_path, clock, described_as, ends_on, days, said
):
    serving = FakeProvider()
    app = opened(tmp_path, clock, serving, **{"target_n = 52": f"target_n = 52\nends_on = {ends_on}"})
    app.lifecycle.launch()
    serving.models[MODEL] = described(**described_as)
    app.model_watch.tick()
    (look,) = board(app).looks
    assert look.days_left(clock.now()) == days
    app.alert_watch.tick()
    with app.context.registry.begin(write=False) as unit:
        texts = [each.text for each in incidents(unit) if each.kind == "model_retires"]
    assert [said in text for text in texts] == ([True] if said else [])
    app.close()
    serving.close()


def test_a_look_that_found_nothing_out_is_repeated_within_the_hour_and_else_daily(tmp_path, clock):
    serving = FakeProvider()
    app = opened(tmp_path, clock, serving, **{"[assistant_policy]\n": "[assistant_policy]\ndrift_probes = false\n"})
    app.lifecycle.launch()
    serving.key = "sk-other"
    ticked(app, 3)
    assert "does not accept the API key" in board(app).looks[0].problem
    serving.key = "sk-right"
    clock.advance(hours=1)
    ticked(app, 3)
    clock.advance(hours=23)
    ticked(app, 3)
    clock.advance(hours=1)
    ticked(app, 3)
    with app.context.registry.begin(write=False) as unit:
        assert [each.problem == "" for each in looks(unit)] == [False, True, True]
        acts = [entry for entry in unit.audit() if entry.what == "models looked at"]
    # The log has what was other than before.
    assert len(acts) == 2
    # Without drift_probes the models are looked at and not asked.
    assert (serving.messages, board(app).rounds) == (0, ())
    app.close()
    serving.close()


def test_the_cost_limit_ends_a_round_and_a_failing_provider_is_asked_again_later(tmp_path, clock):
    limited = {"[assistant_policy]\n": "[assistant_policy]\nstudy_cost_limit = 0.004\n"}
    serving = FakeProvider()
    app = opened(tmp_path, clock, serving, **limited)
    app.lifecycle.launch()
    app.model_watch.tick()
    serving.key = "sk-other"
    ticked(app)
    (going,) = board(app).rounds
    assert (going.asked, going.failures) == (0, 1)
    serving.key = "sk-right"
    ticked(app)
    assert board(app).rounds[0].asked == 0
    clock.advance(minutes=10)
    ticked(app)
    (ended,) = board(app).rounds
    assert ended.note == "the study's cost limit is reached"
    assert 0 < ended.replies < len(QUESTIONS)
    app.close()
    serving.close()


def test_of_two_servers_one_asks_and_the_other_goes_on_where_it_died(tmp_path, clock):
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    one.lifecycle.launch()
    for app in (one, other):
        with app.context.registry.begin() as unit:
            app.context.replicas.beat(unit)
    assert one.model_watch.claims.take()
    assert not other.model_watch.claims.take()
    ticked(other, 4)
    assert board(other).looks == ()
    one.model_watch.claims.release()
    ticked(one, 5)
    assert one.model_watch.claims.take()
    clock.advance(minutes=6)
    ticked(other, 1 + len(QUESTIONS))
    (done,) = board(other).rounds
    assert (done.replies, bool(done.ended_at)) == (len(QUESTIONS), True)
    with other.context.registry.begin(write=False) as unit:
        made = replies_of(unit, 1)
    assert sorted(each.question for each in made) == list(range(1, 1 + len(QUESTIONS)))
    one.close()
    other.close()


@pytest.mark.slow
def test_a_commands_round_that_a_server_takes_over_ends_with_it_and_no_other_begins(tmp_path, clock):
    one, two = opened(tmp_path, clock), opened(tmp_path, clock)
    one.lifecycle.launch()
    one.model_watch.look("cli")
    steps: list[int] = []

    def said(done: int, _of: int) -> None:
        steps.append(done)
        assert len(steps) <= len(QUESTIONS)
        if done == 10:
            ticked(two, 3)

    made = one.model_watch.round("launch", "cli", said)
    assert (made.number, made.replies, bool(made.ended_at)) == (1, len(QUESTIONS), True)
    with one.context.registry.begin(write=False) as unit:
        assert [(each.number, each.occasion) for each in rounds(unit)] == [(1, "launch")]
        assert [each.question for each in replies_of(unit, 1)] == list(range(1, 1 + len(QUESTIONS)))
        assert len([entry for entry in unit.audit() if entry.what == "model round"]) == 1
    one.close()
    two.close()


def test_a_command_and_a_server_in_one_round_put_each_question_once(tmp_path, clock, monkeypatch):
    command, server = opened(tmp_path, clock), opened(tmp_path, clock)
    command.lifecycle.launch()
    command.model_watch.look("cli")
    with server.context.registry.begin() as unit:
        server.context.replicas.beat(unit)
    put: list[int] = []

    def noted(ask, at_once):
        def asking(going, question):
            put.append(question.number)
            # While this one waits for its reply, the other tries to go on.
            at_once()
            return ask(going, question)

        return asking

    watch = command.model_watch
    monkeypatch.setattr(watch, "_ask", noted(watch._ask, server.model_watch.tick))
    trying: list[Thread] = []

    def command_begins() -> None:
        if not trying:
            trying.append(Thread(target=watch.round, args=("launch", "cli")))
            trying[0].start()
            time.sleep(0.5)

    monkeypatch.setattr(server.model_watch, "_ask", noted(server.model_watch._ask, command_begins))
    server.model_watch.tick()
    trying[0].join(60)
    (done,) = board(command).rounds
    assert (done.replies, sorted(put)) == (len(QUESTIONS), list(range(1, 1 + len(QUESTIONS))))
    command.close()
    server.close()


@pytest.mark.parametrize("by", ["server", "command"])
def test_a_probe_whose_command_was_killed_is_ended_with_a_note_and_costs_no_more(tmp_path, clock, by):
    app = opened(tmp_path, clock)

    def killed(done: int, _of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.model_watch.round("probe", "cli", killed)
    ticked(app)
    assert [bool(each.ended_at) for each in board(app).rounds] == [False], "the command may still be asking"
    assert "3 asked so far" in board(app).lines()[-1]
    clock.advance(minutes=5)
    assert "3 asked, then its command was ended" in board(app).lines()[-1]
    if by == "server":
        ticked(app)
        assert len(board(app).rounds) == 1
    else:
        app.model_watch.round("probe", "cli")
    left = board(app).rounds[0]
    assert (left.replies, bool(left.ended_at), left.note) == (3, True, LEFT)
    app.close()


@pytest.mark.slow
def test_a_server_that_comes_too_late_for_a_round_begins_no_other(tmp_path, clock, monkeypatch):
    one, two = opened(tmp_path, clock), opened(tmp_path, clock)
    one.lifecycle.launch()
    ticked(one, len(QUESTIONS))
    claim = two.model_watch.claims.take

    def after_the_last_question(by: str = "") -> bool:
        ticked(one, 2)
        return claim(by)

    monkeypatch.setattr(two.model_watch.claims, "take", after_the_last_question)
    two.model_watch.tick()
    with two.context.registry.begin(write=False) as unit:
        assert [(each.number, each.occasion, bool(each.ended_at)) for each in rounds(unit)] == [(1, "launch", True)]
    one.close()
    two.close()


@pytest.mark.slow
def test_a_look_at_one_treatment_does_not_put_off_the_look_at_the_others(tmp_path, clock):
    spare = {"[assistants.full]\n": '[assistants.spare]\nfile = "assistants/full.toml"\n\n[assistants.full]\n'}
    app = opened(tmp_path, clock, **spare, **{"[assistant_policy]\n": "[assistant_policy]\ndrift_probes = false\n"})
    app.lifecycle.launch()
    app.model_watch.tick()
    clock.advance(hours=20)
    with app.context.registry.begin() as unit:
        before = looks(unit)
        one = next(each for each in before if each.treatment == "full")
        keep_looks(unit, [replace(one, looked_at=clock.now().isoformat())], "server")
    clock.advance(hours=5)
    ticked(app, 2)
    with app.context.registry.begin(write=False) as unit:
        assert [each.treatment for each in looks(unit)[len(before) + 1 :]] == [each.treatment for each in before]
    app.close()


@pytest.mark.slow
def test_a_round_that_nobody_answered_says_so_and_a_model_that_is_not_the_declared_one_is_named(tmp_path, clock):
    serving = FakeProvider(serves=lambda _number: "claude-haiku-5-5")
    app = opened(tmp_path, clock, serving)
    app.lifecycle.launch()
    app.model_watch.look("cli")
    app.model_watch.round("launch", "cli")
    serving.key = "sk-other"
    app.model_watch.round("probe", "cli")
    said = board(app).lines()
    assert f"served by claude-haiku-5-5, declared is {MODEL}" in next(
        line for line in said if line.startswith("  full")
    )
    assert any(line.endswith(f"0 replies, {len(QUESTIONS)} questions not answered") for line in said)
    app.alert_watch.tick()
    with app.context.registry.begin(write=False) as unit:
        (drift,) = [each.text for each in incidents(unit) if each.kind == "model_drift"]
    assert f"declared is {MODEL}" in drift
    app.lifecycle.close("enough")
    app.lifecycle.unseal("the end")
    export(app.context, tmp_path / "data")
    (found,) = [each for each in verify(tmp_path / "data").findings if each.name == "model_drifted"]
    assert f"round 1: 'full' was served by claude-haiku-5-5, declared is {MODEL}" in found.message
    app.close()
    serving.close()


def test_a_round_is_due_at_launch_after_a_week_and_at_the_close_only():
    now = HandClock().now()
    before = [("launch", now - EVERY + timedelta(seconds=1)), ("probe", now - 9 * EVERY)]
    assert occasion_due("draft", [], now) is None
    assert occasion_due("launched", [], now) == "launch"
    assert occasion_due("launched", [("probe", now)], now) == "launch"
    assert occasion_due("launched", before, now) is None
    assert occasion_due("launched", before, now + timedelta(seconds=1)) == "weekly"
    assert occasion_due("closed", before, now) == "close"
    assert occasion_due("closed", [], now) is None
    assert occasion_due("closed", [*before, ("close", now)], now) is None


def test_only_the_same_words_are_the_same_reply():
    assert likeness("a b  c", "a b c") == 1.0
    assert likeness("a b c d e", "a b c d f") == pytest.approx(0.8)
    assert likeness("", "a") == 0.0
    assert 0.99 < likeness("w " * 5000 + "x", "w " * 5000 + "y") < 1.0
    assert likeness("a b", "b a") == 0.999


def test_the_rounds_survive_in_the_database(tmp_path, clock):
    app = opened(tmp_path, clock)
    app.lifecycle.launch()
    ticked(app)
    app.close()
    again = opened(tmp_path, clock)
    with again.context.registry.begin(write=False) as unit:
        (kept,) = rounds(unit)
    assert json.dumps(board(again).to_json())
    assert kept.replies == len(QUESTIONS)
    again.close()
