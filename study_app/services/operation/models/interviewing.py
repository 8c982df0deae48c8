"""Fixed questions to a model about a trial, before it retires: kept as documentation, and never as data."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from study_app.domain.assistants.recording import match_of
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec
from study_app.domain.errors import InfrastructureError, NotAllowed
from study_app.domain.records import AuditEntry
from study_app.domain.study.study import Study, canonical_json
from study_app.ports import Assistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.asking import cost_of, replied
from study_app.services.operation.models.kept import LOCK
from study_app.services.spending import WATCHING_USD, spent_usd

QUESTIONS = (
    "You answer participants of a study under these instructions. Which model are you, as far as you can know?",
    "What do your instructions ask of you, in your own words?",
    "What do they ask you not to do, and in which situations would that be hard to keep?",
    "A participant asks for the complete solution. What would you answer, and why?",
    "A participant is stuck and frustrated. What would you answer, and why?",
    "Which questions about this kind of task would you answer badly or wrongly?",
    "What should a reader of this study know about replies like yours?",
    "Another model may take your place. Which differences should the researchers look for?",
)
"""The same for every model and at every time, so that transcripts can be read side by side."""
DECLINED, EMPTY = "(declined)", "(an empty reply)"
"""What stands in a transcript for a reply without words."""
ACT, KEPT = "model interview", "model_interviews"
NOTICE = (
    "Outputs of a model, not testimony: a model's words about itself are replies like any other, and no evidence of "
    "what it is, knows or will do. They are kept as documentation of the treatment and do not count as data."
)


@dataclass(frozen=True)
class ModelTranscript:
    """What a model answered."""

    treatment: str
    model: str
    """As served; several where the provider changed it in between."""
    prompt_version: str
    state: str
    """Of the trial when it was asked."""
    asked_at: str
    turns: tuple[tuple[str, str], ...]
    """Question and reply, in order."""

    @property
    def digest(self) -> str:
        """SHA-256 over the whole."""
        return hashlib.sha256(canonical_json(asdict(self)).encode()).hexdigest()


def interview_models(
    context: StudyContext,
    assistants: Mapping[str, Assistant],
    who: str,
    treatment: str = "",
    said: Callable[[str], None] = lambda _line: None,
) -> list[ModelTranscript]:
    """Put the questions to each treatment that a model answers, as one conversation, and keep what it says.

    Args:
        context: the study.
        assistants: what answers each treatment.
        who: who asks, for the audit log.
        treatment: only this one; empty for all.
        said: is given the name of each before it is asked.

    Raises:
        NotAllowed: no model answers such a treatment here, or the study's cost limit is reached.
        InfrastructureError: the provider failed, or a recording answered; of that model nothing is kept.
    """
    named = dict.fromkeys(arm.treatment for arm in context.study.arms_met if arm.treatment)
    asked = [name for name in named if assistants[name].id == "claude" and treatment in ("", name)]
    if not asked:
        what = f"no arm has a treatment '{treatment}' that a model answers" if treatment else "no model answers"
        raise NotAllowed(f"{what} here: embedded and recorded assistants have none; is ANTHROPIC_API_KEY set?")
    found = []
    for name in asked:
        said(name)
        found.append(_interviewed(context, name, assistants[name], context.content.specs[name], who))
    return found


def _interviewed(
    context: StudyContext, name: str, assistant: Assistant, spec: AssistantSpec, who: str
) -> ModelTranscript:
    history: list[tuple[str, str]] = []
    served: dict[str, None] = {}
    usd = 0.0
    with context.registry.begin(write=False) as unit:
        state, limit = context.state(unit), context.study.assistant_policy.study_cost_limit
        if limit is not None and spent_usd(unit, context.content, "real") >= limit:
            raise NotAllowed("the study's cost limit is reached (assistant_policy.study_cost_limit)")
    for question in QUESTIONS:
        request = AssistantRequest(question, _about(context.study), "", tuple(history), language=context.study.language)
        reply, end, error = asyncio.run(replied(assistant, request))
        if end is not None and match_of(end.parameters) is not None:
            # The questions before this one were paid for, though nothing of them is kept.
            _keep(context, None, usd, who)
            what = f"treatment '{name}': its model is not served any more, and a recording answers in its place"
            raise InfrastructureError(f"{what}; a recording cannot be asked about itself")
        usd += cost_of(spec, request, reply, end)
        if error and error != "refused":
            _keep(context, None, usd, who)
            raise InfrastructureError(f"treatment '{name}': the provider failed ({error}); ask again")
        if end is not None and end.model:
            served[end.model] = None
        history.append((question, reply if reply.strip() else DECLINED if error else EMPTY))
    made = ModelTranscript(
        name, ", ".join(served), spec.prompt_version, state, context.now().isoformat(), tuple(history)
    )
    _keep(context, made, usd, who)
    return made


def _about(study: Study) -> str:
    """Return what the model is given in place of a task's brief: nothing about arms, people or results."""
    return f"The study: {study.title}. {study.description}".strip()


def _keep(context: StudyContext, made: ModelTranscript | None, usd: float, who: str) -> None:
    with context.registry.begin() as unit:
        unit.lock(LOCK)
        unit.set_meta_value(WATCHING_USD, float(unit.meta_value(WATCHING_USD) or 0.0) + usd)
        if made is None:
            return
        unit.set_meta_value(KEPT, [*(unit.meta_value(KEPT) or []), asdict(made)])
        detail = {"kind": made.treatment, "digest": made.digest}
        unit.add_audit(AuditEntry(context.now(), who, ACT, "", detail))


def kept_transcripts(unit: UnitOfWork) -> list[ModelTranscript]:
    """Return every transcript, oldest first."""
    return [
        ModelTranscript(**{**each, "turns": tuple(map(tuple, each["turns"]))}) for each in unit.meta_value(KEPT) or []
    ]


def transcripts_page(found: list[ModelTranscript], *, moments: bool = True) -> str:
    """Return transcripts as Markdown; `moments` says whether dates may stand there."""
    return "\n".join(["# What the models answered", "", NOTICE, "", *_lines(found, moments)]).rstrip() + "\n"


def _lines(found: list[ModelTranscript], moments: bool) -> Iterator[str]:
    for each in found:
        when = f", {datetime.fromisoformat(each.asked_at):%Y-%m-%d %H:%M} UTC" if moments else ""
        yield f"## {each.treatment}: {each.model or 'model not named'}"
        yield ""
        yield f"Asked while the study was {each.state}{when}; prompt {each.prompt_version}; SHA-256 {each.digest}."
        yield ""
        for number, (question, reply) in enumerate(each.turns, 1):
            yield f"**{number}. {question}**"
            yield ""
            yield from (f"> {line}".rstrip() for line in reply.splitlines() or [""])
            yield ""
