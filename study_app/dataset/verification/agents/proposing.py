"""An agent's proposals and what they came to, derived from the log once more: program, turn, order, result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from study_app.dataset.measures.turns.acting import Step
from study_app.dataset.verification.agents.programs_in_log import ProgramsInLog
from study_app.domain.assistants.acting import (
    CallRefused,
    base_hash,
    outcome_of_decision,
    program_seen,
    replacement,
)
from study_app.domain.events import Event
from study_app.domain.events.changes import utf16_length
from study_app.domain.events.server import AgentActed, AgentDecided, AgentProposed, TurnEnded, TurnStarted
from study_app.domain.records import RunRecord

_RAN = frozenset({"approve", "auto"})
"""Decisions after which a run takes place."""


def wrong_steps(
    events: Sequence[Event], steps: Sequence[Step], runs: Sequence[RunRecord]
) -> Iterator[tuple[Step, tuple[str, str]]]:
    """Yield each step that was proposed, or came to something, other than the rest of the log says; finding and why."""
    seen = _Proposals().follow(events)
    ran = {run.id: run for run in runs if run.kind == "agent"}
    for step in steps:
        action = step.proposed.action_id
        if (what := seen.wrong.get(action)) is not None:
            yield step, ("proposal_differs", what)
        if step.acted is None or step.decided is None:
            continue
        if (what := _result(step, step.decided, step.acted, ran, seen.programs.get(action))) is not None:
            yield step, ("step_result_differs", what)


def _result(
    step: Step, decided: AgentDecided, acted: AgentActed, ran: Mapping[str, RunRecord], program: str | None
) -> str | None:
    tool, decision = step.proposed.tool, decided.decision
    if tool == "run" and decision in _RAN:
        run = ran.get(acted.run_id or "")
        if run is None:
            return "it was run, and no run of the assistant is named"
        failed = run.error_type is not None or run.ended_by != "exit"
        return None if failed == acted.failed else f"it says failed: {acted.failed}, and the run: {failed}"
    if acted.run_id is not None:
        return f"the decision is {decision}, and it names a run"
    if tool == "view":
        due = None if program is None else program_seen(program)
        return None if due in (None, acted.result) else "what it read is not the program of that moment"
    text, failed, whole = outcome_of_decision(tool, decision, decided.words)
    fits = acted.result == text if whole else acted.result.startswith(text)
    return None if fits and acted.failed == failed else f"the decision is {decision}, and the result is of another"


class _Proposals:
    """What is wrong with each proposal, in the order of the log."""

    def __init__(self) -> None:
        self._log = ProgramsInLog()
        self._turns: dict[str, int] = {}
        """Open turn -> number of its last step."""
        self._since: dict[str, list[str | None]] = {}
        """Task -> the programs that the next step may have been thought of with: since the one before was decided."""
        self.wrong: dict[str, str] = {}
        self.programs: dict[str, str] = {}
        """Step -> the program that it was made for, where that is known."""

    def follow(self, events: Sequence[Event]) -> _Proposals:
        for event in events:
            self._log.see(event)
            match event.details:
                case TurnStarted(turn_id=turn, task=task):
                    self._turns[turn] = 0
                    self._since[task] = self._log.saved_lately(task)
                case TurnEnded(turn_id=turn):
                    self._turns.pop(turn, None)
                case AgentDecided():
                    self._since = {task: self._log.saved_lately(task) for task in self._since}
                case AgentProposed() as said:
                    self._proposed(said)
                case _:
                    self._changed()
        return self

    def _changed(self) -> None:
        """Keep each program that the participant's typing makes while a step is thought of."""
        for task, programs in self._since.items():
            text = self._log.saved(task)
            # By identity, for this runs at every event of the log: to keep an equal text twice does no harm.
            if text is not programs[-1]:
                programs.append(text)

    def _proposed(self, said: AgentProposed) -> None:
        what = self._turn(said) or self._program(said)
        if what is not None:
            self.wrong.setdefault(said.action_id, what)

    def _turn(self, said: AgentProposed) -> str | None:
        before = self._turns.get(said.turn_id)
        if before is None:
            return "it was proposed before its turn began, or after its end"
        if said.step <= before:
            return f"it is step {said.step} of its turn, and step {before} came before it"
        self._turns[said.turn_id] = said.step
        return None

    def _program(self, said: AgentProposed) -> str | None:
        """Return what is wrong with the program that a step says it was made for; None where that is not known."""
        programs = self._since.get(said.task, [None])
        texts = {name: str(value) for name, value in said.input.items()}
        # Any of them: the model thought for seconds while the participant typed, and the log does not say with which.
        for program in programs:
            if program is not None and base_hash(program, said.tool, texts) == said.base_sha256:
                self.programs[said.action_id] = program
                return _place(said, program, texts) if said.tool == "edit" else None
        return None if None in programs else "it was made for a program that was not there then, or is another call"


def _place(said: AgentProposed, program: str, texts: Mapping[str, str]) -> str | None:
    try:
        due = replacement(program, texts)
    except (CallRefused, KeyError):
        return "the text that it replaces does not stand in the program once"
    stated = (said.start, said.end, said.line, said.length)
    if stated != (due.start, due.end, due.line, utf16_length(program)):
        return "the text that it replaces stands at another place of the program"
    return None
