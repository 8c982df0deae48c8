"""Both periods of a crossover with cards, a pause, a way out, an agent and an interview, in a language of no people."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import tomli_w
from playwright.sync_api import expect
from support.browser.marks import Look, enter, steps_of_an_agent
from support.browser.placing import place
from support.browser.pseudo import CODE, pseudo, write_pseudo_study
from support.server import StudyServer
from support.trials.variant_study import write_variant_pack

from study_app.bootstrap import start
from study_app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

OPTIONS = [{"value": "yes", "label": "I allow it"}, {"value": "no", "label": "I do not"}]
VARIANTS = {"warmup": "variants/warmup_oneoff", "trio_users": "tasks/trio_users_conflict"}
STUDY = {
    "schema": "study/1",
    "id": "conditions",
    "title": "A study of marks",
    "contact": "",
    "researchers": "1, 2",
    "ethics": "3",
    "consent": {"minimum_age": 18, "pay": "You are paid.", "risks": "There are none."},
    "data": {"shared": "No one else sees them."},
    "arms": [
        {"id": "alone", "label": "x", "control": True, "instructions": "Work alone.", "pledge": "I work alone."},
        {
            "id": "helped",
            "label": "y",
            "assistant": "agent",
            "variants": VARIANTS,
            "instructions": "Get help.",
            "pledge": "I only ask here.",
        },
    ],
    "allocation": {"method": "sequence", "orders": "all"},
    "assistants": {"agent": {"file": "assistants/agent.toml"}},
    "assistant_policy": {"allow_embedded": True},
    "probes": [{"at_minutes": [0.02]}],
    "stages": [
        {"id": "consent", "kind": "consent", "title": "Before", "body": "It takes {total_minutes} minutes."},
        {
            "id": "about",
            "kind": "survey",
            "title": "About you",
            "questions": [{"id": "share", "kind": "choice", "prompt": "May it be shared?", "options": OPTIONS}],
        },
        *(
            stage
            for number, task in ((1, "warmup"), (2, "trio_users"))
            for stage in (
                {"id": f"instructions_{number}", "kind": "instructions", "title": "How it goes"},
                {
                    "id": f"tasks_{number}",
                    "kind": "tasks",
                    "title": "Tasks",
                    "minutes": 20,
                    "packs": [f"tasks/{task}"],
                    "assistant": True,
                },
            )
        ),
        {
            "id": "interview",
            "kind": "interview",
            "title": "In your own words",
            "body": "Some words before it.",
            "plan": "talk.toml",
            "sharing": "share",
        },
        {"id": "debrief", "kind": "debrief", "title": "The end", "body": "Thank you very much."},
    ],
    "analysis": {
        "primary": ["visible_only_pass"],
        "outcomes": [{"id": "visible_only_pass", "kind": "binary"}],
        "covariates": [],
        "subgroups": [],
    },
}
DESPAIR = pseudo("no way out")
PLAN = {
    "id": "talk",
    "languages": ["en", CODE],
    "topics": [
        {"id": name, "goal": "x", "core": {"en": asked, CODE: pseudo(asked)}, "probes": 1}
        for name, asked in (("start", "How did you begin?"), ("hard", "What was hard?"), ("help", "What helped you?"))
    ],
    "closing": [{"id": "more", "core": {"en": "What else?", CODE: pseudo("What else?")}}],
    "texts": {CODE: {"distress_words": [DESPAIR]}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditions")
    write_variant_pack(folder / "variants")
    (folder / "talk.toml").write_text(tomli_w.dumps(PLAN))
    server = StudyServer(folder, write_pseudo_study(folder, STUDY)).start()
    yield server
    server.stop()


@pytest.fixture
def look(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 900}, locale="en-GB")
    context.set_default_timeout(60_000)
    yield Look(context.new_page())
    context.close()


def to_tasks(server, look) -> None:
    enter(server, look)
    look.press("I agree")
    look.page.get_by_text(pseudo("I allow it"), exact=True).click()
    look.press("Continue")


def instructions(look, period: int) -> str:
    """Through the instructions of a period; returns the arm that it is spent in."""
    alone = look.page.get_by_text(pseudo("Work alone."), exact=True)
    helped = look.page.get_by_text(pseudo("Get help."), exact=True)
    expect(alone.or_(helped)).to_be_visible()
    arm = "helped" if helped.count() else "alone"
    look.here(f"instructions of period {period}, {arm}")
    look.page.get_by_role("checkbox").locator("xpath=ancestor::label").click()
    look.press("Continue")
    return arm


def card(look, period: int) -> None:
    """The first card is answered, with what it says where something is missing; the second is skipped."""
    probe = look.page.locator(".sa-probe")
    expect(probe).to_be_visible(timeout=60_000)
    look.here(f"card of period {period}")
    if period == 2:
        look.button("Skip").click()
    else:
        look.button("Done").click()
        missing = pseudo("Tap a place on the field and move the slider, or press Skip.")
        expect(probe.get_by_role("alert")).to_have_text(missing)
        look.here("a card with nothing on it")
        probe.get_by_role("gridcell").nth(11).click()
        probe.get_by_role("slider").fill("72")
        look.here("a card that is filled in")
        look.button("Done").click()
    expect(probe).to_be_hidden()


def pause(server, look) -> None:
    settings = Settings(server.study, server.database, server.folder / "var", environment={})
    with sqlite3.connect(server.database.removeprefix("sqlite:///")) as connection:
        ((who,),) = connection.execute("SELECT id FROM participants ORDER BY enrolled_at DESC LIMIT 1")
    heading = look.page.get_by_role("heading", name=pseudo("The study is paused"))
    with closing(start(settings)) as app:
        app.acts.pause(who, "fire alarm", "anna")
        look.page.reload()
        expect(heading).to_be_visible(timeout=60_000)
        look.here("paused")
        app.acts.resume(who, "false alarm", "anna")
    expect(heading).to_be_hidden(timeout=60_000)
    expect(look.page.get_by_role("textbox", name=pseudo("Code editor"))).to_be_visible()


def give_up(look) -> None:
    """End a task that cannot be done as described."""
    look.page.locator("[data-act=cannot]").click()
    dialog = look.page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    look.here("the way out")
    dialog.locator("[data-act=cannot-confirm]").click()
    expect(dialog.get_by_text(pseudo("Please say why it cannot be done."))).to_be_visible()
    look.here("the way out without a reason")
    dialog.locator("textarea, input").first.fill("It excludes itself.")
    dialog.locator("[data-act=cannot-confirm]").click()
    expect(dialog).to_be_hidden()


def hand_in(look, period: int) -> None:
    look.press("Submit task")
    expect(look.button("Submit anyway")).to_be_visible()
    look.here(f"the question before submitting in period {period}")
    look.press("Submit anyway")


def answer(look, station: str, words: str) -> None:
    expect(look.button("Skip")).to_be_visible()
    look.here(station)
    look.page.locator(".sa-form-interview").get_by_role("textbox").fill(words)
    look.press("Continue")


def next_question(look, asked: str) -> None:
    expect(look.page.get_by_text(pseudo(asked), exact=True)).to_be_visible()


def interview(look) -> None:
    """A short answer is probed; one question is skipped, and what was said is rated."""
    next_question(look, "How did you begin?")
    look.press("Continue")
    expect(look.page.get_by_text(pseudo("Please answer this question."))).to_be_visible()
    look.here("a question of the interview without an answer")
    answer(look, "the first question of the interview", pseudo("with a loop"))
    next_question(look, "Can you tell me about one concrete moment?")
    answer(look, "a question that probes", pseudo("there was none"))
    next_question(look, "What was hard?")
    look.press("Skip")
    next_question(look, "What helped you?")
    answer(
        look, "the third topic", pseudo("I looked at the notes for a while and then I tried what they say about it.")
    )
    next_question(look, "What else?")
    answer(look, "the closing question", pseudo("nothing"))
    expect(look.page.get_by_text(pseudo("This is what you said, in short:"))).to_be_visible()
    look.here("what was said, in short")
    look.page.locator("[data-field=summary_rating] [data-value='3']").click()
    look.press("Continue")


def test_cards_a_pause_a_way_out_an_agent_and_an_interview_stand_in_marks(server, look):
    to_tasks(server, look)
    arms = []
    for period in (1, 2):
        arms.append(instructions(look, period))
        expect(look.page.get_by_role("textbox", name=pseudo("Code editor"))).to_be_visible()
        card(look, period)
        if arms[-1] == "helped":
            steps_of_an_agent(look)
            pause(server, look)
            give_up(look)
        else:
            look.here("a task alone")
            hand_in(look, period)
    assert set(arms) == {"alone", "helped"}
    interview(look)
    expect(look.page.get_by_text(pseudo("Completion code")).first).to_be_visible()
    look.here("the end")
    look.press("Withdraw my data")
    look.here("data to be withdrawn without a mark")
    look.page.get_by_role("checkbox").locator("xpath=ancestor::label").click()
    look.press("Withdraw my data")
    expect(look.page.get_by_text(pseudo("Everything you entered has been deleted."))).to_be_visible()
    look.here("the end without data")
    assert look.found == {}


def test_each_other_end_of_an_interview_stands_in_marks(server, look):
    for words in (DESPAIR, ""):
        enter(server, look)
        place(server, look.page, "interview", arm="alone>helped")
        next_question(look, "How did you begin?")
        if words:
            answer(look, "before distress", words)
            expect(look.page.get_by_text(pseudo("What you wrote sounds")).first).to_be_visible()
            look.here("after words of distress")
            look.press("Continue")
        else:
            look.press("Stop")
        expect(look.page.get_by_text(pseudo("Completion code")).first).to_be_visible()
        look.here("the end after distress" if words else "the end after Stop")
    assert look.found == {}
