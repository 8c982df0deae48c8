"""The study file as types: arms, stages, limits, allocation, plan; validated whole, hashed as canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from study_app.domain.allocation import Scheme
from study_app.domain.arms import Arm
from study_app.domain.plan import Plan

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
StageKind = Literal["consent", "eligibility", "device", "survey", "instructions", "tasks", "quiz", "debrief"]
Entry = Literal["open", "links", "prolific"]
OptionValue = int | str


class Part(BaseModel):
    """Any table of the study file: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyArm(Arm):
    """An arm with what its participants meet."""

    control: bool = False
    """The arm that others are compared with; exactly one."""
    assistant: str | None = None
    """Id of an assistant under [assistants]; None: the room holds the library's notes instead."""
    instructions: str = ""
    """Markdown shown on stages of kind `instructions`."""
    pledge: str = ""
    """What participants of this arm promise before the tasks."""


class Codes(Part):
    """One completion code per outcome, for the panel to read."""

    completed: str = "COMPLETED"
    declined: str = "NO-CONSENT"
    screened_out: str = "SCREENED-OUT"
    withdrawn: str = "WITHDRAWN"


class Recruitment(Part):
    """Who may come in, and how many."""

    entry: Entry = "open"
    """`open` lets anyone in and is refused once the study is launched."""
    target_n: int = Field(default=52, ge=1)
    """Allocated participants at which enrolment closes."""
    completion_url: str = ""
    """Where the debrief links to; `{code}` is replaced by the code."""
    codes: Codes = Codes()
    abandoned_after_hours: float = Field(default=24.0, gt=0)
    """Hours without any activity after which somebody in progress counts as abandoned."""


class DataPolicy(Part):
    """What the consent page says about data."""

    keep_months: int = Field(default=60, ge=1)
    shared: str = ""
    """With whom data are shared beyond the research team, in a sentence."""


class Option(Part):
    """One answer to choose."""

    value: OptionValue
    label: str


class Question(Part):
    """One question of a survey or of the eligibility form."""

    id: Identifier
    kind: Literal["choice", "multiple", "scale", "number", "text"]
    prompt: str
    options: tuple[Option, ...] = ()
    """For choice and multiple; in order, so that integer values are ordered scores."""
    low: int | None = None
    high: int | None = None
    """Range of a scale or a number."""
    low_label: str = ""
    high_label: str = ""
    required: bool = True
    eligible: tuple[OptionValue, ...] = ()
    """On the eligibility stage: the answers that let a person in."""
    correct: OptionValue | None = None
    """For a concept check: the right answer; never leaves the server."""
    unit: str = ""
    caption: str = ""
    """For the codebook; the prompt where empty."""
    other_ai: bool = False
    """The question whether another AI was used; feeds `used_other_ai`."""

    @model_validator(mode="after")
    def _coherent(self) -> Question:
        if self.kind in ("choice", "multiple") and len(self.options) < 2:
            raise ValueError(f"question '{self.id}' has {len(self.options)} option(s); give at least two")
        if self.kind == "scale" and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError(f"question '{self.id}' is a scale; give low and high, low below high")
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise ValueError(f"question '{self.id}' has options with equal values; make each value its own")
        strange = [value for value in (*self.eligible, self.correct) if value is not None and value not in values]
        if strange and self.kind in ("choice", "multiple"):
            raise ValueError(f"question '{self.id}' names {strange[0]!r}, which is no option; use one of {values}")
        return self


class DerivedScore(Part):
    """A sum over keyed questions of a survey, exported as a column of its own."""

    id: Identifier
    of: tuple[Identifier, ...]
    caption: str = ""


class Stage(Part):
    """One station of the participant's way."""

    id: Identifier
    kind: StageKind
    title: str = ""
    body: str = ""
    """Markdown shown above the stage's own content."""
    intro: str = ""
    """Markdown of a page of its own before a timed stage; its clock starts when the person continues."""
    session: Identifier = "main"
    minutes: float | None = Field(default=None, gt=0)
    """Limit for the whole stage, shared by its tasks or pages."""
    packs: tuple[str, ...] = ()
    """Folders of task packs, relative to the study file; in order."""
    main: bool = True
    """Tasks only: counted in the task columns; the warm-up is not."""
    assistant: bool = False
    """Tasks only: whether arms that have an assistant have it here."""
    bank: str = ""
    """Quiz only: folder of the item bank, relative to the study file."""
    form: str = ""
    """Quiz only: which parallel form; empty for the bank's first."""
    questions: tuple[Question, ...] = ()
    scores: tuple[DerivedScore, ...] = ()
    exit: bool = False
    """Survey only: its columns stand after the outcomes (exit questions), not among the background."""

    @model_validator(mode="after")
    def _coherent(self) -> Stage:
        if self.kind == "tasks" and not self.packs:
            raise ValueError(f"stage '{self.id}' has no packs; name at least one task pack")
        if self.kind == "tasks" and self.minutes is None:
            raise ValueError(f"stage '{self.id}' has no limit; give minutes")
        if self.kind == "quiz" and not self.bank:
            raise ValueError(f"stage '{self.id}' has no bank; name the item bank's folder")
        if self.kind == "quiz" and self.minutes is None:
            raise ValueError(f"stage '{self.id}' has no limit; give minutes")
        if self.kind in ("survey", "eligibility") and not self.questions:
            raise ValueError(f"stage '{self.id}' asks nothing; give it questions")
        return self

    @property
    def timed(self) -> bool:
        """Whether the stage has a deadline."""
        return self.minutes is not None


class Session(Part):
    """One sitting; later ones open after a delay."""

    id: Identifier
    delay_days: float = Field(default=0.0, ge=0)
    """Days after the end of the session before."""


class AssistantEntry(Part):
    """Where an assistant's versioned file lies, and what this study changes of it."""

    file: str
    model: str | None = None


class AssistantPolicy(Part):
    """What the study demands of its assistants."""

    allow_embedded: bool = False
    """Whether a launched study may run on the embedded assistant."""
    require: Literal["any", "claude"] = "any"
    """`claude`: the study does not even start without a key."""
    study_cost_limit: float | None = Field(default=None, gt=0)
    """US dollars for all participants together."""


class SandboxPolicy(Part):
    """What the study accepts of the machine."""

    allow_weak_isolation: bool = False
    """Whether a launched study may run where participants' code can read the server's files."""


class ActivityRule(Part):
    """How active, idle and away time are told apart."""

    idle_after_seconds: float = Field(default=60.0, gt=0)
    """A gap between two acts counts as active up to this long."""
    away_after_seconds: float = Field(default=5.0, gt=0)
    """A spell with the window hidden or unfocused counts as away from this long."""


class Study(Part):
    """A whole trial."""

    schema_: Literal["study/1"] = Field(alias="schema")
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$", max_length=40)]
    title: str
    description: str = ""
    language: str = "en"
    contact: str = ""
    researchers: str = ""
    ethics: str = ""
    arms: tuple[StudyArm, ...] = Field(min_length=1)
    allocation: Scheme
    recruitment: Recruitment = Recruitment()
    data: DataPolicy = DataPolicy()
    assistants: dict[str, AssistantEntry] = {}
    assistant_policy: AssistantPolicy = AssistantPolicy()
    sandbox: SandboxPolicy = SandboxPolicy()
    activity: ActivityRule = ActivityRule()
    sessions: tuple[Session, ...] = (Session(id="main"),)
    stages: tuple[Stage, ...] = Field(min_length=1)
    styles: dict[str, Any] = {}
    """Patterns of use of the study's own, in place of the published six; see docs/styles.md."""
    analysis: Plan = Field(default_factory=Plan.default)

    @model_validator(mode="after")
    def _coherent(self) -> Study:
        problems = [*self._arm_problems(), *self._stage_problems(), *self._question_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _arm_problems(self) -> list[str]:
        found = []
        ids = [arm.id for arm in self.arms]
        for twice in sorted({arm for arm in ids if ids.count(arm) > 1}):
            found.append(f"arms: '{twice}' is declared twice; give each arm an id of its own")
        controls = [arm.id for arm in self.arms if arm.control]
        if len(self.arms) > 1 and len(controls) != 1:
            found.append(f"arms: {len(controls)} arms are marked control; mark exactly one with control = true")
        for arm in self.arms:
            if arm.assistant and arm.assistant not in self.assistants:
                known = ", ".join(sorted(self.assistants)) or "none"
                found.append(
                    f"arms.{arm.id}.assistant: '{arm.assistant}' is not declared; add [assistants.{arm.assistant}] "
                    f"or use one of: {known}"
                )
        return found

    def _stage_problems(self) -> list[str]:
        found = []
        ids = [stage.id for stage in self.stages]
        for twice in sorted({stage for stage in ids if ids.count(stage) > 1}):
            found.append(f"stages: '{twice}' is declared twice; give each stage an id of its own")
        sessions = [session.id for session in self.sessions]
        order = [sessions.index(stage.session) for stage in self.stages if stage.session in sessions]
        for stage in self.stages:
            if stage.session not in sessions:
                found.append(
                    f"stages.{stage.id}.session: '{stage.session}' is not declared; use one of: {', '.join(sessions)}"
                )
        if order != sorted(order):
            found.append("stages: they are not in the order of their sessions; keep each session's stages together")
        if self.stages[0].kind != "consent":
            found.append(f"stages: the first is of kind '{self.stages[0].kind}'; begin with a stage of kind consent")
        if self.stages[-1].kind != "debrief":
            found.append(f"stages: the last is of kind '{self.stages[-1].kind}'; end with a stage of kind debrief")
        if len(self.arms) > 1 and self.allocation_stage is None:
            found.append("stages: none differs by arm; add a stage of kind instructions or tasks with assistant = true")
        return found

    def _question_problems(self) -> list[str]:
        asked = [question.id for stage in self.stages for question in stage.questions]
        asked += [score.id for stage in self.stages for score in stage.scores]
        found = [
            f"stages: the question id '{twice}' is used twice; question ids are columns of the dataset, make it unique"
            for twice in sorted({name for name in asked if asked.count(name) > 1})
        ]
        for stage in self.stages:
            keyed = {question.id for question in stage.questions if question.correct is not None}
            for score in stage.scores:
                for name in score.of:
                    if name not in keyed:
                        found.append(
                            f"stages.{stage.id}.scores.{score.id}: '{name}' is no question with a correct answer here; "
                            "name questions of the same stage that have one"
                        )
        return found

    # -- the order of things -------------------------------------------------------------------------------------------

    def stage(self, stage_id: str) -> Stage:
        """The stage of that id.

        Raises:
            KeyError: there is none.
        """
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def next_stage(self, stage_id: str) -> Stage | None:
        """The stage that follows, or None after the last."""
        index = self.stages.index(self.stage(stage_id))
        return self.stages[index + 1] if index + 1 < len(self.stages) else None

    def delay_before(self, stage: Stage) -> float:
        """Days to wait before this stage opens: its session's delay if it is the first of its session, else 0."""
        first = next(other for other in self.stages if other.session == stage.session)
        if first.id != stage.id or stage.id == self.stages[0].id:
            return 0.0
        return next(session.delay_days for session in self.sessions if session.id == stage.session)

    def differs_by_arm(self, stage: Stage) -> bool:
        """Whether what a participant meets here depends on the arm."""
        if stage.kind == "instructions":
            return len({(arm.instructions, arm.pledge) for arm in self.arms}) > 1 or len(self.arms) > 1
        return stage.kind == "tasks" and stage.assistant and len({arm.assistant for arm in self.arms}) > 1

    @property
    def allocation_stage(self) -> Stage | None:
        """The first stage that differs by arm: allocation happens on the way in, never earlier."""
        return next((stage for stage in self.stages if self.differs_by_arm(stage)), None)

    @property
    def control(self) -> StudyArm:
        """The control arm (the only arm where there is one)."""
        return next((arm for arm in self.arms if arm.control), self.arms[0])

    def arm(self, arm_id: str) -> StudyArm:
        """The arm of that id."""
        return next(arm for arm in self.arms if arm.id == arm_id)

    @property
    def main_task_stages(self) -> tuple[Stage, ...]:
        """The stages whose tasks make the task columns."""
        return tuple(stage for stage in self.stages if stage.kind == "tasks" and stage.main)

    @property
    def background_questions(self) -> tuple[Question, ...]:
        """Questions of surveys and eligibility before the outcomes, in order."""
        return tuple(q for stage in self.stages if not stage.exit for q in stage.questions)

    @property
    def exit_questions(self) -> tuple[Question, ...]:
        """Questions of surveys marked exit, in order."""
        return tuple(q for stage in self.stages if stage.exit for q in stage.questions)

    def canonical(self) -> str:
        """The study as canonical JSON: sorted keys, no spaces, UTF-8."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def protocol_hash(study: Study, materials: dict[str, str]) -> str:
    """SHA-256 over the study and the hashes of everything a participant meets.

    Args:
        study: the validated study.
        materials: path relative to the study file -> SHA-256 of the file's bytes (packs, banks, assistants).
    """
    return hashlib.sha256(canonical_json({"study": study.canonical(), "materials": materials}).encode()).hexdigest()
