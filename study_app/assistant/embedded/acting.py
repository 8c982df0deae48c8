"""The embedded assistant as an agent: it runs the program, reads what comes out, and repairs it from the notes.

It looks at the program, at what a run says, and at the task pack's notes; solution and checks it never sees. The same
request leads to the same step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from study_app.assistant.embedded.mending import as_given, readable, returning, without_obstacles
from study_app.assistant.embedded.programs import parsed, sections, source_of, unfenced, unfinished, with_functions
from study_app.assistant.embedded.repair import repaired
from study_app.assistant.notebook import Notebook
from study_app.domain.assistants.acting import AgentRequest, AgentStep, ToolCall
from study_app.domain.assistants.embedded_sentences import AGENT, FAULTS

__all__ = ["NextStep", "next_step"]

_RUN_ERROR = re.compile(r"^Error(?: in line \d+)?: (.+)$", re.MULTILINE)
_FAILED_EXAMPLE = re.compile(r"^Example '(.+)' fails", re.MULTILINE)
_SHORT = 3
"""Words of a message that says nothing of what is wanted."""


@dataclass(frozen=True)
class NextStep:
    """What it says, and what it does; without a call the turn is over."""

    text: str
    call: ToolCall | None


def next_step(request: AgentRequest, notebook: Notebook, texts: Mapping[str, str] | None = None) -> NextStep:
    """Return the next step of a turn.

    Args:
        request: The turn so far.
        notebook: The notes.
        texts: The texts' table `embedded` of another language than English.
    """
    return _Planner(request, notebook, texts).step()


class _Planner:
    def __init__(self, request: AgentRequest, notebook: Notebook, texts: Mapping[str, str] | None) -> None:
        self._texts = texts
        self._request = request
        self._notebook = notebook
        self._code = request.program
        self._steps = request.steps
        self._versions = {note.title: unfenced(note.code) for note in notebook.of_kind("code")}

    def step(self) -> NextStep:
        last = self._steps[-1] if self._steps else None
        if question := self._question():
            return question
        if last is not None and last.call.tool == "run" and _all_well(last):
            return self._report(self._say("all_well"))
        if (last is None or last.call.tool == "ask") and self._can("view"):
            return NextStep(self._say("reads", plan=self._plan()), ToolCall("view", {}))
        if self._runs_now(last):
            return NextStep(self._say("runs"), ToolCall("run", {}))
        for old, new, why in self._changes():
            return NextStep(why, ToolCall("edit", {"old": old, "new": new}))
        return self._report(self._at_a_loss())

    def _can(self, tool: str) -> bool:
        return tool in self._request.tools

    def _runs_now(self, last: AgentStep | None) -> bool:
        """Return whether a run is next: after reading the program, and after each change that was made."""
        if not self._can("run") or self._runs_refused():
            return False
        if last is None or last.call.tool in ("view", "ask"):
            return not self._to_write()
        return last.call.tool == "edit" and not last.failed and not self._to_write()

    def _runs_refused(self) -> bool:
        return any(step.call.tool == "run" and step.decision == "reject" for step in self._steps)

    def _to_write(self) -> list[str]:
        """Functions that are still to be written, but for those that the participant refused."""
        return [name for name in unfinished(self._code, self._versions) if name not in self._refused()]

    def _question(self) -> NextStep | None:
        """Ask what is meant where the message does not say, and more than one thing could be."""
        if self._steps or not self._can("ask") or len(self._request.asked.message.split()) >= _SHORT:
            return None
        left = unfinished(self._code, self._versions)
        if len(left) < 2:
            return None
        return NextStep("", ToolCall("ask", {"question": self._say("which", names=_listed(left))}))

    def _wanted(self) -> list[str]:
        """Functions that the answer to its question names; all of them where it names none."""
        answers = " ".join(step.result for step in self._steps if step.call.tool == "ask")
        named = [name for name in self._versions if name in answers or name in self._request.asked.message]
        return named or list(self._versions)

    def _plan(self) -> str:
        left = self._to_write()
        if not self._versions:
            return self._say("plan_without_code")
        return self._say("plan_to_write", names=_listed(left)) if left else self._say("plan_to_repair")

    def _refused(self) -> set[str]:
        """Functions whose change the participant did not want, or wrote otherwise: it proposes none of them again."""
        refused = set()
        for step in self._steps:
            if step.call.tool == "edit" and step.decision in ("reject", "edited"):
                refused |= {one.name for one in sections(str(step.call.input.get("new", ""))) if one.name}
        return refused

    def _changes(self) -> Iterator[tuple[str, str, str]]:
        """Yield (old, new, what it says of it), the most needed first."""
        edits = [step for step in self._steps if step.call.tool == "edit" and step.decision != "stale"]
        tried = {str(step.call.input.get("new")) for step in edits}
        lost = self._corrected(as_given, "puts_back")
        in_the_way = self._corrected(without_obstacles, "takes_out"), self._corrected(returning, "returns")
        notes = self._slips(), self._functions()
        for change in chain(self._unreadable(), lost, *notes, *in_the_way, self._whole()):
            if change[1] not in tried and change[0] != change[1]:
                yield change

    def _unreadable(self) -> Iterator[tuple[str, str, str]]:
        """Yield what lets Python read the program, or more of it."""
        error = parsed(self._code)
        changed = _one_stretch(self._code, readable(self._code, self._request.asked.starter))
        if isinstance(error, SyntaxError) and changed is not None:
            what = FAULTS("unreadable", line=error.lineno or 1, message=error.msg)
            yield *changed, in_words(what, self._texts)

    def _corrected(self, correct: Callable[[str, str], str], key: str) -> Iterator[tuple[str, str, str]]:
        """Yield what another look at the program changes in it, which needs no notes."""
        changed = _one_stretch(self._code, correct(self._code, self._request.asked.starter))
        if changed is not None:
            yield *changed, self._say(key)

    def _whole(self) -> Iterator[tuple[str, str, str]]:
        """Yield the program of the notes, where all their functions stand in it and it fails all the same."""
        if self._versions and self._code.strip() and set(self._wanted()) == set(self._versions) and not self._refused():
            yield self._code, with_functions("", self._versions, self._request.asked.starter), self._say("anew")

    def _slips(self) -> Iterator[tuple[str, str, str]]:
        """Yield what can be corrected within its own lines."""
        if not self._versions and isinstance(parsed(self._code), SyntaxError):
            # Without code in the notes the starter would take the place of what the participant has written.
            return
        program, found, whole = repaired(self._code, self._notebook, self._request.asked.starter)
        if not found or whole:
            return
        changed = _one_stretch(self._code, program)
        if changed is not None:
            yield *changed, in_words(found[0].what, self._texts)

    def _functions(self) -> Iterator[tuple[str, str, str]]:
        """Yield the functions that are missing, then those that are written otherwise than in the notes."""
        refused, wanted = self._refused(), self._wanted()
        missing = unfinished(self._code, self._versions)
        for name in (*missing, *(one for one in self._versions if one not in missing)):
            own = source_of(self._code, name)
            if name in refused or name not in wanted or own.split() == self._versions[name].split():
                continue
            why = self._say("writes" if name in missing else "rewrites", name=name)
            if own and self._code.count(own) == 1:
                yield own, self._versions[name], why
                continue
            whole = with_functions(self._code, {name: self._versions[name]}, self._request.asked.starter)
            yield self._code if self._code.strip() else "", whole, why
        whole = with_functions(self._code, {}, self._request.asked.starter)
        if (
            self._versions
            and isinstance(parsed(self._code), SyntaxError)
            and not isinstance(parsed(whole), SyntaxError)
        ):
            yield self._code, whole, self._say("puts_in_order")

    def _report(self, summary: str) -> NextStep:
        done = sum(step.call.tool == "edit" and not step.failed for step in self._steps)
        said = self._say("changes_made", summary=summary, n=done)
        return NextStep("", ToolCall("report", {"summary": said})) if self._can("report") else NextStep(said, None)

    def _at_a_loss(self) -> str:
        if self._refused():
            return self._say("nothing_else")
        run = next((step for step in reversed(self._steps) if step.call.tool == "run"), None)
        if self._versions and run is None:
            return self._say("done_what_is_known")
        said = self._say("still_fails" if self._versions else "nothing_to_correct")
        return said if run is None else f"{said}\n\n{self._last_run(run.result)}"

    def _last_run(self, result: str) -> str:
        """Return what a run came to: as it stands in English, what failed in other languages."""
        if self._texts is None:
            return result[:1000]
        errors = [self._say("run_error", error=one) for one in _RUN_ERROR.findall(result)[:1]]
        failed = [self._say("run_failed_example", name=name) for name in _FAILED_EXAMPLE.findall(result)]
        return "\n".join(f"- {line}" for line in (*errors, *failed))

    def _say(self, key: str, **values: object) -> str:
        """Return a sentence in the participant's language."""
        if self._texts is None:
            return AGENT(key, **values)
        said = self._texts[f"agent.{key}"]
        for name, value in values.items():
            said = said.replace("{" + name + "}", str(value))
        return said


def in_words(what: str, texts: Mapping[str, str] | None) -> str:
    """Return a finding in the language of the texts; in English without any."""
    if texts is None:
        return what
    faults = {key.removeprefix("fault."): text for key, text in texts.items() if key.startswith("fault.")}
    return FAULTS.translated(what, faults) or what


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _all_well(step: AgentStep) -> bool:
    """Return whether a run ended well and no visible example failed."""
    lines = step.result.splitlines()
    return not step.failed and not any(line.startswith("Example ") and " fails" in line for line in lines)


def _one_stretch(before: str, after: str) -> tuple[str, str] | None:
    """Return (old, new) of the lines that differ, widened until the old ones stand in the text once."""
    one, other = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    while True:
        old, new = "".join(one[head : len(one) - tail]), "".join(other[head : len(other) - tail])
        if old and before.count(old) == 1:
            return old, new
        if not head and not tail:
            return None
        head, tail = max(0, head - 1), max(0, tail - 1)
