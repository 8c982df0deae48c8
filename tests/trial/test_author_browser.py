"""`study serve --author`: an edit is seen at once, a broken file is shown, and the live study is left alone."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect
from support.browser.walker import Walker
from support.paths import ROOT
from support.server import StudyServer

from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("author")
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "study.toml", folder / "study.toml")
    server = StudyServer(folder, folder / "study.toml", arguments=("--author",)).start()
    yield server
    server.stop()


@pytest.mark.slow
def test_an_author_sees_edits_faults_arms_screens_tasks_and_keys(server, page):
    Walker(page, server.url).start()
    expect(page.get_by_role("button", name="I agree", exact=True)).to_be_visible()
    good = server.study.read_text()
    server.study.write_text(good.replace("There are no risks beyond", "There are hardly any risks beyond"))
    expect(page.get_by_text("There are hardly any risks beyond")).to_be_visible()

    server.study.write_text(good.replace('kind = "debrief"', 'kind = "debreef"'))
    wrong = page.get_by_role("alert")
    for part in (str(server.study), "stages.debrief.kind", "'debreef' is not one of the choices", "use 'consent'"):
        expect(wrong).to_contain_text(part)
    expect(page.get_by_text("There are hardly any risks beyond")).to_be_visible()
    server.study.write_text(good)
    expect(wrong).to_have_count(0)

    bar = page.get_by_role("navigation", name="Author")
    bar.get_by_text("Screen:").click()
    bar.get_by_role("link", name="Tasks: A timer and a greeting").click()
    expect(page.get_by_label("Code editor")).to_be_visible()
    expect(page.get_by_role("complementary", name="Assistant")).to_have_count(0)
    bar.get_by_text("Arm:").click()
    bar.get_by_role("link", name="AI assistant").click()
    expect(page.get_by_label("Assistant", exact=True).first).to_be_visible()

    brief = server.folder / "tasks" / "trio_timer" / "brief.md"
    brief.write_text("A sentence that is new.\n\n" + brief.read_text())
    expect(page.get_by_text("A sentence that is new.")).to_be_visible()
    bar.get_by_role("link", name="Stop the clock").click()
    expect(bar.get_by_text("clock stopped")).to_be_visible()

    bar.get_by_text("Tasks and items").click()
    bar.get_by_role("link", name="Items: quizzes/trio").click()
    expect(page.get_by_text("Keys never reach participants")).to_be_visible()
    bar.get_by_text("Tasks and items").click()
    bar.get_by_role("link", name="Task: A timer and a greeting").click()
    expect(page.get_by_role("heading", name="Reference solution")).to_be_visible()
    assert page.problems == []
    assert not (server.folder / "study.db").exists(), "an author's server touched the study's own database"


def test_an_author_s_pages_are_for_this_machine_only(server, page):
    answer = page.request.get(f"{server.url}/author/go?screen=consent/0/stage&arm=ai", headers={"Host": "evil.test"})
    assert answer.status == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert page.request.get(f"{server.url}/author/clock?stopped=1", headers=foreign).status == 403


@pytest.mark.slow
def test_a_server_without_author_has_none_of_its_pages(page, tmp_path):
    live = StudyServer(tmp_path).start()
    try:
        assert page.request.get(f"{live.url}/author/go?screen=consent/0/stage&arm=ai").status == 404
        page.goto(f"{live.url}/?look=bank:quizzes/trio")
        expect(page.get_by_role("button", name="Start")).to_be_visible()
        Walker(page, live.url).start()
        page.goto(f"{live.url}/?look=bank:quizzes/trio")
        expect(page.get_by_role("button", name="I agree", exact=True)).to_be_visible()
        expect(page.get_by_text("Keys never reach participants")).to_have_count(0)
    finally:
        live.stop()
    registry = open_registry(live.database)
    with registry.begin(write=False) as unit:
        assert {person.kind for person in unit.participants()} == {"preview"}
    registry.close()
