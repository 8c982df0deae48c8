"""What a round asks of models that do more than answer: an agent's first step, an interviewer's next question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import monotonic

from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.budget import cost_usd, estimated_tokens
from study_app.domain.assistants.drift import OF_INTERVIEW, STEP_TAKEN, ModelReply, RoundFacts
from study_app.domain.assistants.treatments import (
    AssistantRequest,
    AssistantSpec,
    ReplyBrokenOff,
    ReplyEnd,
    TextDelta,
)
from study_app.domain.errors import AssistantUnavailable
from study_app.domain.interviews.machine import Choice, Exchange, Standing, due
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.interviews.requests import InterviewReply, InterviewRequest
from study_app.ports import ActingAssistant, Interviewer

ANSWERS = (
    "It went well.",
    "I tried a few things, and in the end the second one worked, but I could not say why.",
    "What do you mean by that?",
    "I would rather talk about the weather.",
    "The assistant gave me an idea that I had not had, and I wrote the rest by myself, step by step.",
    "I do not remember.",
)
"""What an interviewer is given as the answer to the plan's first question: short, long, unclear, beside the point."""
DECLINED = "refusal"
"""How the provider names a reply that the model declined."""


async def first_step(
    assistant: ActingAssistant, request: AssistantRequest, spec: AssistantSpec
) -> tuple[str, ReplyEnd | None, str]:
    """Return what an agent says and wants to do first, what the provider said of it, and the kind of its failure.

    Nothing is carried out. A step ends with `STEP_TAKEN`, whatever the provider calls it.
    """
    pieces: list[str] = []
    call: ToolCall | None = None
    end: ReplyEnd | None = None
    tools = spec.agent.tools if spec.agent is not None else ()
    asked = AgentRequest(request, request.starter, (), tools)
    try:
        async for piece in assistant.step(asked):
            if isinstance(piece, TextDelta):
                pieces.append(piece.text)
            elif isinstance(piece, ToolCall):
                call = piece
            else:
                end = piece
    except AssistantUnavailable as error:
        return "".join(pieces), error.end if isinstance(error, ReplyBrokenOff) else end, error.kind
    if call is None:
        return "".join(pieces), end, ""
    return "".join([*pieces, *_written(call)]), replace(end, stop_reason=STEP_TAKEN) if end is not None else None, ""


def _written(call: ToolCall) -> Iterator[str]:
    """Yield a call as text, with what it would write as code."""
    yield f"\n\n[{STEP_TAKEN}: {call.tool}]"
    for name, value in call.input.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"\n{name}:\n```\n{text}\n```"


@dataclass(frozen=True)
class FollowUpQuestion:
    """One answer to a plan's first question, after which an interviewer's model chooses what comes next."""

    plan: InterviewPlan
    number: int
    request: InterviewRequest

    @property
    def treatment(self) -> str:
        """As costs and launch name an interviewer's model."""
        return f"{OF_INTERVIEW}{self.plan.id}"


def follow_ups(plans: Iterable[InterviewPlan]) -> Iterator[FollowUpQuestion]:
    """Yield the questions to the model of each plan in which one chooses, in the plan's first language."""
    for plan in plans:
        if not plan.asks_model:
            continue
        language, topic = plan.languages[0], plan.topics[0]
        for number, answer in enumerate(ANSWERS, 1):
            opened = Exchange(topic.id, "core", topic.core[language], "answered", answer)
            standing = Standing(plan, language, (opened,), minutes=1.0)
            choice = due(standing)
            if isinstance(choice, Choice):
                yield FollowUpQuestion(plan, number, InterviewRequest(standing, choice))


def followed_up(question: FollowUpQuestion, interviewer: Interviewer, facts: RoundFacts) -> ModelReply:
    """Ask one question, and return what came of it; blocking, a failure of the provider is in `error`."""
    began, plan = monotonic(), question.plan
    reply, error = InterviewReply(), ""
    try:
        reply = interviewer.step(question.request)
    except AssistantUnavailable as failure:
        error = failure.kind
    step = reply.step
    text = f"[{step.action}{f' {step.topic}' if step.topic else ''}] {step.question}".strip() if step else ""
    message = question.request.standing.exchanges[-1].answer
    return ModelReply(
        round=facts.number,
        occasion=facts.occasion,
        treatment=question.treatment,
        provider="claude",
        declared=plan.model,
        model=reply.model,
        prompt_version=plan.prompt_version,
        task=plan.id,
        question=question.number,
        message=message,
        reply=text,
        words=len(step.question.split()) if step else 0,
        code_share=0.0,
        leak=False,
        refused=reply.stop_reason == DECLINED,
        asked_at=facts.asked_at,
        seconds=round(monotonic() - began, 3),
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        stop_reason=reply.stop_reason or "",
        error=error,
        usd=0.0 if error else _cost(plan, message, text, reply),
    )


def _cost(plan: InterviewPlan, message: str, text: str, reply: InterviewReply) -> float:
    """Return US dollars; tokens are estimated where the provider never reported them."""
    read = estimated_tokens(message) if reply.input_tokens is None else reply.input_tokens
    return cost_usd(plan.price, read, estimated_tokens(text) if reply.output_tokens is None else reply.output_tokens)
