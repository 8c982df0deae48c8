"""An assistant is a versioned treatment: its questions, its instructions, what it may use."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from study_app.domain.assistants.agent_settings import AgentSettings
from study_app.domain.assistants.personas import Persona
from study_app.domain.errors import AssistantUnavailable, Problem, ProblemsFound
from study_app.domain.file_tables import FileTable, wanted
from study_app.domain.text_files import parse_toml

Provider = Literal["claude", "notes", "recorded"]
Manner = Literal["answers", "hints", "questions", "agent"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
"""How much a model may think, where it can be chosen."""
UnavailableKind = Literal[
    "rate_limit", "overloaded", "timeout", "connection", "authentication", "refused", "budget", "too_long", "other"
]

DEFAULT_MODEL = "claude-sonnet-5-5"
API_KEY_VARIABLE = "ANTHROPIC_API_KEY"

_TAKES_TEMPERATURE = re.compile(r"claude-(haiku|sonnet|opus)-4-[0-6](-|$)")
"""Claude models before 4.7 are the last that accept sampling parameters."""
_ALWAYS_THINKS = re.compile(r"claude-(fable|mythos)-|claude-opus-5-5(-|$)")
"""Claude models whose thinking cannot be turned off."""


@dataclass
class ReplySoFar:
    """What is known of a reply while it comes, noted by who asks the provider: a reply that is cut is counted by it."""

    asked: ReplyEnd | None = None
    """Model and parameters that were asked for; None while nothing was sent."""
    sent_chars: int = 0
    """Characters of all that was sent: instructions, brief, history, program, message."""
    end: ReplyEnd | None = None
    """What the provider has said of it since it began."""
    came_chars: int = 0
    """Characters of all that came: words, thoughts, arguments of a call."""


@dataclass(frozen=True)
class AssistantRequest:
    """Everything one reply may depend on."""

    message: str
    brief: str
    """The task's brief, Markdown."""
    code: str
    """The participant's code at the moment of asking."""
    history: tuple[tuple[str, str], ...] = ()
    """(message, reply) of earlier turns in this study, oldest first."""
    task: str = ""
    """Task id."""
    pack: str = ""
    """Folder of the task pack, for an assistant that answers from its notes."""
    max_tokens: int | None = None
    """What the budget leaves for this reply (`Allowance.max_output_tokens`); None: what the treatment says."""
    starter: str = ""
    """The task's starter, from which a participant's program can be completed."""
    language: str = "en"
    """The participant's language."""
    withhold_code: bool = False
    """The treatment's gate is closed: the reply may hold no code."""
    so_far: ReplySoFar = field(default_factory=ReplySoFar, compare=False, repr=False)
    """Kept by an assistant whose provider counts tokens."""


@dataclass(frozen=True)
class TextDelta:
    """A piece of the reply."""

    text: str


@dataclass(frozen=True)
class ReplyEnd:
    """What the provider said about the finished reply."""

    model: str
    """Model id as served."""
    prompt_version: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str = "end_turn"
    """`end_turn`, `max_tokens`, `refusal` or another word of the provider's; `broken_off` where the stream was cut."""
    parameters: dict[str, object] = field(default_factory=dict)


class ReplyBrokenOff(AssistantUnavailable):
    """The provider had begun to answer when it failed or refused: what was streamed stands, `end` says what it cost."""

    def __init__(self, kind: str, message: str, *, end: ReplyEnd, retry_after: float | None = None) -> None:
        super().__init__(kind, message, retry_after)
        self.end = end
        """What is known about the part that was sent; `output_tokens` is None where the provider never said."""


class Parameters(FileTable):
    """What is sent to the model beside the words."""

    max_tokens: int = Field(default=1500, ge=1, le=64_000)
    """Longest reply, in tokens."""
    temperature: float | None = Field(default=None, ge=0, le=1)
    """Only for Claude models up to 4.6; later ones take none."""
    thinking: Literal["off", "adaptive"] | None = None
    """Whether the model thinks before its first word; None leaves it to the model. Some cannot be kept from it."""
    effort: Effort | None = None

    def given(self) -> dict[str, object]:
        """Return the parameters that are set, as exported with every turn."""
        return self.model_dump(exclude_none=True)


class AssistantLimits(FileTable):
    """What one participant may use; None means no limit."""

    turns: int | None = Field(default=None, ge=1)
    output_tokens: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    """Minutes that it stays open, counted from its opening."""
    cost_usd: float | None = Field(default=None, gt=0)


class StudyLimits(FileTable):
    """What all participants together may use; None means no limit."""

    output_tokens: int | None = Field(default=None, ge=1)
    cost_usd: float | None = Field(default=None, gt=0)


class Price(FileTable):
    """US dollars per million tokens."""

    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class AssistantSpec(FileTable):
    """One treatment, as a file `assistants/<id>.toml` or inline in a study file says it."""

    id: Name
    version: Text
    """The researcher's own version of the treatment, e.g. `1` or `2026-03`."""
    label: Text
    """What participants see above the pane."""
    greeting: str = ""
    """First words in the empty pane; never sent to the model."""
    provider: Provider = "claude"
    model: str = DEFAULT_MODEL
    prompt: str = ""
    manner: Manner = "answers"
    """How it helps: `answers`, `hints` only, `questions` (Socratic), or as an `agent` that may change and run."""
    agent: AgentSettings | None = None
    """What an agent may do, and who approves it."""
    persona: Persona | None = None
    """How it speaks; or an arm chooses one of the study's [personas]."""
    gives_code: bool = True
    """False: a reply that contains solution code breaks the treatment, and the fidelity figure counts it."""
    gate: Literal["none", "explain"] = "none"
    """`explain`: code on a task only after the participant has explained their idea of it in a message."""
    allow_paste: bool = True
    """Whether text copied from a reply may be pasted into the editor."""
    allow_insert: bool = False
    """Whether code in replies has a button that puts it into the editor; logged as a paste from the assistant."""
    opens_after_minutes: float = Field(default=0, ge=0, le=10_080)
    """Minutes of own work on the main tasks before the first message is accepted."""
    parameters: Parameters = Parameters()
    limits: AssistantLimits = AssistantLimits()
    study_limits: StudyLimits = StudyLimits()
    price: Price | None = None
    recording: str = ""
    """For `recorded`, and for a model in whose place it answers once that is retired: the JSONL file of turns to
    replay, relative to the study file."""

    @model_validator(mode="after")
    def _consistent(self) -> AssistantSpec:
        broken = [*_provider_rules(self), *_treatment_rules(self)]
        if broken:
            raise PydanticCustomError("rules", "{count} rules broken", {"count": len(broken), "broken": broken})
        return self

    @property
    def acts(self) -> bool:
        """Whether it may change and run the program."""
        return self.manner == "agent"

    @property
    def prompt_version(self) -> str:
        """Twelve hex digits over what shapes a reply's words: prompt, parameters, manner, gate, agent, persona."""
        shaping = {"prompt": self.prompt, "parameters": self.parameters.given()}
        # Without a gate nothing is said of it, so that treatments stay what they were.
        gate = {} if self.gate == "none" else {"gate": self.gate}
        acting = {} if self.agent is None else {"agent": self.agent.model_dump(mode="json")}
        speaking = {} if self.persona is None else {"persona": self.persona.shaping}
        return _digest(shaping | {"manner": self.manner, "gives_code": self.gives_code} | gate | acting | speaking)[:12]

    @property
    def instructions(self) -> str:
        """The prompt, followed by the persona's fragment where there is one."""
        return "\n\n".join([self.prompt.strip(), *([self.persona.fragment] if self.persona else [])])

    @property
    def digest(self) -> str:
        """SHA-256 over the whole treatment, hexadecimal."""
        # Without an agent or a persona nothing is said of one, so that treatments stay what they were.
        unused = {key for key in ("agent", "persona") if getattr(self, key) is None}
        return _digest(self.model_dump(mode="json", exclude=unused))

    def speaking_as(self, persona: Persona) -> AssistantSpec:
        """Return the treatment with a persona that an arm chooses."""
        greeting = persona.greeting or self.greeting
        return self.model_copy(update={"persona": persona, "greeting": greeting})


def parse_assistant(data: Mapping[str, Any], *, file: str, key: str = "") -> AssistantSpec:
    """Return the treatment that a TOML table describes.

    Args:
        data: The table.
        file: The file it stands in, as the user named it.
        key: Dotted path of the table in that file; empty for a separate file.

    Raises:
        ProblemsFound: every problem of the table, at once.
    """
    try:
        return AssistantSpec.model_validate(dict(data))
    except ValidationError as error:
        raise ProblemsFound([p for one in error.errors() for p in _problems(one, file, key)]) from None


def read_assistant(text: str, *, file: str) -> AssistantSpec:
    """Return the treatment in the TOML text of a separate file.

    Raises:
        ProblemsFound: the text is not TOML, or every problem of the treatment.
    """
    try:
        data = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(file, "", f"not readable as TOML: {error}", "correct the syntax there")]) from None
    return parse_assistant(data, file=file)


def adapted(spec: AssistantSpec, *, file: str, key: str = "", model: str | None = None) -> AssistantSpec:
    """Return the treatment with what one study changes of it, checked again as a whole.

    Args:
        spec: The treatment as its file says it.
        file: The study file, for messages.
        key: Where in the study file the change stands.
        model: Another model.

    Raises:
        ProblemsFound: the changed treatment is not valid.
    """
    if model is None:
        return spec
    return parse_assistant(spec.model_dump() | {"model": model}, file=file, key=key)


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _provider_rules(spec: AssistantSpec) -> list[tuple[str, str, str]]:
    """(key, what is wrong, remedy) of every rule about the provider that the treatment breaks."""
    broken = []
    if spec.provider == "claude" and not spec.prompt.strip():
        broken.append(("prompt", "empty", "write the instructions that Claude gets before the participant's message"))
    if spec.provider == "claude" and not spec.model.strip():
        broken.append(("model", "empty", f"name a Claude model, e.g. {DEFAULT_MODEL}"))
    if spec.provider == "recorded" and not spec.recording.strip():
        broken.append(("recording", "missing", "name the JSONL file of turns to replay"))
    costs = spec.limits.cost_usd is not None or spec.study_limits.cost_usd is not None
    if costs and spec.price is None:
        broken.append(("price", "missing although a limit in US dollars is set", "give input_usd and output_usd"))
    return [*broken, *_model_rules(spec)]


def _model_rules(spec: AssistantSpec) -> list[tuple[str, str, str]]:
    """Return what the provider is known to refuse of the model; ids of other makers are left to them."""
    broken = []
    if spec.provider != "claude" or not spec.model.startswith("claude-"):
        return []
    if spec.parameters.temperature is not None and not _TAKES_TEMPERATURE.match(spec.model):
        broken.append(("parameters.temperature", f"not accepted by {spec.model}", "leave it out"))
    if spec.parameters.thinking == "off" and _ALWAYS_THINKS.match(spec.model):
        remedy = 'leave it out and set effort = "low" for quick replies'
        broken.append(("parameters.thinking", f"cannot be turned off for {spec.model}", remedy))
    return broken


def _treatment_rules(spec: AssistantSpec) -> list[tuple[str, str, str]]:
    broken = []
    if spec.allow_insert and not spec.allow_paste:
        remedy = "set allow_paste = true, or leave allow_insert out"
        broken.append(("allow_insert", "true although allow_paste is false", remedy))
    if spec.gate != "none" and not spec.gives_code:
        broken.append(
            ("gate", f'"{spec.gate}" although gives_code is false', "set gives_code = true, or leave gate out")
        )
    if spec.acts:
        return [*broken, *_agent_rules(spec)]
    if spec.agent is not None:
        broken.append(("agent", f'given although manner is "{spec.manner}"', 'set manner = "agent", or leave it out'))
    if spec.gives_code and spec.manner != "answers":
        broken.append(("gives_code", f'true although manner is "{spec.manner}"', "set gives_code = false"))
    return broken


def _agent_rules(spec: AssistantSpec) -> list[tuple[str, str, str]]:
    broken = []
    if spec.agent is None:
        remedy = 'add the table [agent], e.g. approval = "each"'
        broken.append(("agent", 'missing although manner is "agent"', remedy))
    if not spec.gives_code:
        broken.append(("gives_code", 'false although manner is "agent"', "set gives_code = true"))
    if spec.gate != "none":
        broken.append(("gate", f'"{spec.gate}" although manner is "agent"', "leave gate out"))
    return broken


def _problems(error: ErrorDetails, file: str, prefix: str) -> list[Problem]:
    """Return the problems that one pydantic error stands for."""

    def at(key: str) -> str:
        return ".".join(part for part in (prefix, key) if part)

    if error["type"] == "rules":
        return [Problem(file, at(key), what, remedy) for key, what, remedy in error["ctx"]["broken"]]
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return [Problem(file, at(key), "missing", "add it")]
    if error["type"] == "extra_forbidden":
        return [Problem(file, at(key), "unknown key", "remove it or correct its spelling")]
    return [Problem(file, at(key), f"{error['input']!r} is not valid", f"give {wanted(error['msg'])}")]
