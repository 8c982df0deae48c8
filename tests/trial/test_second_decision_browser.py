"""A second decision in a real browser: who responds goes on as before, the others read what they were given."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from support.browser.walker import Walker
from support.server import StudyServer

from study_app.storage import open_registry

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

BUSY = 120_000
STUDY = """
schema = "study/1"
id = "again"
title = "Again"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Read it once."
[[arms]]
id = "other"
instructions = "Read it twice."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[second_decision]
stage = "more"
responds = "mood >= 4"
block_sizes = [2]
[[second_decision.treatments]]
id = "stay"
[[second_decision.treatments]]
id = "longer"
instructions = "Read it all with the examples."
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "instructions"
kind = "instructions"
title = "At first"
[[stages]]
id = "halfway"
kind = "survey"
title = "Halfway"
questions = [{ id = "mood", kind = "scale", low = 1, high = 7, prompt = "How well did it work?" }]
[[stages]]
id = "more"
kind = "instructions"
title = "And now"
[[stages]]
id = "debrief"
kind = "debrief"
"""
FIRST = {"plain": "Read it once.", "other": "Read it twice."}
LONGER = "Read it all with the examples."


@pytest.fixture
def server(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    serving = StudyServer(tmp_path, file).start()
    yield serving
    serving.stop()


def people(server):
    registry = open_registry(server.database)
    with registry.begin(write=False) as unit:
        found = unit.participants()
    registry.close()
    return found


def walked(page: Page, server: StudyServer, mood: int, shot: str = "") -> tuple[str, str]:
    """One person's way; what they read first and after the decision."""
    walker = Walker(page, server.url)
    walker.start()
    walker.consent()
    expect(page.get_by_role("heading", name="At first")).to_be_visible(timeout=BUSY)
    before = page.inner_text(".stMain")
    walker.press("Continue")
    expect(page.get_by_role("heading", name="Halfway")).to_be_visible(timeout=BUSY)
    walker.settle()
    page.get_by_role("radiogroup").locator("label").nth(mood - 1).click()
    walker.press("Continue")
    expect(page.get_by_role("heading", name="And now")).to_be_visible(timeout=BUSY)
    walker.settle()
    after = page.inner_text(".stMain")
    if shot:
        page.screenshot(path=shot, full_page=True)
    walker.press("Continue")
    walker.completion_code()
    return before, after


def test_who_responds_goes_on_and_the_others_meet_their_second_treatment(server, chromium, tmp_path):
    for number, mood in enumerate((6, 1, 2, 1, 3, 1)):
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(BUSY)
        before, after = walked(context.new_page(), server, mood, f"{tmp_path}/again_{number}.png")
        context.close()
        person = max(people(server), key=lambda each: each.enrolled_at)
        assert FIRST[person.arm] in before
        assert LONGER not in before
        assert person.responded == (mood >= 4)
        assert (person.second_treatment is None) == person.responded
        assert (LONGER in after) == (person.second_treatment == "longer")
        assert (FIRST[person.arm] in after) == (person.second_treatment != "longer")
    assert {person.second_treatment for person in people(server)} == {None, "stay", "longer"}
