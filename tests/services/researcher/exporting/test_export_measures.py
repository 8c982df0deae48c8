"""What is derived of participants, at the edges: time over, gone, still there, turned off the rules."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from support.clock import HandClock
from support.trials.export_world import EXIT, Walker, open_app, scratch, settle, table

from study_app.dataset.measures.provenance import bursts
from study_app.dataset.writing.manifest import quantiles
from study_app.domain.events import Event
from study_app.domain.events.moments import moments
from study_app.domain.records import Rating
from study_app.services.researcher.exporting.export import export

Row = dict[str, str]


class Scene:
    """Participants of one draft study and their exported rows, by what became of them."""

    def __init__(self) -> None:
        self.folder, self.clock = scratch(), HandClock()
        self.app = open_app(self.folder, self.clock)
        self.names: dict[str, str] = {}

    def enter(self, name: str) -> Walker:
        walker = Walker(self.app, self.clock)
        self.names[name] = walker.id
        return walker

    def export(self, folder: str) -> dict[str, Row]:
        settle(self.app)
        export(self.app.context, self.folder / folder, include_preview=True)
        rows = {row["participant_id"]: row for row in table(self.folder / folder, "participants")}
        return {name: rows[who] for name, who in self.names.items()}

    @property
    def dataset(self) -> Path:
        return self.folder / "later"


@cache
def scene() -> tuple[dict[str, Row], dict[str, Row], Scene]:
    """The same people a minute after the last act, and two days later."""
    play = Scene()
    late = play.enter("out of time").to_tasks().begin_tasks()
    play.clock.advance(minutes=10)
    late.submit(late.solution("trio_timer"))
    late.open("trio_users")
    late.type("# not done\n")
    play.clock.advance(minutes=30)
    play.app.session.sweep()
    late.quiz(answered=3)
    cheat = play.enter("outside help").to_tasks().begin_tasks()
    cheat.edit(0, len(cheat.text), "")
    cheat.paste("# " + "pasted " * 60 + "\n", "outside")
    cheat.type(cheat.solution("trio_timer"))
    cheat.solve_tasks().quiz().exit(other_ai_used="tasks")
    blurred = play.enter("away").to_tasks().begin_tasks()
    play.clock.advance(minutes=1)
    blurred.send(("blur", {}))
    play.clock.advance(minutes=5)
    blurred.send(("focus", {}))
    blurred.type("# back\n")
    blurred.solve_tasks(minutes=1)
    asker = play.enter("asker").to_tasks().begin_tasks()
    while asker.arm != "ai":
        asker = play.enter("asker").to_tasks().begin_tasks()
    asker.ask("What does a nursery do?")
    asker.ask("Write it for me.")
    code_turns(play, asker)
    play.enter("at the tasks").to_tasks().begin_tasks()
    play.enter("at the background").consent()
    play.clock.advance(minutes=1)
    soon = play.export("soon")
    play.clock.advance(days=2)
    return soon, play.export("later"), play


def code_turns(play: Scene, asker: Walker) -> None:
    first, second = asker.turns()
    given = [("r1", first, "explanation"), ("r2", first, "explanation;capability"), ("r1", second, "generation")]
    with play.app.context.registry.begin() as unit:
        for number, (rater, turn, value) in enumerate(given):
            unit.add_rating(Rating(f"rating{number}", f"turn:{turn}", rater, value, "codes", play.clock.now()))


def test_time_over_gives_the_limit_and_no_completion_however_much_was_done():
    row = scene()[0]["out of time"]
    assert (row["task_completed"], row["completion_event"], row["completion_minutes"]) == ("0", "0", "35")
    assert (row["task_minutes"], row["tasks_passed"], row["checks_total"]) == ("35", "1", "31")


def test_unanswered_items_of_an_opened_quiz_are_zero():
    row = scene()[0]["out of time"]
    assert float(row["quiz_points"]) < 9
    assert row["quiz_max"] == "27"


def test_a_quiz_never_opened_is_missing():
    for row in (scene()[1]["at the tasks"], scene()[1]["at the background"]):
        assert row["quiz_points"] == row["quiz_max"] == row["quiz_score"] == row["quiz_debugging_points"] == ""


def test_outcomes_are_missing_while_somebody_is_at_the_tasks():
    row = scene()[0]["at the tasks"]
    assert row["status"] == "in_progress"
    assert row["task_completed"] == row["completion_minutes"] == row["completion_event"] == row["compliant"] == ""


def test_somebody_allocated_who_went_silent_counts_with_the_limit():
    row = scene()[1]["at the tasks"]
    assert row["status"] == "abandoned"
    assert (row["completion_minutes"], row["completion_event"], row["tasks_passed"]) == ("35", "0", "0")
    assert row["task_minutes"] == ""


def test_somebody_never_allocated_has_no_outcome_at_all():
    row = scene()[1]["at the background"]
    assert row["status"] == "abandoned"
    assert row["arm"] == row["completion_minutes"] == row["queries"] == row["runs"] == row["warmup_minutes"] == ""


def test_pastes_from_outside_and_reported_ai_break_compliance_and_count_as_received():
    row = scene()[0]["outside help"]
    assert (row["used_other_ai"], row["received"], row["compliant"]) == ("1", "1", "0")
    assert row["outside_pastes"] == "1"
    assert int(row["longest_outside_paste"]) > 400
    assert int(row["pasted_chars_outside"]) > 400


def evidence(dataset: Path, participant_id: str) -> list[Row]:
    return [row for row in table(dataset, "compliance") if row["participant_id"] == participant_id]


def test_each_piece_of_evidence_is_listed_beside_its_threshold():
    rows = scene()[0]
    found = evidence(scene()[2].folder / "soon", rows["outside help"]["participant_id"])
    by_kind = {row["kind"]: row for row in found}
    paste, report = by_kind["outside_paste"], by_kind["other_ai_reported"]
    assert (paste["stage"], paste["unit"], paste["threshold"], paste["breaks"]) == ("tasks", "characters", "200", "1")
    assert paste["amount"] == rows["outside help"]["outside_paste_chars"]
    assert (report["detail"], report["threshold"], report["breaks"]) == ("other_ai_used", "0", "1")
    assert paste["at"] < report["at"]
    (spell,) = [row for row in evidence(scene()[2].dataset, rows["away"]["participant_id"]) if row["kind"] == "away"]
    assert (float(spell["amount"]), spell["unit"], spell["threshold"], spell["breaks"]) == (5, "minutes", "", "0")


def typed(*edits: tuple[float, str]) -> list[tuple[float, Event]]:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    payloads = [{"kind": "typed", "task": "t", "changes": [{"from": 0, "to": 0, "insert": text}]} for _, text in edits]
    pairs = zip(edits, payloads, strict=True)
    return [(at, Event("p", "page", n, "edit", "tasks", start, payload=p)) for n, ((at, _), p) in enumerate(pairs)]


def test_typing_that_no_hand_can_do_is_a_burst_whether_at_once_or_key_by_key():
    program = "async def greet(name): await trio.sleep(1)"
    letters = "".join(program.split())
    assert list(bursts(typed((5.0, program)))) == [(5.0, "tasks", len(letters))]
    fast = typed(*((5 + n * 0.02, letter) for n, letter in enumerate(letters)))
    changed = sum(one != other for one, other in pairwise(" " + letters))
    assert list(bursts(fast)) == [(5.0, "tasks", changed)]
    assert list(bursts(typed(*((5 + n * 0.07, letter) for n, letter in enumerate(letters))))) == []
    assert list(bursts(typed(*((5 + n * 0.02, "#") for n in range(80))))) == [], "a key held down"
    twice = typed((5.0, program), (9.0, "x"), (20.0, program))
    assert [began for began, _, _ in bursts(twice)] == [5.0, 20.0]


def test_time_with_the_window_out_of_focus_is_away():
    row = scene()[0]["away"]
    assert float(row["away_minutes"]) == pytest.approx(5)
    visits = {(v["participant_id"], v["stage"]): v for v in table(scene()[2].dataset, "visits")}
    visit = visits[row["participant_id"], "tasks"]
    assert float(visit["away_seconds"]) == pytest.approx(300)
    assert 0 < float(row["active_minutes"]) <= float(row["task_minutes"]) - 5


def test_queries_are_counted_by_the_codes_that_more_than_half_of_the_coders_gave():
    row = scene()[0]["asker"]
    labels = ("queries", "queries_explanation", "queries_generation", "queries_capability", "queries_debugging")
    assert [row[name] for name in labels] == ["2", "1", "1", "0", "0"]
    assert float(row["interaction_minutes"]) >= 2 * 12 / 60
    turns = [turn for turn in table(scene()[2].dataset, "turns") if turn["participant_id"] == row["participant_id"]]
    assert [turn["codes"] for turn in turns] == ["explanation", "generation"]
    assert [turn["composing_seconds"] for turn in turns] == ["12", "12"]


def test_what_comes_after_the_computer_has_slept_is_not_placed_before_its_sleep():
    start = datetime(2026, 1, 5, tzinfo=UTC)

    def event(seq: int, mono: float, wall: float, stored: float) -> Event:
        at = start + timedelta(seconds=stored)
        return Event("p", "page", seq, "heartbeat", "tasks", at, (start.timestamp() + wall) * 1000, mono * 1000)

    awake = [event(1, 0, 100, 100.1), event(2, 10, 110, 110.3)]
    woken = [event(3, 15, 1315, 1315.2), event(4, 20, 1320, 1320.1)]
    found = [moment - start.timestamp() for moment in moments([*awake, *woken])]
    assert found == pytest.approx([100.1, 110.1, 1315.1, 1320.1])


def test_who_was_allocated_and_never_asked_has_zero_queries_and_not_a_missing_number():
    row = scene()[0]["away"]
    assert [row[name] for name in row if name.startswith("queries")] == ["0"] * 6


def test_the_exit_answers_stand_in_their_columns():
    assert scene()[0]["outside help"]["learned"] == str(EXIT["learned"])


def test_cells_with_line_breaks_are_one_cell():
    with next((scene()[2].dataset / "data").glob("*runs_data.csv")).open(encoding="utf-8", newline="") as handle:
        codes = [row["code"] for row in csv.DictReader(handle, strict=True)]
    assert any("\n" in code for code in codes)


def test_quantiles_are_linear_between_order_statistics():
    """numpy.quantile(range(1, 12), [0.5, 0.9, 0.99, 0.999]) -> 6, 10, 10.9, 10.99."""
    found = quantiles([float(value) for value in range(11, 0, -1)])
    assert found["n"] == 11
    assert [found[name] for name in ("median", "p90", "p99", "p99_9")] == pytest.approx([6, 10, 10.9, 10.99])
    assert quantiles([])["median"] is None


def test_an_attention_check_that_is_failed_or_left_out_breaks_the_shipped_rule_and_costs_no_points():
    late = scene()[0]["out of time"]
    assert (late["attention_passed"], late["attention_total"], late["compliant"]) == ("0", "1", "0")
    finished = scene()[0]["outside help"]
    assert (finished["attention_passed"], finished["attention_total"], finished["quiz_max"]) == ("1", "1", "27")
