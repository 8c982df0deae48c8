"""A process that asks an agent, and is killed at one of the points of the turn: around each of its transactions."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from support.clock import HandClock
from support.trials.agent_study import AgentPage
from support.trials.export_world import Walker, open_app

from study_app.bootstrap import App

KEPT = ("id", "page", "pages", "seq", "text", "task")
"""What a page knows of itself."""


def keep(walker: Walker, folder: Path) -> None:
    """Write down where a participant is, for another process."""
    said = {name: getattr(walker, name) for name in KEPT} | {"at": walker.clock.at.isoformat()}
    (folder / "walker.json").write_text(json.dumps(said))


def resume(folder: Path, **later: float) -> tuple[App, Walker]:
    """Open the study again, and the participant's page as a reload does."""
    said = json.loads((folder / "walker.json").read_text())
    clock = HandClock(datetime.fromisoformat(said.pop("at")))
    clock.advance(**later)
    app = open_app(folder, clock, folder / "study.toml", fresh_ids=lambda: secrets.token_hex(8))
    walker = Walker.__new__(Walker)
    walker.app, walker.clock = app, clock
    for name, value in said.items():
        setattr(walker, name, value)
    # Each page has another name, and a process that was killed here before has opened one.
    walker.pages += secrets.randbelow(10**9)
    return app, walker


def ask(walker: Walker) -> AgentPage:
    """One turn whose every step is approved."""
    return AgentPage(walker, lambda _: "approve").ask()


class Killing:
    """Counts the ends of transactions, and kills the process at one of them."""

    def __init__(self, app: App, point: int | None) -> None:
        self.points, self._point, self._begin = 0, point, app.context.registry.begin
        app.context.registry.begin = self.begin  # type: ignore[method-assign]

    @contextmanager
    def begin(self, *given: Any, **named: Any) -> Any:
        with self._begin(*given, **named) as unit:
            yield unit
            self._passed(named)
        self._passed(named)

    def _passed(self, named: dict[str, Any]) -> None:
        # Before the commit and after it; what only reads leaves nothing behind.
        if named.get("write", True):
            self.points += 1
            if self.points == self._point:
                os.kill(os.getpid(), signal.SIGKILL)


def main(folder: str, point: str) -> None:
    """Ask, and be killed at a point; without one (0) say how many there are."""
    app, walker = resume(Path(folder), seconds=1)
    walker.open(walker.task)
    killing = Killing(app, int(point) or None)
    ask(walker)
    sys.stdout.write(f"{killing.points}\n")
    app.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
