"""Words that a browser keeps until they are sent do not stay on a computer that others may use."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from support.browser.kept_words import KEPT, PUT

pytestmark = [pytest.mark.browser]
HOUR_MS = 3600 * 1000


def owners(page, table: str) -> set[str]:
    return {owner for owner, _ in page.evaluate(KEPT, table)}


@pytest.mark.parametrize("end", [pytest.param(end, marks=pytest.mark.slow) for end in ("between", "erased")] + ["kept"])
def test_a_page_between_two_parts_and_the_last_one_delete_what_is_over_of_its_participant_alone(
    person, component_server, end
):
    page = person.open()
    now = page.evaluate("Date.now()")
    component_server.book.rows("update people set task = 9 where who = ?", person.who)
    page.goto(f"{component_server.url}/?end=none")
    page.get_by_text("After the tasks").wait_for()
    for owner, hours in ((person.who, 13 * 24), ("another", 1), ("yesterday", 30), ("long ago", 15 * 24)):
        page.evaluate(PUT, {"owner": owner, "at": now - hours * HOUR_MS})
    page.goto(f"{component_server.url}/?end={end}")
    page.get_by_text("After the tasks").wait_for()
    person.wait_for(lambda: owners(page, "drafts") == {"another"})
    # Events are data: they wait for their participant, who may come back to this computer for another session.
    others = {"another", "yesterday"}
    person.wait_for(lambda: owners(page, "events") == ({person.who} | others if end == "between" else others))


@pytest.mark.slow
def test_a_room_forgets_drafts_that_nothing_on_it_can_take_up(person):
    page = person.open()
    now = page.evaluate("Date.now()")
    for task in ("earlier", "answers:about:0", "cannot:earlier", "cannot:timer", "chat:message"):
        page.evaluate(PUT, {"owner": person.who, "at": now, "task": task, "page": ""})
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("words")
    left = [[person.who, "cannot:timer"], [person.who, "chat:message"]]
    person.wait_for(lambda: [each for each in page.evaluate(KEPT, "drafts") if each[1] != "timer"] == left)


@pytest.mark.slow
def test_words_of_the_message_box_that_an_earlier_version_kept_are_in_it_after_an_upgrade(person):
    page = person.open()
    page.evaluate(PUT, {"owner": person.who, "at": page.evaluate("Date.now()"), "task": "message", "page": ""})
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("words")
    person.wait_for(lambda: {"chat:message"} <= {name for _, name in page.evaluate(KEPT, "drafts")} - {"message"})


@pytest.mark.slow
def test_the_program_of_a_task_called_message_does_not_come_into_the_message_box(person):
    page = person.open()
    page.evaluate(PUT, {"owner": person.who, "at": page.evaluate("Date.now()"), "task": "message", "page": "p"})
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("")
