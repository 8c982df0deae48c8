"""Coders of interviews in the console through a browser: by keyboard alone, blind to arm, with axe, at 400 % zoom."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect
from support.browser.accessibility import findings
from support.browser.drawing import drawn
from support.server import StudyServer, wait_until_up
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.domain.interaction.codes import ADJUDICATED
from study_app.domain.themes.codebook import read_codebook
from study_app.domain.themes.marks import AUDIT, AUDIT_CRITERIA, QUOTE, REASON, quote_of
from study_app.secrets.console_accounts import Account
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding
from study_app.ui.console.pages.interviews.board import PARTS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

BUSY = 120_000
"""Milliseconds that a busy machine may take."""
PASSWORD = "correct horse battery"
BOOK = read_codebook(CODEBOOK)
KIND = "preview"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Ten interviews, coded by rules; one is drawn for people."""
    made = ThemesTrial(tmp_path_factory.mktemp("coders"))
    for _ in range(10):
        made.hold({"start": SAID["hurry"], "hard": SAID["trust"]})
    context = made.app.context
    Codebooks(context).freeze("ann", BOOK, "agreed")
    made.clock.advance(minutes=1)
    ProgramCoding(context).by_rules(KIND)
    GoldSample(context).draw("ann", KIND, share=0.1, least=0)
    for name in ("ann", "ben", "cy"):
        Account(made.folder / "var").set(PASSWORD, name, "full")
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(trial):
    serving = StudyServer(trial.folder, study=trial.study_file, console=True).start()
    wait_until_up(f"{serving.console_url}/healthz")
    yield serving
    serving.stop()


class Coder:
    """A person at the board Interviews, without a mouse; keeps whatever the server sends."""

    def __init__(self, chromium, server: StudyServer, name: str) -> None:
        self.context = chromium.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(120_000)
        self.page: Page = self.context.new_page()
        self.sent: list[bytes] = []
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._keep))
        self.page.goto(f"{server.console_url}/login")
        for label, words in (("Name", name), ("Password", PASSWORD)):
            self.reach(self.page.get_by_label(label))
            self.page.keyboard.type(words)
        self.press("Sign in")
        expect(self.page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=BUSY)
        self.sent.clear()
        self.page.goto(f"{server.console_url}/interviews")
        expect(self.page.get_by_role("heading", name="Interviews", level=1)).to_be_visible(timeout=BUSY)
        self.settle()

    def _keep(self, frame) -> None:
        self.sent.append(frame if isinstance(frame, bytes) else str(frame).encode())

    def settle(self) -> None:
        drawn(self.page)
        self.page.wait_for_timeout(200)

    def reach(self, target: Locator) -> None:
        expect(target).to_be_visible(timeout=BUSY)
        for _ in range(120):
            if target.evaluate("each => each === document.activeElement || each.contains(document.activeElement)"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")

    def press(self, name: str) -> None:
        self.reach(self.page.get_by_role("button", name=name, exact=True))
        self.page.keyboard.press("Enter")

    def mark(self, name: str, number: int = 0) -> None:
        box = self.page.get_by_role("checkbox", name=name, exact=True).nth(number)
        self.reach(box.locator("xpath=ancestor::label"))
        self.page.keyboard.press("Space")
        expect(box).to_be_checked(timeout=BUSY)

    def part(self, name: str) -> None:
        """Open a part of the board."""
        chosen = self.page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True)
        self.reach(chosen.locator("xpath=ancestor-or-self::*[@role='radiogroup']"))
        for _ in PARTS:
            if chosen.evaluate("each => each === document.activeElement"):
                break
            self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("Space")
        expect(chosen).to_have_attribute("aria-checked", "true", timeout=BUSY)
        self.settle()

    def everything(self) -> str:
        """The page's text and markup, and all that came over the socket."""
        return self.page.content() + b" ".join(self.sent).decode("utf-8", "replace")


def saved(trial, rater):
    with trial.app.context.registry.begin(write=False) as unit:
        return {(each.object, each.rubric): each.value for each in unit.ratings() if each.rater == rater}


def assert_blind(trial, coder):
    """No arm, participant, draw or other coder reaches the browser while a person codes."""
    seen = coder.everything()
    assert SAID["hurry"] in seen
    hidden = ["Marmalade", "Turquoise", "plain", *trial.people.values(), "ben", "drawn 0"]
    assert [each for each in hidden if each in seen] == []


def assert_usable(coder, shot):
    """axe finds nothing, at 100 and at 400 %, where nothing has to be scrolled sideways."""
    page = coder.page
    # Streamlit's note that something was saved, which has no accessible name and goes by itself.
    expect(page.get_by_test_id("stToast")).to_have_count(0, timeout=BUSY)
    assert findings(page) == []
    page.screenshot(path=f"{shot}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 256})
    coder.settle()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 320, "height": 1600})
    coder.settle()
    assert findings(page) == []
    page.screenshot(path=f"{shot}_zoom.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    coder.settle()


def test_two_people_code_an_interview_by_keyboard_and_blind(trial, server, chromium, tmp_path):
    first = InterviewBoard(trial.app.context).waiting("ann", KIND)[0].interview_id
    coders = {}
    for name, marked in (("ann", 1), ("ben", 2)):
        coder = coders[name] = Coder(chromium, server, name)
        if name == "ann":
            assert_blind(trial, coder)
            assert_usable(coder, tmp_path / "code")
        coder.mark("Time pressure")
        if marked == 2:
            coder.mark("Trust")
        coder.press("Save codes")
        expect(coder.page.get_by_text("9 to code.")).to_be_visible(timeout=BUSY)
        given = saved(trial, name)
        assert given[f"interview:{first}#start", BOOK.version] == "hurry"
        assert given[f"interview:{first}#hard", BOOK.version] == ("trust" if marked == 2 else "")

    for coder in coders.values():
        coder.context.close()


def test_a_disagreement_is_settled_words_are_released_and_an_interview_is_judged_by_keyboard(
    trial, server, chromium, tmp_path
):
    board = InterviewBoard(trial.app.context)
    mine = board.waiting("ann", KIND)[-1].interview_id
    for who, hard in (("ann", []), ("ben", ["trust"])):
        board.code(who, mine, {"start": ["hurry"], "hard": hard})
    first, left = board.disagreements("cy", KIND)[0], len(board.disagreements("cy", KIND))
    coder = Coder(chromium, server, "cy")
    coder.part("Disagreements")
    expect(coder.page.get_by_text(f"{left} to settle.")).to_be_visible(timeout=BUSY)
    assert_usable(coder, tmp_path / "settle")
    coder.mark("Trust")
    coder.reach(coder.page.get_by_label("Reason"))
    coder.page.keyboard.type("speaks of checking")
    coder.press("Settle")
    expect(coder.page.get_by_text(f"{left} to settle.")).to_have_count(0, timeout=BUSY)
    about = f"interview:{first.interview_id}#{first.topic}"
    assert saved(trial, ADJUDICATED)[about, BOOK.version] == "trust"
    assert saved(trial, "cy")[about, REASON] == "speaks of checking"

    coder.part("Quotes")
    expect(coder.page.get_by_role("heading", name="Quote", exact=True)).to_be_visible(timeout=BUSY)
    assert_usable(coder, tmp_path / "quote")
    box = coder.page.get_by_label("Words to release")
    coder.reach(box)
    coder.page.keyboard.press("Control+a")
    coder.page.keyboard.type("the clock ran")
    coder.mark("I have read it: it names no person and no place")
    coder.press("Release")
    expect(coder.page.get_by_text("Released", exact=True)).to_be_visible(timeout=BUSY)
    quoted = [quote_of(value) for (_, rubric), value in saved(trial, "cy").items() if rubric == QUOTE]
    assert quoted == [("hurry", "the clock ran")]

    coder.part("How it was held")
    expect(coder.page.get_by_text("1 to judge")).to_be_visible(timeout=BUSY)
    coder.settle()
    assert_usable(coder, tmp_path / "held")
    for group in coder.page.get_by_role("radiogroup").all()[1:]:
        coder.reach(group)
        coder.page.keyboard.press("Space")
        coder.settle()
    coder.press("Save")
    expect(coder.page.get_by_text("Nothing waits for you")).to_be_visible(timeout=BUSY)
    judged = {rubric for (_, rubric) in saved(trial, "cy") if rubric.startswith(AUDIT)}
    assert judged == {AUDIT + criterion for criterion in AUDIT_CRITERIA}
    coder.context.close()
