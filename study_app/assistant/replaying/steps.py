"""Which step of a recorded turn comes next, on a program that may be another than the recorded one."""

from __future__ import annotations

from study_app.domain.assistants.acting import AgentRequest, CallRefused, ToolCall, checked_call, replacement
from study_app.domain.assistants.recording import RecordedStep, RecordedTurn


def is_recorded(call: ToolCall) -> bool:
    """Return whether a recording made a call: its id is the place of the recorded step."""
    return call.id.isdecimal()


def following(turn: RecordedTurn, request: AgentRequest) -> int | None:
    """Return the place of the next step that can be taken; None where the turn has no more.

    A step that the participant's typing made stale is proposed again. A call that the program has no place for, or
    that the treatment does not allow, is left out: a recording cannot find another way.
    """
    done = request.steps[-1] if request.steps else None
    begin = 0 if done is None else int(done.call.id) + (done.decision != "stale")
    return next((place for place in range(begin, len(turn.steps)) if _fits(turn.steps[place], request)), None)


def left_out(request: AgentRequest, reached: int) -> int:
    """Return how many of the steps before a place were left out."""
    return reached - len({step.call.id for step in request.steps if int(step.call.id) < reached})


def _fits(step: RecordedStep, request: AgentRequest) -> bool:
    try:
        texts = checked_call(ToolCall(step.tool, step.input), request.tools)
        if step.tool == "edit":
            replacement(request.program, texts)
    except CallRefused:
        return False
    return True
