"""The plan of an interview: its topics, their wording in each language, and how far a model may go."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from study_app.domain.assistants.treatments import DEFAULT_MODEL, Effort, Price
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.file_tables import FileTable
from study_app.domain.interviews.wording import SHIPPED
from study_app.domain.text_files import parse_toml

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Mode = Literal["fixed", "probing", "open"]
Wording = dict[Language, str]
"""Language -> text."""

MODES: tuple[Mode, ...] = get_args(Mode)
LONGEST_CORE = 600
"""Characters of one question of a plan."""
PROMPT_VERSION = "interviewer-1"
"""Of the instructions that a model gets beside the plan; part of every turn's `prompt_version`."""


class InterviewTable(FileTable):
    """Any table of a plan."""


class Topic(InterviewTable):
    """One topic of an interview."""

    id: Identifier
    goal: str
    """What is to be learned; for the model and the codebook, never shown to participants."""
    core: Wording
    """The question that opens the topic, by language, asked word for word."""
    probes: int = Field(default=2, ge=0, le=5)
    """Most follow-up questions."""
    must: bool = True
    """The interview does not end by the model's choice before it was asked."""


class ClosingQuestion(InterviewTable):
    """A question at the end, which has no follow-ups."""

    id: Identifier
    core: Wording
    """By language, asked word for word."""


class PlanTexts(InterviewTable):
    """Sentences of the platform that a plan words differently, in one language; empty for the platform's."""

    probe: str = ""
    """The follow-up that is asked without a model, after a short answer."""
    clarify: str = ""
    """Before a question that is asked once more because it was not understood."""
    farewell: str = ""
    """Above the summary."""
    distress: str = ""
    """What stands on the page when an answer shows distress; `{contact}` is the study's contact."""
    distress_words: tuple[str, ...] = ()
    """Words of distress beside the shipped ones; a language without shipped ones needs some."""


class InterviewPlan(InterviewTable):
    """A plan file."""

    id: Identifier
    version: str = "1"
    """The author's; exported with every interview."""
    mode: Mode = "probing"
    """`fixed`: the plan's questions alone; `probing`: a model (without a key a rule) may probe; `open`: it may also
    choose the order of topics."""
    languages: tuple[Language, ...] = Field(min_length=1)
    """Languages that it can be held in; each question is worded in each."""
    minutes: float = Field(default=12.0, gt=0, le=180)
    """After so many no new question is asked."""
    max_turns: int = Field(default=16, ge=1, le=60)
    """Most questions."""
    know_arm: bool = False
    """Whether the model knows the participant's arm; refused where there are several: it could ask differently."""
    summary: bool = True
    """Whether the interview ends with a summary that the participant rates."""
    model: str = DEFAULT_MODEL
    effort: Effort | None = None
    """How much a model thinks before each question; None for its own default."""
    price: Price | None = None
    """What the model costs, by which interviews count towards `assistant_policy.study_cost_limit`."""
    topics: tuple[Topic, ...]
    """In the order in which they are asked."""
    closing: tuple[ClosingQuestion, ...] = ()
    texts: dict[Language, PlanTexts] = Field(default_factory=dict)
    """By language."""

    @model_validator(mode="after")
    def _coherent(self) -> InterviewPlan:
        problems = list(_problems(self))
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def asks_model(self) -> bool:
        """Whether a model chooses follow-ups, where there is a key."""
        return self.mode != "fixed"

    @property
    def asked(self) -> tuple[Topic | ClosingQuestion, ...]:
        """Topics and closing questions, in order."""
        return (*self.topics, *self.closing)

    @property
    def known(self) -> tuple[str, ...]:
        """Ids of topics and closing questions, in order."""
        return tuple(each.id for each in self.asked)

    def topic(self, topic_id: str) -> Topic | ClosingQuestion:
        """Return the topic or closing question of that id.

        Raises:
            KeyError: there is none.
        """
        for each in self.asked:
            if each.id == topic_id:
                return each
        raise KeyError(topic_id)

    @property
    def prompt_version(self) -> str:
        """Twelve digits of the SHA-256 over everything that a model's questions may depend on."""
        # A price changes no question.
        content = self.model_dump(mode="json", exclude={"price"})
        canonical = json.dumps([PROMPT_VERSION, content], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _problems(plan: InterviewPlan) -> Iterator[str]:
    if not plan.topics:
        yield "topics: there are none; give at least one [[topics]]"
    for twice in sorted({name for name in plan.known if plan.known.count(name) > 1}):
        yield f"topics: the id '{twice}' is used twice; ids name columns of the dataset, make each unique"
    for twice in sorted({name for name in plan.languages if plan.languages.count(name) > 1}):
        yield f"languages: '{twice}' is named twice; name each language once"
    for each in plan.asked:
        place = "topics" if isinstance(each, Topic) else "closing"
        yield from _wording_problems(plan, f"{place}.{each.id}.core", each.core)
        if isinstance(each, Topic) and not each.goal.strip():
            yield f"topics.{each.id}.goal: is empty; say what is to be learned"
    for language in sorted(set(plan.texts) - set(plan.languages)):
        yield f"texts.{language}: the plan is not held in '{language}'; add it to languages, or remove the table"
    for language in plan.languages:
        own = plan.texts.get(language)
        if language not in SHIPPED and not (own and own.distress_words):
            yield f"texts.{language}.distress_words: there are none, and none are shipped for '{language}'; give some"
    needed = len(plan.topics) + len(plan.closing)
    if plan.max_turns < needed:
        yield f"max_turns: {plan.max_turns} questions do not hold the plan's own {needed}; raise it"


def _wording_problems(plan: InterviewPlan, key: str, core: Wording) -> Iterator[str]:
    for language in plan.languages:
        text = core.get(language, "").strip()
        if not text:
            yield f"{key}.{language}: is missing; word the question in each of the plan's languages"
        elif len(text) > LONGEST_CORE:
            yield f"{key}.{language}: has {len(text)} characters; ask in at most {LONGEST_CORE}"
    for language in sorted(set(core) - set(plan.languages)):
        yield f"{key}.{language}: the plan is not held in '{language}'; add it to languages, or remove the wording"


def read_plan(text: str, file: str) -> InterviewPlan:
    """Return the plan in a file's text.

    Raises:
        ProblemsFound: everything that is wrong with it.
    """
    try:
        return InterviewPlan.model_validate(parse_toml(text))
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(file, "", f"is not TOML ({error})", "correct the syntax")]) from None
    except ValidationError as error:
        raise ProblemsFound(sorted(_as_problems(error, file))) from None


def _as_problems(error: ValidationError, file: str) -> Iterator[Problem]:
    for each in error.errors():
        key = ".".join(str(part) for part in each["loc"])
        if each["type"] != "value_error":
            yield Problem(file, key, each["msg"].rstrip("."), "see `study schema interview`")
            continue
        for line in str(each["ctx"]["error"]).splitlines():
            name, _, rest = line.partition(": ")
            what, _, remedy = rest.partition("; ")
            yield Problem(file, ".".join(part for part in (key, name) if part), what, remedy)
