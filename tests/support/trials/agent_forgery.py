"""The export of a person who meets an agent in every way, and changes of its log and table that agree."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import scratch, settle, table
from support.trials.quiz_study import rewrite_table

from study_app.domain.assistants.acting import base_hash
from study_app.domain.editing.edits import apply_event
from study_app.domain.events import details_of
from study_app.services.researcher.exporting.export import export

Row = dict[str, Any]


class Hurried(AgentPage):
    """Hands the task in while a run is proposed."""

    handed_in = False

    def _meet(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "action" and frame["waits"] and frame["tool"] == "run" and not self.handed_in:
            self.handed_in = True
            self.walker.submit()
        else:
            super()._meet(frame)


@cache
def walked(approval: str) -> Path:
    """Walk one person through every decision that the regime has; the dataset, once for all tests of a process."""
    folder = scratch()
    app, walker = agent_walker(folder, HandClock(), approval)
    if approval == "none":
        AgentPage(walker, lambda _: "approve").ask()
    else:
        AgentPage(walker, lambda frame: "answered" if frame["tool"] == "ask" else "stop").ask("help me")
        choices = iter(["approve", "reject", "typed", "edited"])
        page = AgentPage(walker, lambda frame: next(choices, "stop") if frame["tool"] == "edit" else "approve").ask()
        assert {"approve", "reject", "stale", "edited"} <= {decision for _, decision in page.decisions}
        page = Hurried(walker, lambda _: "approve").ask()
        assert "expired" in {decision for _, decision in page.decisions}
    settle(app)
    export(app.context, folder / "data", include_preview=True)
    app.close()
    return folder / "data"


def rewritten(text: str, change: Callable[[Row], object]) -> str:
    """Return the text of a table with each row changed in place."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        change(row)
    return as_csv(rows)


def as_csv(rows: list[Row]) -> str:
    new = io.StringIO(newline="")
    writer = csv.DictWriter(new, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return new.getvalue()


@dataclass
class Forgery:
    """The log and the table of steps, to be changed together and written back."""

    dataset: Path
    events: list[Row] = field(init=False)
    steps: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.events, self.steps = table(self.dataset, "events"), table(self.dataset, "agent_actions")

    def step(self, **cells: str) -> Row:
        """The first step of which these cells hold."""
        return next(row for row in self.steps if all(row[name] == value for name, value in cells.items()))

    def event(self, kind: str, action: str) -> Row:
        """The log's event of a kind about a step."""
        return next(
            row for row in self.events if row["kind"] == kind and json.loads(row["payload"]).get("action_id") == action
        )

    def say(self, kind: str, action: str, **said: Any) -> None:
        """Let the log say something else."""
        row = self.event(kind, action)
        row["payload"] = json.dumps(json.loads(row["payload"]) | said)

    def program_before(self, action: str) -> str:
        """The program of the participant's page as a step was proposed."""
        texts: dict[Any, str | None] = {}
        proposed = self.event("agent_proposed", action)
        for row in self.events[: self.events.index(proposed)]:
            if row["kind"] in ("load", "edit"):
                details = details_of(row["kind"], json.loads(row["payload"]))
                place = row["page"], json.loads(row["payload"])["task"]
                texts[place] = last = apply_event(texts.get(place), details)
        return last or ""

    def propose_other(self, action: str, **texts: str) -> None:
        """Let a step have been another call, bound to the program as a call of it would have been."""
        program = self.program_before(action)
        said = json.loads(self.event("agent_proposed", action)["payload"])
        assert base_hash(program, said["tool"], said["input"]) == said["base_sha256"]
        call = said["input"] | texts
        bound = base_hash(program, said["tool"], call)
        self.say("agent_proposed", action, input=call, base_sha256=bound)
        row = self.step(action_id=action)
        row["input"], row["base_hash"] = json.dumps(call), bound

    def write(self) -> None:
        """Write both tables back."""
        rewrite_table(self.dataset, "events", lambda _: as_csv(self.events))
        rewrite_table(self.dataset, "agent_actions", lambda _: as_csv(self.steps))
