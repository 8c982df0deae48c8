"""`study simulate --browser`: the way that simulated people take is the one that real pages offer."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from support.trials.quiz_study import keyed_bank, written
from typer.testing import CliRunner

from study_app.bootstrap import start
from study_app.cli import app
from study_app.content.study_file import read_study
from study_app.domain.errors import UserError
from study_app.settings import Settings
from study_app.simulation.behaviour.interviews import SHORT_ANSWERS
from study_app.simulation.browser import Visitor, allocated, simulate_in_browser
from study_app.simulation.browser_parts import fresh_page, settle
from study_app.simulation.browser_room import RoomVisitor

ROOT = Path(__file__).parents[2]


def settings_in(folder) -> Settings:
    return Settings(ROOT / "study.toml", f"sqlite:///{folder}/study.db", folder, environment={})


@pytest.mark.browser
@pytest.mark.slow
def test_two_participants_walk_both_arms_in_a_real_browser(tmp_path):
    settings = settings_in(tmp_path)
    summary = simulate_in_browser(settings, participants=2, seed=3)
    assert summary.statuses == {"completed": 2}
    assert sum(summary.arms.values()) == 2
    app = start(settings)
    with app.context.registry.begin(write=False) as unit:
        assert {person.kind for person in unit.participants()} == {"simulated"}
        assert all(run.ended_by for run in unit.runs())
        assert any(event.kind == "edit" for event in unit.events())
    app.close()


EVERY_KIND = """
[[stages]]
id = "about"
kind = "survey"
[[stages.questions]]
id = "role"
kind = "choice"
prompt = "Was?"
shuffle = true
options = [{ value = 1, label = "Eins" }, { value = 2, label = "Zwei" }, { value = 3, label = "Drei" }]
[[stages.questions]]
id = "tools"
kind = "multiple"
prompt = "Womit?"
shuffle = true
options = [{ value = "vim", label = "A" }, { value = "code", label = "B" }, { value = "idle", label = "C" }]
[[stages.questions]]
id = "order"
kind = "ranking"
prompt = "Reihenfolge?"
shuffle = true
options = [{ value = "a", label = "A" }, { value = "b", label = "B" }, { value = "c", label = "C" }]
[[stages.questions]]
id = "grid"
kind = "matrix"
prompt = "Wie sehr?"
shuffle = true
options = [{ value = 1, label = "wenig" }, { value = 2, label = "viel" }]
rows = [{ id = "fun", label = "Spaß" }, { id = "use", label = "Nutzen" }]
[[stages.questions]]
id = "much"
kind = "slider"
prompt = "Wie viel?"
low = 0
high = 100
[[stages.questions]]
id = "ease"
kind = "scale"
prompt = "Wie leicht?"
low = 3
high = 9
[[stages.questions]]
id = "years"
kind = "number"
prompt = "Jahre?"
low = 0
high = 40
whole = true
"""
TASK = """
[[stages]]
id = "work"
kind = "tasks"
minutes = 20
packs = ["tasks/warmup"]
"""


@pytest.mark.slow
@pytest.mark.browser
def test_a_study_in_german_with_drawn_orders_is_answered_by_value_and_not_by_words_or_places(tmp_path, monkeypatch):
    chosen, answer = {}, Visitor._answer

    def answered(visitor, question, value):
        chosen[question.id] = sorted(value) if question.kind == "multiple" else value
        answer(visitor, question, value)

    monkeypatch.setattr(Visitor, "_answer", answered)
    bank = keyed_bank(tmp_path)
    parts = {"before": EVERY_KIND, "pre": 'confidence = true\njudgement = "much"', "after": TASK, "bank": bank}
    path = written(tmp_path, **parts)
    path.write_text(path.read_text().replace('id = "threequizzes"', 'id = "threequizzes"\nlanguage = "de"', 1))
    settings = Settings(path, f"sqlite:///{tmp_path}/study.db", tmp_path, environment={})
    with ThreadPoolExecutor(1) as thread:
        thread.submit(simulate_in_browser, settings, participants=1, seed=3).result()
    app = start(settings)
    with app.context.registry.begin(write=False) as unit:
        (person,) = unit.participants()
        given = {(a.stage, a.item): (a.response, a.confidence) for a in unit.answers(person.id)}
        submitted = [run for run in unit.runs() if run.kind == "submission"]
    kept = {name: response for (stage, name), (response, _) in given.items() if stage == "about"}
    assert kept | {"tools": sorted(kept["tools"])} == chosen
    assert len(chosen) == EVERY_KIND.count("[[stages.questions]]")
    items = app.context.content.bank(app.study.stage("posttest").bank).items
    assert {item for stage, item in given if stage == "posttest"} == {item.id for item in items}
    rated = [sure for (stage, _), (response, sure) in given.items() if stage == "pretest" and response is not None]
    assert rated
    assert None not in rated
    assert submitted
    assert person.stage == "retention"
    app.close()


def test_without_playwright_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr("study_app.simulation.browser.served", _Nothing)
    with pytest.raises(UserError, match="Playwright is not installed"):
        simulate_in_browser(settings_in(tmp_path), participants=1, seed=1)


def test_nobody_is_refused(tmp_path):
    with pytest.raises(UserError, match="--participants: 0"):
        simulate_in_browser(settings_in(tmp_path), participants=0, seed=1)


class _Nothing:
    def __init__(self, settings, patience) -> None:
        pass

    def __enter__(self) -> str:
        return ""

    def __exit__(self, *error) -> None:
        pass


LATE = """
document.documentElement.dataset.testScriptState = "running";
setTimeout(() => { document.documentElement.dataset.testScriptState = "notRunning"; }, 900);
"""


@pytest.mark.browser
def test_a_page_that_draws_for_long_is_waited_for_within_the_policy_of_the_pages(chromium):
    """The policy allows no `eval`, with which Playwright asks again whether a function's text holds by now."""
    page = chromium.new_page()
    policy = {"content-security-policy": "script-src 'self'"}
    html = '<!doctype html><script src="/late.js"></script>'
    page.route("**/late.js", lambda route: route.fulfill(body=LATE, content_type="text/javascript"))
    page.route("**/", lambda route: route.fulfill(body=html, content_type="text/html", headers=policy))
    page.goto("http://study.test/")
    settle(page)
    assert page.evaluate("document.documentElement.dataset.testScriptState") == "notRunning"
    page.context.close()


QUESTIONS = """
<div class="sa-form-interview">
<div data-field="turn_1"><textarea></textarea></div><button data-act="hand_in">on</button>
</div>
<script>
setTimeout(() => { document.querySelector("[data-field]").dataset.field = "turn_2"; }, 1500);
document.querySelector("button").addEventListener("click", () => {
  const field = document.querySelector("[data-field]");
  document.title = `${field.dataset.field}: ${field.firstChild.value}`;
});
</script>
"""


@pytest.mark.browser
def test_the_next_question_of_an_interview_is_answered_once_it_is_drawn(chromium):
    """The question before stands there until then, with the same button."""
    page = chromium.new_page()
    page.set_content(QUESTIONS)
    visitor = Visitor(None, page, "", None, Random(1))
    place = SimpleNamespace(participant=SimpleNamespace(step=1))
    visitor._interview(place, None)
    field, _, answer = page.title().partition(": ")
    assert (field, answer in SHORT_ANSWERS) == ("turn_2", True)
    page.context.close()


LEAVING = """
<dialog open class="sa-dialog"><div class="sa-dialog-bar"><button class="sa-plain" disabled>sent</button></div></dialog>
<script>setTimeout(() => document.querySelector("dialog").close(), 500);</script>
"""


@pytest.mark.browser
def test_a_dialog_that_closes_while_it_is_confirmed_holds_no_one_up(chromium):
    """Its button is disabled while the answer is sent, and goes with the dialog."""
    page = chromium.new_page()
    page.set_content(LEAVING)
    RoomVisitor(page, Random(1), 60).go_on()
    assert page.locator("dialog[open]").count() == 0
    page.context.close()


@pytest.mark.browser
def test_the_next_person_finds_nothing_of_the_one_before_in_the_browser(chromium):
    """The profile is one for all of them, since files that pages load are kept there."""
    context = chromium.new_context()
    context.route("**/", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    first = fresh_page(context, "http://study.test", ("study_participant", "one"))
    first.goto("http://study.test/")
    first.evaluate("localStorage.setItem('a', '1'); sessionStorage.setItem('b', '2')")
    first.close()
    page = fresh_page(context, "http://study.test", ("study_participant", "two"))
    page.goto("http://study.test/")
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == [
        "study_participant=two",
        0,
        0,
    ]
    context.close()


@pytest.mark.parametrize("option", ["--effect-score", "--effect-minutes", "--dropout", "--overconfidence"])
def test_what_people_in_a_browser_would_not_follow_is_refused(option):
    outcome = CliRunner().invoke(app, ["simulate", str(ROOT / "study.toml"), "--browser", option, "0.5"])
    assert outcome.exit_code == 2
    assert f"error: {option}: people in a browser do not follow it" in outcome.stderr


def test_people_are_counted_by_arm_or_by_order_and_over_second_decisions():
    crossover = read_study(ROOT / "examples" / "crossover" / "study.toml")
    given = ["no_ai>full", "full>no_ai", "no_ai>full", None]
    assert allocated(crossover, given) == {"no_ai>full": 2, "full>no_ai": 1}
    arms = read_study(ROOT / "study.toml")
    assert allocated(arms, ["ai/more", "ai", None]) == {"no_ai": 0, "ai": 2}
