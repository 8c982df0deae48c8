"""The fixed questions of a round: to which treatments, about which tasks, and one of them asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic

from study_app.domain.assistants.budget import cost_usd, estimated_tokens
from study_app.domain.assistants.drift import ModelReply, RoundFacts
from study_app.domain.assistants.persona_checks.probing import measured, questions_for
from study_app.domain.assistants.recording import match_of
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import AssistantUnavailable
from study_app.domain.study.study import Study
from study_app.ports import ActingAssistant, Assistant
from study_app.services.context import StudyContext
from study_app.services.operation.models.steps import FollowUpQuestion, first_step, follow_ups


@dataclass(frozen=True)
class ModelQuestion:
    """One question of a round to one treatment."""

    treatment: str
    task: str
    number: int
    request: AssistantRequest
    solution: str


def given(study: Study, specs: Mapping[str, AssistantSpec]) -> dict[str, AssistantSpec]:
    """Return the treatments of the arms, in the arms' order."""
    names = dict.fromkeys(arm.treatment for arm in study.arms_met if arm.treatment)
    return {name: specs[name] for name in names}


def probed(study: Study, specs: Mapping[str, AssistantSpec]) -> dict[str, AssistantSpec]:
    """Return those whose replies are help to compare; assistants that act are left out, for they take steps."""
    return {name: spec for name, spec in given(study, specs).items() if not spec.acts}


def assisted_folders(study: Study) -> tuple[str, ...]:
    """Return the folders of the packs on which people may ask an assistant, variants among them."""
    named = [folder for stage in study.stages if stage.kind == "tasks" and stage.assistant for folder in stage.packs]
    shown = [arm.shown(folder) for folder in named for arm in study.arms_met if arm.assistant]
    return tuple(dict.fromkeys([*named, *shown]))


def questions(study: Study, content: ContentLibrary, names: Iterable[str]) -> Iterator[ModelQuestion]:
    """Yield every question to every treatment, question by question, so that all are asked at about the same time."""
    listed = list(names)
    for folder in assisted_folders(study):
        pack = content.pack(folder)
        task = name_of(folder)
        for number, text in enumerate(questions_for(pack.solution), 1):
            request = AssistantRequest(
                text, pack.brief, pack.starter, task=task, pack=folder, starter=pack.starter, language=study.language
            )
            yield from (ModelQuestion(name, task, number, request, pack.solution) for name in listed)


def watched(context: StudyContext) -> list[ModelQuestion | FollowUpQuestion]:
    """Return the questions of a round about the study as it is now; empty where nothing answers.

    Assistants that act take their first step; interviewers' models are asked where there is a key.
    """
    answered = questions(context.study, context.content, given(context.study, context.content.specs))
    plans = (
        [context.content.plan(file) for file in context.content.plan_files] if context.interviewer is not None else []
    )
    return [*answered, *follow_ups(plans)]


def asked(question: ModelQuestion, assistant: Assistant, spec: AssistantSpec, facts: RoundFacts) -> ModelReply:
    """Ask one question, and return what came of it; blocking, a failure of the provider is in `error`."""
    began = monotonic()
    request = question.request
    if spec.acts and isinstance(assistant, ActingAssistant):
        text, end, error = asyncio.run(first_step(assistant, request, spec))
    else:
        text, end, error = asyncio.run(replied(assistant, request))
    seconds = round(monotonic() - began, 3)
    there = f"{request.starter}\n{request.brief}"
    seen = measured(
        question.treatment, question.task, request.message, text,
        solution=question.solution, given=there, declined=error == "refused",
    )  # fmt: skip
    failed = "" if error == "refused" else error
    match = match_of(end.parameters) if end else None
    # A recording can have taken the model's place while it was asked.
    provider = assistant.id if match is None else "recorded"
    # A question that failed before anything came back is not billed.
    priced = provider == "claude" and not (failed and end is None)
    return ModelReply(
        round=facts.number,
        occasion=facts.occasion,
        treatment=question.treatment,
        provider=provider,
        declared=spec.model if provider == "claude" else "",
        model=end.model if end else "",
        prompt_version=end.prompt_version if end else spec.prompt_version,
        task=question.task,
        question=question.number,
        message=request.message,
        reply=text,
        words=seen.words,
        code_share=round(seen.code_share, 6),
        leak=seen.leak,
        refused=seen.refused,
        asked_at=facts.asked_at,
        seconds=seconds,
        input_tokens=end.input_tokens if end else None,
        output_tokens=end.output_tokens if end else None,
        stop_reason=end.stop_reason if end else "",
        error=failed,
        recorded_match=match or "",
        usd=cost_of(spec, request, text, end) if priced else 0.0,
    )


async def replied(assistant: Assistant, request: AssistantRequest) -> tuple[str, ReplyEnd | None, str]:
    """Return the words of the reply, what the provider said of it, and the kind of its failure."""
    pieces: list[str] = []
    end: ReplyEnd | None = None
    try:
        async for piece in assistant.reply(request):
            if isinstance(piece, TextDelta):
                pieces.append(piece.text)
            else:
                end = piece
    except AssistantUnavailable as error:
        return "".join(pieces), error.end if isinstance(error, ReplyBrokenOff) else end, error.kind
    return "".join(pieces), end, ""


def cost_of(spec: AssistantSpec, request: AssistantRequest, reply: str, end: ReplyEnd | None) -> float:
    """Return US dollars; tokens are estimated where the provider never reported them."""
    read, written = (end.input_tokens, end.output_tokens) if end else (None, None)
    if read is None:
        read = estimated_tokens(spec.instructions + request.brief + request.message + request.code)
    return cost_usd(spec.price, read, written if written is not None else estimated_tokens(reply))
