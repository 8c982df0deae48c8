"""A study in one process: its context and its services, and the one that pages and routes belong to."""

from __future__ import annotations

from dataclasses import dataclass, field

from study_app.assistant.provider import ProviderCheck, check_provider
from study_app.bootstrap.contents import open_texts
from study_app.content.kept_library import KeptLibrary
from study_app.content.library import FolderLibrary
from study_app.content.texts import TextShelf
from study_app.domain.records import Participant
from study_app.domain.study.study import Study
from study_app.secrets.signed_arrival import SignedArrival
from study_app.services.attending.acts import ParticipantActs
from study_app.services.attending.live import LiveBoard
from study_app.services.attending.recruiting import Recruiting
from study_app.services.author.following import FollowedFiles
from study_app.services.author.previews import AuthorPreviews
from study_app.services.context import StudyContext
from study_app.services.grading.scoring import QuizScoring
from study_app.services.grading.submissions import Grading
from study_app.services.operation.alert_watch import AlertWatch
from study_app.services.operation.anchoring import Anchoring
from study_app.services.operation.clock_watch import ClockWatch
from study_app.services.operation.head_signing import HeadSigning
from study_app.services.operation.health import Health
from study_app.services.operation.isolation_watch import IsolationWatch
from study_app.services.operation.metrics import Metrics
from study_app.services.operation.models.replacing import replaced_now
from study_app.services.operation.models.watch import ModelWatch
from study_app.services.operation.server_watch import ServerWatch
from study_app.services.participant.agent.answering import AgentDecisions
from study_app.services.participant.answers import Answers
from study_app.services.participant.chat import AssistantChat
from study_app.services.participant.enrolment import Enrol
from study_app.services.participant.interviewing.interviews import Interviews
from study_app.services.participant.probing.asking import AffectCards
from study_app.services.participant.programs.submitting import TaskSubmission
from study_app.services.participant.runs import ProgramRuns
from study_app.services.participant.session import ParticipantSession
from study_app.services.participant.taking_over import TakingOver
from study_app.services.researcher.exporting.datasets import Datasets
from study_app.services.researcher.interim.looks import InterimLooks
from study_app.services.researcher.lifecycle import Lifecycle
from study_app.services.researcher.links import ParticipantLinks
from study_app.services.researcher.reopening import Reopening
from study_app.settings import Settings


@dataclass
class Author:
    """What an author has besides the study itself."""

    files: FollowedFiles
    previews: AuthorPreviews


@dataclass
class App:
    """A study in one process, ready to serve, simulate or export."""

    settings: Settings
    context: StudyContext
    library: FolderLibrary
    enrol: Enrol
    session: ParticipantSession
    work: ProgramRuns
    submitting: TaskSubmission
    help: AssistantChat
    decisions: AgentDecisions
    answers: Answers
    interviews: Interviews
    probes: AffectCards
    grading: Grading
    scoring: QuizScoring
    lifecycle: Lifecycle
    datasets: Datasets
    interim: InterimLooks
    links: ParticipantLinks
    anchoring: Anchoring
    head_signing: HeadSigning
    reopening: Reopening
    acts: ParticipantActs
    live: LiveBoard
    recruiting: Recruiting
    health: Health
    clock_watch: ClockWatch
    isolation_watch: IsolationWatch
    server_watch: ServerWatch
    alert_watch: AlertWatch
    model_watch: ModelWatch
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
        return self.context.study

    def texts_of(self, participant: Participant) -> TextShelf:
        """Return the texts of the version that a participant started with and keeps."""
        content = self.context.content_of(participant)
        if not isinstance(content, KeptLibrary):
            return self.texts
        if participant.study_hash not in self.kept_texts:
            self.kept_texts[participant.study_hash] = open_texts(content)
        return self.kept_texts[participant.study_hash]

    def ask_provider(self, file: str) -> ProviderCheck:
        """Ask the provider about the models that the study declares; `file` is what messages call the study file."""
        ends_on, policy = self.study.recruitment.ends_on, self.study.assistant_policy
        if policy.on_retirement == "replay":
            # A trial in which a recording answers goes on, also where no server has looked today.
            self.model_watch.look_where_launched("cli")
        with self.context.registry.begin(write=False) as unit:
            replaced = {each.treatment: each.summary for each in replaced_now(self.context, unit)}
        return check_provider(
            self.library.specs,
            self.settings.environment,
            ends_on,
            file,
            self.library.plans,
            on_retirement=policy.on_retirement,
            replaced=replaced,
        )

    def close(self) -> None:
        """Let go of database and fork servers."""
        self.context.sandbox.close()
        self.context.registry.close()


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
