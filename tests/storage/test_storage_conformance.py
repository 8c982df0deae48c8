"""One suite for every database: what ports.UnitOfWork promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from study_app.domain.errors import InfrastructureError, ProblemsFound
from study_app.domain.events import ERASED, BrowserEvent
from study_app.domain.events.server import Allocated, Entered
from study_app.domain.quiz.answer_log import Draft
from study_app.domain.records import Answer, AuditEntry, Document, Link, Participant, RunRecord, Turn, Visit
from study_app.storage import open_registry
from study_app.storage.database import SqlDatabase


@pytest.fixture
def registry(database_url):
    registry = open_registry(database_url)
    yield registry
    registry.close()


def someone(clock, name="p1", **changes) -> Participant:
    base = Participant(name, "real", "hash", "in_progress", "consent", 0, clock.now(), clock.now())
    return replace(base, **changes)


def browser_events(*numbers, kind="focus", payload=None):
    return [BrowserEvent(seq=n, kind=kind, client_time_ms=1000.0 + n, payload=payload or {}) for n in numbers]


def test_a_transaction_that_fails_leaves_nothing_behind(registry: SqlDatabase, clock):
    def half_done():
        with registry.begin() as unit:
            unit.add_participant(someone(clock))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    with registry.begin(write=False) as unit:
        assert unit.participants() == []


def test_a_participant_comes_back_as_saved(registry, clock):
    person = someone(clock, prolific_pid="5f", arm="ai", allocated_at=clock.now())
    with registry.begin() as unit:
        assert unit.add_participant(person)
    with registry.begin(write=False) as unit:
        assert unit.participant("p1") == person


def test_nobody_enters_twice_with_one_prolific_id_or_link(registry, clock):
    with registry.begin() as unit:
        assert unit.add_participant(someone(clock, prolific_pid="x"))
        assert not unit.add_participant(someone(clock, "p2", prolific_pid="x"))
        assert unit.add_participant(someone(clock, "p3"))
        assert [person.id for person in unit.participants()] == ["p1", "p3"]


def test_a_second_move_from_the_same_stage_changes_nothing(registry, clock):
    with registry.begin() as unit:
        unit.add_participant(someone(clock))
        person = unit.participant("p1")
        assert unit.move(person, stage="survey")
        assert not unit.move(person, stage="quiz")
        assert unit.participant("p1").stage == "survey"


def test_a_visit_begins_once_and_ends_once(registry, clock):
    visit = Visit("p1", "quiz", clock.now(), clock.now() + timedelta(minutes=25))
    with registry.begin() as unit:
        assert unit.open_visit(visit)
        assert not unit.open_visit(replace(visit, started_at=clock.advance(minutes=1)))
        assert unit.visit("p1", "quiz") == visit
        assert unit.overdue(clock.now()) == []
        assert unit.overdue(clock.advance(minutes=25)) == [visit]
        assert unit.end_visit("p1", "quiz", clock.now(), "deadline")
        assert not unit.end_visit("p1", "quiz", clock.now(), "participant")
        assert unit.overdue(clock.now()) == []


def test_events_are_stored_once_and_acknowledged_up_to_the_first_gap(registry, clock):
    with registry.begin() as unit:
        assert unit.store_batch("p1", "a", "tasks", clock.now(), browser_events(1, 2)).ack == 2
        stored = unit.store_batch("p1", "a", "tasks", clock.now(), browser_events(4, 5))
        assert (stored.ack, stored.fresh) == (2, ())
        stored = unit.store_batch("p1", "a", "tasks", clock.now(), browser_events(2, 3, 4))
        assert (stored.ack, [event.seq for event in stored.fresh]) == (5, [3, 4, 5])
        assert unit.store_batch("p1", "a", "tasks", clock.now(), browser_events(1, 2, 3, 4, 5)).fresh == ()
    with registry.begin(write=False) as unit:
        assert sorted(event.seq for event in unit.events("p1")) == [1, 2, 3, 4, 5]
        assert unit.acknowledged("p1", "a") == 5
        assert unit.acknowledged("p1", "other") == 0


def test_late_events_carry_their_own_stage_and_erased_ones_a_tombstone(registry, clock):
    words = {"stage": "survey", "step": 0, "field": "words", "value": "secret"}
    with registry.begin() as unit:
        events = browser_events(1, 2, kind="answer_set", payload=words)
        unit.store_batch("p1", "a", "survey", clock.now(), events, {2: "quiz"})
        first, late = unit.events_of("p1", {"answer_set"})
        assert [(e.stage, e.arrived_late) for e in (first, late)] == [("survey", False), ("quiz", True)]
        assert [e.seq for e in unit.events_of("p1", {"answer_set", "focus"}, "quiz")] == [2]
        unit.erase_events([late.event_id])
    with registry.begin(write=False) as unit:
        assert [e.payload for e in unit.events("p1")] == [words, ERASED]


def test_an_answer_can_be_dropped_and_given_again(registry, clock):
    answer = Answer("p1", "survey", "q", "a", changes=3)
    with registry.begin() as unit:
        unit.drop_answer("p1", "survey", "q")
        unit.save_answer(answer)
        unit.drop_answer("p1", "survey", "q")
        assert unit.answers("p1") == []
        unit.save_answer(answer)
        unit.save_answer(replace(answer, response="b", changes=7))
        assert [(each.response, each.changes) for each in unit.answers("p1")] == [("b", 7)]


def test_every_character_survives(registry, clock):
    text = "NUL \x00, half a pair \ud83d, emoji 🎉, \ue000json:not"
    with registry.begin() as unit:
        unit.save_document(Document("p1", "t", text, "saved"), "page")
        unit.record("p1", "consent", clock.now(), Entered(way=text))
        unit.add_run(RunRecord("r", "p1", "t", "tasks", "run", text, clock.now(), stdout=text))
    with registry.begin(write=False) as unit:
        assert unit.document("p1", "t").text == text
        assert next(unit.events()).payload == {"way": text}
        assert unit.runs()[0].code == text


def test_the_servers_own_events_are_numbered_without_gap_by_many_threads(registry, clock):
    def once(number: int) -> None:
        with registry.begin() as unit:
            unit.record("p1", "consent", clock.now(), Allocated(index=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(once, range(40)))
    with registry.begin(write=False) as unit:
        assert sorted(event.seq for event in unit.events("p1")) == list(range(1, 41))


def test_one_of_many_simultaneous_moves_wins(registry, clock):
    with registry.begin() as unit:
        unit.add_participant(someone(clock))
        person = unit.participant("p1")

    def once(_: int) -> bool:
        with registry.begin() as unit:
            return unit.move(person, stage="survey")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(once, range(16))) == 1


def test_points_go_to_the_response_that_was_scored_and_to_no_later_one(registry, clock):
    answer = Answer("p1", "quiz", "q1", "a", bank="trio", max_points=1.0)
    scored = replace(answer, points=1.0, scored_by="key", key_version="1")
    with registry.begin() as unit:
        unit.save_answer(answer)
        unit.save_answer(Answer("p1", "exit", "liked", 3))
        assert unit.unscored() == [answer]
        assert not unit.set_points(replace(scored, response="b"))
        assert unit.set_points(scored)
        assert unit.unscored() == []
        unit.save_answer(replace(answer, response="b"))
        assert [(waiting.response, waiting.points) for waiting in unit.unscored()] == [("b", None)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "response", [None, True, False, 0, 1.5, "", "a", ["b", "a"], {"b": 1, "a": [None]}, "\x00\ud800"]
)
def test_a_response_comes_back_as_given_and_takes_points_whatever_its_type(registry, clock, response):
    answer = Answer("p1", "quiz", "q1", response, bank="trio", max_points=1.0)
    with registry.begin() as unit:
        unit.save_answer(answer)
        assert not unit.set_points(replace(answer, response="another", points=1.0))
        assert unit.set_points(replace(answer, points=1.0))
    with registry.begin(write=False) as unit:
        (kept,) = unit.answers("p1")
    assert (kept.response, type(kept.response), kept.points) == (response, type(response), 1.0)


def test_a_fact_is_a_text_or_a_value_and_none_where_it_was_never_set_or_holds_no_longer(registry):
    with registry.begin() as unit:
        assert unit.meta("text") is None
        assert unit.meta_value("value") is None
        unit.set_meta("text", "é\x00")
        unit.set_meta_value("value", {"b": ["é\ud800", 1.5, None], "a": {}})
    with registry.begin() as unit:
        assert unit.meta("text") == "é\x00"
        assert list(unit.meta_value("value").items()) == [("b", ["é\ud800", 1.5, None]), ("a", {})]
        unit.set_meta_value("value", None)
        assert unit.meta_value("value") is None


def test_a_form_s_draft_is_kept_by_stage_and_step_with_the_page_that_shows_it(registry):
    draft = Draft("page1", {"liked": 3, "why": "a\x00\ud800", "which": ["b", "a"], "left": None})
    with registry.begin() as unit:
        assert unit.draft("p1", "exit", 0) is None
        unit.save_draft("p1", "exit", 0, Draft("page0", {}))
        unit.save_draft("p1", "exit", 0, draft)
        assert unit.draft("p1", "exit", 0) == draft
        assert unit.draft("p1", "exit", 1) is unit.draft("p2", "exit", 0) is None


def test_answers_count_their_changes(registry, clock):
    answer = Answer("p1", "quiz", "q1", "a", bank="trio")
    with registry.begin() as unit:
        for response in ("a", "b", "b", "a"):
            unit.save_answer(replace(answer, response=response))
        assert [(saved.response, saved.changes) for saved in unit.answers("p1")] == [("a", 2)]


def test_a_turn_is_kept_in_each_of_its_states(registry, clock):
    turn = Turn("t1", "p1", "task", "notes", "full", "m", "v1", "hello", "", "", clock.now())
    with registry.begin() as unit:
        unit.add_turn(turn)
        unit.update_turn(replace(turn, reply="hi", complete=True))
        assert unit.turns("p1") == [replace(turn, reply="hi", complete=True)]


def test_a_link_is_taken_once(registry, clock):
    with registry.begin() as unit:
        unit.add_link(Link("h", "class 3", None, clock.now()))
        assert unit.take_link("h", "p1")
        assert not unit.take_link("h", "p2")
        assert not unit.take_link("unknown", "p2")
        assert unit.link("h").participant_id == "p1"


def test_a_token_expires(registry, clock):
    with registry.begin() as unit:
        unit.add_participant(someone(clock))
        unit.add_token("p1", "h", clock.now() + timedelta(days=1))
        assert unit.participant_of_token("h", clock.now()).id == "p1"
        assert unit.participant_of_token("other", clock.now()) is None
        assert unit.participant_of_token("h", clock.advance(days=2)) is None


def test_a_ledger_takes_no_index_and_no_participant_twice(registry):
    row = {"participant_id": "p1", "ledger": "real", "allocation_index": 1, "arm": "ai"}
    with registry.begin() as unit:
        unit.append_allocation(row)
    for twice in (row | {"participant_id": "p2"}, row | {"allocation_index": 2}):
        with pytest.raises(InfrastructureError), registry.begin() as unit:
            unit.append_allocation(twice)
    with registry.begin(write=False) as unit:
        assert unit.allocations("real") == [row]
        assert unit.allocations("preview") == []


def test_each_audit_entry_is_chained_to_the_one_before(registry, clock):
    with registry.begin() as unit:
        unit.add_audit(AuditEntry(clock.now(), "cli", "launch", "", {"n": 1}))
        unit.add_audit(AuditEntry(clock.now(), "cli", "close", "enough", {}))
        first, second = unit.audit()
    assert second.previous_hash == first.row_hash != ""


def test_erasing_leaves_the_stages_and_the_ledger(registry, clock):
    with registry.begin() as unit:
        unit.add_participant(someone(clock))
        unit.record("p1", "consent", clock.now(), Entered(way="secret"))
        unit.save_answer(Answer("p1", "quiz", "q1", "a"))
        unit.erase_payloads("p1")
        assert [event.payload for event in unit.events("p1")] == [{"erased": True}]
        assert unit.answers("p1") == []
        assert unit.participant("p1") is not None


def test_a_second_opening_finds_the_tables_up_to_date(registry, database_url, clock):
    with registry.begin() as unit:
        unit.add_participant(someone(clock))
    again = open_registry(database_url)
    with again.begin(write=False) as unit:
        assert unit.participant("p1") is not None
    again.close()


def test_the_migrations_make_exactly_the_tables_of_the_code(registry):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlmodel import SQLModel

    with registry.database.begin(write=False) as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite:////proc/nowhere/study.db"])
def test_an_unusable_address_is_refused_with_a_remedy(url):
    with pytest.raises(ProblemsFound, match=";"):
        open_registry(url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("not a database, but a person's notes " * 50)
    with pytest.raises(InfrastructureError, match="not a database"):
        open_registry(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_another_programs_database_is_left_alone(tmp_path):
    import sqlite3

    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(InfrastructureError, match="another program"):
        open_registry(f"sqlite:///{path}")
