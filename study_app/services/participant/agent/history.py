"""The conversation as an assistant is sent it: what was said, and what one that acts did and was answered."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.records import Turn
from study_app.ports import UnitOfWork
from study_app.services.participant.agent.actions import AgentAction, actions_of

_LONGEST = 2_000
"""Characters of one text of a step that are sent again; the program itself is sent with each message."""


def history_of(unit: UnitOfWork, spec: AssistantSpec, turns: Sequence[Turn]) -> tuple[tuple[str, str], ...]:
    """Return messages and what came of them, oldest first; turns of which nothing came are left out.

    A turn of an assistant that acts can be without a word: its steps, their decisions, the answers to its questions and
    its report are what "undo that" is about.
    """
    steps: dict[str, list[str]] = {}
    if spec.acts and turns:
        for action in actions_of(unit, turns[0].participant_id):
            steps.setdefault(action.proposed.turn_id, []).extend(_lines(action))
    sent = ((turn.message, _with_steps(turn.reply, steps.get(turn.id, []))) for turn in turns)
    return tuple((message, reply) for message, reply in sent if reply)


def _with_steps(reply: str, lines: Sequence[str]) -> str:
    if not lines:
        return reply
    taken = "\n".join(("<steps_taken>", *lines, "</steps_taken>"))
    return f"{reply.rstrip()}\n\n{taken}" if reply.strip() else taken


def _lines(action: AgentAction) -> list[str]:
    """Return what the next message's assistant reads of a step; looking at the program is none."""
    said = action.proposed
    texts = {name: str(value)[:_LONGEST] for name, value in said.input.items()}
    decision = action.decided.decision if action.decided is not None else "undecided"
    words = (action.decided.words if action.decided is not None else None) or ""
    match said.tool:
        case "view":
            return []
        case "edit":
            change = f"replace\n{texts.get('old', '')}\nby\n{texts.get('new', '')}"
            return [f"edit ({_with(decision, words)}): {change}"]
        case "ask":
            return [
                f"ask ({decision}): {texts.get('question', '')}",
                *([f"answer: {words[:_LONGEST]}"] if words else []),
            ]
        case "report":
            return [f"report: {texts.get('summary', '')}"]
    result = action.acted.result[:_LONGEST] if action.acted is not None else ""
    return [f"{said.tool} ({_with(decision, words)}): {result}"]


def _with(decision: str, words: str) -> str:
    return f"{decision}: {words[:_LONGEST]}" if words else decision
