"""What a turn is made of besides its text: how long the message took, what it used, how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from study_app.domain.assistants.recording import match_of
from study_app.domain.assistants.treatments import ReplyEnd
from study_app.domain.errors import AssistantUnavailable, StudyError
from study_app.domain.events import Event
from study_app.domain.events.server import Outage, TurnEnded
from study_app.domain.interaction.stopped_clock import STOP_KINDS, running_seconds, stops_of
from study_app.domain.records import Turn, Visit
from study_app.ports import UnitOfWork
from study_app.services.participant.agent.actions import actions_of, close_actions, last_step_at
from study_app.services.position import Position
from study_app.services.replicas import SERVER_GONE, Replicas


def close_interrupted(
    unit: UnitOfWork, participant_id: str, began: datetime, now: datetime, replicas: Replicas
) -> None:
    """End the turns whose reply a server that is gone was writing: they will never finish.

    How long the reply took stays unknown. The time from asking, or from an agent's last step, until it was found out,
    or until this server began where that is earlier, counts as an outage.

    Args:
        unit: the transaction.
        participant_id: whose turns.
        began: when this server began.
        now: the moment of the record.
        replicas: which servers are there.
    """

    def left() -> list[Turn]:
        open_turns = [turn for turn in unit.turns(participant_id) if not turn.complete]
        return [turn for turn in open_turns if interrupted(unit, turn, began, replicas)]

    if not left():
        return
    # Two servers may find it out at once, and a page that asks, while the server that was taken for gone stores the end
    # itself: who comes second waits here, and finds nothing left.
    unit.hold(unit.known_participant(participant_id))
    for turn in left():
        work = unit.work_of(turn.participant_id, "reply")
        if work is not None and work.work == turn.id and not unit.end_work(work):
            continue
        turn = replace(_with_use(unit, turn), complete=True, error="interrupted")
        unit.update_turn(turn)
        since = last_step_at(unit, turn)
        close_actions(unit, turn, unit.known_participant(participant_id).stage, "interrupted", now)
        _close_programs(unit, turn)
        record_end(unit, turn, now)
        found_out = began if since < began else now
        record_outage(unit, turn, (found_out - since).total_seconds(), now, since)


def _with_use(unit: UnitOfWork, turn: Turn) -> Turn:
    """Return a turn with the tokens of the steps that an agent had proposed in it: they are billed.

    What was last saved of the turn can hold less than its steps, and more: the step that was being thought of.
    """
    steps = [action.proposed for action in actions_of(unit, turn.participant_id, turn.id)]
    read = [step.input_tokens for step in steps if step.input_tokens is not None]
    made = [step.output_tokens for step in steps if step.output_tokens is not None]
    if not steps or len(read) < len(steps) or len(made) < len(steps):
        return turn
    # Of one moment, both counts: a later moment has read more.
    if turn.input_tokens is not None and turn.input_tokens > sum(read):
        return turn
    return replace(turn, input_tokens=sum(read), output_tokens=sum(made))


def _close_programs(unit: UnitOfWork, turn: Turn) -> None:
    """End what an agent ran in a turn whose server is gone."""
    for run in unit.runs(turn.participant_id):
        if run.kind == "agent" and run.ended_by is None and run.started_at >= turn.asked_at:
            unit.update_run(replace(run, ended_by="infrastructure", error_message=SERVER_GONE))


def interrupted(unit: UnitOfWork, turn: Turn, began: datetime, replicas: Replicas) -> bool:
    """Return whether no server is writing the reply to a turn that is not complete.

    A turn of a version that noted no server is one that was asked before this server began.
    """
    work = unit.work_of(turn.participant_id, "reply")
    if work is None or work.work != turn.id:
        return turn.asked_at < began
    return replicas.is_left(unit, work)


def record_end(
    unit: UnitOfWork,
    turn: Turn,
    now: datetime,
    withheld_chars: int | None = None,
    autonomous_seconds: float | None = None,
) -> None:
    """Note that a turn is over, where the participant is by now."""
    participant = unit.participant(turn.participant_id)
    over = TurnEnded(
        turn_id=turn.id,
        error=turn.error,
        stopped=turn.stopped_by_participant,
        withheld_chars=withheld_chars,
        autonomous_seconds=autonomous_seconds,
    )
    unit.record(turn.participant_id, participant.stage if participant else "", now, over)


def record_outage(unit: UnitOfWork, turn: Turn, seconds: float, now: datetime, since: datetime | None = None) -> None:
    """Note that the assistant failed, and give the time back: the deadline of the stage moves by it.

    An outage belongs to the stage that was asked in and takes no more than what was left of it: a server that was down
    for a night took no more from a participant than from those who have no assistant. A stage that is over stays over.
    Seconds in which the stage's clock stood still, as in a pause, are given back by what stopped it.

    Args:
        unit: the transaction.
        turn: that failed.
        seconds: that were lost.
        now: the moment of the record.
        since: from when on they were lost; since it was asked where not given.
    """
    stay, since = _stay(unit, turn), since or turn.asked_at
    if stay is None:
        unit.record(turn.participant_id, "", now, Outage(turn_id=turn.id, cause=turn.error, seconds=seconds))
        return
    until = min([since + timedelta(seconds=seconds), *filter(None, (stay.ended_at, stay.deadline_at))])
    stops = stops_of(unit.events_of(turn.participant_id, STOP_KINDS, stay.stage))
    seconds = running_seconds(since, until, stops)
    unit.record(turn.participant_id, stay.stage, now, Outage(turn_id=turn.id, cause=turn.error, seconds=seconds))
    person = unit.participant(turn.participant_id)
    paused = person is not None and person.paused_at is not None and person.stage == stay.stage
    # The deadline of a person who is paused lies behind only as long as the pause lasts.
    if stay.deadline_at is not None and (paused or now < stay.deadline_at):
        unit.extend_visit(turn.participant_id, stay.stage, timedelta(seconds=seconds))


def _stay(unit: UnitOfWork, turn: Turn) -> Visit | None:
    """Return the visit of a stage in which a turn was asked."""
    asked = [
        visit
        for visit in unit.visits(turn.participant_id)
        if visit.started_at <= turn.asked_at and (visit.ended_at is None or visit.ended_at > turn.asked_at)
    ]
    return max(asked, key=lambda visit: visit.started_at, default=None)


def ended(turn: Turn, end: ReplyEnd) -> Turn:
    """Return the turn with what the provider said at the end."""
    return replace(
        turn,
        # A recording can have taken the place of a model that is served no more, also after the question was asked.
        assistant="recorded" if match_of(end.parameters) is not None else turn.assistant,
        model=end.model,
        prompt_version=end.prompt_version,
        input_tokens=end.input_tokens,
        output_tokens=end.output_tokens,
        stop_reason=end.stop_reason,
        # Who spoke is known since the turn began; the provider says what it was asked with.
        parameters={**turn.parameters, **_plain(end.parameters)},
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; what JSON cannot hold is written as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def composing_seconds(unit: UnitOfWork, place: Position, page: str | None) -> float | None:
    """From the first key in the empty message box to sending, by the page's own clock."""
    if page is None:
        return None
    last = unit.latest(place.participant.id, page, ("compose_start", "send_pressed"))
    if len(last) < 2 or last["compose_start"].seq > last["send_pressed"].seq:
        return None
    return (_page_time(last["send_pressed"]) - _page_time(last["compose_start"])) / 1000


def _page_time(event: Event) -> float:
    """By the page's monotonic clock where it sent one."""
    return event.mono_ms if event.mono_ms is not None else event.client_time_ms or 0.0


async def until(stream: AsyncIterator[Any], stop: asyncio.Task[Any], seconds: float) -> AsyncIterator[Any]:
    """Yield the stream's pieces until it ends or the stop comes, also while no piece comes.

    Raises:
        AssistantUnavailable: after so many seconds it has not ended (kind `timeout`).
    """
    iterator = stream.__aiter__()
    clock = asyncio.get_running_loop().time
    last = clock() + seconds
    try:
        while True:
            following = asyncio.ensure_future(anext(iterator, None))
            # `wait` and not `wait_for`: a timeout must cancel neither the stop nor the piece; which of them came is
            # seen below.
            await asyncio.wait({following, stop}, timeout=last - clock(), return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError, StudyError):
                    await following
                if not stop.done():
                    raise AssistantUnavailable("timeout", "the assistant's reply did not end in time")
                return
            piece = following.result()
            if piece is None:
                return
            yield piece
            if stop.done():
                return
    finally:
        closing = getattr(iterator, "aclose", None)
        if closing is not None:
            with contextlib.suppress(RuntimeError, StudyError):
                await closing()
