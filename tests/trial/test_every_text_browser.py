"""Every screen of a study with every kind of stage, question and assistant, in a language of no people.

The walk through one study in the default run (`test_languages_browser`) is one representative; here are all the rest.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from support.browser.marks import Look, enter, steps_of_an_agent
from support.browser.pseudo import CODE, FIND, plain, pseudo, write_pseudo_study
from support.server import StudyServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

OPTIONS = [{"value": "a", "label": "The first"}, {"value": "b", "label": "The second"}, {"value": "c", "label": "None"}]
ROWS = [{"id": "one", "label": "It was easy"}, {"id": "two", "label": "It was long"}]
QUESTIONS = [
    {"id": "part", "kind": "heading", "prompt": "First part"},
    {"id": "block", "kind": "text_block", "prompt": "Some words **before** the questions."},
    {"id": "role", "kind": "choice", "prompt": "What are you?", "options": OPTIONS},
    {"id": "tools", "kind": "multiple", "prompt": "What do you use?", "options": OPTIONS},
    {
        "id": "years",
        "kind": "number",
        "prompt": "How many years?",
        "low": 0,
        "high": 60,
        "unit": "years",
        "whole": True,
    },
    {
        "id": "ease",
        "kind": "scale",
        "prompt": "How easy?",
        "low": 1,
        "high": 5,
        "low_label": "hard",
        "high_label": "easy",
    },
    {
        "id": "sure",
        "kind": "slider",
        "prompt": "How sure?",
        "low": 0,
        "high": 100,
        "unit": "percent",
        "low_label": "not at all",
        "high_label": "entirely",
    },
    {"id": "views", "kind": "matrix", "prompt": "How was it?", "options": OPTIONS, "rows": ROWS},
    {"id": "order", "kind": "ranking", "prompt": "In which order?", "options": OPTIONS},
    {"id": "words", "kind": "text", "prompt": "Anything else?", "required": False},
]
ASSISTANTS = ("full", "hints", "socratic", "delayed", "agent", "gated")
STUDY = {
    "schema": "study/1",
    "id": "marks",
    "title": "A study of marks",
    "contact": "",
    "consent": {"minimum_age": 18, "pay": "You are paid.", "risks": "There are none.", "pay_when_leaving": "A part."},
    "data": {"shared": "No one else sees them."},
    "arms": [
        {"id": "alone", "label": "x", "control": True, "instructions": "Work alone.", "pledge": "I work alone."},
        *(
            {"id": name, "label": "y", "assistant": name, "instructions": "Get help.", "pledge": "I only ask here."}
            for name in ASSISTANTS
        ),
    ],
    "allocation": {"method": "simple"},
    "assistants": {name: {"file": f"assistants/{name}.toml"} for name in ASSISTANTS},
    "assistant_policy": {"allow_embedded": True},
    "sessions": [{"id": "main", "code": "FIRST"}, {"id": "later", "delay_days": 14, "window_days": 7}],
    "stages": [
        {"id": "consent", "kind": "consent", "title": "Before", "body": "It takes {total_minutes} minutes."},
        {
            "id": "eligibility",
            "kind": "eligibility",
            "title": "Who can come",
            "questions": [
                {"id": "age", "kind": "choice", "prompt": "Are you old?", "options": OPTIONS, "eligible": ["a"]}
            ],
        },
        {"id": "device", "kind": "device", "title": "A computer"},
        {"id": "about", "kind": "survey", "title": "About you", "body": "Some questions.", "questions": QUESTIONS},
        {"id": "instructions", "kind": "instructions", "title": "How it goes", "body": "Some more words."},
        {
            "id": "tasks",
            "kind": "tasks",
            "title": "Tasks",
            "intro": "There are two tasks.",
            "minutes": 20,
            "packs": ["tasks/warmup", "tasks/trio_timer"],
            "assistant": True,
        },
        {
            "id": "quiz",
            "kind": "quiz",
            "title": "Questions on it",
            "intro": "There are {items} questions on {pages} pages; you have {minutes} minutes.",
            "minutes": 20,
            "bank": "quizzes/trio",
            "confidence": True,
        },
        {
            "id": "ends",
            "kind": "survey",
            "title": "At the end",
            "exit": True,
            "questions": [{"id": "last", "kind": "text", "prompt": "What was it like?"}],
        },
        {
            "id": "again",
            "kind": "survey",
            "title": "Once more",
            "session": "later",
            "questions": [{"id": "more", "kind": "text", "prompt": "And now?"}],
        },
        {
            "id": "debrief",
            "kind": "debrief",
            "title": "The end",
            "body": "Thank you very much.",
            "session": "later",
        },
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    server = StudyServer(folder, write_pseudo_study(folder, STUDY), arguments=("--author",)).start()
    yield server
    server.stop()


@pytest.fixture
def look(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="en-GB")
    context.set_default_timeout(60_000)
    yield Look(context.new_page())
    context.close()


def go(server, look, screen: str, arm: str) -> None:
    asked = urlencode({"screen": screen, "arm": arm, "language": CODE})
    look.page.goto(f"{server.url}/author/go?{asked}")
    expect(look.page.locator("html")).to_have_attribute("lang", CODE)
    expect(look.page.get_by_role("button").first).to_be_visible()


def keys(server, look) -> list[str]:
    """Every screen that the author's bar leads to."""
    go(server, look, "consent/0/stage", "alone")
    links = look.page.locator(".sa-author details").nth(1).locator("a")
    found = links.evaluate_all("links => links.map(link => new URL(link.href).searchParams.get('screen'))")
    assert "again/0/waiting" in found
    return found


def test_every_screen_stands_in_marks(server, look):
    for key in keys(server, look):
        go(server, look, key, "full")
        look.here(key)
    assert look.found == {}


def test_every_question_its_faults_and_its_gaps_stand_in_marks(server, look):
    for key, fault in (
        ("eligibility/0/stage", "Please answer this question."),
        ("about/0/stage", "Please answer this question."),
    ):
        go(server, look, key, "alone")
        look.press("Continue")
        expect(look.page.get_by_text(pseudo(fault)).first).to_be_visible()
        look.here(f"{key}, nothing answered")
    for text in ("1,000", "99", "2.5", "x"):
        look.page.locator("[data-field=years] input").fill(text)
        look.press("Continue")
        expect(look.page.locator("[data-field=years] input")).to_have_attribute("aria-invalid", "true")
        look.here(f"a number as {text}")
    look.page.locator("[data-field=sure] input").first.press("ArrowRight")
    look.page.locator("[data-field=order]").get_by_role("button").first.click()
    look.here("a slider and a ranking that are begun")
    go(server, look, "instructions/0/stage", "alone")
    look.press("Continue")
    look.here("a promise that is not made")
    go(server, look, "quiz/0/stage", "alone")
    look.press("Continue")
    expect(look.button("Continue anyway")).to_be_visible()
    look.here("a quiz with gaps")
    look.press("Go back")
    look.press("Leave the study")
    expect(look.button("Stay in the study")).to_be_visible()
    look.here("the question before leaving")
    assert look.found == {}


@pytest.mark.parametrize("arm", ASSISTANTS)
def test_what_each_assistant_says_stands_in_marks(server, look, arm):
    go(server, look, "tasks/1/stage", arm)
    look.write("import trio\n\nasync def delayed_hello():\n    trio.sleep(1)\n    prnt('Hello')\n")
    look.here(arm)
    if arm == "delayed":
        expect(look.page.get_by_text(re.compile(pseudo("Opens in"))).first).to_be_visible()
    elif arm == "agent":
        steps_of_an_agent(look)
    else:
        for message in ("hello", "nursery", "error", "NameError: name 'prnt' is not defined", "timer", "zzz", "thanks"):
            look.ask(message if message.isascii() and " " in message else pseudo(message))
            expect(look.button("Send")).to_be_enabled(timeout=60_000)
            look.here(f"{arm}, asked {message}")
    assert look.found == {}


def test_each_end_before_the_last_page_stands_in_marks(server, look):
    enter(server, look)
    look.press("I do not agree")
    expect(look.page.locator(".code-box")).to_be_visible()
    look.here("declined")
    enter(server, look)
    look.press("I agree")
    expect(look.page.get_by_role("heading", name=pseudo("Who can come"))).to_be_visible()
    look.page.get_by_text(pseudo("The second"), exact=True).click()
    look.press("Continue")
    expect(look.page.locator(".code-box")).to_be_visible()
    look.here("screened out")
    for erase in (False, True):
        enter(server, look)
        look.press("I agree")
        expect(look.page.get_by_role("heading", name=pseudo("Who can come"))).to_be_visible()
        look.press("Leave the study")
        if erase:
            look.page.get_by_text(pseudo("Also delete everything I have entered so far")).click()
        look.press("Leave now")
        expect(look.page.locator(".code-box")).to_be_visible()
        look.here(f"left, erased: {erase}")
    assert look.found == {}


@pytest.mark.parametrize("way", ["link=none", "PROLIFIC_PID=%7B%7Bx%7D%7D", "PROLIFIC_PID=a b", "nothing/there"])
def test_whoever_cannot_come_in_reads_why_in_marks(server, look, way):
    address = f"{server.url}/enter?{way}&language={CODE}" if "/" not in way else f"{server.url}/{way}"
    look.page.context.add_cookies([{"name": "study_language", "value": CODE, "url": server.url}])
    look.page.goto(address)
    look.page.evaluate("document.querySelector('.languages a[hreflang=en]')?.remove()")
    if start := look.page.locator("button[type=submit]").all():
        with look.page.expect_navigation():
            start[0].click()
    found = look.page.evaluate(FIND)
    # A field of the address is called what it is called.
    assert plain([text.replace("PROLIFIC_PID", "") for text in found]) == []


def test_time_that_runs_out_is_said_in_marks(chromium, tmp_path):
    study = json.loads(json.dumps(STUDY))
    for stage in study["stages"]:
        if stage["id"] in ("about", "tasks", "quiz"):
            stage["minutes"] = 0.1
            stage.pop("intro", None)
    server = StudyServer(tmp_path, write_pseudo_study(tmp_path, study), arguments=("--author",)).start()
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    context.set_default_timeout(60_000)
    try:
        look = Look(context.new_page())
        for stage in ("about", "tasks", "quiz"):
            go(server, look, f"{stage}/0/stage", "alone")
            title = next(each["title"] for each in STUDY["stages"] if each["id"] == stage)
            expect(look.page.get_by_text(pseudo(f"Time is up for “{title}”.")).first).to_be_visible()
            look.here(f"after the time for {stage}")
        assert look.found == {}
    finally:
        context.close()
        server.stop()
