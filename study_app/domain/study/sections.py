"""The tables of a study file below the top one: arms, questions, stages, limits and policies."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from study_app.domain.allocation.arms import Arm
from study_app.domain.assistants.personas import treatment_name
from study_app.domain.assistants.served_models import OnRetirement
from study_app.domain.content.content_paths import name_of
from study_app.domain.file_tables import FileTable

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
StageKind = Literal[
    "consent", "eligibility", "device", "survey", "instructions", "tasks", "quiz", "interview", "debrief"
]  # fmt: skip
EntryMode = Literal["open", "links", "prolific"]
TargetCounts = Literal["allocated", "completed"]
OptionValue = int | str
MOST_MINUTES = 10_080
"""A week: the longest limit of a stage."""
MOST_DAYS = 3_660
"""Ten years: the longest wait for a session."""
WITH_OPTIONS = ("choice", "multiple", "matrix", "ranking")
"""Kinds of questions whose answers are made of options."""
WITH_RANGE = ("scale", "slider", "number")
"""Kinds of questions whose answers are numbers, between `low` and `high` where these are given."""
BLOCK_KINDS = ("heading", "text_block")
"""Kinds of entries among a survey's questions that only show something."""


class StudySection(FileTable):
    """Any table of the study file: unknown keys are errors, values never change after reading."""


class StudyArm(Arm):
    """An arm with what its participants meet."""

    control: bool = False
    """The arm that others are compared with; exactly one."""
    assistant: str | None = None
    """Id of an assistant under [assistants]; None: the room holds the library's notes instead."""
    persona: Identifier | None = None
    """Id of a persona under [personas], in which the assistant speaks; independent of `assistant`."""
    instructions: str = ""
    """Markdown shown on stages of kind `instructions`."""
    pledge: str = ""
    """What participants of this arm promise before the tasks."""
    variants: dict[Identifier, str] = Field(default_factory=dict)
    """Task -> folder of the impossible variant that stands in its place in this arm; see `Variant`."""

    @property
    def treatment(self) -> str | None:
        """Name of the assistant with its persona, such as `full+warm`; None without an assistant."""
        return treatment_name(self.assistant, self.persona)

    def shown(self, folder: str) -> str:
        """Return the folder of the pack that participants of this arm meet in a task's place."""
        return self.variants.get(name_of(folder), folder)


class CompletionCodes(StudySection):
    """One completion code per outcome, for the panel to read."""

    completed: str = "COMPLETED"
    declined: str = "NO-CONSENT"
    screened_out: str = "SCREENED-OUT"
    withdrawn: str = "WITHDRAWN"
    full: str = "STUDY-FULL"
    """For people who found no place free."""


class Quota(StudySection):
    """At most so many participants with this answer to a question that is asked before the allocation."""

    question: str
    """Of the eligibility form, or of a survey before the allocation; of one kind with options, or a scale."""
    answer: OptionValue
    share: float | None = Field(default=None, gt=0, le=1)
    """Of `target_n`, rounded down; or `most`."""
    most: int | None = Field(default=None, ge=1)
    """Participants; or `share`."""

    @model_validator(mode="after")
    def _one_bound(self) -> Quota:
        if (self.share is None) == (self.most is None):
            raise ValueError("give either share (of target_n) or most (participants)")
        return self

    def limit(self, target_n: int) -> int:
        """Return how many participants may have the answer."""
        return self.most if self.most is not None else math.floor((self.share or 0.0) * target_n + 1e-9)

    def meets(self, given: Any) -> bool:
        """Return whether an answer is the one that the quota counts; of several choices, whether it is among them."""
        chosen = given if isinstance(given, list) else [given]
        return any(type(each) is type(self.answer) and each == self.answer for each in chosen)


class BonusRule(StudySection):
    """What participants get on top, by something that every arm has alike."""

    per: Literal["quiz_points", "tasks_passed", "sessions_completed"]
    """Points of the main quiz, main tasks that pass every check, or sessions completed."""
    amount: float = Field(gt=0)
    """For each, in the currency of the panel's study."""
    most: float | None = Field(default=None, gt=0)
    """Of this rule, a participant."""

    def pays(self, count: float) -> float:
        """Return the bonus for so many, rounded to hundredths."""
        earned = round(self.amount * max(count, 0.0) + 1e-9, 2)
        return earned if self.most is None else min(earned, self.most)


class Recruitment(StudySection):
    """Who may come in, and how many."""

    entry: EntryMode = "open"
    """`open` lets anyone in and is refused once the study is launched."""
    signed_for: str = ""
    """The site's own address, for addresses that Prolific signs ("secure URL parameters"): then no one can come from
    Prolific without its signature. Its public keys are named by the environment variable STUDY_PROLIFIC_KEYS."""
    target_n: int = Field(default=52, ge=1)
    """Participants at which enrolment closes. A place is reserved at consent and used at allocation."""
    target_counts: TargetCounts = "allocated"
    """`allocated` counts everybody with an arm, less those whose slot `replacement` returns; `completed` counts people
    who have completed or still can, so that those who leave are replaced."""
    quotas: tuple[Quota, ...] = ()
    """Who meets a full one is turned away with the code `full`."""
    bonus: tuple[BonusRule, ...] = ()
    """Added up by `study pay` for everybody who completed the session."""
    ends_on: date | None = None
    """Last day of recruitment; a model that retires before it is refused at the launch."""
    completion_url: str = ""
    """Where the debrief links to; `{code}` is replaced by the code."""
    codes: CompletionCodes = CompletionCodes()
    abandoned_after_hours: float = Field(default=24.0, gt=0, le=24 * MOST_DAYS)
    """Hours without activity after which a participant in progress counts as abandoned; a place that was reserved at
    consent is free again so long after the last step towards allocation."""

    @model_validator(mode="after")
    def _signed(self) -> Recruitment:
        if self.signed_for and self.entry != "prolific":
            raise ValueError('signed_for: only Prolific signs addresses; say entry = "prolific", or leave it out')
        return self


class DataPolicy(StudySection):
    """What the consent page says about data."""

    keep_months: int = Field(default=60, ge=1)
    shared: str = ""
    """With whom data are shared beyond the research team, in a sentence."""


class ConsentFacts(StudySection):
    """What the consent page says besides its own text; each a sentence in the study's language."""

    pay: str = ""
    """What participants receive."""
    pay_when_leaving: str = ""
    """What those receive who leave early; also said in the dialog of `Leave the study`."""
    risks: str = ""
    """Risks and discomforts, and that there are none beyond everyday ones."""
    minimum_age: int | None = Field(default=None, ge=0, le=120)
    """Years that participants must have reached."""


class AnswerOption(StudySection):
    """One answer to choose."""

    value: OptionValue
    label: str


class MatrixRow(StudySection):
    """One row of a matrix: a statement that takes one of the question's options."""

    id: Identifier
    label: str


class Question(StudySection):
    """One question of a survey or of the eligibility form."""

    id: Identifier
    kind: Literal[
        "choice", "multiple", "scale", "slider", "number", "text", "matrix", "ranking", "heading", "text_block"
    ]
    """A `matrix` has `rows`, each answered by one of the options; a `ranking` puts all options in order. `heading` and
    `text_block` ask nothing: their prompt stands between the questions."""
    prompt: str
    """Markdown; of a heading plain text."""
    options: tuple[AnswerOption, ...] = ()
    """For choice, multiple, matrix and ranking; in order, so that integer values are ordered scores."""
    rows: tuple[MatrixRow, ...] = ()
    """For a matrix."""
    shuffle: bool = False
    """Options (of a matrix: rows) in an order drawn for each person."""
    low: int | None = None
    high: int | None = None
    """Range of a scale, a slider or a number."""
    whole: bool = False
    """Number only: whole numbers only."""
    low_label: str = ""
    high_label: str = ""
    required: bool = True
    eligible: tuple[OptionValue, ...] = ()
    """On the eligibility stage: the answers that let a person in; of several choices each must be among them."""
    correct: OptionValue | None = None
    """For a concept check: the right answer; never leaves the server."""
    unit: str = ""
    """Of a number; shown beside its box."""
    caption: str = ""
    """For the codebook; the prompt where empty."""
    other_ai: bool = False
    """The question whether another AI was used; feeds `used_other_ai`."""
    arms: tuple[Identifier, ...] = ()
    """Arms whose participants are asked; empty for all."""
    when: str = ""
    """A condition over answers on earlier stages, such as `years >= 2`; empty for everybody."""

    @property
    def asks(self) -> bool:
        """Whether participants answer it."""
        return self.kind not in BLOCK_KINDS

    @model_validator(mode="after")
    def _coherent(self) -> Question:
        if not self.asks:
            fields = type(self).model_fields
            own = {"id", "kind", "prompt", "arms", "when"}
            given = sorted(n for n, f in fields.items() if n not in own and getattr(self, n) != f.default)
            if given:
                raise ValueError(f"'{self.id}' of kind {self.kind} asks nothing; remove {', '.join(given)}")
            return self
        if self.whole and self.kind != "number":
            raise ValueError(f"question '{self.id}' is of kind {self.kind}; whole = true belongs to numbers only")
        if self.kind in WITH_OPTIONS and len(self.options) < 2:
            raise ValueError(f"question '{self.id}' has {len(self.options)} option(s); give at least two")
        if (self.kind == "matrix") != bool(self.rows):
            raise ValueError(f"question '{self.id}' is of kind {self.kind}; rows belong to a matrix, which needs them")
        ids = [row.id for row in self.rows]
        if len(set(ids)) < len(ids):
            raise ValueError(f"question '{self.id}' has rows of the same id; give each row a different id")
        if self.shuffle and self.kind not in WITH_OPTIONS:
            raise ValueError(f"question '{self.id}' is of kind {self.kind}, which has no order to draw; remove shuffle")
        if self.kind in ("scale", "slider") and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError(f"question '{self.id}' is a {self.kind}; give low and high, low below high")
        if self.kind == "number" and self.low is not None and self.high is not None and self.low > self.high:
            what = f"has low = {self.low} above high = {self.high}, so there is no answer"
            raise ValueError(f"question '{self.id}' {what}; correct one")
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise ValueError(f"question '{self.id}' has options with equal values; make each value its own")
        strange = [value for value in (*self.eligible, self.correct) if value is not None and value not in values]
        if strange and self.kind in ("choice", "multiple"):
            raise ValueError(f"question '{self.id}' names {strange[0]!r}, which is not an option; use one of {values}")
        return self

    def lets_in(self, value: object) -> bool:
        """Return whether an answer lets a person in; of several choices each has to."""
        if not self.eligible:
            return True
        if isinstance(value, list | tuple):
            return bool(value) and all(each in self.eligible for each in value)
        return value in self.eligible


class DerivedScore(StudySection):
    """A sum over keyed questions of a survey, exported as a separate column."""

    id: Identifier
    of: tuple[Identifier, ...]
    caption: str = ""


class Stage(StudySection):
    """One station of the participant's way."""

    id: Identifier
    kind: StageKind
    title: str = ""
    body: str = ""
    """Markdown shown above the stage's own content."""
    intro: str = ""
    """Markdown of a separate page before a timed stage; its clock starts when the person continues.

    `{minutes}` is filled in; on a quiz also `{items}` and `{pages}`.
    """
    session: Identifier = "main"
    minutes: float | None = Field(default=None, gt=0, le=MOST_MINUTES)
    """Limit for the whole stage, shared by its tasks or pages."""
    about_minutes: float | None = Field(default=None, gt=0, le=MOST_MINUTES)
    """How long a stage without limit takes, for the page's progress; from its kind and questions where missing."""
    packs: tuple[str, ...] = ()
    """Folders of task packs, relative to the study file; in order."""
    shuffle: bool = False
    """Tasks: in an order drawn for each person. Quiz: items in an order drawn for each person within their page."""
    main: bool = True
    """Tasks only: counted in the task columns; the warm-up is not."""
    assistant: bool = False
    """Tasks only: whether arms that have an assistant have it here."""
    bank: str = ""
    """Quiz only: folder of the item bank, relative to the study file."""
    form: str = ""
    """Quiz only: which parallel form; empty for the bank's first."""
    role: Literal["", "baseline", "main", "retention", "other"] = ""
    """Quiz only: what it is for; empty takes the role from its place (before allocation baseline, then main)."""
    confidence: bool = False
    """Quiz only: beside each item people say how likely they think their answer is right."""
    judgement: Identifier | Literal[""] = ""
    """Quiz only: the question of an earlier stage in which people judge how well they will do; a slider, scale or
    number whose low end means nothing right and whose high end everything right."""
    questions: tuple[Question, ...] = ()
    """In the order shown, headings and blocks of text among them."""
    scores: tuple[DerivedScore, ...] = ()
    arms: tuple[Identifier, ...] = ()
    """Surveys and instructions only: arms whose participants come here; empty for all."""
    when: str = ""
    """Surveys and instructions only: a condition over answers on earlier stages; empty for everybody."""
    exit: bool = False
    """Survey only: its columns stand after the outcomes (exit questions), not among the background."""
    plan: str = ""
    """Interview only: the plan's file, relative to the study file."""
    sharing: Identifier | Literal[""] = ""
    """Interview only: an earlier question with the option `yes`; what people said there leaves in a dataset for
    everybody only if they chose it."""

    @model_validator(mode="after")
    def _coherent(self) -> Stage:
        if self.kind == "tasks" and not self.packs:
            raise ValueError(f"stage '{self.id}' has no packs; name at least one task pack")
        if self.kind == "tasks" and self.minutes is None:
            raise ValueError(f"stage '{self.id}' has no limit; give minutes")
        if self.shuffle and self.kind not in ("tasks", "quiz"):
            raise ValueError(f"stage '{self.id}' is of kind {self.kind}, which has no order to draw; remove shuffle")
        if self.kind == "quiz" and not self.bank:
            raise ValueError(f"stage '{self.id}' has no bank; name the item bank's folder")
        if self.kind == "quiz" and self.minutes is None:
            raise ValueError(f"stage '{self.id}' has no limit; give minutes")
        if self.kind in ("survey", "eligibility") and not self.asked:
            raise ValueError(f"stage '{self.id}' asks nothing; give it questions")
        if self.kind == "interview" and not self.plan:
            raise ValueError(f"stage '{self.id}' has no plan; name the interview's plan, such as interviews/exit.toml")
        return self

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions that take an answer, in order."""
        return tuple(question for question in self.questions if question.asks)

    @property
    def timed(self) -> bool:
        """Whether the stage has a deadline."""
        return self.minutes is not None


class StudySession(StudySection):
    """One sitting; later ones open after a delay."""

    id: Identifier
    delay_days: float = Field(default=0.0, ge=0, le=MOST_DAYS)
    """Days after the end of the session before."""
    window_days: float | None = Field(default=None, gt=0, le=MOST_DAYS)
    """Days for which it can be begun once it has opened; without it there is no end."""
    remind_days: tuple[Annotated[float, Field(ge=0, le=MOST_DAYS)], ...] = ()
    """Days after its opening at which `study remind` writes to those who have not begun it."""
    code: str = ""
    """Completion code of this session; the last one has `recruitment.codes.completed` where it names none."""
    studies: tuple[str, ...] = ()
    """Ids of the panel's studies that lead people back into this session (Prolific's STUDY_ID, one for each part)."""


class AssistantEntry(StudySection):
    """Where an assistant's versioned file lies, and what this study changes of it."""

    file: str
    model: str | None = None


class PersonaEntry(StudySection):
    """Where a persona's file lies."""

    file: str


class AssistantPolicy(StudySection):
    """What the study demands of its assistants."""

    allow_embedded: bool = False
    """Whether a launched study may run on the embedded assistant."""
    require: Literal["any", "claude"] = "any"
    """`claude`: the study does not even start without a key."""
    study_cost_limit: float | None = Field(default=None, gt=0)
    """US dollars for all participants together, and for the rounds of `drift_probes`."""
    drift_probes: bool = True
    """Whether the same fixed questions are put to each treatment's provider at launch, weekly and at the close; with a
    key they are paid for."""
    on_retirement: OnRetirement = "refuse"
    """Of a model whose announced end lies before recruitment's: `refuse` launches nothing on it, `stop` launches, and
    the server closes enrolment once the model is retired, `replay` launches, and the treatment's `recording` answers
    from then on."""


class SandboxPolicy(StudySection):
    """What the study accepts of the machine."""

    allow_weak_isolation: bool = False
    """Whether a launched study may run where participants' code can read the server's files."""


class ActivityRule(StudySection):
    """How active, idle and away time are distinguished."""

    idle_after_seconds: float = Field(default=60.0, gt=0)
    """A gap between two acts counts as active up to this long."""
    away_after_seconds: float = Field(default=5.0, gt=0)
    """A spell with the window hidden or unfocused counts as away from this long."""
