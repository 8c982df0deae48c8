"""A pause of one participant, seen in a browser: a kind page, then the work as it was."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from support.browser.placing import place
from support.browser.walker import Walker
from support.server import StudyServer

from study_app.bootstrap import start
from study_app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TYPED = "# before the pause"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = StudyServer(tmp_path_factory.mktemp("pause")).start()
    yield server
    server.stop()


@pytest.mark.slow
def test_a_pause_shows_a_kind_page_and_afterwards_the_program_as_it_was(server, page):
    walker = Walker(page, server.url)
    walker.start()
    who = place(server, page, "tasks", left=timedelta(minutes=30))
    expect(walker.editor()).to_be_visible(timeout=60_000)
    walker.write(TYPED)
    expect(page.get_by_text("Saved", exact=False).first).to_be_visible()
    settings = Settings(server.study, server.database, server.folder / "var", environment={})
    with closing(start(settings)) as app:
        app.acts.pause(who, "fire alarm", "anna")
        page.keyboard.type("\n# more")
        expect(page.get_by_role("heading", name="The study is paused")).to_be_visible(timeout=60_000)
        page.reload()
        expect(page.get_by_role("heading", name="The study is paused")).to_be_visible(timeout=60_000)
        app.acts.resume(who, "false alarm", "anna")
        expect(walker.editor()).to_contain_text(TYPED, timeout=60_000)
