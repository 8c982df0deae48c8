"""The shipped study with an agent in the arm that has an assistant, and a page that decides on its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.trials.export_world import Walker, open_app, real_study

from study_app.bootstrap import App
from study_app.services.participant.agent.working import Frame

Choose = Callable[[dict[str, Any]], str]
"""A step as the page shows it -> approve, reject, edited, typed (over it), stop, or what is answered."""


def agent_study(folder: Path, approval: str = "each", **settings: Any) -> Path:
    path = real_study(folder, **{'file = "assistants/full.toml"': 'file = "agent.toml"'})
    lines = [f'approval = "{approval}"', *(f"{name} = {value!r}".replace("'", '"') for name, value in settings.items())]
    text = (folder / "assistants" / "full.toml").read_text(encoding="utf-8")
    text = text.replace('manner = "answers"', 'manner = "agent"')
    acts = f"{text}\n[agent]\n" + "\n".join(lines) + "\n"
    (folder / "agent.toml").write_text(acts, encoding="utf-8")
    return path


def agent_walker(folder: Path, clock: Any, approval: str = "each", **settings: Any) -> tuple[App, Walker]:
    """An app and a participant of its agent's arm, at the first task."""
    app = open_app(folder, clock, agent_study(folder, approval, **settings))
    return app, with_agent(app, clock)


def with_agent(app: App, clock: Any) -> Walker:
    """The next participant who comes into the agent's arm, at the first task."""
    return next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai").begin_tasks()


class AgentPage:
    """Asks, and answers each step as a page with this person before it does."""

    def __init__(self, walker: Walker, choose: Choose) -> None:
        self.walker, self.choose = walker, choose
        self.frames: list[dict[str, Any]] = []
        self.said = ""
        self.turn_id = ""

    def ask(self, message: str = "please get this to work") -> AgentPage:
        asyncio.run(self._ask(message))
        return self

    async def _ask(self, message: str) -> None:
        walker = self.walker
        walker.send(("send_pressed", {}))
        asked = await walker.app.help.ask(walker.id, message, walker.page, walker.text, walker.seq)
        self.turn_id = asked.turn_id
        async for piece in asked.text:
            if isinstance(piece, Frame):
                self.frames.append(piece.content)
                await asyncio.to_thread(self._meet, piece.content)
            else:
                self.said += piece

    def _meet(self, frame: dict[str, Any]) -> None:
        if frame["type"] != "action" or (not frame["waits"] and frame["tool"] != "edit"):
            return
        self.walker.clock.advance(seconds=3)
        choice = self.choose(frame) if frame["waits"] else "approve"
        if choice == "stop":
            self.walker.app.help.stop(self.walker.id, self.turn_id)
        elif choice == "typed":
            self.walker.edit(len(self.walker.text), len(self.walker.text), "# mine\n")
        elif frame["tool"] == "edit" and choice in ("approve", "edited"):
            self.apply(frame, "# looked at\n" if choice == "edited" else "")
        else:
            self.answer(frame, choice)

    def answer(self, frame: dict[str, Any], choice: str) -> None:
        known = choice if choice in ("approve", "reject") else "answered"
        words = {} if known == choice else {"words": choice}
        said = {"action_id": frame["action_id"], "decision": known, **words}
        self.walker.send(("agent_answered", said))

    def apply(self, frame: dict[str, Any], added: str = "") -> None:
        walker, start, end = self.walker, frame["start"], frame["end"]
        insert = added + frame["input"]["new"]
        walker.text = walker.text[:start] + insert + walker.text[end:]
        change = {"from": start, "to": end, "insert": insert}
        edit = {"task": walker.task, "kind": "agent", "changes": [change], "length": len(walker.text)}
        walker.send(("edit", edit | {"action_id": frame["action_id"]}))

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """(tool, decision) of every step, as the log has them."""
        return [(step["tool"], step["decision"]) for step in self.walker.app.help.actions(self.walker.id)[self.turn_id]]
