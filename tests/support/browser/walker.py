"""Walks a participant through the study in a real browser, as a person would: by the names on the buttons."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from support.browser.drawing import drawn

ROOT = Path(__file__).parents[3]
NEXT = re.compile(r"^(Continue|Finish|Submit quiz)$")


def solution(task: str) -> str:
    return (ROOT / "tasks" / task / "solution.py").read_text()


class Walker:
    """One participant in one page. `at` is called once on every station, for reloads and screenshots."""

    def __init__(self, page: Page, url: str, at: Callable[[Page, str], None] = lambda page, name: None):
        self.page = page
        self.url = url
        self.at = at

    def button(self, name: str | re.Pattern[str]):
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def press(self, name: str | re.Pattern[str]) -> None:
        """Click a button of a page that is drawn to its end: before, it may be the last page's button."""
        self.settle()
        self.button(name).click()

    def settle(self) -> None:
        """Until Streamlit has drawn what it was asked for."""
        drawn(self.page)
        self.page.wait_for_timeout(150)

    def start(self, query: str = "") -> None:
        self.page.goto(f"{self.url}/enter{query}")
        self.at(self.page, "welcome")
        self.button("Start").click()
        expect(self.button("I agree")).to_be_visible(timeout=20_000)

    def consent(self) -> None:
        self.at(self.page, "consent")
        self.press("I agree")

    def choose(self, question: str, answer: str) -> None:
        group = self.page.get_by_role("radiogroup", name=re.compile(re.escape(question)))
        group.get_by_text(answer, exact=True).click()

    def eligibility(self, name: str = "eligibility") -> None:
        expect(self.page.get_by_role("radiogroup", name=re.compile("first program in Python"))).to_be_visible()
        self.at(self.page, name)
        self.choose("first program in Python", "More than two years ago")
        self.choose("How often do you write", "Every day or nearly")
        self.choose("How often have you used AI", "Regularly")
        self.pick("Which of these Python libraries", "asyncio")
        self.press("Continue")

    def pick(self, question: str, *answers: str) -> None:
        """Answers of a question that takes several."""
        group = self.page.get_by_role("group", name=re.compile(re.escape(question)))
        for answer in answers:
            group.get_by_text(answer, exact=True).click()

    def device(self) -> None:
        expect(self.page.get_by_role("heading", name="You need a computer")).to_be_visible()
        self.at(self.page, "device")
        self.press("Continue")

    def answer_all_radios(self) -> None:
        """The first answer of every question on the page, once it is drawn to its foot."""
        expect(self.button("Leave the study").last).to_be_visible()
        self.settle()
        groups = self.page.get_by_role("radiogroup")
        for index in range(groups.count()):
            groups.nth(index).locator("label").first.click()

    def survey(self, heading: str, name: str) -> None:
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible()
        self.at(self.page, name)
        self.answer_all_radios()
        self.press(NEXT)

    def intro(self, name: str, heading: str) -> None:
        expect(self.page.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=20_000)
        expect(self.button("Continue")).to_be_visible()
        self.at(self.page, name)
        self.press("Continue")

    def editor(self):
        return self.page.get_by_role("textbox", name="Code editor")

    def write(self, code: str) -> None:
        """Replace the editor's text by typing; closing brackets and indentation that it adds are typed over."""
        self.editor().click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(code)

    def task(self, task: str, code: str | None = None) -> None:
        expect(self.editor()).to_be_visible(timeout=20_000)
        self.at(self.page, task)
        self.write(solution(task) if code is None else code)
        self.press("Run")
        expect(self.page.locator(".sa-run-status")).to_contain_text("Finished in", timeout=30_000)
        self.at(self.page, f"{task} run")
        self.press("Submit task")

    def instructions(self) -> str:
        expect(self.page.get_by_role("heading", name="Your promise")).to_be_visible(timeout=20_000)
        self.at(self.page, "instructions")
        arm = (
            "ai"
            if "AI assistant" in self.page.inner_text("main, .stMain")
            and self.page.get_by_text("make use of it").count()
            else "no_ai"
        )
        self.page.get_by_role("checkbox").locator("xpath=ancestor::label").click()
        self.settle()
        self.press("Continue")
        return arm

    def ask(self, message: str) -> None:
        box = self.page.get_by_role("textbox", name="Your message")
        box.fill(message)
        self.button("Send").click()
        expect(self.button("Send")).to_be_enabled(timeout=60_000)
        self.at(self.page, "asked")

    def quiz(self) -> None:
        for number in range(1, 30):
            counter = self.page.get_by_text(re.compile(rf"^Page {number} of \d+$"))
            expect(counter).to_be_visible(timeout=20_000)
            self.at(self.page, f"quiz {number}")
            self.answer_all_radios()
            last = self.button("Submit quiz").count() > 0
            self.press(NEXT)
            expect(self.button("Continue anyway").or_(counter).first).to_be_visible()
            if self.button("Continue anyway").count():
                self.button("Continue anyway").click()
            if last:
                return
            expect(counter).to_be_hidden(timeout=20_000)

    def completion_code(self) -> str:
        expect(self.page.get_by_text("Completion code")).to_be_visible(timeout=20_000)
        self.at(self.page, "debrief")
        return self.page.locator(".code-box").inner_text()

    def whole_way(self, query: str = "") -> tuple[str, str]:
        """From the welcome page to the completion code; returns the arm and the code."""
        self.start(query)
        self.consent()
        self.eligibility()
        self.device()
        self.survey("About your experience", "background")
        self.intro("warmup intro", "Warm-up")
        self.task("warmup")
        arm = self.instructions()
        expect(self.editor()).to_be_visible(timeout=20_000)
        if arm == "ai":
            self.ask("What does a nursery do, and how do I start a task in it?")
        self.task("trio_timer")
        expect(self.page.get_by_text("Task 2 of 2").first).to_be_visible(timeout=20_000)
        self.task("trio_users")
        self.intro("quiz intro", "Quiz")
        self.quiz()
        self.survey("How was it?", "exit")
        return arm, self.completion_code()
