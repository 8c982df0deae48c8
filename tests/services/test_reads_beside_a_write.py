"""Whatever only reads goes on beside a write: a look at a board keeps no participant waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.trials.console_trial import Trial

from study_app.services.attending.participant_page import ParticipantViews
from study_app.services.grading import queue
from study_app.services.operation import health
from study_app.services.operation.alert_watch import EVERY
from study_app.services.operation.package_watch import changed_packages
from study_app.services.researcher.blind_codes.gate_audit import GateAudits
from study_app.services.researcher.blind_codes.hacks import HackCodes
from study_app.services.researcher.blind_codes.persona_guesses import PersonaGuesses
from study_app.services.researcher.blind_codes.tone_batches import ToneBatches
from study_app.services.researcher.blind_codes.tones import ToneCodes
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.ledger_check import recompute
from study_app.services.researcher.monitoring import Monitor
from study_app.services.researcher.replay.evidence import replay_evidence
from study_app.services.researcher.replay.material import collect
from study_app.services.researcher.themes.board import InterviewBoard

SECONDS = 3.0
"""Within which a read must be over; it takes milliseconds, and a writer waits for thirty seconds or longer."""
OF_PARTICIPANTS = {
    "the message above their pages": lambda app, place: app.session.message(place.participant.id),
    "the stage that ended": lambda app, place: app.session.expired_before(place),
    "the saved text": lambda app, place: app.session.document(place.participant.id, "warmup"),
    "what stands in a form": lambda app, place: app.answers.drafts(place),
    "a form by its events": lambda app, place: app.answers.draft(place.participant.id, "background", 0),
    "the last run": lambda app, place: app.work.last_run(place.participant.id, "warmup"),
    "the turns": lambda app, place: app.help.turns(place.participant.id),
    "the conversation": lambda app, place: app.help.conversation(place.participant),
    "the steps of an agent": lambda app, place: app.help.actions(place.participant.id),
    "when the assistant opens": lambda app, place: app.help.opens_at(place),
    "whether steps wait": lambda app, place: app.help.goes_without_asking(place),
}
OF_BOARDS = {
    "the overview": lambda app, _: Monitor(app.context).overview("real"),
    "the people": lambda app, _: Monitor(app.context).people("real"),
    "their names": lambda app, _: Monitor(app.context).names("real"),
    "what waits for a grading": lambda app, _: Monitor(app.context).ungraded(),
    "the outages": lambda app, _: Monitor(app.context).outages(),
    "whose stage can be reopened": lambda app, place: Monitor(app.context).reopenable(place.participant.id),
    "the clock": lambda app, _: Monitor(app.context).clock(),
    "the alerts": lambda app, _: Monitor(app.context).alerts(),
    "the pause": lambda app, _: Monitor(app.context).paused(),
    "the preregistration": lambda app, _: Monitor(app.context).preregistration(),
    "the audit log": lambda app, _: Monitor(app.context).audit(),
    "the costs": lambda app, _: Monitor(app.context).costs("real"),
    "who is due": lambda app, _: Monitor(app.context).due("real"),
    "the links": lambda app, _: Monitor(app.context).links(),
    "who saw an arm": lambda app, _: Monitor(app.context).is_unblinded("ann", "replay"),
    "who saw what": lambda app, _: Monitor(app.context).unblinded(),
    "the live board": lambda app, _: app.live.view("real"),
    "a participant's page": lambda app, place: ParticipantViews(app.context).one(place.participant.id),
    "questions to code": lambda app, _: len(Codings(app.context).queries_for("ann", "real")),
    "codes that differ": lambda app, _: Codings(app.context).disagreements("ann", "real"),
    "codes that were settled": lambda app, _: Codings(app.context).settled("real"),
    "how far coders agree": lambda app, _: Codings(app.context).agreement("real"),
    "answers to rate": lambda app, _: RatingQueue(app.context).answers_for("ann", "real"),
    "own ratings": lambda app, _: RatingQueue(app.context).own("ann", "real"),
    "ratings that differ": lambda app, _: RatingQueue(app.context).disputes("ann", "real"),
    "programs to code": lambda app, _: HackCodes(app.context).waiting("ann", "real"),
    "programs whose codes differ": lambda app, _: HackCodes(app.context).disagreements("ann", "real"),
    "programs that were settled": lambda app, _: HackCodes(app.context).settled("real"),
    "how programs were coded": lambda app, _: HackCodes(app.context).counts("real"),
    "texts whose tone waits": lambda app, _: ToneBatches(app.context).waiting("real"),
    "texts to code for tone": lambda app, _: ToneCodes(app.context).waiting("ann", "real"),
    "how texts were coded": lambda app, _: ToneCodes(app.context).counts("real"),
    "replies to guess from": lambda app, _: PersonaGuesses(app.context).waiting("ann"),
    "how many guessed": lambda app, _: PersonaGuesses(app.context).given(),
    "messages to audit": lambda app, _: GateAudits(app.context).waiting("ann", "real"),
    "interviews to code": lambda app, _: InterviewBoard(app.context).waiting("ann", "real"),
    "interviews whose codes differ": lambda app, _: InterviewBoard(app.context).disagreements("ann", "real"),
    "interviews to audit": lambda app, _: InterviewBoard(app.context).to_audit("ann", "real"),
    "submissions without a verdict": lambda app, _: queue.without_verdict(app.context),
    "submissions to review": lambda app, _: queue.with_review(app.context),
    "submissions that wait": lambda app, _: app.grading.pending(),
    "a replay": lambda app, place: collect(app.context, place.participant.id),
    "the evidence of a replay": lambda app, place: replay_evidence(app.context, place.participant),
    "the ledger made again": lambda app, _: recompute(app.context),
    "who is not allocated yet": lambda app, _: app.lifecycle.not_allocated_yet(),
    "what an amendment changes": lambda app, _: app.lifecycle.amendment(),
    "what was passed over": lambda app, _: app.lifecycle.passed_over(),
    "how many were recruited": lambda app, _: app.recruiting.view(),
    "packages that changed": lambda app, _: changed_packages(app.context),
}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """Return a trial with one participant at a form, their place, and one more thread."""
    trial = Trial(tmp_path_factory.mktemp("reads"), launched=True)
    who = trial.enter()
    trial.app.session.where(who)
    trial.app.session.consent(who, True)
    with ThreadPoolExecutor(1) as thread:
        yield trial.app, trial.app.session.peek(who), thread
    trial.close()


@pytest.mark.parametrize("read", [*OF_PARTICIPANTS, *OF_BOARDS])
def test_what_only_reads_waits_for_no_one_who_writes(beside, read):
    app, place, thread = beside
    with app.context.registry.begin():
        thread.submit((OF_PARTICIPANTS | OF_BOARDS)[read], app, place).result(timeout=SECONDS)


def test_between_two_looks_at_the_database_whether_newcomers_are_let_in_waits_for_no_one(beside, monkeypatch):
    app, _, thread = beside
    monkeypatch.setattr(health, "KEPT_SECONDS", 600.0)
    assert app.health.missing() == ()
    with app.context.registry.begin():
        assert thread.submit(app.health.missing).result(timeout=SECONDS) == ()


def test_a_look_for_alerts_that_finds_nothing_new_waits_for_no_one(beside):
    app, _, thread = beside
    app.alert_watch.tick()
    app.context.clock.advance(seconds=EVERY.total_seconds())
    with app.context.registry.begin():
        thread.submit(app.alert_watch.tick).result(timeout=SECONDS)
