"""Which turns of a trial go into a recording, and as which lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from study_app.dataset.measures.turns.acting import Step
from study_app.domain.assistants.recording import (
    OF_ITSELF,
    RecordedStep,
    RecordedTurn,
    match_of,
    question_key,
)
from study_app.domain.events.words import Decision
from study_app.domain.records import Turn
from study_app.services.researcher.recordings.without_identities import Identities

_CAME_TO_NOTHING: frozenset[Decision | None] = frozenset({None, "stale", "interrupted", "expired"})
"""Decisions on steps that a recording leaves out: they were proposed again, or never answered."""


def left_out_because(turn: Turn, *, acts: bool = False) -> str | None:
    """Return why a turn is not recorded, or None: what did not end as a whole reply cannot stand for one.

    Args:
        turn: the turn.
        acts: whether its assistant acts, which can be cut short by the end of the task and need not say a word.
    """
    match = match_of(turn.parameters)
    if match == "none":
        return "answered by no recording"
    if match == "near":
        # Recorded once more it would count as the very answer to a question that nothing was ever asked.
        return "answered by the reply to a near question"
    if turn.error is not None:
        return "failed"
    if turn.stopped_by_participant:
        return "stopped"
    whole = turn.complete and (turn.stop_reason != "task_over" if acts else turn.reply.strip())
    return None if whole else "without a whole reply"


@dataclass(frozen=True)
class CleanTurn:
    """A turn without identities."""

    turn: Turn
    message: str
    reply: str
    """Of an assistant that acts, what it said after its last step."""
    steps: tuple[RecordedStep, ...] = ()
    changed: bool = False
    """Whether something was taken out."""
    steps_left_out: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it: of an assistant that acts each step can be, and words it need not say."""
        return not (self.reply.strip() or self.steps)


def cleaned(turn: Turn, identities: Identities, actions: Iterable[Step] | None) -> CleanTurn:
    """Return a turn without identities.

    Args:
        turn: the turn.
        identities: what is taken out.
        actions: its steps, where the assistant acts.
    """
    rest, steps = (turn.reply, []) if actions is None else recorded_steps(turn, actions)
    message, reply = identities.removed(replace(turn, reply=rest))
    kept = [identities.step_without(turn, step) for step in steps]
    changed = (message, reply, kept) != (turn.message, rest, steps)
    whole = tuple(step for step in kept if step is not None)
    return CleanTurn(turn, message, reply, whole, changed, len(steps) - len(whole))


def recorded_lines(turns: Iterable[CleanTurn]) -> list[str]:
    """Return the lines of a recording, in an order that tells nothing about who asked when.

    Args:
        turns: each person's in order of asking, of those that `left_out_because` finds nothing against.
    """
    asked: Counter[tuple[str, str, str]] = Counter()
    found = []
    for clean in turns:
        key = (clean.turn.participant_id, clean.turn.task, question_key(clean.message))
        found.append((key[1:], asked[key], _line(clean)))
        asked[key] += 1
    # A question asked again is answered by later lines, so everybody's first asking comes before any second.
    return [line for _, _, line in sorted(found)]


def recorded_steps(turn: Turn, actions: Iterable[Step]) -> tuple[str, list[RecordedStep]]:
    """Return what an assistant that acts said after its last step, and its steps with what it said before each.

    Args:
        turn: the turn.
        actions: its steps in the order of proposing.
    """
    rest, said, steps = turn.reply, "", []
    for action in actions:
        length = action.proposed.said_chars or 0
        # The blank line is the server's, which begins a paragraph behind each step; the assistant did not say it.
        said, rest = said + rest[:length], rest[length:].removeprefix("\n\n")
        if action.decision in _CAME_TO_NOTHING:
            continue
        proposed = action.proposed
        steps.append(
            RecordedStep(
                text=said,
                tool=proposed.tool,
                input={name: str(value) for name, value in proposed.input.items()},
                input_tokens=proposed.input_tokens,
                output_tokens=proposed.output_tokens,
            )
        )
        said = ""
    return rest, steps


def _line(clean: CleanTurn) -> str:
    turn = clean.turn
    return RecordedTurn(
        message=clean.message,
        reply=clean.reply,
        steps=clean.steps,
        task=turn.task,
        model=turn.model,
        prompt_version=turn.prompt_version,
        input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens,
        stop_reason=turn.stop_reason or "end_turn",
        parameters={name: value for name, value in turn.parameters.items() if name not in OF_ITSELF},
    ).model_dump_json(exclude_defaults=True)
