"""An assistant that acts, in a real browser under each approval regime; its session, exported, says who wrote what."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser.walker import Walker
from support.server import StudyServer
from support.trials.agent_study import agent_study
from support.trials.commands import study as command
from support.trials.export_world import table

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

MINE = "# mine"
PICTURES = os.environ.get("STUDY_PICTURES", "")
"""A folder for pictures of each regime; none are made where it is not set."""
WAITS = {"participant": {"edit"}, "each": {"edit", "run"}, "edits": {"edit"}, "none": set()}
"""Regime -> tools of which the walk was asked; under `participant` asking is switched off after the first change."""


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{name}.png"))


def choose(page: Page, regime: str) -> set[str]:
    """Ask for the program, and approve what waits; return the tools of which the page asked."""
    page.get_by_role("textbox", name="Your message").fill("Please write the whole program for me")
    page.get_by_role("button", name="Send", exact=True).click()
    card, send = page.locator(".sa-agent-card:visible"), page.get_by_role("button", name="Send", exact=True)
    last = page.locator(".sa-steps li").filter(has_text="Changes made:")
    asked: set[str] = set()
    for step in range(20):
        expect(card.or_(last).first).to_be_visible(timeout=60_000)
        if last.count():
            break
        edit = card.locator(".sa-diff").count() > 0
        asked.add("edit" if edit else "run")
        picture(page, f"{regime}-{step}")
        heading = card.locator("h3").inner_text()
        if regime == "participant":
            page.locator("[data-act=without-asking]").check()
        if step % 2:
            card.locator("[data-act=agent-apply]").click()
        else:
            page.keyboard.press("Control+Shift+Digit1")
        expect(card.locator("h3").get_by_text(heading, exact=True)).to_have_count(0)
    expect(last).to_be_visible()
    expect(send).to_be_enabled()
    picture(page, f"{regime}-end")
    return asked


def next_card(page: Page, before: str = "") -> str:
    """Wait for a card other than the one before; return its heading."""
    heading = page.locator(".sa-agent-card:visible h3").filter(has_not_text=before or "\u0000")
    expect(heading).to_be_visible(timeout=60_000)
    return heading.inner_text()


def decided(page: Page, *decisions: str) -> None:
    """Wait until the steps that asked are shown with these decisions."""
    steps = page.locator('.sa-steps li[data-decision]:not([data-decision="auto"], [data-decision=""])')
    expect(steps).to_have_count(len(decisions), timeout=60_000)
    assert [step.get_attribute("data-decision") for step in steps.all()] == list(decisions)


@pytest.mark.slow
def test_each_decision_has_a_key_that_works_wherever_the_cursor_is(chromium, tmp_path):
    server = StudyServer(tmp_path, agent_study(tmp_path, "each"), arguments=("--author",)).start()
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        page.goto(f"{server.url}/author/go?screen=tasks/0/stage&arm=ai&language=en")
        walker = Walker(page, server.url)
        expect(walker.editor()).to_be_visible(timeout=60_000)
        message, send = page.get_by_role("textbox", name="Your message"), page.get_by_role("button", name="Send")
        message.fill("Please write the whole program for me")
        send.click()
        card = next_card(page)
        expect(page.locator(".sa-agent-clock")).to_have_text(re.compile(r"\d+:\d\d"))
        walker.editor().click()
        page.keyboard.press("Control+Shift+Digit1")
        decided(page, "approve")
        card = next_card(page, card)
        page.keyboard.press("Control+Shift+Digit3")
        page.keyboard.press("Control+Home")
        page.keyboard.type("# looked at\n")
        picture(page, "keys-editing")
        page.keyboard.press("Control+Shift+Digit1")
        decided(page, "approve", "edited")
        next_card(page, card)
        # Typing makes what is open stale, and nothing of it is made; it is proposed anew.
        walker.editor().click()
        page.keyboard.press("Control+End")
        page.keyboard.type("#")
        decided(page, "approve", "edited", "stale")
        picture(page, "keys-stale")
        next_card(page)
        message.click()
        page.keyboard.press("Control+Shift+Digit2")
        decided(page, "approve", "edited", "stale", "reject")
        expect(send).to_be_visible(timeout=60_000)
        message.fill("Please go on and write what is missing")
        send.click()
        next_card(page)
        page.keyboard.press("Control+Shift+Digit4")
        expect(send).to_be_visible()
        decided(page, "approve", "edited", "stale", "reject", "interrupted")
        picture(page, "keys-stopped")
        expect(page.locator(".sa-agent-card")).to_be_hidden()
    finally:
        context.close()
        server.stop()


@pytest.mark.slow
def test_what_is_taken_from_a_card_and_put_into_its_box_is_known_and_the_switch_outlives_a_reload(chromium, tmp_path):
    study = agent_study(tmp_path, "participant")
    server = StudyServer(tmp_path, study, arguments=("--author",)).start()
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        page.goto(f"{server.url}/author/go?screen=tasks/0/stage&arm=ai&language=en")
        expect(Walker(page, server.url).editor()).to_be_visible(timeout=60_000)
        page.get_by_role("textbox", name="Your message").fill("Please write the whole program for me")
        page.get_by_role("button", name="Send", exact=True).click()
        next_card(page)
        page.locator("[data-act=without-asking]").check()
        page.wait_for_timeout(1500)
        page.reload()
        next_card(page)
        expect(page.locator("[data-act=without-asking]")).to_be_checked()
        page.locator(".sa-diff .sa-added").last.evaluate(
            "line => { const range = document.createRange(); range.selectNodeContents(line);"
            " const chosen = document.getSelection(); chosen.removeAllRanges(); chosen.addRange(range); }"
        )
        page.keyboard.press("Control+C")
        page.locator("[data-act=agent-edit_apply]").click()
        box = page.locator(".sa-agent-edit")
        new = box.input_value()
        box.press("Control+A")
        page.keyboard.press("Control+C")
        page.keyboard.press("Control+End")
        page.evaluate("navigator.clipboard.writeText('# from another chat altogether\\n')")
        page.keyboard.press("Control+V")
        page.keyboard.press("Control+Shift+Digit1")
        expect(page.locator('.sa-steps li[data-decision="edited"]')).to_have_count(1, timeout=60_000)
        page.wait_for_timeout(1500)
    finally:
        context.close()
        server.stop()
    (database,) = (tmp_path / "var").rglob("*.db")
    options = ("--out", "data", "--include-preview", "--database", f"sqlite:///{database}")
    command("export", study, *options, cwd=tmp_path)
    said = [(row["kind"], json.loads(row["payload"])) for row in table(tmp_path / "data", "events")]
    line, whole = [payload for kind, payload in said if kind == "copy"]
    assert (line["from"], whole["from"], whole["text"]) == ("reply", "reply", new)
    assert line["turn_id"] == whole["turn_id"]
    assert line["text"].rstrip("\n") in new.split("\n")
    (pasted,) = [payload for kind, payload in said if kind == "paste_attempt"]
    assert (pasted["from"], pasted["target"]) == ("outside", "editor")


@pytest.fixture(
    params=["participant", *(pytest.param(name, marks=pytest.mark.slow) for name in ("each", "edits", "none"))]
)
def walked(request, chromium, tmp_path):
    """The regime, the tools of which the page asked, and the dataset with the session."""
    study = agent_study(tmp_path, request.param)
    server = StudyServer(tmp_path, study, arguments=("--author",)).start()
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        page.goto(f"{server.url}/author/go?screen=tasks/0/stage&arm=ai&language=en")
        walker = Walker(page, server.url)
        expect(walker.editor()).to_be_visible()
        picture(page, f"{request.param}-before")
        asked = choose(page, request.param)
        walker.editor().click()
        page.keyboard.press("Control+End")
        page.keyboard.type(MINE)
        walker.press("Submit task")
        expect(page.get_by_text("Task 2 of 2").first).to_be_visible()
    finally:
        context.close()
        server.stop()
    # The author's preview people live in a database beside the study's.
    (database,) = (tmp_path / "var").rglob("*.db")
    options = ("--out", "data", "--include-preview", "--database", f"sqlite:///{database}")
    command("export", study, *options, cwd=tmp_path)
    return request.param, asked, tmp_path / "data"


def test_a_walked_session_replays_to_the_submission_and_says_who_wrote_each_character(walked):
    regime, asked, dataset = walked
    assert asked == WAITS[regime]
    steps = table(dataset, "agent_actions")
    changed = [step for step in steps if step["tool"] == "edit"]
    assert changed
    free = regime == "none" or (regime == "participant" and len(changed) > 1)
    assert ("auto" in {step["decision"] for step in changed}) == free
    (run,) = [run for run in table(dataset, "runs") if run["kind"] == "submission"]
    written = ""
    by: list[str] = []
    for row in sorted(table(dataset, "events"), key=lambda row: (row["page"], int(row["seq"] or 0))):
        said = json.loads(row["payload"])
        if row["page"] != run["page"] or int(row["seq"]) > int(run["seq"]) or said.get("task") != run["task"]:
            continue
        if row["kind"] == "load":
            written, by = said["text"], ["starter"] * len(said["text"])
        for change in reversed(said.get("changes", ())):
            start, end, insert = change["from"], change["to"], change["insert"]
            written = written[:start] + insert + written[end:]
            by[start:end] = [said["kind"]] * len(insert)
    assert written == run["code"]
    assert written.endswith(MINE)
    assert set(by[-len(MINE) :]) == {"typed"}
    (person,) = [row for row in table(dataset, "participants") if row["agent_edits"]]
    assert by.count("typed") == int(person["typed_chars"]) == len(MINE)
    # What a change puts back of the lines that it replaces stays the starter's.
    assert 100 < int(person["agent_chars"]) <= by.count("agent")
    origins = ("agent_chars", "starter_chars", "typed_chars")
    assert sum(int(person[name]) for name in origins) == len(run["code"])
