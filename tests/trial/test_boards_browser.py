"""Every board of the console with people on it, in a real browser: nothing is cut off, and axe finds nothing."""

from __future__ import annotations

import contextlib
import csv
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser.boards import PASSWORD, drawn, faults, settled, signed_in
from support.server import ROOT, StudyServer, logged_errors, wait_until_up
from support.trials.commands import study

from study_app.bootstrap import start
from study_app.content.qr import qr_svg
from study_app.secrets.console_accounts import Account
from study_app.secrets.console_boards import SEEN_BY
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings
from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

EXAMPLE = ROOT / "examples" / "pre_post_retention"
INTERVIEW = """
[[stages]]
id = "interview"
kind = "interview"
session = "later"
title = "In your own words"
plan = "interviews/exit.toml"

[[stages]]
id = "debrief"
"""
RUBRIC = """
[[rubric]]
id = "right"
text = "It gives the middle score."
points = 1

[[rubric]]
id = "sorted"
text = "It uses a sorted list."
points = 1
"""
WIDTHS = (1440, 1024)


def study_in(folder: Path) -> Path:
    """A study of two sessions with an assistant, quizzes of which an item is rated, and an interview."""
    for name in ("assistants", "tasks", "quizzes"):
        shutil.copytree(EXAMPLE / name, folder / name)
    shutil.copytree(ROOT / "interviews", folder / "interviews")
    (folder / "quizzes/middle_scores/keys/writes.toml").write_text(RUBRIC)
    text = (EXAMPLE / "study.toml").read_text().replace('entry = "open"', 'entry = "links"')
    text = text.replace('[[stages]]\nid = "debrief"\n', INTERVIEW.lstrip())
    file = folder / "study.toml"
    file.write_text(f"{text}\n[alerts]\nnobody_enrolled_hours = 6\n")
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[StudyServer]:
    """A launched study with simulated people and two real ones, and its console."""
    folder = tmp_path_factory.mktemp("boards")
    file, database = study_in(folder), f"sqlite:///{folder}/study.db"
    study("simulate", file, "--database", database, "--participants", 8, cwd=folder)
    app = start(Settings(file, database, folder / "var", environment={}))
    app.lifecycle.launch()
    for link in app.links.create(labels=["anna@example.org", "ben@example.org"]):
        who = app.enrol.enter(EntryRequest(link=link.secret)).participant.id
        app.session.consent(who, True)
    app.acts.note(who, "asked by mail about the second date", "anna")
    app.close()
    Account(folder / "var").set(PASSWORD, "full", "full")
    server = StudyServer(folder, study=file, console=True).start()
    wait_until_up(f"{server.console_url}/healthz")
    yield server
    server.stop()


def look(server: StudyServer, chromium: Browser, boards: list[str], width: int) -> dict[str, list[str]]:
    page = signed_in(server, chromium, width)
    found = {}
    for board in boards:
        drawn(server, page, board)
        found[board] = faults(page, board)
    page.context.close()
    return {board: lines for board, lines in found.items() if lines}


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_no_board_is_cut_off_at_its_side_and_axe_finds_nothing(server, chromium, width):
    assert look(server, chromium, list(SEEN_BY), width) == {}
    assert logged_errors(server.folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_participant_and_a_replay_are_not_cut_off(server, chromium, width):
    page = signed_in(server, chromium, width)
    with contextlib.closing(open_registry(server.database)) as registry, registry.begin(write=False) as unit:
        who = next(person.id for person in unit.participants() if person.kind == "simulated")
    found = {}
    for name, address in {"participant": f"participants?who={who}", "replayed": f"replay?who={who}"}.items():
        drawn(server, page, address)
        found[name] = faults(page, name)
    page.context.close()
    assert {board: lines for board, lines in found.items() if lines} == {}


@pytest.mark.slow
def test_links_are_made_drawn_as_qr_codes_downloaded_and_lead_in(server, chromium, tmp_path):
    page = signed_in(server, chromium, 1024)
    drawn(server, page, "links")
    page.get_by_label("How many").fill("2")
    page.keyboard.press("Tab")
    page.get_by_label("Address of the participants' site").first.fill(server.url)
    page.get_by_label("Labels, one a line").fill("seat one\nseat two")
    page.get_by_label("Labels, one a line").press("Control+Enter")
    expect(page.get_by_text("These links are shown now and never again.")).to_be_visible(timeout=60_000)
    with page.expect_download() as listed:
        page.get_by_role("button", name="Download as CSV").click()
    listed.value.save_as(tmp_path / "links.csv")
    rows = list(csv.DictReader((tmp_path / "links.csv").open(encoding="utf-8")))
    assert [row["label"] for row in rows] == ["seat one", "seat two"]
    page.get_by_text("QR codes of the short links").click()
    for name in ("seat one", "seat two"):
        expect(page.get_by_role("img", name=f"QR code {name}")).to_be_visible()
    # Streamlit's toast has no name for screen readers.
    expect(page.get_by_test_id("stToast")).to_have_count(0, timeout=60_000)
    assert faults(page, "links_made") == []
    with page.expect_download() as packed:
        page.get_by_role("button", name="Download all as SVG").click()
    packed.value.save_as(tmp_path / "links.zip")
    with zipfile.ZipFile(tmp_path / "links.zip") as archive:
        pictures = [archive.read(name).decode() for name in sorted(archive.namelist())]
    assert pictures == [qr_svg(row["short_link"]) for row in rows]
    page.get_by_role("button", name="I have them").click()
    expect(page.get_by_text(rows[0]["short_link"])).to_have_count(0)
    page.context.close()
    theirs = chromium.new_context().new_page()
    theirs.goto(rows[0]["short_link"])
    theirs.get_by_role("button", name="Start").click()
    expect(theirs.get_by_text("We are studying how people learn").first).to_be_visible(timeout=60_000)
    theirs.context.close()


@pytest.mark.slow
def test_texts_are_read_one_by_one_and_the_public_dataset_holds_those_that_were_released(server, chromium, tmp_path):
    page = signed_in(server, chromium, 1024)
    drawn(server, page, "release")
    lines = page.locator("[class*=st-key-release_line_]")
    shown = [line.locator("pre").first.inner_text() for line in lines.all()]
    # Two that differ, so that a dataset with one of them tells which.
    other = next(number for number, text in enumerate(shown) if text != shown[0] and text not in shown[0])
    expect(page.get_by_text("the next ones follow as you decide")).to_be_visible()
    lines.nth(other).get_by_role("button", name="Leave out", exact=True).click()
    decided(server, page, [False])
    lines.first.get_by_role("button", name="Release", exact=True).click()
    decided(server, page, [False, True])
    places = {}
    for name, text in (("Released", shown[0]), ("Left out", shown[other])):
        page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
        settled(page)
        expect(lines).to_have_count(1)
        expect(lines.first.locator("pre").first).to_have_text(text)
        places[name] = [code.inner_text() for code in lines.first.locator("code").all()[:2]]
        assert faults(page, f"release_{name}") == []
    column, record = places["Released"]
    wanted = ("--database", server.database, "--include-simulated", "--public", "--out", tmp_path / "data")
    study("export", server.study, *wanted, cwd=server.folder)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "data" / "data").rglob("*.csv")]
    assert any(shown[0] in text for text in texts), (column, record)
    assert not any(shown[other] in text for text in texts), places["Left out"]
    # Taken back, it is in the next dataset no more.
    page.get_by_test_id("stButtonGroup").get_by_text("Released", exact=True).click()
    settled(page)
    lines.first.get_by_role("button", name="Leave out", exact=True).click()
    expect(page.get_by_text("No text is left here.")).to_be_visible(timeout=60_000)
    decided(server, page, [False, False])
    page.context.close()


def decided(server: StudyServer, page: Page, wanted: list[bool]) -> None:
    """Wait until these are the decisions that are stored."""
    found: list[bool] = []
    for _ in range(300):
        with contextlib.closing(open_registry(server.database)) as registry, registry.begin(write=False) as unit:
            found = sorted(review.released for review in unit.text_reviews())
        if found == sorted(wanted):
            break
        page.wait_for_timeout(200)
    assert found == sorted(wanted)
    settled(page)
