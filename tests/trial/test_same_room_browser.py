"""The room is the same in every arm: editor, output and task stand where they stand without an assistant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser.walker import Walker
from support.paths import ROOT
from support.server import StudyServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

PICTURES = os.environ.get("STUDY_PICTURES", "")
"""A folder for pictures of each arm; none are made where it is not set."""
ARMS = ("no_ai", "ai", "agent")
PARTS = (".sa-brief", ".sa-editor", ".sa-output", ".sa-side")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room")
    study = ROOT / "examples" / "agent_three_arms" / "study.toml"
    server = StudyServer(folder, study, arguments=("--author",)).start()
    yield server
    server.stop()


class Room:
    """The first task in one arm."""

    def __init__(self, server, chromium, arm, width):
        self.name = f"{arm}-{width}"
        self.context = chromium.new_context(viewport={"width": width, "height": 800})
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.page.goto(f"{server.url}/author/go?screen=tasks/0/stage&arm={arm}&language=en")
        expect(Walker(self.page, server.url).editor()).to_be_visible(timeout=60_000)

    def boxes(self):
        """Where each part of the room stands."""
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES, f"room-{self.name}.png"))
        return {part: self.page.locator(part).first.bounding_box() for part in PARTS}


@pytest.mark.parametrize("width", [1440, 1024])
def test_editor_output_and_task_are_where_they_are_without_an_assistant(server, chromium, width):
    found = {}
    for arm in ARMS:
        room = Room(server, chromium, arm, width)
        found[arm] = room.boxes()
        if arm == "agent":
            room.page.get_by_role("textbox", name="Your message").fill("Please write the whole program for me")
            room.page.get_by_role("button", name="Send", exact=True).click()
            expect(room.page.locator(".sa-agent-card:visible h3")).to_be_visible(timeout=60_000)
            room.name = f"card-{width}"
            found["a step that waits"] = room.boxes()
        room.context.close()
    assert len({str(each) for each in found.values()}) == 1, found
