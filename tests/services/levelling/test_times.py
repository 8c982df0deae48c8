"""Before arms may be shown no view of a participant's times shows that an outage of the assistant gave time back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, event
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import SessionScheduled
from study_app.domain.records import Visit
from study_app.domain.shown_times import AS_THEY_WERE
from study_app.domain.study.study import Study
from study_app.services.attending.live import LiveBoard
from study_app.services.attending.participant_page import ParticipantPage, ParticipantViews
from study_app.services.attending.paying import payments
from study_app.services.levelling.times import shown_times
from study_app.services.participant.chatting.turns import record_outage
from study_app.services.researcher.monitoring import Monitor
from study_app.services.researcher.panel.due import due_people, levelled_due


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def begun(trial: Trial) -> str:
    who = trial.enter()
    trial.to_tasks(who)
    trial.app.session.begin_stage(who, "tasks")
    return who


def outage(trial: Trial, who: str, seconds: float = 40.0) -> None:
    """A reply of the assistant times out, as one of an arm with an assistant does."""
    trial.clock.advance(minutes=5)
    turn = trial.ask(who, "trio_timer", "How?", "")
    with trial.app.context.registry.begin() as unit:
        asked = next(each for each in unit.turns(who) if each.id == turn)
        failed = replace(asked, error="timeout", reply="")
        unit.update_turn(failed)
        record_outage(unit, failed, seconds, trial.app.context.now())


def page(trial: Trial, who: str) -> ParticipantPage:
    found = ParticipantViews(trial.app.context).one(who, work=True)
    assert found is not None
    return found


def tasks_visit(shown: ParticipantPage) -> Visit:
    return next(visit for _, visit in shown.visits if visit.stage == "tasks")


LIMIT = timedelta(minutes=35)


@pytest.mark.parametrize("ended_by", ["deadline", "submitted"])
def test_a_stage_is_shown_to_end_at_its_limit_where_the_assistant_gave_time_back(trial, ended_by):
    who = begun(trial)
    start = tasks_visit(page(trial, who)).started_at
    outage(trial, who)
    assert tasks_visit(page(trial, who)).deadline_at == start + LIMIT
    trial.clock.at = start + LIMIT + timedelta(seconds=20)
    trial.run(who, "trio_timer", "print(1)\n")
    if ended_by == "submitted":
        for _ in range(2):
            trial.app.submitting.submit(who, "print(1)\n", confirm=True)
            trial.clock.advance(seconds=3)
    else:
        trial.clock.at = start + LIMIT + timedelta(seconds=40)
        trial.app.session.sweep()
    assert trial.at(who) == "quiz"
    shown = page(trial, who)
    visit = tasks_visit(shown)
    assert (visit.deadline_at, visit.ended_at, visit.ended_by) == (start + LIMIT, start + LIMIT, "deadline")
    assert [(entry.what, entry.at - start) for entry in shown.timeline if entry.at > start + LIMIT] == []
    assert not [entry for entry in shown.timeline if entry.source == "runs" and entry.at >= start + LIMIT]
    [end] = [entry for entry in shown.timeline if entry.what == "ended the stage" and entry.stage == "tasks"]
    assert (end.at, end.detail) == (start + LIMIT, "deadline")
    with trial.app.context.registry.begin(write=False) as unit:
        [paid] = payments(trial.app.context, unit)
        first = min(each.started_at for each in unit.visits(who))
    assert paid.minutes == (start + LIMIT - first) / timedelta(minutes=1)
    stages = {stage.id: stage for stage in Monitor(trial.app.context).overview("real").stages}
    assert stages["tasks"].median_minutes == 35


def test_who_works_in_time_given_back_is_shown_at_the_next_stage(trial):
    who = begun(trial)
    start = tasks_visit(page(trial, who)).started_at
    outage(trial, who)
    trial.clock.at = start + LIMIT + timedelta(seconds=20)
    assert trial.at(who) == "tasks"
    summary = page(trial, who).summary
    assert (summary.step, summary.minutes_in_stage) == ("", None)
    quiz = trial.app.study.stage("quiz")
    assert summary.stage == (quiz.title or quiz.id)
    stages = {stage.id: stage for stage in Monitor(trial.app.context).overview("real").stages}
    assert (stages["tasks"].reached, stages["tasks"].here, stages["tasks"].ended) == (1, 0, 1)
    assert (stages["tasks"].median_minutes, stages["quiz"].here) == (35, 1)
    visit = tasks_visit(page(trial, who))
    assert (visit.deadline_at, visit.ended_at, visit.ended_by) == (start + LIMIT, start + LIMIT, "deadline")
    [end] = [entry for entry in page(trial, who).timeline if entry.what == "ended the stage" and entry.stage == "tasks"]
    assert (end.at, end.detail) == (start + LIMIT, "deadline")
    [live] = LiveBoard(trial.app.context).view("real").stages
    assert live.title == (quiz.title or quiz.id)


def test_the_order_by_stage_is_that_of_the_stages_shown(trial):
    first, second = begun(trial), begun(trial)
    outage(trial, first, seconds=900)
    trial.clock.at = max(tasks_visit(page(trial, who)).deadline_at for who in (first, second)) + timedelta(seconds=20)
    trial.app.session.sweep()
    assert (trial.at(first), trial.at(second)) == ("tasks", "quiz")
    shown = ParticipantViews(trial.app.context).page("real", order="stage").people
    # Both are shown at the quiz: the latest to enrol comes first, as among equals.
    assert [one.id for one in shown] == [second, first]


def test_boards_of_many_ask_the_database_no_more_for_one_more_person(trial):
    def left() -> None:
        who = begun(trial)
        trial.clock.advance(minutes=1)
        trial.app.session.withdraw(who, False)

    def waiting() -> None:
        who = begun(trial)
        with trial.app.context.registry.begin() as unit:
            assert unit.move(unit.participant(who), stage="quiz", opens_at=trial.clock.at + timedelta(days=7))

    monitor, asked = Monitor(trial.app.context), []
    for add, board in ((left, monitor.people), (waiting, monitor.due)):
        add()
        one = statements(lambda look=board: look("real"))
        for _ in range(3):
            add()
        asked.append((one, statements(lambda look=board: look("real"))))
    assert [four - one for one, four in asked] == [0, 0]


def statements(look: Callable[[], object]) -> int:
    """How many statements a look at a board needs."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_):
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        look()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(found)


def test_what_follows_from_the_end_of_a_stage_is_shown_from_its_limit_on(trial):
    left, waits = begun(trial), begun(trial)
    starts = {who: tasks_visit(page(trial, who)).started_at for who in (left, waits)}
    for who in (left, waits):
        outage(trial, who)
    trial.clock.at = starts[left] + LIMIT + timedelta(seconds=20)
    trial.app.session.withdraw(left, False)
    shown = page(trial, left)
    assert shown.summary.minutes_in_all == (starts[left] + LIMIT - shown.summary.enrolled_at) / timedelta(minutes=1)
    # As where the next session opens a week after this stage.
    trial.clock.at = starts[waits] + LIMIT + timedelta(seconds=40)
    trial.app.session.sweep()
    with trial.app.context.registry.begin() as unit:
        opens_at = trial.clock.at + timedelta(days=7)
        assert unit.move(unit.participant(waits), opens_at=opens_at)
        unit.record(waits, "quiz", trial.app.context.now(), SessionScheduled(opens_at=opens_at.isoformat()))
    [due] = Monitor(trial.app.context).due("real")
    assert due.opens_at == starts[waits] + LIMIT + timedelta(days=7)
    with trial.app.context.registry.begin(write=False) as unit:
        [real] = due_people(trial.app.context, unit, "real")
        real = replace(real, closes_at=real.opens_at + timedelta(days=3))
        # Opens in between: after the other as it is shown, before it as it was.
        other = replace(
            real, participant=replace(real.participant, id="other"), opens_at=due.opens_at + timedelta(seconds=5)
        )
        trial.clock.at = due.opens_at
        shown = levelled_due(trial.app.context, unit, "real", [other, real])
    assert [one.participant.id for one in shown] == [waits, "other"]
    assert (shown[0].closes_at, shown[0].state) == (due.opens_at + timedelta(days=3), "due")
    [scheduled] = [entry for entry in page(trial, waits).timeline if entry.what == "waits for the next session"]
    assert scheduled.at == starts[waits] + LIMIT
    assert scheduled.detail == due.opens_at.isoformat()


def test_time_that_every_arm_can_be_given_is_shown_as_it_was(trial):
    who = begun(trial)
    start = tasks_visit(page(trial, who)).started_at
    outage(trial, who)
    trial.app.acts.extend(who, 10, "the fire alarm rang", "anna")
    trial.clock.at = start + timedelta(minutes=42)
    assert tasks_visit(page(trial, who)).deadline_at == start + timedelta(minutes=45)
    assert page(trial, who).summary.minutes_in_stage == 42


@pytest.mark.parametrize("still_there", [False, True])
def test_a_reopened_stage_is_shown_with_the_end_that_the_researcher_gave_it_in_every_arm(trial, still_there):
    plain, helped = begun(trial), begun(trial)
    start = tasks_visit(page(trial, helped)).started_at
    outage(trial, helped, seconds=3600 if still_there else 40)
    trial.clock.at = start + LIMIT + timedelta(seconds=50)
    trial.app.session.sweep()
    assert [trial.at(who) for who in (plain, helped)] == ["quiz", "tasks" if still_there else "quiz"]
    for who in (plain, helped):
        with pytest.raises(NotAllowed, match="no stage with a deadline now"):
            trial.app.acts.extend(who, 5, "the fire alarm rang", "anna")
        assert Monitor(trial.app.context).reopenable(who).id == "tasks"
        trial.app.reopening.reopen(who, "tasks", 10, "the fire alarm rang", "anna")
    until = trial.clock.at + timedelta(minutes=10)
    trial.clock.advance(minutes=1)
    for who in (plain, helped):
        shown = page(trial, who)
        assert (tasks_visit(shown).deadline_at, tasks_visit(shown).ended_at) == (until, None)
        since = trial.clock.at - tasks_visit(shown).started_at
        assert shown.summary.minutes_in_stage == since / timedelta(minutes=1)
        [outage_shown] = [entry.detail for entry in shown.timeline if entry.what == "met an outage"]
        assert outage_shown == "reopened"
    # An outage after the reopening is levelled like those before it.
    outage(trial, helped)
    assert tasks_visit(page(trial, helped)).deadline_at == until
    trial.clock.at = until + timedelta(hours=2)
    trial.app.session.sweep()
    assert [tasks_visit(page(trial, who)).ended_at for who in (plain, helped)] == [until, until]
    with trial.app.context.registry.begin(write=False) as unit:
        for paid in payments(trial.app.context, unit):
            first = min(each.started_at for each in unit.visits(paid.participant_id))
            assert paid.minutes == (until - first) / timedelta(minutes=1)


def test_a_pause_in_time_given_back_is_recorded_at_the_stage_that_is_shown(trial):
    who = begun(trial)
    start = tasks_visit(page(trial, who)).started_at
    outage(trial, who)
    trial.clock.at = start + LIMIT + timedelta(seconds=20)
    trial.app.acts.pause(who, "the fire alarm rang", "anna")
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.audit()[-1].detail["stage"] == "quiz"
    paused_at = trial.clock.at
    trial.clock.advance(minutes=10)
    trial.app.acts.resume(who, "it is over", "anna")
    assert trial.at(who) == "tasks"
    shown = page(trial, who)
    visit = tasks_visit(shown)
    assert (visit.deadline_at, visit.ended_at, visit.ended_by) == (start + LIMIT, start + LIMIT, "deadline")
    acts = [(entry.what, entry.stage, entry.at) for entry in shown.timeline if entry.at >= paused_at
            and entry.source == "steps"]  # fmt: skip
    resumed_at = trial.clock.at
    assert acts == [("was paused", "quiz", paused_at), ("went on after a pause", "quiz", resumed_at)]


def test_who_is_paused_before_the_limit_is_shown_where_they_are_however_long_the_pause_lasts(trial):
    who = begun(trial)
    start = tasks_visit(page(trial, who)).started_at
    outage(trial, who)
    trial.app.acts.pause(who, "the fire alarm rang", "anna")
    trial.clock.at = start + LIMIT + timedelta(hours=1)
    assert tasks_visit(page(trial, who)).ended_at is None
    assert page(trial, who).summary.stage == (trial.app.study.stage("tasks").title or "tasks")


def test_where_no_stage_has_a_limit_times_are_shown_as_they_were_and_no_log_is_read():
    study = Study.model_validate(
        {
            "schema": "study/1", "id": "timeless", "title": "Timeless", "allocation": {"method": "simple"},
            "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
            "stages": [
                {"id": "consent", "kind": "consent", "title": "Agreement"},
                {"id": "instructions", "kind": "instructions"},
                {"id": "debrief", "kind": "debrief"},
            ],
        }
    )  # fmt: skip
    assert shown_times(SimpleNamespace(), study, "p1", arms=False) is AS_THEY_WERE
