"""From settings to a running study: the only place that chooses implementations and wires services to them."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from study_app.assistant.interviewing.opening import open_interviewer
from study_app.assistant.provider import look_at_models
from study_app.bootstrap.app import App
from study_app.bootstrap.contents import (
    SECONDS_PER_WORD,
    edition_opener,
    library_versions,
    open_assistants,
    open_library,
    open_texts,
)
from study_app.bootstrap.following import follow_amendments
from study_app.bootstrap.start_checks import check_start
from study_app.bootstrap.this_replica import has_ended, this_replica
from study_app.clock import SystemClock
from study_app.content.kept_library import EarlierBanks
from study_app.content.library import FolderLibrary
from study_app.domain.assistants.served_models import ModelLook
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.study.operating.alerts import Channel
from study_app.domain.study.study import Study
from study_app.notifications import AlertSender, MailDone, machine_name
from study_app.ports import Clock, Database, Sandbox
from study_app.private_files import files_of, make_private
from study_app.sandbox import open_sandbox
from study_app.secrets.file_seal import FileSeal
from study_app.services.attending.acts import ParticipantActs
from study_app.services.attending.live import LiveBoard
from study_app.services.attending.recruiting import Recruiting
from study_app.services.context import StudyContext
from study_app.services.grading.scoring import QuizScoring
from study_app.services.grading.submissions import Grading
from study_app.services.operation.alert_rules import Machine
from study_app.services.operation.alert_watch import AlertMessage, AlertWatch
from study_app.services.operation.anchoring import Anchoring
from study_app.services.operation.clock_watch import ClockWatch
from study_app.services.operation.head_signing import HeadSigning
from study_app.services.operation.health import Health
from study_app.services.operation.isolation_watch import IsolationWatch
from study_app.services.operation.metrics import Metrics
from study_app.services.operation.models.retirement import ProviderLooks
from study_app.services.operation.models.watch import ModelWatch
from study_app.services.operation.server_watch import ServerWatch
from study_app.services.participant.agent.answering import AgentDecisions
from study_app.services.participant.agent.working import AgentWork
from study_app.services.participant.answers import Answers
from study_app.services.participant.chat import AssistantChat
from study_app.services.participant.enrolment import Enrol
from study_app.services.participant.falling_silent import end_if_silent
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.interviewing.interviews import Interviews
from study_app.services.participant.probing.asking import AffectCards
from study_app.services.participant.programs.submitting import TaskSubmission
from study_app.services.participant.runs import ProgramRuns
from study_app.services.participant.session import ParticipantSession
from study_app.services.participant.taking_over import TakingOver
from study_app.services.researcher.exporting.datasets import CodeQueries, Datasets
from study_app.services.researcher.interim.looks import InterimLooks
from study_app.services.researcher.lifecycle import Lifecycle
from study_app.services.researcher.links import ParticipantLinks
from study_app.services.researcher.reopening import Reopening
from study_app.settings import Settings
from study_app.storage import open_registry
from study_app.storage.anchor_file import COMMAND, FILE_NAME, AnchorFile


def fresh_id() -> str:
    """Twelve random bytes, URL-safe, never beginning with a character that a spreadsheet takes for a formula."""
    while (name := secrets.token_urlsafe(12))[0] in "-_=+@":
        pass
    return name


def start(
    settings: Settings,
    *,
    clock: Clock | None = None,
    sandbox: Sandbox | None = None,
    registry: Database | None = None,
    ids: Callable[[], str] = fresh_id,
    grading_clock: Literal["real", "virtual"] = "real",
    seconds_per_word: float = SECONDS_PER_WORD,
    changed_ok: bool = False,
    new_database: bool = True,
    code_queries: CodeQueries | None = None,
) -> App:
    """Open everything that a study needs.

    Args:
        settings: where things are.
        clock: a simulation brings its own.
        sandbox: a test may bring its own.
        registry: a test may bring its own.
        ids: where identifiers come from.
        grading_clock: simulated participants are graded on the virtual clock.
        seconds_per_word: pace of the embedded assistant.
        changed_ok: whether a launched study may start although its file changed (for `amend` and `verify`).
        new_database: whether a database that is not there is made; commands that only need what is in one say no.
        code_queries: codes queries before an export, where the plan's coder is not made of rules.

    Raises:
        ProblemsFound: the study is broken, or needs something that is not here.
        NotAllowed: the database is another study's, or a launched study's file changed.
        InfrastructureError: database or sandbox cannot be had.
    """
    library = open_library(settings.study_file)
    study = library.study
    for path in files_of(settings.database, settings.var):
        make_private(path)

    # Both look at the app that is made at the end of this function; nothing calls them before.
    def gone(treatment: str, spec: AssistantSpec, digest: str) -> bool:
        return app.model_watch.is_replaced(treatment, spec, digest)

    def earlier(version: Study, banks: Mapping[str, str]) -> EarlierBanks:
        return EarlierBanks(version, app.library, banks)

    assistants = open_assistants(library, settings, seconds_per_word, gone)
    context = StudyContext(
        study=study,
        registry=registry or open_registry(settings.database, create=new_database),
        clock=clock or SystemClock(),
        content=library,
        sandbox=sandbox or open_sandbox(settings.runner, folders=library.package_folders),
        package_versions=lambda: library_versions(_of_now(context, library)),
        assistants=assistants,
        seal=FileSeal(settings.var, settings.environment, study.id),
        fresh_id=ids,
        grading_clock=grading_clock,
        me=this_replica(),
        process_ended=has_ended,
    )
    if any(stage.kind == "interview" for stage in study.stages):
        context.interviewer = open_interviewer(settings.environment)
    context.open_edition = edition_opener(settings, seconds_per_word, gone)
    context.open_banks = earlier
    with context.registry.begin(write=False) as unit:
        locked = unit.newest_version()
    # Before the content is compared with the locked version: how it is hashed depends on the release that locked it.
    if locked is not None:
        library.hold_to(locked)
    check_start(context, settings, changed_ok)
    anchoring = Anchoring(context, AnchorFile(settings.var / FILE_NAME, settings.environment.get(COMMAND, "")))
    context.anchor = anchoring.allocated
    app = _assembled(settings, context, library, anchoring, code_queries)
    follow_amendments(app)
    return app


def _assembled(
    settings: Settings,
    context: StudyContext,
    library: FolderLibrary,
    anchoring: Anchoring,
    code_queries: CodeQueries | None,
) -> App:
    """Return the services over one study context."""
    flow = ParticipantFlow(context)
    grading, scoring = Grading(context), QuizScoring(context)
    runs = ProgramRuns(context, flow)
    submitting = TaskSubmission(context, flow, runs)
    agent = AgentWork(context, flow, runs)
    enrol, session = Enrol(context), ParticipantSession(context, flow, decided=agent.wake)
    chat = AssistantChat(context, flow, agent)
    app = App(
        settings=settings,
        context=context,
        library=library,
        enrol=enrol,
        session=session,
        work=runs,
        submitting=submitting,
        help=chat,
        decisions=AgentDecisions(context, flow, session),
        answers=Answers(context, flow),
        interviews=Interviews(context, flow),
        probes=AffectCards(context, flow),
        grading=grading,
        scoring=scoring,
        lifecycle=Lifecycle(context, partial(end_if_silent, flow)),
        datasets=Datasets(context, grading, scoring, code_queries),
        interim=InterimLooks(context, grading, scoring),
        links=ParticipantLinks(context),
        anchoring=anchoring,
        head_signing=HeadSigning(context),
        reopening=Reopening(context),
        acts=ParticipantActs(context, session, enrol),
        live=LiveBoard(context),
        recruiting=Recruiting(context),
        health=Health(context),
        clock_watch=ClockWatch(context),
        isolation_watch=IsolationWatch(context),
        server_watch=ServerWatch(context),
        alert_watch=_alert_watch(settings, context),
        model_watch=_model_watch(settings, context, library),
        taking_over=TakingOver(context, chat, runs, submitting),
        metrics=Metrics(),
        texts=open_texts(library),
    )
    context.measure = app.metrics.observe
    context.text = lambda language, key: app.texts[language].filled(key)
    return app


def _of_now(context: StudyContext, library: FolderLibrary) -> FolderLibrary:
    """Return the content of the study as its files say it now; `library` is what it was opened with."""
    return context.content if isinstance(context.content, FolderLibrary) else library


def _model_watch(settings: Settings, context: StudyContext, library: FolderLibrary) -> ModelWatch:
    """Return what looks at models and asks them, as the study is at that moment."""
    of_now = partial(_of_now, context, library)

    def look_at_one(name: str, spec: AssistantSpec, now: datetime) -> ModelLook:
        return look_at_models({name: spec}, settings.environment, now)[0]

    watch = ModelWatch(
        context,
        ProviderLooks(
            lambda now: look_at_models(of_now().specs, settings.environment, now, of_now().plans), look_at_one
        ),
        lambda: open_assistants(of_now(), settings, 0.0, watch.is_replaced),
        lambda reason: Lifecycle(context).close(reason, who="server"),
    )
    return watch


def _alert_watch(settings: Settings, context: StudyContext) -> AlertWatch:
    """Return what raises alerts, with the recipients that the study file names when one is sent."""

    def free() -> int:
        return shutil.disk_usage(settings.var if settings.var.exists() else Path()).free

    done: set[MailDone] = set()

    def send(channel: Channel, message: AlertMessage) -> str:
        return AlertSender(settings.environment, context.study.alerts, done).send(channel, message)

    return AlertWatch(context, Machine(machine_name(), free), send)
