"""An interview in a real browser: by keyboard alone, in two languages, through reloads, with axe, at 400 % zoom."""

from __future__ import annotations

import json
import sqlite3

import pytest
from playwright.sync_api import expect
from support.browser.accessibility import findings
from support.browser.form_page import until
from support.server import StudyServer
from support.trials.interview_study import LONG, write_interview_study

pytestmark = pytest.mark.browser
BUSY = 120_000
"""Milliseconds that a busy machine may take."""

WORDS = {
    "en": {
        "agree": "I agree",
        "share": "Yes",
        "continue": "Continue",
        "skip": "Skip",
        "box": "Your answer",
        "topic": "Topic 1 of 3",
        "questions": ["How did you begin with the work?", "Which moment was the hardest for you?"],
        "probe": "Can you tell me about one concrete moment?",
        "closing": "What else would you like to add?",
        "rating": "How well does this describe what you said?",
        "code": "Completion code",
    },
    "de": {
        "agree": "Ich stimme zu",
        "share": "Yes",
        "continue": "Weiter",
        "skip": "Überspringen",
        "box": "Ihre Antwort",
        "topic": "Thema 1 von 3",
        "questions": ["Wie haben Sie mit der Arbeit begonnen?", "Welcher Moment war für Sie am schwierigsten?"],
        "probe": "Können Sie mir von einem konkreten Moment erzählen?",
        "closing": "Was möchten Sie noch ergänzen?",
        "rating": "Wie gut beschreibt das, was Sie gesagt haben?",
        "code": "Abschlusscode",
    },
    "es": {
        "agree": "Acepto",
        "share": "Yes",
        "continue": "Continuar",
        "skip": "Saltar",
        "box": "Su respuesta",
        "topic": "Tema 1 de 3",
        "questions": ["¿Cómo empezó usted con el trabajo?", "¿Qué momento fue el más difícil para usted?"],
        "probe": "¿Puede contarme un momento concreto?",
        "closing": "¿Qué más le gustaría añadir?",
        "rating": "¿En qué medida describe esto lo que usted dijo?",
        "code": "Código de finalización",
    },
    "fr": {
        "agree": "J’accepte",
        "share": "Yes",
        "continue": "Continuer",
        "skip": "Passer",
        "box": "Votre réponse",
        "topic": "Thème 1 sur 3",
        "questions": ["Comment avez-vous commencé le travail ?", "Quel moment a été le plus difficile pour vous ?"],
        "probe": "Pouvez-vous me raconter un moment précis ?",
        "closing": "Que souhaitez-vous ajouter ?",
        "rating": "Dans quelle mesure cela décrit-il ce que vous avez dit ?",
        "code": "Code de fin",
    },
}
START = {"en": "Start", "de": "Starten", "es": "Empezar", "fr": "Commencer"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talk")
    study = write_interview_study(folder, languages=json.dumps(list(WORDS)), spoken=json.dumps(list(WORDS)))
    server = StudyServer(folder, study).start()
    yield server
    server.stop()


@pytest.fixture(params=["en", *(pytest.param(name, marks=pytest.mark.slow) for name in ("de", "es", "fr"))])
def language(request):
    return request.param


@pytest.fixture
def page(chromium, language):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale=language)
    context.set_default_timeout(60_000)
    page = context.new_page()
    yield page
    context.close()


class Keys:
    """A participant without a mouse."""

    def __init__(self, page):
        self.page = page

    def reach(self, target):
        """Press Tab until the focus is in the target."""
        expect(target).to_be_visible()
        for _ in range(80):
            if target.evaluate("each => each === document.activeElement || each.contains(document.activeElement)"):
                return target
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")

    def press(self, name):
        self.reach(self.page.get_by_role("button", name=name, exact=True).first)
        self.page.keyboard.press("Enter")

    def write(self, box, words):
        self.reach(self.page.get_by_role("textbox", name=box))
        self.page.keyboard.type(words)


def to_the_interview(keys, server, language):
    page, words = keys.page, WORDS[language]
    page.goto(f"{server.url}/enter")
    page.locator("form button, [data-act]").first.wait_for()
    start = page.get_by_role("button", name=START[language])
    keys.reach(start)
    page.keyboard.press("Enter")
    keys.press(words["agree"])
    keys.reach(page.get_by_role("radio").first)
    page.keyboard.press("Space")
    keys.press(words["continue"])
    keys.press(words["continue"])
    expect(page.get_by_text(words["topic"])).to_be_visible()


def test_an_interview_is_held_by_keyboard_alone_and_goes_on_after_a_reload(server, page, tmp_path, language):
    keys, words = Keys(page), WORDS[language]
    to_the_interview(keys, server, language)
    expect(page.get_by_text(words["questions"][0])).to_be_visible()
    assert findings(page) == []
    page.screenshot(path=tmp_path / "question.png", full_page=True)
    keys.write(words["box"], "Slowly.")
    expect(page.locator(".sa-saving[data-state=saving_saved]")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name=words["box"])).to_have_value("Slowly.")
    keys.press(words["continue"])
    expect(page.get_by_text(words["probe"])).to_be_visible()
    box = page.get_by_role("textbox", name=words["box"])
    # The next answer can be typed at once, and the question is read out with its box.
    expect(box).to_be_focused()
    expect(box).to_have_accessible_description(words["probe"])
    page.reload()
    expect(page.get_by_text(words["probe"])).to_be_visible()
    keys.press(words["skip"])
    expect(page.get_by_text(words["questions"][1])).to_be_visible()
    keys.press(words["continue"])
    expect(page.locator(".sa-at-fault")).to_be_visible()
    assert findings(page) == []
    # 400 % zoom of a window of 1280 by 1024 pixels.
    page.set_viewport_size({"width": 320, "height": 256})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # axe takes what the page's inner scroll area has above the window for hidden, so it sees a higher one.
    page.set_viewport_size({"width": 320, "height": 1400})
    assert findings(page) == []
    page.screenshot(path=tmp_path / "zoom.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    keys.write(words["box"], LONG)
    keys.press(words["continue"])
    expect(page.get_by_text(words["closing"])).to_be_visible()
    keys.press(words["skip"])
    expect(page.get_by_text(words["rating"]).first).to_be_visible()
    assert findings(page) == []
    page.screenshot(path=tmp_path / "summary.png", full_page=True)
    keys.reach(page.get_by_role("radio").nth(0))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    keys.press(words["continue"])
    expect(page.get_by_text(words["code"]).first).to_be_visible()
    with sqlite3.connect(server.folder / "study.db") as connection:
        kinds = connection.execute(
            "select kind, count(*) from events where participant_id = (select id from participants order by number "
            "desc limit 1) and kind like 'interview%' group by kind"
        ).fetchall()
    assert dict(kinds) == {
        "interview_asked": 4,
        "interview_answered": 4,
        "interview_closed": 1,
        "interview_rated": 1,
    }


def rows(server, query):
    with sqlite3.connect(server.folder / "study.db") as connection:
        newest = "(select id from participants order by number desc limit 1)"
        return connection.execute(query.replace("NEWEST", newest)).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_a_pasted_answer_is_on_record_with_its_length(server, page, language):
    keys, words = Keys(page), WORDS[language]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    to_the_interview(keys, server, language)
    box = page.get_by_role("textbox", name=words["box"])
    keys.reach(box)
    page.evaluate("words => navigator.clipboard.writeText(words)", LONG)
    page.keyboard.press("Control+v")
    expect(page.locator(".sa-saving[data-state=saving_saved]")).to_be_visible(timeout=BUSY)
    pasted = "select payload from events where participant_id = NEWEST and kind = 'paste_attempt'"
    until(lambda: rows(server, pasted))
    assert json.loads(rows(server, pasted)[0][0])["length"] == len(LONG)
