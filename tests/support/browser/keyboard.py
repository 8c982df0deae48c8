"""Walks a participant through the study by keyboard alone, and looks whether the focus is always in sight."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from support.browser.walker import NEXT, Walker

AT = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return { name: "the page", seen: true };
  const box = (here.matches("input[type=radio], input[type=checkbox]") && here.closest("label") || here)
    .getBoundingClientRect();
  const x = (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2;
  const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
  const hit = document.elementFromPoint(x, y);
  const label = here.closest("label");
  const seen = !!hit && (here.contains(hit) || hit.contains(here) || !!label?.contains(hit));
  return { name: (here.getAttribute("aria-label") || here.innerText || here.outerHTML).slice(0, 80), seen };
}"""
"""What has the focus, and whether it lies in the window with nothing over it."""
EDITING = "() => !!document.activeElement?.closest('.cm-content')"
LIMIT = 150


class KeyboardWalker(Walker):
    """A participant without a mouse."""

    def __init__(self, page: Page, url: str, at: Callable[[Page, str], None] = lambda page, name: None):
        super().__init__(page, url, at)
        self.hidden: list[str] = []
        """What had the focus out of sight."""

    # -- the focus -----------------------------------------------------------------------------------------------------

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is in the target."""
        expect(target).to_be_visible()
        trail = []
        for _ in range(LIMIT):
            if target.evaluate("target => target.contains(document.activeElement)"):
                return
            trail.append(self.tab())
        raise AssertionError(f"{target} is not reached by Tab; on the way: {trail}")

    def tab(self) -> str:
        """One step on; out of an editor by Escape first, since Tab indents there."""
        if self.page.evaluate(EDITING):
            self.page.keyboard.press("Escape")
        self.page.keyboard.press("Tab")
        at = self.page.evaluate(AT)
        if not at["seen"]:
            self.page.wait_for_timeout(400)  # a smooth scroll is on its way
            at = self.page.evaluate(AT)
        if not at["seen"]:
            self.hidden.append(at["name"])
        return str(at["name"])

    # -- what a walker does --------------------------------------------------------------------------------------------

    def start(self, query: str = "") -> None:
        self.page.goto(f"{self.url}/enter{query}")
        self.at(self.page, "welcome")
        self.reach(self.button("Start"))
        self.page.keyboard.press("Enter")
        expect(self.button("I agree")).to_be_visible(timeout=20_000)

    def press(self, name: str | re.Pattern[str]) -> None:
        self.settle()
        self.reach(self.button(name))
        self.page.keyboard.press("Enter")

    def choose(self, question: str, answer: str) -> None:
        group = self.page.get_by_role("radiogroup", name=re.compile(re.escape(question)))
        self.reach(group)
        self.page.keyboard.press("Space")
        wanted = group.get_by_role("radio", name=answer, exact=True)
        for _ in range(30):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{answer} is not reached by the arrow keys")

    def pick(self, question: str, *answers: str) -> None:
        group = self.page.get_by_role("group", name=re.compile(re.escape(question)))
        for answer in answers:
            self.reach(group.get_by_role("checkbox", name=answer, exact=True))
            self.page.keyboard.press("Space")

    def answer_all_radios(self) -> None:
        """Every field of the page, in order: the first option, or some words."""
        expect(self.button("Leave the study").last).to_be_visible()
        self.settle()
        for field in self.page.locator("[data-field]").all():
            self.answer(field)

    def answer(self, field: Locator) -> None:
        target = field.locator("[role=radiogroup], input[type=checkbox], .sa-text, .cm-content").first
        self.reach(target)
        if target.get_attribute("role") == "textbox" or "sa-text" in (target.get_attribute("class") or ""):
            self.page.keyboard.type("42  # a guess")
        else:
            self.page.keyboard.press("Space")
            expect(field.locator("input:checked").first).to_be_attached()

    def write(self, code: str) -> None:
        self.reach(self.editor())
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(code)

    def instructions(self) -> str:
        expect(self.page.get_by_role("heading", name="Your promise")).to_be_visible(timeout=20_000)
        self.at(self.page, "instructions")
        arm = "ai" if self.page.get_by_text("make use of it").count() else "no_ai"
        self.settle()
        self.reach(self.page.get_by_role("checkbox"))
        self.page.keyboard.press("Space")
        self.press("Continue")
        return arm

    def ask(self, message: str) -> None:
        self.reach(self.page.get_by_role("textbox", name="Your message"))
        self.page.keyboard.type(message)
        self.reach(self.button("Send"))
        self.page.keyboard.press("Enter")
        expect(self.button("Send")).to_be_enabled(timeout=60_000)
        self.at(self.page, "asked")

    def quiz(self) -> None:
        """Every page; the first with a gap, gone back from once, to meet the question about it."""
        for number in range(1, 30):
            counter = self.page.get_by_text(re.compile(rf"^Page {number} of \d+$"))
            expect(counter).to_be_visible(timeout=20_000)
            self.at(self.page, f"quiz {number}")
            if number == 1:
                self.press(NEXT)
                expect(self.button("Go back")).to_be_focused()
                self.at(self.page, "gaps")
                self.page.keyboard.press("Enter")
                expect(self.button("Go back")).to_have_count(0)
                self.page.reload()
                expect(counter).to_be_visible(timeout=20_000)
            self.answer_all_radios()
            last = self.button("Submit quiz").count() > 0
            self.press(NEXT)
            if last:
                return
            expect(counter).to_be_hidden(timeout=20_000)
