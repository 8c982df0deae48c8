"""Which turns of a trial go into a recording, and as which lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from study_app.domain.assistants.recording import MATCH, NEARNESS, RecordedTurn, match_of, question_key
from study_app.domain.records import Turn


def left_out_because(turn: Turn) -> str | None:
    """Return why a turn is not recorded, or None: what did not end as a whole reply cannot stand for one."""
    if match_of(turn.parameters) == "none":
        return "answered by no recording"
    if turn.error is not None:
        return "failed"
    if turn.stopped_by_participant:
        return "stopped"
    return None if turn.complete and turn.reply.strip() else "without a whole reply"


def recorded_lines(turns: Iterable[Turn], cleaned: Callable[[Turn], tuple[str, str]]) -> list[str]:
    """Return the lines of a recording, in an order that tells nothing about who asked when.

    Args:
        turns: each person's in order of asking, of those that `left_out_because` finds nothing against.
        cleaned: turn -> its message and reply without identities.
    """
    asked: Counter[tuple[str, str, str]] = Counter()
    found = []
    for turn in turns:
        message, reply = cleaned(turn)
        key = (turn.participant_id, turn.task, question_key(message))
        found.append((key[1:], asked[key], _line(turn, message, reply)))
        asked[key] += 1
    # A question asked again is answered by later lines, so everybody's first asking comes before any second.
    return [line for _, _, line in sorted(found)]


def _line(turn: Turn, message: str, reply: str) -> str:
    # A persona can be that of one arm; a replayed turn names the persona of the treatment that replays it.
    parameters = {name: value for name, value in turn.parameters.items() if name not in (MATCH, NEARNESS, "persona")}
    return RecordedTurn(
        message=message,
        reply=reply,
        task=turn.task,
        model=turn.model,
        prompt_version=turn.prompt_version,
        input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens,
        stop_reason=turn.stop_reason or "end_turn",
        parameters=parameters,
    ).model_dump_json(exclude_defaults=True)
