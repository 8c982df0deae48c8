"""Work that two servers, or two windows, end at the same moment: it ends once, and nothing known is written over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.clock import HandClock
from support.meanwhile import at_stage, came_of, in_between, while_held
from support.trials.console_trial import Trial
from support.trials.export_world import open_app
from support.trials.probe_study import at_task, probe_study, visit_of
from support.trials.scripted_runs import Scripted

from study_app.domain.errors import Conflict, NotAllowed
from study_app.domain.records import Replica, RunRecord
from study_app.domain.tasks.programs import Grade
from study_app.services import clusters
from study_app.services.attending import acts
from study_app.services.grading import submissions
from study_app.services.grading.queue import quarantine, retry
from study_app.services.operation import head_signing, isolation_watch
from study_app.services.operation.isolation_watch import ALERT, RECOVERED, IsolationWatch
from study_app.services.participant.chatting.questions import ParticipantQuestion
from study_app.services.participant.chatting.replies import LiveReply
from study_app.services.participant.chatting.turns import close_interrupted
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.probing.asking import ProbeAnswer
from study_app.services.participant.probing.closing import end_probe, interrupt, probes_of
from study_app.services.replicas import Replicas
from study_app.storage.unit_of_work import SqlUnitOfWork


@pytest.fixture
def trial(tmp_path, postgres_url_with_tables):
    made = Trial(tmp_path, database=postgres_url_with_tables, entry="open")
    made.app.context.sandbox = Scripted()
    yield made
    made.close()


# -- replies -----------------------------------------------------------------------------------------------------------


def asked(trial):
    """A turn whose reply this server writes."""
    who = at_stage(trial, "tasks", "ai")
    return trial.app.help.questions.begin(who, ParticipantQuestion("What is a nursery?", None, None, None))[0]


def taken_over(trial, turn, unit) -> None:
    """Another server takes this one for gone."""
    now = trial.clock.now()
    other = Replicas(Replica("other", "host", 1, now, now), trial.clock.now, ended=lambda replica: True)
    close_interrupted(unit, turn.participant_id, now, now, other)


def stored_of(trial, turn):
    with trial.app.context.registry.begin(write=False) as unit:
        (stored,) = unit.turns(turn.participant_id)
        kinds = [event.kind for event in unit.events_of(turn.participant_id, {"turn_ended", "outage"})]
    return stored, kinds


def test_a_reply_whose_end_is_being_stored_is_not_taken_over(trial, monkeypatch):
    turn = asked(trial)
    whole = replace(turn, reply="A nursery runs tasks.", complete=True, total_seconds=9.0)

    def other_server():
        with trial.app.context.registry.begin() as unit:
            taken_over(trial, turn, unit)

    with in_between(monkeypatch, SqlUnitOfWork, "update_turn", other_server) as begun:
        trial.app.help._finish(LiveReply(whole))
    assert came_of(begun) is None
    stored, kinds = stored_of(trial, turn)
    assert (stored.reply, stored.error) == ("A nursery runs tasks.", None)
    assert kinds == ["turn_ended"]


def test_a_question_waits_for_the_end_of_the_reply_before_it_that_is_being_stored(trial, monkeypatch):
    turn = asked(trial)
    whole = replace(turn, reply="A nursery runs tasks.", complete=True, total_seconds=9.0)

    def asks_again():
        trial.app.help.questions.begin(turn.participant_id, ParticipantQuestion("And then?", None, None, None))

    with in_between(monkeypatch, SqlUnitOfWork, "update_turn", asks_again) as begun:
        trial.app.help._finish(LiveReply(whole))
    assert came_of(begun) is None
    with trial.app.context.registry.begin(write=False) as unit:
        kept = [(each.message, each.reply, each.error) for each in unit.turns(turn.participant_id)]
    assert kept == [(turn.message, "A nursery runs tasks.", None), ("And then?", "", None)]


@pytest.mark.slow
def test_a_reply_that_was_taken_over_is_not_opened_again_by_a_late_saving(trial):
    turn = asked(trial)
    later = replace(turn, reply="A nursery runs")
    while_held(trial, lambda unit: taken_over(trial, turn, unit), lambda: trial.app.help._save(later))
    stored, kinds = stored_of(trial, turn)
    assert (stored.complete, stored.error) == (True, "interrupted")
    assert kinds == ["turn_ended", "outage"]


@pytest.mark.slow
def test_a_question_that_another_transaction_was_in_the_way_of_is_asked_again(trial, monkeypatch):
    who = at_stage(trial, "tasks", "ai")
    in_the_way(monkeypatch)
    trial.app.help.questions.begin(who, ParticipantQuestion("What is a nursery?", None, None, None))
    with trial.app.context.registry.begin(write=False) as unit:
        assert [turn.message for turn in unit.turns(who)] == ["What is a nursery?"]


@pytest.mark.slow
def test_a_submission_that_another_transaction_was_in_the_way_of_is_taken_again(trial, monkeypatch):
    who = at_stage(trial, "tasks", "no_ai")
    in_the_way(monkeypatch)
    assert trial.app.submitting.submit(who, "print(1)\n", confirm=True).accepted


def in_the_way(monkeypatch) -> None:
    """Let the first look at where a participant is end as the database ends one of two that block each other."""
    real, failed = ParticipantFlow.place, []

    def place(self, unit, participant):
        if not failed:
            failed.append(True)
            raise Conflict("deadlock detected")
        return real(self, unit, participant)

    monkeypatch.setattr(ParticipantFlow, "place", place)


# -- verdicts ----------------------------------------------------------------------------------------------------------


def submitted(trial, **more) -> RunRecord:
    who = at_stage(trial, "tasks", "no_ai")
    run = RunRecord("run1", who, "trio_timer", "tasks", "submission", "old = 1\n", trial.clock.now(), **more)
    with trial.app.context.registry.begin() as unit:
        unit.add_run(run)
    return run


def graded(trial, run):
    trial.app.grading._grade(run)


def put_aside(trial, run):
    quarantine(trial.app.context, run, ValueError("no verdict"))


def tried_again(trial, run):
    retry(trial.app.context, run.id, "eva")


@pytest.mark.parametrize(
    "act", [graded, *(pytest.param(each, marks=pytest.mark.slow) for each in (put_aside, tried_again))]
)
def test_a_verdict_does_not_write_over_a_program_that_late_edits_are_changing(trial, monkeypatch, act):
    verdict = Grade((), "real", 1, (1,), "strong")
    monkeypatch.setattr(submissions, "grade", lambda *given, **named: verdict)
    run = submitted(trial, grading="inconclusive" if act is tried_again else None)

    def late_edits(unit):
        # As a batch does: the participant held, then the program with its old verdict gone.
        unit.hold(unit.known_participant(run.participant_id))
        unit.update_run(replace(run, code="new = 2\n", grading=None))

    def refused_or_done():
        try:
            act(trial, run)
        except NotAllowed:
            assert act is tried_again

    while_held(trial, late_edits, refused_or_done)
    with trial.app.context.registry.begin(write=False) as unit:
        (stored,) = unit.runs(run.participant_id)
    assert (stored.code, stored.ended_by, stored.grading) == ("new = 2\n", None, None)


# -- cards of affect ---------------------------------------------------------------------------------------------------


@pytest.fixture
def card(tmp_path, postgres_url_with_tables):
    """A participant with a card on the screen for twelve seconds, and the deadline before it."""
    clock = HandClock()
    app = open_app(tmp_path, clock, probe_study(tmp_path), database=postgres_url_with_tables)
    walker = at_task(app, clock)
    before = visit_of(app, walker.id).deadline_at
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=12)
    yield app, walker, before
    app.close()


def check_ended_once(card, outcome: str) -> None:
    app, walker, before = card
    assert visit_of(app, walker.id).deadline_at == before + timedelta(seconds=12)
    with app.context.registry.begin(write=False) as unit:
        assert [each.payload["outcome"] for each in unit.events_of(walker.id, {"probe_answered"})] == [outcome]


def by_running(app, walker):
    app.work.run(walker.id, "print(1)", lambda line: None)


def by_a_pause(app, walker):
    app.acts.pause(walker.id, "the fire alarm rang", "anna")


@pytest.mark.slow
@pytest.mark.parametrize("act", [by_running, by_a_pause])
def test_a_card_that_is_being_answered_is_not_ended_a_second_time(card, act):
    app, walker, _ = card

    def answered(unit):
        person = unit.hold(unit.known_participant(walker.id))
        (shown,) = probes_of(unit, walker.id, person.stage)
        end_probe(unit, walker.id, shown, app.context.now(), "answered", (3, 7, 80))

    while_held(SimpleNamespace(app=app), answered, lambda: act(app, walker))
    check_ended_once(card, "answered")


def test_a_card_that_other_work_is_ending_is_not_answered_as_well(card):
    app, walker, _ = card

    place = app.session.peek(walker.id)
    said = ProbeAnswer(valence=3, arousal=7, calm_desperate=80)
    while_held(
        SimpleNamespace(app=app),
        lambda unit: interrupt(unit, place),
        lambda: app.probes.end(walker.id, walker.page, 2, said),
    )
    check_ended_once(card, "interrupted")


# -- the study ---------------------------------------------------------------------------------------------------------


def test_two_first_allocations_share_one_key_of_clusters(trial):
    made = {}

    def first(unit):
        unit.lock("allocation:real")
        made["real"] = clusters._key(unit, trial.app.study, "real", make=True)

    def second():
        with trial.app.context.registry.begin() as unit:
            unit.lock("allocation:preview")
            made["preview"] = clusters._key(unit, trial.app.study, "preview", make=True)

    while_held(trial, first, second)
    assert made["real"] == made["preview"]


@pytest.mark.slow
def test_a_stage_that_is_being_given_more_time_is_not_ended_at_its_old_deadline(trial, monkeypatch):
    who = at_stage(trial, "background")

    def overdue():
        trial.clock.advance(minutes=6)
        trial.app.session.sweep()

    # Between the extension and its commit.
    with in_between(monkeypatch, acts, "add_act", overdue) as begun:
        trial.app.acts.extend(who, 10, "the network was away", "anna")
    assert came_of(begun) is None
    with trial.app.context.registry.begin(write=False) as unit:
        visit = unit.visit(who, "background")
    assert visit.ended_at is None
    assert visit.deadline_at > trial.clock.now()


@pytest.mark.slow
def test_two_servers_note_once_that_isolation_is_back(trial, monkeypatch):
    context = trial.app.context
    with context.registry.begin() as unit:
        kept = {"level": "off", "message": "", "since": "", "replica": context.replicas.me.name}
        unit.set_meta_value(ALERT, kept)
    watch = IsolationWatch(context)
    with in_between(monkeypatch, isolation_watch, "AuditEntry", watch._recover) as begun:
        watch._recover()
    assert came_of(begun) is None
    with context.registry.begin(write=False) as unit:
        assert [entry.what for entry in unit.audit()].count(RECOVERED) == 1


@pytest.mark.slow
def test_two_servers_note_once_that_records_are_signed(trial, monkeypatch):
    context = trial.app.context
    # As with records that were stored without the key, until one server has signed them.
    monkeypatch.setattr(SqlUnitOfWork, "signed_meanwhile", lambda unit: not unit.meta("signed"))
    monkeypatch.setattr(SqlUnitOfWork, "adopt_heads", lambda unit: unit.set_meta("signed", "yes"))
    with in_between(monkeypatch, head_signing, "AuditEntry", lambda: head_signing._adopt(context)) as begun:
        head_signing._adopt(context)
    assert came_of(begun) is None
    with context.registry.begin(write=False) as unit:
        assert [entry.what for entry in unit.audit()].count(head_signing.ADOPTED_ACT) == 1
