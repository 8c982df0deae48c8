"""A turn of an assistant that acts, while it lasts: its steps, what they used, what limits leave for the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from study_app.domain.assistants.acting import AgentStep
from study_app.domain.assistants.agent_settings import AgentSettings
from study_app.domain.assistants.budget import (
    CACHE_READ,
    CACHE_WRITTEN,
    ESTIMATED_INPUT,
    ESTIMATED_OUTPUT,
    LeftByLimits,
    cut_reply,
    estimated_tokens,
    turn_usage,
)
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd, ReplySoFar
from study_app.domain.records import Turn
from study_app.ports import ActingAssistant


@dataclass
class AgentTurn:
    """A turn in progress."""

    turn: Turn
    request: AssistantRequest
    assistant: ActingAssistant
    settings: AgentSettings
    spec: AssistantSpec | None = None
    left: LeftByLimits = field(default_factory=LeftByLimits)
    """By the limits, for all its steps."""
    program: str = ""
    """As it was when the newest step was thought of."""
    steps: list[AgentStep] = field(default_factory=list)
    waited: float = 0.0
    """Seconds that it waited for the participant."""
    end: ReplyEnd | None = None
    """Of all steps so far: tokens are summed."""
    latest: ReplyEnd | None = None
    """Of the newest step."""
    thinking: ReplySoFar | None = None
    """Of the step that is being thought of."""
    said_chars: int = 0
    """Said since the last step that was shown."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the participant has stopped it; asked from any thread."""

    def used(self, said: ReplyEnd | None = None, *, by_us: bool) -> ReplyEnd | None:
        """Return what its steps have used, with one that was cut; see `cut_reply`."""
        cut = said if self.thinking is None else cut_reply(self.thinking, said, by_us=by_us)
        return self.end if cut is None else added(self.end, cut)

    def longest_reply(self) -> int | None:
        """Return the most output tokens that the next step may have; 0 where the limits leave too few to begin one."""
        if self.spec is None or self.end is None:
            return self.request.max_tokens
        made = self.end.output_tokens
        if made is None:
            made = estimated_tokens("".join(step.text for step in self.steps))
        read, parameters = self.end.input_tokens or 0, self.end.parameters
        used = turn_usage(self.spec, input_tokens=read, output_tokens=made, seconds=0.0, parameters=parameters)
        return self.left.reply_after(used, self.spec.price, self.spec.parameters.max_tokens)


def added(before: ReplyEnd | None, step: ReplyEnd) -> ReplyEnd:
    """Return the end of a turn after one more step: tokens are summed, unknown where one is."""
    if before is None:
        return step

    def total(one: int | None, other: int | None) -> int | None:
        return None if one is None or other is None else one + other

    cached = {
        name: sum(int(str(end.parameters.get(name, 0))) for end in (before, step))
        for name in (CACHE_WRITTEN, CACHE_READ, ESTIMATED_INPUT, ESTIMATED_OUTPUT)
        if name in before.parameters or name in step.parameters
    }
    return replace(
        step,
        parameters={**step.parameters, **cached},
        input_tokens=total(before.input_tokens, step.input_tokens),
        output_tokens=total(before.output_tokens, step.output_tokens),
    )
