"""A participant at the forms of the short study, in a real browser, with the database beside the screen."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from study_app.clock import SystemClock

READ = """() => Object.fromEntries([...document.querySelectorAll('[data-field]')].map((box) => {
  const view = box.querySelector('.cm-content')?.cmTile?.view;
  const text = box.querySelector('.sa-text');
  const options = [...box.querySelectorAll('input[type=radio], input[type=checkbox]')];
  const place = (input) => options.indexOf(input);
  if (view) return [box.dataset.field, view.state.doc.toString()];
  if (text) return [box.dataset.field, text.value];
  return [box.dataset.field, options.filter((input) => input.checked).map(place)];
}))"""
"""What stands on the screen: texts as they are, choices by the places of what is chosen."""

OPTIONS: dict[str, list[Any]] = {
    "role": ["dev", "sci"],
    "tools": ["vim", "code", "idle"],
    "ease": list(range(1, 8)),
    "extra": ["yes", "no"],
    "pick": ["a", "b"],
    "ticks": ["one", "two", "x"],
}
SEVERAL = ("tools", "ticks")
NUMBERS = ("years", "hours")


class FormPage:
    """One participant in one window."""

    def __init__(self, server: Any, page: Page) -> None:
        self.server, self.page = server, page
        self.participant_id = ""

    # -- on the way ----------------------------------------------------------------------------------------------------

    def start(self) -> FormPage:
        self.page.goto(f"{self.server.url}/enter")
        self.page.get_by_role("button", name="Start").click()
        self.button("I agree").click()
        self.at("about")
        self.participant_id = self.rows("select id from participants order by number desc limit 1")[0][0]
        return self

    def to_quiz(self) -> FormPage:
        """To the first page of the quiz, with the survey left empty."""
        self.button("Continue").click()
        self.at("quiz")
        return self

    def at(self, stage: str) -> None:
        """Until the form of a stage is drawn, ready to be written in."""
        fields = {"about": "remark", "quiz": "fix", "quiz 2": "explain", "last": "liked"}
        expect(self.field(fields[stage])).to_be_visible(timeout=60_000)
        expect(self.page.locator(".sa-saving").first).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.locator(f'[data-field="{name}"]')

    def box(self, name: str) -> Locator:
        return self.field(name).get_by_role("textbox")

    def choose(self, name: str, place: int) -> None:
        self.field(name).locator("label").nth(place).click()

    def go_on(self, name: str = "Continue") -> None:
        """Press the button; where the page asks about gaps, go on all the same."""
        self.button(name).click()
        if self.button("Continue anyway").count():
            self.button("Continue anyway").click()

    def screen(self) -> dict[str, Any]:
        """What stands in the fields now, as it would be answered."""
        shown: dict[str, Any] = self.page.evaluate(READ)
        return {name: answer_of(name, value) for name, value in shown.items()}

    # -- the database --------------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.server.folder / "study.db", timeout=30) as database:
            return database.execute(query, values).fetchall()

    def answers(self, stage: str) -> dict[str, Any]:
        found = self.rows(
            "select item, response from answers where participant_id = ? and stage = ?", self.participant_id, stage
        )
        return {item: value for item, response in found if (value := json.loads(response)) is not None}

    def draft(self, stage: str, step: int = 0) -> dict[str, Any]:
        """What the server knows of a form that is not handed in yet."""
        query = "select text from documents where participant_id = ? and task = ?"
        found = self.rows(query, self.participant_id, f"answers:{stage}:{step}")
        return {name: value for name, value in json.loads(found[0][0]).items() if value} if found else {}

    def events(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        marks = ", ".join("?" * len(kinds))
        query = f"select kind, payload from events where participant_id = ? and kind in ({marks}) order by event_id"
        return [(kind, json.loads(payload)) for kind, payload in self.rows(query, self.participant_id, *kinds)]

    def end_in(self, stage: str, seconds: float) -> None:
        """Move the deadline of the running stage, as if its time were nearly up; the page hears it with its events."""
        deadline = round((SystemClock().now().timestamp() + seconds) * 1000)
        query = "update visits set deadline_at = ? where participant_id = ? and stage = ?"
        with sqlite3.connect(self.server.folder / "study.db", timeout=30) as database:
            database.execute(query, (deadline, self.participant_id, stage))


def answer_of(name: str, shown: Any) -> Any:
    """What stands in a field as the answer it is; None where it is none."""
    if name in OPTIONS:
        picked = [OPTIONS[name][place] for place in shown]
        return (picked or None) if name in SEVERAL else (picked[0] if picked else None)
    if not shown.strip():
        return None
    if name in NUMBERS:
        value = float(shown.replace(",", ".").removesuffix("years"))
        return int(value) if value == int(value) else value
    return shown


def same(screen: dict[str, Any], answers: dict[str, Any]) -> bool:
    """Whether the answers are what stood on the screen; texts of surveys are kept without white space around them."""
    given = {name: value for name, value in screen.items() if value is not None}
    return given.keys() == answers.keys() and all(
        value == answers[name] or (isinstance(value, str) and value.strip() == answers[name])
        for name, value in given.items()
    )


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something holds; returns it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.2)
    return found


def processes_with(mark: str) -> list[int]:
    """Processes whose command line holds a mark."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as line:
                    if mark.encode() in line.read():
                        found.append(int(entry))
            except OSError:
                continue
    return found
