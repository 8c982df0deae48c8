"""The only place that chooses an implementation: from settings to a running world and its services."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from study_app.assistant.notes import NotesLoader, notes_in_folder
from study_app.assistant.opening import open_assistant, provider_in_use
from study_app.assistant.provider import ProviderCheck, check_provider
from study_app.clock import SystemClock
from study_app.content.kept_library import KeptLibrary
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.content.texts import TextShelf
from study_app.content.watched import written
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.records import Participant, Replica
from study_app.domain.study.operating.alerts import Channel
from study_app.domain.study.study import Study, protocol_hash
from study_app.domain.text_files import decode_text
from study_app.notifications import AlertSender, machine_name
from study_app.ports import Assistant, Clock, Database, Sandbox, UnitOfWork
from study_app.private_files import files_of, make_private
from study_app.sandbox import open_sandbox
from study_app.sandbox.packages import installation
from study_app.secrets.file_seal import FileSeal
from study_app.secrets.signed_arrival import SignedArrival
from study_app.services.attending.acts import ParticipantActs
from study_app.services.attending.live import LiveBoard
from study_app.services.attending.recruiting import Recruiting
from study_app.services.author.following import FollowedFiles
from study_app.services.author.previews import AuthorPreviews
from study_app.services.context import StudyContext, draft_key, keep_codes, stored_values
from study_app.services.grading.scoring import QuizScoring
from study_app.services.grading.submissions import Grading
from study_app.services.operation.alert_rules import Machine
from study_app.services.operation.alert_watch import AlertMessage, AlertWatch
from study_app.services.operation.anchoring import Anchoring
from study_app.services.operation.clock_watch import ClockWatch
from study_app.services.operation.health import Health
from study_app.services.operation.isolation_watch import IsolationWatch
from study_app.services.operation.metrics import Metrics
from study_app.services.participant.answers import Answers
from study_app.services.participant.chat import AssistantChat
from study_app.services.participant.enrolment import Enrol
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.runs import ProgramRuns
from study_app.services.participant.session import ParticipantSession
from study_app.services.participant.taking_over import TakingOver
from study_app.services.researcher.exporting.datasets import CodeQueries, Datasets
from study_app.services.researcher.interim.looks import InterimLooks
from study_app.services.researcher.lifecycle import Lifecycle, open_head_key
from study_app.services.researcher.links import ParticipantLinks
from study_app.services.researcher.reopening import Reopening
from study_app.services.version_content import Edition
from study_app.settings import Settings
from study_app.storage import open_registry
from study_app.storage.anchor_file import COMMAND, FILE_NAME, AnchorFile

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=10)
"""Between two looks at files that are not those of an amendment."""
SECONDS_PER_WORD = 0.02
"""Pace of the embedded assistant."""


@dataclass
class Author:
    """What an author has besides the study itself."""

    files: FollowedFiles
    previews: AuthorPreviews


@dataclass
class App:
    """A study in one process, ready to serve, simulate or export."""

    settings: Settings
    world: StudyContext
    library: FolderLibrary
    enrol: Enrol
    session: ParticipantSession
    work: ProgramRuns
    help: AssistantChat
    answers: Answers
    grading: Grading
    scoring: QuizScoring
    lifecycle: Lifecycle
    datasets: Datasets
    interim: InterimLooks
    links: ParticipantLinks
    anchoring: Anchoring
    reopening: Reopening
    acts: ParticipantActs
    live: LiveBoard
    recruiting: Recruiting
    health: Health
    clock_watch: ClockWatch
    isolation_watch: IsolationWatch
    alert_watch: AlertWatch
    taking_over: TakingOver
    metrics: Metrics
    texts: TextShelf
    kept_texts: dict[str, TextShelf] = field(default_factory=dict)
    """Of earlier versions of the study, by hash."""
    author: Author | None = None
    """Where an author works on the study's files; None where participants are served."""
    signed_arrival: SignedArrival | None = None
    """Checks the panel's signed addresses; set where participants are served and the study asks for it."""

    @property
    def study(self) -> Study:
        """The study as the file says it now."""
        return self.world.study

    def texts_of(self, participant: Participant) -> TextShelf:
        """Return the texts of the version that a participant started with and keeps."""
        content = self.world.content_of(participant)
        if not isinstance(content, KeptLibrary):
            return self.texts
        if participant.study_hash not in self.kept_texts:
            self.kept_texts[participant.study_hash] = _texts(content)
        return self.kept_texts[participant.study_hash]

    def ask_provider(self, file: str) -> ProviderCheck:
        """Ask the provider about the models that the study declares; `file` is what messages call the study file."""
        ends_on = self.study.recruitment.ends_on
        return check_provider(self.library.specs, self.settings.environment, ends_on, file)

    def close(self) -> None:
        """Let go of database and fork servers."""
        self.world.sandbox.close()
        self.world.registry.close()


def fresh_id() -> str:
    """Twelve random bytes, URL-safe, never beginning with a character that a spreadsheet takes for a formula."""
    while (name := secrets.token_urlsafe(12))[0] in "-_=+@":
        pass
    return name


def open_library(study_file: Path) -> FolderLibrary:
    """Read a study file and all that it names.

    Raises:
        ProblemsFound: every problem of the file, or of its packs, banks and assistants.
    """
    study = read_study(study_file)
    library = FolderLibrary(study, study_file.resolve().parent, str(study_file))
    library.open()
    return library


def reload(app: App) -> None:
    """Go on with the study as its files are now.

    Raises:
        ProblemsFound: they are broken; then nothing has changed.
    """
    library = open_library(app.settings.study_file)
    # Screens are drawn from these: a text that is missing shows here and not on a participant's page.
    texts = _texts(library)
    app.world.take(library.study, library, _assistants(library, app.settings, SECONDS_PER_WORD))
    app.library, app.texts = library, texts


def follow_amendments(app: App) -> None:
    """Let a running server take an amendment over when a new participant arrives, or its sweeper looks."""
    failed: dict[str, datetime] = {}

    def follow() -> None:
        with app.world.registry.begin(write=False) as unit:
            newest = unit.newest_version()
        if newest is None or newest == app.world.study_hash:
            return
        now = app.world.now()
        if newest in failed and now - failed[newest] < AGAIN:
            return
        library = open_library(app.settings.study_file)
        if protocol_hash(library.study, dict(library.materials())) == newest:
            reload(app)
            return
        if newest not in failed:
            amended = "the study was amended, and the files here are of another version; bring them up to date"
            log.error(amended, extra={"version": newest[:12]})
        failed[newest] = now

    def quietly() -> None:
        try:
            follow()
        except ProblemsFound as problem:
            log.error("an amendment could not be taken over: %s", problem)

    app.world.follow = quietly


def follow_files(app: App, *, previews_too: bool = True) -> Author:
    """Let the study follow its files from now on; the server watches them (`author.files.look`).

    Of two processes over one database only one also moves the previews.
    """
    previews = AuthorPreviews(app.world)

    def load() -> None:
        reload(app)
        with app.world.registry.begin() as unit:
            keep_draft(app.world, unit)
        if previews_too:
            previews.follow()

    file = app.settings.study_file
    app.world.clock_stopped = lambda _participant_id: previews.stopped
    app.author = Author(FollowedFiles(str(file), lambda: written(file), load), previews)
    return app.author


def library_versions(library: FolderLibrary) -> dict[str, str]:
    """Distribution -> version of everything that participants' programs can import here."""
    named = [name for packages in library.taught_packages.values() for name in packages]
    return installation(library.package_folders).versions(named)


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
    assistants = _assistants(library, settings, seconds_per_word)
    world = StudyContext(
        study=study,
        registry=registry or open_registry(settings.database, create=new_database),
        clock=clock or SystemClock(),
        content=library,
        sandbox=sandbox or open_sandbox(settings.runner, folders=library.package_folders),
        package_versions=lambda: library_versions(library),
        assistants=assistants,
        seal=FileSeal(settings.var, settings.environment, study.id),
        fresh_id=ids,
        grading_clock=grading_clock,
        me=_this_replica(),
        process_ended=_has_ended,
    )
    world.open_edition = _opener(settings, seconds_per_word)
    _check(world, settings, changed_ok)
    anchoring = Anchoring(world, AnchorFile(settings.var / FILE_NAME, settings.environment.get(COMMAND, "")))
    world.anchor = anchoring.allocated
    app = _assembled(settings, world, library, anchoring, code_queries)
    follow_amendments(app)
    return app


def _this_replica() -> Replica:
    """Return this process as the other servers of the study know it."""
    now = SystemClock().now()
    return Replica(secrets.token_hex(8), _machine(), os.getpid(), now, now)


def _machine() -> str:
    """Return what processes share that can see each other's ids; containers of one host do not."""
    try:
        spaces = os.readlink("/proc/self/ns/pid")
    except OSError:
        spaces = ""
    return f"{machine_name()} {spaces}"


def _has_ended(replica: Replica) -> bool:
    """Whether a server of this machine has ended: no process has its id."""
    if replica.machine != _machine() or replica.process == os.getpid():
        return False
    try:
        os.kill(replica.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _assembled(
    settings: Settings,
    world: StudyContext,
    library: FolderLibrary,
    anchoring: Anchoring,
    code_queries: CodeQueries | None,
) -> App:
    """Return the services over one world."""
    way = ParticipantFlow(world)
    grading, scoring = Grading(world), QuizScoring(world)
    enrol, session = Enrol(world), ParticipantSession(world, way)
    runs, chat = ProgramRuns(world, way), AssistantChat(world, way)
    app = App(
        settings=settings,
        world=world,
        library=library,
        enrol=enrol,
        session=session,
        work=runs,
        help=chat,
        answers=Answers(world, way),
        grading=grading,
        scoring=scoring,
        lifecycle=Lifecycle(world),
        datasets=Datasets(world, grading, scoring, code_queries),
        interim=InterimLooks(world, grading, scoring),
        links=ParticipantLinks(world),
        anchoring=anchoring,
        reopening=Reopening(world),
        acts=ParticipantActs(world, session, enrol),
        live=LiveBoard(world),
        recruiting=Recruiting(world),
        health=Health(world),
        clock_watch=ClockWatch(world),
        isolation_watch=IsolationWatch(world),
        alert_watch=_alert_watch(settings, world),
        taking_over=TakingOver(world, chat, runs),
        metrics=Metrics(),
        texts=_texts(library),
    )
    world.measure = app.metrics.observe
    world.text = lambda language, key: app.texts[language].filled(key)
    return app


def _alert_watch(settings: Settings, world: StudyContext) -> AlertWatch:
    """Return what raises alerts, with the recipients that the study file names when one is sent."""

    def free() -> int:
        return shutil.disk_usage(settings.var if settings.var.exists() else Path()).free

    def send(channel: Channel, message: AlertMessage) -> str:
        return AlertSender(settings.environment, world.study.alerts).send(channel, message)

    return AlertWatch(world, Machine(machine_name(), free), send)


def _texts(library: FolderLibrary) -> TextShelf:
    """Return the texts of each language that the study offers, so that a missing one is found at the start.

    Raises:
        ProblemsFound: there are none in one of them.
    """
    shelf = TextShelf(library.own_texts)
    for language in library.study.offered:
        try:
            _ = shelf[language]
        except ProblemsFound as missing:
            raise ProblemsFound([replace(each, file=library.file) for each in missing.problems]) from None
    return shelf


def _check(world: StudyContext, settings: Settings, changed_ok: bool) -> None:
    """Whether database and clock fit the study; then heads are signed where it is launched."""
    _check_database(world, settings, changed_ok)
    _check_clock(world)
    open_head_key(world)


def _check_clock(world: StudyContext) -> None:
    """Let time go on from the newest event where the machine's clock was set back before the start."""
    if isinstance(world.clock, SystemClock):
        with world.registry.begin(write=False) as unit:
            latest = unit.latest_moment()
        if latest is not None:
            world.clock.not_before(latest)


def _assistants(library: FolderLibrary, settings: Settings, seconds_per_word: float) -> dict[str, Assistant]:
    problems: list[Problem] = []
    shelf = _texts(library)
    found: dict[str, Assistant] = {}
    for name, spec in library.specs.items():
        if (
            library.study.assistant_policy.require == "claude"
            and provider_in_use(spec, settings.environment) == "notes"
        ):
            what = f"'claude', but ANTHROPIC_API_KEY is not set for the assistant '{name}'"
            remedy = 'set the key in the environment, or say require = "any"'
            problems.append(Problem(library.file, "assistant_policy.require", what, remedy))
            continue
        try:
            found[name] = open_assistant(
                spec,
                environment=settings.environment,
                load_notes=_notes_loader(library),
                load_recording=lambda path: decode_text(_recording(library, settings, path).read_bytes(), path),
                seconds_per_word=seconds_per_word,
                texts=lambda language: shelf[language].table("embedded"),
                language=library.study.language,
            )
        except ProblemsFound as error:
            problems += error.problems
    if problems:
        raise ProblemsFound(problems)
    return found


def _opener(settings: Settings, seconds_per_word: float) -> Callable[[Study, str, Mapping[str, bytes]], Edition]:
    """Return what opens the content of an amended version, with the assistants that its participants go on with."""

    def opened(study: Study, study_hash: str, files: Mapping[str, bytes]) -> Edition:
        library = KeptLibrary(study, settings.var / "versions" / study_hash, files)
        library.open()
        return Edition(library, _assistants(library, settings, seconds_per_word))

    return opened


def _recording(library: FolderLibrary, settings: Settings, path: str) -> Path:
    """Return where a recording lies: a version's files do not hold it, so an earlier version uses the study's."""
    there = library.at(path)
    return there if there.exists() else settings.study_file.resolve().parent / path


def _notes_loader(library: FolderLibrary) -> NotesLoader:
    def load(pack: str) -> dict[str, str]:
        folder, _, language = pack.partition(":")
        return notes_in_folder(str(library.at(folder)), language)

    return load


def _check_database(world: StudyContext, settings: Settings, changed_ok: bool) -> None:
    with world.registry.begin() as unit:
        known = unit.meta("study_id")
        if known is None:
            unit.set_meta("study_id", world.study.id)
        elif known != world.study.id:
            raise ProblemsFound(
                [
                    Problem(
                        str(settings.study_file),
                        "id",
                        f"this is the study '{world.study.id}', but the database holds the study '{known}'",
                        "use a separate database for each study (--database)",
                    )
                ]
            )
        if world.state(unit) == "draft":
            keep_draft(world, unit)
        if world.state(unit) == "draft" or changed_ok:
            return
        locked = unit.versions()[-1]
        if locked.study_hash != world.study_hash:
            changed = _what_changed(
                world, stored_values(locked), dict(locked.materials), Path(settings.study_file).parent
            )
            raise NotAllowed(
                f"{settings.study_file}: the study was launched with another content ({changed}); undo the change, or "
                "record it with study amend --reason TEXT"
            )


def keep_draft(world: StudyContext, unit: UnitOfWork) -> None:
    """Previews keep the draft they started with, and their ledger can be recomputed after the file changed."""
    unit.set_meta(draft_key(world.study_hash), world.study.canonical())
    keep_codes(unit, world.study, world.study_hash)


def _what_changed(world: StudyContext, locked: dict[str, object], materials: dict[str, str], folder: Path) -> str:
    now = world.study.published()
    keys = sorted(key for key in {*locked, *now} if locked.get(key) != now.get(key))
    files = dict(world.content.materials())
    for path in sorted(path for path in {*materials, *files} if materials.get(path) != files.get(path)):
        only = _only_line_ends_differ(folder / path, materials.get(path))
        keys.append(f"{path}: only its line ends differ; let git leave them alone" if only else path)
    return ", ".join(keys[:5]) + (" and more" if len(keys) > 5 else "")


def _only_line_ends_differ(path: Path, locked: str | None) -> bool:
    """Whether the file is the locked one but for line ends, as git or an editor on another system rewrites them."""
    try:
        unix = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return False
    return locked in {hashlib.sha256(text).hexdigest() for text in (unix, unix.replace(b"\n", b"\r\n"))}


_installed: list[App] = []


def install(app: App) -> None:
    """Make this the app that pages and routes of this process belong to."""
    _installed[:] = [app]


def current() -> App:
    """Return the app of this process.

    Raises:
        RuntimeError: none was installed; pages are served by `study serve` only.
    """
    if not _installed:
        raise RuntimeError("no study is running in this process; start it with study serve")
    return _installed[0]
