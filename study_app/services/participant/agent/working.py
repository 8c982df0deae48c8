"""A turn of an assistant that acts: step by step, each on record before it is shown or carried out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

from study_app.domain.assistants.acting import (
    AgentRequest,
    AgentStep,
    CallRefused,
    ToolCall,
    base_hash,
    checked_call,
    outcome_of_decision,
    program_seen,
    replacement,
)
from study_app.domain.assistants.treatments import ReplyEnd, ReplySoFar, TextDelta
from study_app.domain.content.content_paths import name_of
from study_app.domain.events.changes import utf16_length
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed
from study_app.domain.events.words import Tool
from study_app.domain.localisation.study_texts import sayer
from study_app.domain.records import RunRecord, Turn
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.submissions import beginning
from study_app.services.participant.agent.actions import AgentAction, actions_of, goes_without_asking
from study_app.services.participant.agent.run_texts import run_as_text
from study_app.services.participant.agent.turn import AgentTurn, added
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.participant.runs import ProgramRuns
from study_app.services.position import OnStage

_LOOK_SECONDS = 2.0
"""Between two looks for a decision that another server may have taken; one taken here wakes the turn at once."""
_SETTLE_SECONDS = 2.5
"""After the participant's own typing has made a step stale, before the next step."""


class TaskOver(Exception):
    """The participant is not at the turn's task any more, or may not work on it now."""


@dataclass(frozen=True)
class Frame:
    """Something of a turn that the page draws as a card."""

    content: dict[str, Any]


class AgentWork:
    """Carries turns of agents out."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow, runs: ProgramRuns) -> None:
        self.context = context
        self.flow = flow
        self.runs = runs
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}

    def wake(self, participant_id: str) -> None:
        """Say that something was decided; from any thread, after the commit."""
        waiting = self._waiting.get(participant_id)
        if waiting is not None:
            loop, event = waiting
            # The loop may have been closed since: a server that stops needs no waking.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def steps(self, work: AgentTurn) -> AsyncIterator[TextDelta | Frame | ReplyEnd]:
        """Take the steps of a turn: what is said, what is done, and at last one ReplyEnd with the sums.

        Raises:
            AssistantUnavailable: the provider failed; steps that were carried out stand.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        reason = "steps"
        while len(work.steps) < work.settings.steps_per_turn:
            left = work.settings.seconds_per_turn - (clock() - began - work.waited)
            if left <= 0:
                reason = "time"
                break
            longest = work.longest_reply()
            if longest == 0:
                reason = "budget"
                break
            try:
                call, said = None, ""
                async for piece in self._thought(work, left, longest):
                    if isinstance(piece, ToolCall):
                        call = piece
                    else:
                        said += piece.text
                        work.said_chars += len(piece.text)
                        yield piece
                if call is None:
                    reason = work.end.stop_reason if work.end else "end_turn"
                    break
                left = work.settings.seconds_per_turn - (clock() - began - work.waited)
                async for frame in self._step(work, call, said, left):
                    yield frame
            except TimeoutError:
                reason = "time"
                break
            except TaskOver:
                reason = "task_over"
                break
            if call.tool == "report" and not work.steps[-1].failed:
                reason = "end_turn"
                break
        last = work.used(by_us=True) or ReplyEnd(work.turn.model, work.turn.prompt_version)
        yield replace(last, stop_reason=reason)

    async def _thought(
        self, work: AgentTurn, seconds: float, longest: int | None
    ) -> AsyncIterator[TextDelta | ToolCall]:
        """Yield what the assistant says and, at most once, what it wants to do."""
        work.program = await asyncio.to_thread(self._program, work)
        work.thinking = ReplySoFar()
        asked = replace(work.request, max_tokens=longest, so_far=work.thinking)
        request = AgentRequest(asked, work.program, tuple(work.steps), work.settings.tools)
        clock = asyncio.get_running_loop().time
        last = clock() + seconds
        async with aclosing(work.assistant.step(request)) as stream:
            while True:
                # Around each piece and not the whole: who iterates may do so from one task after another.
                async with asyncio.timeout_at(last):
                    piece = await anext(stream, None)
                if piece is None:
                    return
                if isinstance(piece, ReplyEnd):
                    work.latest, work.end, work.thinking = piece, added(work.end, piece), None
                else:
                    yield piece

    async def _step(self, work: AgentTurn, call: ToolCall, said: str, seconds: float) -> AsyncIterator[Frame]:
        try:
            action = await asyncio.to_thread(self._propose, work, call)
        except CallRefused as refusal:
            # Nothing was shown: the assistant hears why, and may try again.
            work.steps.append(AgentStep(said, call, str(refusal), failed=True))
            return
        work.said_chars = 0
        yield Frame({"type": "action", **action.shown()})
        decided = action.decided
        if decided is None:
            began = asyncio.get_running_loop().time()
            try:
                # What the page does by itself takes from the turn's time; what a person decides does not.
                async with asyncio.timeout(None if action.proposed.waits else seconds):
                    decided = await self._decision(work.turn, action)
            finally:
                # Also where nothing is decided, for the participant stops it or the task is over: that time was theirs.
                if action.proposed.waits:
                    work.waited += asyncio.get_running_loop().time() - began
            yield Frame({"type": "decided", "action_id": action.id, "decision": decided.decision})
        result, failed, run = await asyncio.to_thread(self._carry_out, work, action, decided)
        await asyncio.to_thread(self._note, work, action, result, failed, run)
        yield Frame({"type": "result", "action_id": action.id, "result": result, "failed": failed})
        work.steps.append(AgentStep(said, call, result, failed, decided.decision))
        if decided.decision == "stale":
            # A person who goes on typing would make each further step stale at once, and use up the turn.
            await asyncio.sleep(_SETTLE_SECONDS)

    # -- one step ------------------------------------------------------------------------------------------------------

    def _place(self, unit: UnitOfWork, turn: Turn) -> OnStage:
        place = self.flow.place(unit, unit.hold(unit.known_participant(turn.participant_id)))
        if not isinstance(place, OnStage) or place.stage.kind != "tasks" or place.task != turn.task:
            raise TaskOver
        work = unit.work_of(turn.participant_id, "reply")
        if work is None or work.work != turn.id:
            # The turn is over, stopped while a thread was on its way here: nothing of it may be stored any more.
            raise TaskOver
        return place

    def _program(self, work: AgentTurn) -> str:
        """Return the program as the server has it now."""
        with self.context.registry.begin() as unit:
            place = self._place(unit, work.turn)
            document = unit.document(work.turn.participant_id, work.turn.task)
            return document.text if document else beginning(self.context, unit, place)

    def _propose(self, work: AgentTurn, call: ToolCall) -> AgentAction:
        """Write the call down, and its decision where the page has nothing to do with it."""
        texts = checked_call(call, work.settings.tools)
        tool: Tool = call.tool  # type: ignore[assignment]
        program, turn = work.program, work.turn
        change = replacement(program, texts) if tool == "edit" else None
        with self.context.registry.begin() as unit:
            place = self._place(unit, turn)
            free = goes_without_asking(unit, place)
            proposed = AgentProposed(
                action_id=self.context.fresh_id(),
                turn_id=turn.id,
                task=turn.task,
                step=len(work.steps) + 1,
                tool=tool,
                input=texts if change is None else {**texts, "old": change.old, "new": change.insert},
                base_sha256="",
                waits=work.settings.waits(tool, without_asking=free),
                start=None if change is None else change.start,
                end=None if change is None else change.end,
                length=None if change is None else utf16_length(program),
                line=None if change is None else change.line,
                model=work.latest.model if work.latest else None,
                input_tokens=work.latest.input_tokens if work.latest else None,
                output_tokens=work.latest.output_tokens if work.latest else None,
                said_chars=work.said_chars,
                without_asking=free,
            )
            bound = base_hash(program, tool, {name: str(value) for name, value in proposed.input.items()})
            proposed = replace(proposed, base_sha256=bound)
            # On record before it is shown: what a participant decides on must be in the log, also if the server dies in
            # between.
            unit.record(turn.participant_id, place.stage.id, place.now, proposed)
            decided = None
            if not proposed.waits and tool != "edit":
                decided = AgentDecided(action_id=proposed.action_id, decision="auto", seconds=0.0)
                unit.record(turn.participant_id, place.stage.id, place.now, decided)
            return AgentAction(proposed, place.now, decided)

    async def _decision(self, turn: Turn, action: AgentAction) -> AgentDecided:
        """Wait until the step is decided: by the participant, by their typing, or by the page that applies it."""
        woken = asyncio.Event()
        # Noted before the first look: a decision between look and wait would otherwise wake no turn for two seconds.
        self._waiting[turn.participant_id] = asyncio.get_running_loop(), woken
        try:
            while True:
                # In a thread, for a transaction may wait for the database while this loop serves everybody's
                # keystrokes.
                decided = await asyncio.to_thread(self._look, turn, action)
                if decided is not None:
                    return decided
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await woken.wait()
                woken.clear()
        finally:
            self._waiting.pop(turn.participant_id, None)

    def _look(self, turn: Turn, action: AgentAction) -> AgentDecided | None:
        with self.context.registry.begin() as unit:
            self._place(unit, turn)
            now = next(each for each in actions_of(unit, turn.participant_id, turn.id) if each.id == action.id)
            return now.decided

    def _carry_out(
        self, work: AgentTurn, action: AgentAction, decided: AgentDecided
    ) -> tuple[str, bool, RunRecord | None]:
        """Return the outcome as the assistant reads it, whether the step failed, and the run that it led to."""
        tool, decision = action.proposed.tool, decided.decision
        if tool == "view":
            return program_seen(work.program), False, None
        if tool == "run" and decision in ("approve", "auto"):
            return self._run(work)
        text, failed, whole = outcome_of_decision(tool, decision, decided.words)
        return text if whole else text + self._program(work), failed, None

    def _run(self, work: AgentTurn) -> tuple[str, bool, RunRecord | None]:
        with self.context.registry.begin() as unit:
            place = self._place(unit, work.turn)
        done = self.runs.run_for_agent(lambda unit: self._place(unit, work.turn), work.program, work.stopped)
        said = sayer(self.context.content_of(place.participant).said(place.study.language))
        key = f"tasks.{name_of(place.pack)}.examples"
        failed = done.error_type is not None or done.ended_by != "exit"
        return run_as_text(done, lambda name: said(f"{key}.{name}", name)), failed, done

    def _note(self, work: AgentTurn, action: AgentAction, result: str, failed: bool, run: RunRecord | None) -> None:
        with self.context.registry.begin() as unit:
            place = self._place(unit, work.turn)
            acted = AgentActed(action_id=action.id, result=result, failed=failed, run_id=run.id if run else None)
            unit.record(work.turn.participant_id, place.stage.id, place.now, acted)
