"""What a simulated participant does in the room of the tasks besides writing: cards, steps of an agent, ways out."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from study_app.domain.study.task_conditions.probes import HIGH, LOW
from study_app.simulation.browser_parts import click_if_there

CANNOT = "What the task asks for contradicts itself."
"""The reason that is given where a task cannot be done."""
_CONFIRM = "dialog.sa-dialog[open] .sa-dialog-bar .sa-plain"
_POLL = 0.1


class RoomVisitor:
    """The tasks' room on one browser page.

    Args:
        page: Playwright's.
        rng: of what the person does.
        patience: seconds to wait for the page.
    """

    def __init__(self, page: Any, rng: Random, patience: float) -> None:
        self.page, self.rng, self.patience = page, rng, patience

    def felt(self) -> None:
        """Answer a probe of affect, where one covers the room."""
        card = self.page.locator(".sa-probe")
        if not card.is_visible():
            return
        row, column = (self.rng.randint(0, HIGH - LOW) for _ in range(2))
        card.get_by_role("row").nth(row).get_by_role("gridcell").nth(column).click()
        card.get_by_role("slider").fill(str(self.rng.randint(0, 100)))
        card.locator('[data-act="probe-done"]').click()
        card.wait_for(state="hidden")

    def write(self, editor: Any, program: str) -> None:
        """Replace what stands in the editor, line by line."""
        self.felt()
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        for line in program.splitlines(keepends=True):
            self.felt()
            self.page.keyboard.insert_text(line)
            self.page.wait_for_timeout(self.rng.uniform(20, 80))

    def ask(self, message: str) -> None:
        """Send a message, and agree to whatever step the assistant proposes until it has ended."""
        self.felt()
        self.page.locator('[data-act="message"]').fill(message)
        self.page.locator('[data-act="send"]').click()
        end = time.monotonic() + self.patience
        while time.monotonic() < end and not self.page.locator('[data-act="send"]:enabled').is_visible():
            self.felt()
            self._decide()
            time.sleep(_POLL)
        self.page.locator('[data-act="send"]:enabled').wait_for()

    def _decide(self) -> None:
        """Answer the assistant's question, or apply its step."""
        answer = self.page.locator('[data-act="agent-answer"]:visible')
        if answer.count():
            self.page.locator(".sa-agent textarea").fill("All of it, please.")
            click_if_there(answer)
        elif (apply := self.page.locator('[data-act="agent-apply"]:visible')).count():
            click_if_there(apply)

    def press(self, act: str) -> None:
        """Press a button of the room."""
        self.felt()
        self.page.locator(f'[data-act="{act}"]').first.click()

    def give_up(self) -> None:
        """End a task that cannot be done as described, with the reason."""
        self.press("cannot")
        self.page.locator("dialog[open] textarea, dialog[open] input").first.fill(CANNOT)
        self.press("cannot-confirm")

    def go_on(self) -> None:
        """Do what the room asks for before the next page opens: confirm that it is handed in, or answer a card."""
        self.felt()
        confirm = self.page.locator(_CONFIRM)
        if confirm.is_visible():
            click_if_there(confirm)
