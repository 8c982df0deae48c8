"""What a researcher does for one participant: with a reason, recorded, and in the data as it was."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, UnknownParticipant
from study_app.domain.events.server import Outage
from study_app.services.attending.live import LiveBoard
from study_app.services.attending.participant_page import ORDERS, SIZE, ParticipantViews
from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.position import Paused
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.judging.unblinding import way_in
from study_app.services.researcher.monitoring import Monitor
from study_app.storage.aggregates.rows import SqlRows


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def last_act(trial: Trial):
    return Monitor(trial.app.context).audit()[0]


def in_warmup(trial: Trial) -> str:
    who = trial.enter()
    trial.to_warmup(who)
    return who


def test_an_extension_moves_the_deadline_and_not_the_clock_of_the_outcome(trial, tmp_path):
    who = in_warmup(trial)
    before = trial.app.session.where(who).deadline_at
    trial.app.acts.extend(who, 7, "the fire alarm rang", "anna")
    assert (trial.app.session.where(who).deadline_at - before).total_seconds() == 420
    act = last_act(trial)
    assert (act.what, act.why, act.detail["minutes"]) == ("extend deadline", "the fire alarm rang", 7)
    trial.clock.advance(minutes=14)
    out = tmp_path / "dataset"
    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.findings
    [table] = (out / "data").glob("*visits_data.csv")
    with table.open(newline="") as lines:
        [warmup] = [row for row in csv.DictReader(lines) if row["stage"] == "warmup"]
    assert float(warmup["paused_seconds"]) == 0


def visit_row(trial: Trial, out, stage: str) -> dict[str, str]:
    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.findings
    [table] = (out / "data").glob("*visits_data.csv")
    with table.open(newline="") as lines:
        [row] = [row for row in csv.DictReader(lines) if row["stage"] == stage]
    return row


def test_a_pause_stops_the_clock_loses_nothing_and_is_not_counted_in_the_minutes(trial, tmp_path):
    who = in_warmup(trial)
    trial.write(who, "warmup", "x = 1\n", "page-one")
    left = trial.app.session.where(who).deadline_at - trial.clock.at
    trial.app.acts.pause(who, "the fire alarm rang", "anna")
    trial.clock.advance(minutes=200)
    assert trial.app.session.sweep() == 1
    place = trial.app.session.where(who)
    assert isinstance(place, Paused)
    assert as_state(Ingested(0, place, superseded=False))["stage"] == "paused"
    assert trial.app.session.act(who, "warmup", "continue") == place
    with pytest.raises(NotAllowed, match="paused for you"):
        trial.app.work.run(who, "print(1)", lambda *_: None)
    with pytest.raises(NotAllowed, match="paused for you"):
        trial.app.submitting.submit(who, "print(1)", confirm=True)
    trial.send(who, "page-one", 8, "edit", {"task": "warmup", "kind": "typed", "changes": [], "length": 6})
    trial.app.acts.resume(who, "all clear", "anna")
    place = trial.app.session.where(who)
    assert (place.participant.stage, place.deadline_at - trial.clock.at) == ("warmup", left)
    assert trial.app.session.document(who, "warmup").text == "x = 1\n"
    trial.clock.advance(minutes=3)
    trial.app.submitting.submit(who, "def solve():\n    return 1\n", confirm=True)
    [run] = trial.app.grading.pending()
    verdict = ({"name": "one", "visible": True, "passed": True},)
    with trial.app.context.registry.begin() as unit:
        unit.update_run(replace(run, ended_by="exit", checks=verdict, isolation="strong"))
    row = visit_row(trial, tmp_path / "dataset", "warmup")
    assert float(row["paused_seconds"]) == 200 * 60
    [table] = (tmp_path / "dataset" / "data").glob("*participants_data.csv")
    with table.open(newline="") as lines:
        [person] = csv.DictReader(lines)
    assert float(person["warmup_minutes"]) < 5
    assert float(person["outage_minutes"] or 0) == 0


def test_what_moved_the_deadline_during_a_pause_is_not_given_back_twice(trial):
    who = in_warmup(trial)
    left = trial.app.session.where(who).deadline_at - trial.clock.at
    trial.app.acts.pause(who, "a bug", "anna")
    with trial.app.context.registry.begin() as unit:
        unit.extend_visit(who, "warmup", timedelta(seconds=100))
        unit.record(who, "warmup", trial.app.context.now(), Outage(cause="isolation", seconds=100.0))
    trial.clock.advance(minutes=10)
    trial.app.acts.resume(who, "fixed", "anna")
    assert trial.app.session.where(who).deadline_at - trial.clock.at == left


def test_a_paused_person_keeps_the_place_and_may_leave(trial):
    who = in_warmup(trial)
    trial.app.acts.pause(who, "moved rooms", "anna")
    with pytest.raises(NotAllowed, match="paused already"):
        trial.app.acts.pause(who, "again", "anna")
    trial.clock.advance(hours=100)
    [seen] = ParticipantViews(trial.app.context).page("real").people
    assert (seen.status, seen.paused_at is not None) == ("in_progress", True)
    trial.app.session.act(who, "warmup", "leave")
    assert trial.app.session.where(who).participant.status == "withdrawn"
    with pytest.raises(NotAllowed, match="has ended"):
        trial.app.acts.pause(who, "too late", "anna")


def test_a_single_answer_is_erased_with_every_trace_unless_something_rests_on_it(trial, tmp_path):
    who = in_warmup(trial)
    with trial.app.context.registry.begin(write=False) as unit:
        given = {answer.item: answer.stage for answer in unit.answers(who)}
    with pytest.raises(NotAllowed, match="cannot be erased alone"):
        trial.app.acts.erase_answer(who, "eligibility", "python_over_a_year", "asked", "anna")
    rests_on = set(trial.app.study.allocation.variables)
    item = next(name for name, stage in given.items() if stage == "background" and name not in rests_on)
    trial.app.acts.erase_answer(who, "background", item, "asked by mail", "anna")
    with pytest.raises(NotAllowed, match="no answer"):
        trial.app.acts.erase_answer(who, "background", item, "asked by mail", "anna")
    with trial.app.context.registry.begin(write=False) as unit:
        assert item not in {answer.item for answer in unit.answers(who)}
    out = tmp_path / "dataset"
    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.findings


def test_a_stage_without_a_deadline_is_not_extended(trial):
    who = trial.enter()
    trial.app.session.where(who)
    with pytest.raises(NotAllowed, match="no stage with a deadline"):
        trial.app.acts.extend(who, 5, "why not", "anna")


@pytest.mark.parametrize("act", "extend let_in_again end erase message pause resume erase_answer".split())
def test_no_act_is_done_without_a_reason_or_for_an_unknown_person(trial, act):
    who = in_warmup(trial)
    more = {"extend": (5,), "message": ("hello",), "erase_answer": ("background", "age")}.get(act, ())
    with pytest.raises(NotAllowed, match="reason"):
        getattr(trial.app.acts, act)(who, *more, " ", "anna")
    with pytest.raises(NotAllowed, match="there is no participant unknown"):
        getattr(trial.app.acts, act)("unknown", *more, "a reason", "anna")


def test_nobody_is_unblinded_who_has_no_arm(trial):
    who = trial.enter()
    for name in (who, "unknown"):
        with pytest.raises(NotAllowed, match=f"participant {name} is not known or not allocated"):
            trial.app.lifecycle.unblind(name, "ill", "anna")
    assert all(entry.what != "unblind" for entry in Monitor(trial.app.context).audit())


def test_a_link_lets_the_same_participant_in_again(trial):
    who = in_warmup(trial)
    secret = trial.app.acts.let_in_again(who, "cookies were cleared", "anna")
    admitted = trial.app.enrol.enter(EntryRequest(move=secret))
    assert (admitted.participant.id, admitted.new) == (who, False)
    assert secret not in str(last_act(trial))


def test_a_link_to_come_in_again_is_spent_with_its_first_use_and_its_use_is_on_record(trial):
    who = in_warmup(trial)
    secret = trial.app.acts.let_in_again(who, "cookies were cleared", "anna")
    # Not as a cookie: that would leave nothing behind.
    with pytest.raises(UnknownParticipant):
        trial.app.enrol.identify(secret)
    came = trial.app.enrol.enter(EntryRequest(move=secret))
    assert (last_act(trial).what, last_act(trial).detail) == (
        "came in again by a link", {"participant_id": who, "by": "personal link"},
    )  # fmt: skip
    # Pressed twice, or opened again, in the browser that it let in.
    assert trial.app.enrol.enter(EntryRequest(move=secret), came.token).participant.id == who
    trial.clock.advance(minutes=3)
    contact = re.escape(trial.app.context.study.contact)
    for token in (None, "another"):
        with pytest.raises(NotAllowed, match=f"no longer valid.*, or contact {contact}$"):
            trial.app.enrol.enter(EntryRequest(move=secret), token)
    assert trial.app.enrol.enter(EntryRequest(move=secret), came.token).participant.id == who
    with trial.app.context.registry.begin(write=False) as unit:
        assert len(unit.audit_of(["came in again by a link"])) == 1


def test_who_never_got_the_answer_with_their_cookie_presses_again_within_two_minutes(trial):
    who = in_warmup(trial)
    secret = trial.app.acts.let_in_again(who, "cookies were cleared", "anna")
    for _ in range(2):
        came = trial.app.enrol.enter(EntryRequest(move=secret))
        assert trial.app.enrol.identify(came.token).id == who
        trial.clock.advance(minutes=1)
    # Counted from the first use, and each is on record.
    trial.clock.advance(minutes=1)
    with pytest.raises(NotAllowed, match="no longer valid"):
        trial.app.enrol.enter(EntryRequest(move=secret))
    with trial.app.context.registry.begin(write=False) as unit:
        assert len(unit.audit_of(["came in again by a link"])) == 2


def test_a_participants_link_that_is_opened_in_another_browser_is_on_record_and_no_more_often_than_twenty_times(trial):
    [link] = trial.app.links.create(1)
    first = trial.app.enrol.enter(EntryRequest(link=link.secret))
    trial.app.enrol.enter(EntryRequest(link=link.secret), first.token)
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.audit_of(["came in again by a link"]) == []
    for _ in range(22):
        assert trial.app.enrol.enter(EntryRequest(link=link.secret)).participant.id == first.participant.id
    with trial.app.context.registry.begin(write=False) as unit:
        noted = unit.audit_of(["came in again by a link"])
    assert {tuple(sorted(entry.detail.items())) for entry in noted} == {
        (("by", "participant link"), ("participant_id", first.participant.id))
    }
    assert len(noted) == 20


def test_who_makes_a_way_in_while_arms_are_hidden_counts_as_unblinded(trial):
    monitor = Monitor(trial.app.context)
    preview = trial.app.enrol.enter(EntryRequest(test=trial.app.links.create_test().secret)).participant.id
    trial.app.acts.let_in_again(preview, "its arm is hidden from no one", "ben")
    assert monitor.unblinded() == []
    who = trial.enter()
    for reason in ("cookies were cleared", "again"):
        trial.app.acts.let_in_again(who, reason, "anna")
    assert [(name, acts) for name, _, acts in monitor.unblinded()] == [("anna", 1)]
    assert monitor.is_unblinded("anna", way_in(who))


def test_ending_keeps_the_data_and_erasing_deletes_them_also_of_who_has_ended(trial):
    who = in_warmup(trial)
    trial.write(who, "warmup", "x = 1\n", "page-one")
    trial.app.acts.end(who, "asked by mail", "anna")
    place = trial.app.session.where(who)
    assert (place.participant.status, place.participant.data_withdrawn) == ("withdrawn", False)
    with pytest.raises(NotAllowed, match="has ended already"):
        trial.app.acts.end(who, "again", "anna")
    trial.app.acts.erase(who, "asked by mail", "anna")
    assert trial.app.session.document(who, "warmup") is None
    assert trial.app.session.where(who).participant.data_withdrawn
    with pytest.raises(NotAllowed, match="deleted already"):
        trial.app.acts.erase(who, "again", "anna")


@pytest.mark.parametrize("act", ["end", "erase"])
def test_an_act_that_fails_half_way_is_neither_done_nor_on_record(trial, monkeypatch, act):
    who = in_warmup(trial)

    def fails(*_given):
        raise ConnectionError("the database went away")

    monkeypatch.setattr(trial.app.session, "withdraw_in", fails)
    with pytest.raises(ConnectionError):
        getattr(trial.app.acts, act)(who, "as they asked", "anna")
    monkeypatch.undo()
    assert last_act(trial).what not in ("end participation", "erase data")
    assert trial.at(who) == "warmup"


def test_an_erasure_takes_the_audit_log_after_every_other_lock_as_judging_and_purging_do(trial, monkeypatch):
    who, taken, real = in_warmup(trial), [], SqlRows.lock

    def lock(self, name):
        taken.append(name)
        real(self, name)

    monkeypatch.setattr(SqlRows, "lock", lock)
    trial.app.acts.erase(who, "as they asked", "anna")
    assert {"judgements", "audit"} <= set(taken)
    assert set(taken[taken.index("audit") :]) == {"audit"}


def test_a_message_stands_until_it_is_taken_away(trial):
    who = in_warmup(trial)
    trial.app.acts.message(who, " The server is back. ", "outage", "anna")
    assert trial.app.session.message(who) == "The server is back."
    trial.app.acts.message(who, "", "over", "anna")
    assert trial.app.session.message(who) == ""


def test_the_list_comes_a_page_at_a_time_and_is_searched_by_any_id(trial):
    views = ParticipantViews(trial.app.context)
    people = [trial.enter(f"class-{number}") for number in range(SIZE + 3)]
    first, second = views.page("real"), views.page("real", number=1)
    assert (len(first.people), len(second.people), first.found) == (SIZE, 3, SIZE + 3)
    assert [person.id for person in first.people] == people[::-1][:SIZE]
    assert [person.id for person in views.page("real", "CLASS-17").people] == [people[17]]
    assert views.page("real", people[4][:8]).found >= 1
    assert views.page("real", statuses=["completed"]).found == 0
    assert first.statuses == {"in_progress": SIZE + 3}


def test_who_is_silent_or_long_on_a_stage_or_in_error_may_need_help(trial):
    board = LiveBoard(trial.app.context)
    who = in_warmup(trial)
    view = board.view("real")
    assert ([(stage.here, stage.needs) for stage in view.stages], view.people) == ([(1, {"": 1})], ())
    trial.clock.advance(minutes=5)
    [person] = board.view("real").people
    assert (person.id, person.need, person.why) == (who, "offline", "no sign of life for 5 min")
    trial.run(who, "warmup", "1", ended_by="infrastructure")
    trial.clock.advance(seconds=10)
    assert board.view("real").people[0].need == "in error"
    trial.app.acts.pause(who, "a failure", "anna")
    trial.clock.advance(hours=3)
    [person] = board.view("real").people
    assert (person.need, board.view("real").stages[0].needs) == ("paused", {"paused": 1})
    trial.app.acts.resume(who, "over", "anna")
    trial.clock.advance(hours=3)
    assert board.view("real").stages == ()


def test_who_is_excluded_is_at_work_until_their_session_is_over(trial):
    board, who = LiveBoard(trial.app.context), in_warmup(trial)
    trial.app.lifecycle.exclude(who, "is a colleague", "anna")
    assert [stage.here for stage in board.view("real").stages] == [1]
    assert trial.app.lifecycle.not_allocated_yet() == 1
    trial.app.session.withdraw(who, False)
    trial.clock.advance(seconds=10)
    assert board.view("real").stages == ()
    assert trial.app.lifecycle.not_allocated_yet() == 0


def test_one_look_serves_every_viewer_for_a_few_seconds(trial, monkeypatch):
    board = LiveBoard(trial.app.context)
    in_warmup(trial)
    first = board.view("real")
    monkeypatch.setattr(trial.app.context.registry, "begin", None)
    assert all(board.view("real") is first for _ in range(20))


def test_the_list_is_sorted_as_asked(trial):
    views = ParticipantViews(trial.app.context)
    one, two = trial.enter("b"), trial.enter("a")
    trial.clock.advance(minutes=3)
    trial.to_warmup(one)
    ids = {order: [person.id for person in views.page("real", order=order).people] for order in ORDERS}
    assert ids["latest"] == ids["came as"] == ids["longest silent"] == ids["stage"] == [two, one]
    assert ids["first"] == ids["last seen"] == [one, two]


def test_a_participant_s_page_tells_no_arm_before_the_end(trial):
    one, other = trial.someone_in("ai"), trial.someone_in("no_ai")
    views = ParticipantViews(trial.app.context)
    for who in (one, other):
        view = views.one(who)
        assert (view.summary.arm, view.summary.stratum, view.summary.allocation_index) == (None, None, None)
        assert {moment.what for moment in view.timeline} >= {"entered", "was allocated", "opened the stage"}
        assert "ai" not in {moment.detail for moment in view.timeline}
    assert views.one("unknown") is None
