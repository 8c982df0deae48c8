"""Working on a task in the workspace: plays the acts through the real services, event by event."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from study_app.bootstrap import App
from study_app.domain.editing.edits import replay
from study_app.domain.errors import NotAllowed, present
from study_app.domain.events.browser import (
    Blur,
    BriefScrolled,
    ComposeEnd,
    ComposeStart,
    CopyReply,
    Edit,
    EditorFocus,
    Focus,
    Hidden,
    Load,
    NotesOpened,
    PasteAttempt,
    RunPressed,
    SendPressed,
    SubmitPressed,
    Visible,
)
from study_app.domain.events.details import EventDetails
from study_app.domain.tasks.packs import TaskPack
from study_app.services.participant.agent.working import Frame
from study_app.simulation.affect_answers import FeltCourse
from study_app.simulation.behaviour.agent_use import ANSWER, RATES, answered, carried_out, choice
from study_app.simulation.behaviour.assistant_use import idea, words
from study_app.simulation.behaviour.browser_tab import Cue, Tab
from study_app.simulation.behaviour.profiles import Adoption
from study_app.simulation.behaviour.program_edits import code_blocks, functions_to_write, place_of
from study_app.simulation.behaviour.task_plan import Act
from study_app.simulation.behaviour.typing import edit, typed

LAST_SECOND = timedelta(seconds=1)
"""Nothing is done in the last second before a deadline."""
_ASK_AGAIN = timedelta(seconds=10)
_TYPED_SHARE = 0.95
_COMPOSING = 0.6
"""Share of a question's time that goes into wording it; the rest is reading the reply."""
_LONGEST_COPY = 20_000
_REASON = "Two of the examples exclude each other."


@dataclass
class SimulatedWorkspace:
    """The workspace with one task on it."""

    app: App
    loop: asyncio.Runner
    tab: Tab
    participant_id: str
    task: str
    pack: TaskPack
    deadline: datetime | None
    adoption: Adoption
    allow_paste: bool
    rng: Random
    acts: bool = False
    """The assistant is one that acts."""
    felt: FeltCourse | None = None
    """How the person answers probes of affect; None where the stage has none."""
    text: str = ""
    _error: str | None = None
    _probe_after: datetime | None = None
    """A probe that could not be shown is asked for again then."""

    def load(self, source: str) -> Load:
        """Return the event by which the editor says what it starts from."""
        return Load(task=self.task, text=self.text, source=source)

    @property
    def too_late(self) -> bool:
        """Whether the stage is as good as over."""
        return self.deadline is not None and self.tab.clock.now() >= self.deadline - LAST_SECOND

    def work(self, acts: list[Act]) -> Iterator[float]:
        """Do one act after the other, until all are done or the time is up."""
        for act in acts:
            if self.too_late:
                return
            yield from getattr(self, f"_{act.deed}")(act)
            if self.too_late:
                return

    def _play(self, seconds: float, cues: list[Cue]) -> Iterator[float]:
        while (due := self._seconds_to_probe()) is not None and due < seconds:
            yield from self._let_pass(due, [cue for cue in cues if cue[0] <= due])
            seconds, cues = seconds - due, [(at - due, what) for at, what in cues if at > due]
            yield from self._probe()
        yield from self._let_pass(seconds, cues)

    def _let_pass(self, seconds: float, cues: list[Cue]) -> Iterator[float]:
        until = None if self.deadline is None else self.deadline - LAST_SECOND
        yield from self.tab.play(seconds, cues, until)

    # -- probes of affect ----------------------------------------------------------------------------------------------

    def _seconds_to_probe(self) -> float | None:
        """Return how long the person can work on before a probe comes; None where none does before the end."""
        if self.felt is None or self.deadline is None:
            return None
        now, state = self.tab.clock.now(), self.app.probes.state(self.participant_id)
        if not state.left or self.too_late:
            return None
        due = max((self.deadline - now).total_seconds() - max(state.left), 0.0)
        again = 0.0 if self._probe_after is None else (self._probe_after - now).total_seconds()
        return max(due, again, 0.0)

    def _probe(self) -> Iterator[float]:
        """Ask for the probe that is due, as the page does, and do with the card what this person does."""
        self.tab.flush()
        state = self.app.probes.show(self.participant_id, self.tab.page)
        self._probe_after = self.tab.clock.now() + _ASK_AGAIN
        if state.shown is None or self.felt is None:
            return
        self.deadline = state.place.deadline_at
        response = self.felt.at(state.shown.shown.minute)
        yield from self._let_pass(response.seconds, [])
        if not response.lapses:
            minute = state.shown.shown.minute
            done = self.app.probes.end(self.participant_id, self.tab.page, minute, response.answer)
            self.deadline = done.place.deadline_at

    # -- looking and thinking ------------------------------------------------------------------------------------------

    def _read(self, act: Act) -> Iterator[float]:
        cues: list[Cue] = [(act.seconds * share, BriefScrolled(top=round(900 * share), of=900)) for share in (0.3, 0.6)]
        cues.append((act.seconds * 0.95, EditorFocus()))
        yield from self._play(act.seconds, cues)

    def _think(self, act: Act) -> Iterator[float]:
        cues: list[Cue] = []
        if act.seconds > 30 and self.rng.random() < 0.3:
            title = self.rng.choice(list(self.pack.settings.concepts) or ["notes"]).replace("_", " ")
            cues.append((act.seconds * 0.4, NotesOpened(title=title)))
        yield from self._play(act.seconds, cues)

    def _search(self, act: Act) -> Iterator[float]:
        """In another window."""
        away: list[Cue] = [(act.seconds * 0.05, Blur()), (act.seconds * 0.05 + 0.2, Hidden())]
        back: list[Cue] = [(act.seconds * 0.95, Visible()), (act.seconds * 0.95 + 0.1, Focus())]
        yield from self._play(max(act.seconds, 6.0), away + back)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _write(self, act: Act) -> Iterator[float]:
        yield from self._edits(list(typed(self.task, self.text, act.text, self.rng)), act.seconds)

    def _edits(self, edits: list[Edit], seconds: float) -> Iterator[float]:
        """Edits spread over a time; the text is what the last one that was made leaves."""
        if not edits:
            yield from self._play(seconds, [])
            return
        moments = sorted(self.rng.uniform(0, _TYPED_SHARE * seconds) for _ in edits)
        yield from self._play(seconds, list(zip(moments, edits, strict=True)))
        if not self.too_late:
            self.text = replay(edits, self.text) or ""

    def _paste(self, text: str, place: tuple[int, int], turn_id: str | None, seconds: float) -> Iterator[float]:
        """Paste text of a reply, or from outside where there is no turn."""
        attempt = PasteAttempt(
            text=text[:_LONGEST_COPY],
            length=len(text),
            how="paste",
            target="editor",
            origin="outside" if turn_id is None else "reply",
            turn_id=turn_id,
        )
        made, after = edit(self.task, self.text, *place, text, ("paste", "input.paste"))
        yield from self._play(seconds, [(seconds * 0.5, attempt), (seconds * 0.5, made)])
        if not self.too_late:
            self.text = after

    def _import(self, act: Act) -> Iterator[float]:
        """Paste code that came from outside the page."""
        place = place_of(self.text, act.text) or (0, len(self.text))
        yield from self._paste(act.text, place, None, act.seconds)

    def _reload(self, act: Act) -> Iterator[float]:
        yield from self._play(act.seconds, [])
        if not self.too_late:
            self.tab.flush()
            self.tab.open(self.load("saved"))

    # -- running and submitting ----------------------------------------------------------------------------------------

    def _run(self, act: Act) -> Iterator[float]:
        self.tab.add(RunPressed())
        self.tab.flush()
        self._error = None
        over = threading.Event()

        def emit(line: dict[str, Any] | None) -> None:
            if line is None:
                over.set()
            elif line["type"] == "end":
                self._error = line["error_type"]

        self.app.work.run(self.participant_id, self.text, emit, self.tab.page)
        # In real time: the clock of the simulation stands still until the seconds of this act are played.
        over.wait()
        yield from self._play(act.seconds, [])

    def _submit(self, act: Act) -> Iterator[float]:
        self.tab.add(SubmitPressed(confirm=False))
        self.tab.flush()
        if self.app.submitting.submit(self.participant_id, self.text, self.tab.page).accepted:
            return
        yield from self._play(4.0, [])
        if not self.too_late:
            self.tab.add(SubmitPressed(confirm=True))
            self.tab.flush()
            self.app.submitting.submit(self.participant_id, self.text, self.tab.page, confirm=True)

    def _report(self, act: Act) -> Iterator[float]:
        """Say that the task cannot be done as described."""
        yield from self._play(20.0, [])
        if not self.too_late:
            self.tab.add(SubmitPressed(confirm=True))
            self.tab.flush()
            self.app.submitting.submit(self.participant_id, self.text, self.tab.page, impossible=_REASON)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _ask(self, act: Act) -> Iterator[float]:
        query = present(act.query, "what is asked")
        names = functions_to_write(self.pack.starter, self.pack.solution)
        if query.purpose == "idea":
            message = idea(self.pack.brief, self.app.study.language, self.rng)
        else:
            message = words(query, names, self.pack.settings.concepts, self._error, self.rng)
        composing = act.seconds * _COMPOSING
        yield from self._play(composing, [(composing * 0.1, ComposeStart())])
        if self.too_late:
            return
        self.tab.add(SendPressed())
        self.tab.add(ComposeEnd(sent=True))
        self.tab.flush()
        if self.acts:
            yield from self._beside_agent(message)
            return
        answered = self.loop.run(self._answer(message))
        adopts = query.adopt and answered is not None and self.adoption != "own"
        yield from self._play((act.seconds - composing) * (0.5 if adopts else 1.0), [])
        if adopts and answered is not None:
            yield from self._adopt(answered, (act.seconds - composing) * 0.5)

    async def _answer(self, message: str) -> tuple[str, str] | None:
        """Turn and reply; None where the assistant is not to be had now."""
        try:
            asked = await self.app.help.ask(self.participant_id, message, self.tab.page, self.text)
        except NotAllowed:
            return None
        reply = "".join([piece async for piece in asked.text if isinstance(piece, str)])
        return asked.turn_id, reply

    def _beside_agent(self, message: str) -> Iterator[float]:
        """Meet the steps of an agent one by one; time passes while they are looked at."""
        try:
            asked = self.loop.run(
                self.app.help.ask(self.participant_id, message, self.tab.page, self.text, self.tab.last)
            )
        except NotAllowed:
            return
        while (piece := self.loop.run(_next(asked.text))) is not None:
            if isinstance(piece, Frame) and piece.content["type"] == "action":
                yield from self._decide(piece.content, asked.turn_id)

    def _decide(self, step: dict[str, Any], turn_id: str) -> Iterator[float]:
        if not step["waits"]:
            if step["tool"] == "edit" and not self._carry_out(step, edited=False):
                self.app.help.stop(self.participant_id, turn_id)
            return
        yield from self._play(self.rng.uniform(*RATES.seconds), [])
        # By the loop of a simulation no time passes by itself: an undecided step would wait for ever.
        chosen = "stop" if self.too_late else choice(RATES, self.rng)
        if chosen == "stop":
            self.app.help.stop(self.participant_id, turn_id)
        elif step["tool"] == "ask":
            self._send(answered(step, "answered", ANSWER))
        elif chosen == "reject":
            self._send(answered(step, "reject"))
        elif step["tool"] == "run":
            self._send(answered(step, "approve"))
        elif not self._carry_out(step, edited=chosen == "edited"):
            self.app.help.stop(self.participant_id, turn_id)

    def _carry_out(self, step: dict[str, Any], *, edited: bool) -> bool:
        made = carried_out(self.task, self.text, step, edited=edited)
        if made is None or self.too_late:
            return False
        event, self.text = made
        self._send(event)
        return True

    def _send(self, details: EventDetails) -> None:
        self.tab.add(details)
        self.tab.flush()

    def _adopt(self, answered: tuple[str, str], seconds: float) -> Iterator[float]:
        """Take the reply's code over, as the person does that: pasted, retyped, or some of both."""
        turn_id, reply = answered
        blocks = [block for block in code_blocks(reply) if place_of(self.text, block)]
        for number, block in enumerate(blocks):
            place = place_of(self.text, block)
            if place is None or self.too_late:
                return
            share = seconds / len(blocks)
            pastes = self.adoption == "paste" or (self.adoption == "both" and number % 2 == 0)
            if pastes and self.allow_paste:
                self.tab.add(CopyReply(turn_id=turn_id, text=block[:_LONGEST_COPY], how="button"))
                yield from self._paste(block, place, turn_id, share)
            else:
                wanted = self.text[: place[0]] + block + self.text[place[1] :]
                yield from self._edits(list(typed(self.task, self.text, wanted, self.rng)), share)


async def _next(pieces: AsyncIterator[str | Frame]) -> str | Frame | None:
    return await anext(pieces, None)
