"""A participant who chose a language meets no word of another one, from the welcome page to the completion code."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from playwright.sync_api import expect
from support.browser.drawing import drawn
from support.browser.pseudo import CODE, FIND, plain, pseudo, write_pseudo_study
from support.paths import ROOT
from support.server import StudyServer

pytestmark = pytest.mark.browser

STUDY = {
    "schema": "study/1",
    "id": "marks",
    "title": "A study of marks",
    "contact": "",
    "consent": {"minimum_age": 18, "pay": "You are paid.", "risks": "There are none."},
    "data": {"shared": "No one else sees them."},
    "arms": [
        {"id": "alone", "label": "x", "control": True, "instructions": "Work alone.", "pledge": "I work alone."},
        {"id": "helped", "label": "y", "assistant": "full", "instructions": "Get help.", "pledge": "I only ask here."},
    ],
    "allocation": {"method": "permuted_blocks", "block_sizes": [2]},
    "assistants": {"full": {"file": "assistants/full.toml"}},
    "assistant_policy": {"allow_embedded": True},
    "probes": [{"at_minutes": [0.02]}],
    "stages": [
        {"id": "consent", "kind": "consent", "title": "Before", "body": "It takes {total_minutes} minutes."},
        {"id": "device", "kind": "device", "title": "A computer"},
        {
            "id": "about",
            "kind": "survey",
            "title": "About you",
            "body": "Some questions.",
            "questions": [
                {"id": "part", "kind": "heading", "prompt": "First part"},
                {
                    "id": "role",
                    "kind": "choice",
                    "prompt": "What are you?",
                    "options": [{"value": "dev", "label": "A developer"}, {"value": "sci", "label": "A scientist"}],
                },
                {"id": "years", "kind": "number", "prompt": "How many years?", "low": 0, "high": 60, "unit": "years"},
                {
                    "id": "ease",
                    "kind": "scale",
                    "prompt": "How easy?",
                    "low": 1,
                    "high": 5,
                    "low_label": "hard",
                    "high_label": "easy",
                },
                {"id": "words", "kind": "text", "prompt": "Anything else?", "required": False},
            ],
        },
        {"id": "instructions", "kind": "instructions", "title": "How it goes"},
        {
            "id": "tasks",
            "kind": "tasks",
            "title": "Tasks",
            "minutes": 20,
            "packs": ["tasks/warmup", "tasks/trio_timer"],
            "assistant": True,
        },
        {"id": "debrief", "kind": "debrief", "title": "The end", "body": "Thank you very much."},
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    server = StudyServer(folder, write_pseudo_study(folder, json.loads(json.dumps(STUDY)))).start()
    yield server
    server.stop()


class Walk:
    """One participant in the language of no people; every station is searched for plain letters."""

    def __init__(self, server, page):
        self.server, self.page = server, page
        self.found: dict[str, list[str]] = {}

    def look(self, station: str) -> None:
        drawn(self.page)
        if left := plain(self.page.evaluate(FIND)):
            self.found[station] = left

    def button(self, english: str):
        return self.page.get_by_role("button", name=pseudo(english), exact=True)

    def press(self, english: str) -> None:
        drawn(self.page)
        self.button(english).first.click()

    def enter(self) -> None:
        self.page.goto(f"{self.server.url}/enter")
        self.page.get_by_role("link", name=pseudo("Pseudo")).click()
        expect(self.page.locator("html")).to_have_attribute("lang", CODE)
        # The other language stands in its own words.
        self.page.evaluate("document.querySelector('.languages a[hreflang=en]').remove()")
        self.look("welcome")
        self.press("Start")
        expect(self.button("I agree")).to_be_visible()
        expect(self.page.locator("html")).to_have_attribute("lang", CODE)
        self.look("consent")
        self.press("I agree")
        expect(self.page.get_by_role("heading", name=pseudo("A computer"))).to_be_visible()
        self.look("device")
        self.press("Continue")

    def survey(self) -> None:
        expect(self.page.get_by_text(pseudo("What are you?"))).to_be_visible()
        self.look("survey")
        self.press("Continue")
        expect(self.page.get_by_text(pseudo("Please answer this question.")).first).to_be_visible()
        self.look("survey with faults")
        for label in ("A developer",):
            self.page.get_by_text(pseudo(label), exact=True).click()
        self.page.locator(".sa-step-option").nth(2).click()
        self.page.locator("[data-field=years] input").fill("1,000")
        self.press("Continue")
        expect(self.page.get_by_text(pseudo("Please write the number without a separator")).first).to_be_visible()
        self.look("survey with a number in two readings")
        self.page.locator("[data-field=years] input").fill("99")
        self.press("Continue")
        expect(self.page.get_by_text(pseudo("Please write a number from")).first).to_be_visible()
        self.look("survey with a number out of range")
        self.page.locator("[data-field=years] input").fill("3")
        self.press("Continue")

    def instructions(self) -> str:
        expect(self.page.get_by_role("heading", name=pseudo("Your promise"))).to_be_visible()
        self.look("instructions")
        arm = "helped" if self.page.get_by_text(pseudo("Get help."), exact=True).count() else "alone"
        self.page.get_by_role("checkbox").locator("xpath=ancestor::label").click()
        self.press("Continue")
        return arm

    def write(self, code: str) -> None:
        self.page.get_by_role("textbox", name=pseudo("Code editor")).click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(code)

    def run(self, code: str, station: str) -> None:
        self.write(code)
        self.press("Run")
        expect(self.page.locator(".sa-run-status")).not_to_have_text(re.compile(pseudo("Running")), timeout=60_000)
        expect(self.page.locator(".sa-run-status")).to_have_text(re.compile(r"\d"), timeout=60_000)
        expect(self.page.get_by_text(pseudo("Checking examples…"))).to_have_count(0, timeout=60_000)
        self.look(station)
        self.page.get_by_role("tab", name=re.compile("^" + pseudo("Examples"))).click()
        self.look(f"{station}, examples")
        self.page.get_by_role("tab", name=re.compile("^" + pseudo("Output"))).click()

    def tasks(self, arm: str) -> None:
        expect(self.page.get_by_role("textbox", name=pseudo("Code editor"))).to_be_visible()
        expect(self.page.locator(".sa-probe")).to_be_visible()
        self.look("task under a card")
        self.button("Skip").click()
        expect(self.page.locator(".sa-probe")).to_be_hidden()
        self.look("task")
        self.run("def sign(words):\n    return 'x'\n", "a wrong result")
        self.run("def sign(words):\n    return words.nothing\n", "an exception in the examples")
        self.run("def sign(words):\n    if\n", "not Python")
        if arm == "helped":
            for message in ("hello", "list", "zzz", "sign"):
                self.page.get_by_role("textbox", name=pseudo("Your message")).fill(message)
                self.press("Send")
                expect(self.page.get_by_role("button", name=pseudo("Send"))).to_be_enabled(timeout=60_000)
                self.look(f"asked {message}")
        self.press("Submit task")
        expect(self.button("Submit anyway")).to_be_visible()
        self.look("the question before submitting")
        self.press("Submit anyway")
        expect(self.page.get_by_text(pseudo("Task 2 of 2")).first).to_be_visible()
        self.look("the second task")
        self.run("import trio\n\nasync def delayed_hello():\n    print('no')\n", "lines that are wrong")
        self.press("Leave the study")
        expect(self.button("Stay in the study")).to_be_visible()
        self.look("the question before leaving")
        self.press("Stay in the study")
        self.press("Submit task")
        self.press("Submit anyway")

    def end(self) -> str:
        expect(self.page.get_by_text(pseudo("Completion code")).first).to_be_visible()
        self.look("the end")
        return self.page.locator(".code-box").inner_text()


def test_streamlits_own_words_are_hidden_until_the_first_screen_is_drawn(chromium):
    style = (ROOT / "study_app" / "web" / "shell.html").read_text(encoding="utf-8").partition("</style>")[0]
    page = chromium.new_page()
    link = '<a href="#main" data-testid="stSkipToContent">Skip to main content</a>'
    page.set_content(f'{style}</style><div id="opening">Wird geladen</div>{link}')
    expect(page.get_by_role("link")).to_be_hidden()
    page.evaluate("document.getElementById('opening').hidden = true")
    expect(page.get_by_role("link")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("people", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_every_word_of_a_page_comes_through_the_texts_of_the_chosen_language(server, chromium, people):
    arms = []
    while len(set(arms)) < people:
        context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
        context.set_default_timeout(60_000)
        walk = Walk(server, context.new_page())
        walk.enter()
        walk.survey()
        arm = walk.instructions()
        arms.append(arm)
        walk.tasks(arm)
        assert walk.end() == "COMPLETED"
        assert walk.found == {}
        context.close()
    assert set(arms) <= {"alone", "helped"}
    with sqlite3.connect(server.folder / "study.db") as connection:
        latest = f"order by number desc limit {len(arms)}"
        chosen = connection.execute(f"select language from participants {latest}").fetchall()
        events = connection.execute(
            "select payload from events where kind = 'language_chosen' order by event_id desc"
        ).fetchall()
    assert chosen == [(CODE,)] * len(arms)
    assert {json.loads(payload)["language"] for (payload,) in events[: len(arms)]} == {CODE}
