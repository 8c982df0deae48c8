"""The time is seen: in the room, in the tab's title, before and after its end; and the work is soon saved again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from support.browser.component_browser import EDITOR, editor_text

pytestmark = [pytest.mark.browser]


def test_the_clock_stands_in_the_tabs_title_and_says_what_it_is_for(person):
    page = person.open()
    page.wait_for_function("/^3[45]:\\d\\d – ./.test(document.title)")
    expect(page.locator(".sa-clock-label")).to_have_text("Time left for both tasks")
    assert page.get_by_label("Time left").count() == 1


@pytest.mark.parametrize(
    ("minutes", "text", "colour"),
    [
        pytest.param(5.05, "Five minutes left.", "soon", marks=pytest.mark.slow),
        (1.05, "One minute left.", "last"),
    ],
)
@pytest.mark.slow
def test_the_last_minutes_are_said_in_sight_and_differ(person, minutes, text, colour):
    page = person.open(f"minutes={minutes}")
    note = page.locator(".sa-time-note")
    expect(note).to_contain_text(text)
    expect(note).to_be_visible()
    expect(page.locator(f".sa-clock-{colour}")).to_have_count(1)
    assert (page.locator(".sa-clock-last").count() == 1) == (colour == "last")
    box, editor = note.bounding_box(), page.locator(".sa-editor").bounding_box()
    assert box["y"] + box["height"] <= editor["y"]


@pytest.mark.slow
def test_what_was_handed_in_at_the_end_is_said_on_a_card_that_goes_on_by_a_press(person):
    page = person.open("minutes=0.1")
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# in time\n")
    card = page.locator(".sa-card")
    expect(card).to_contain_text("Time is up. The program in your editor has been handed in as it stood.")
    card.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("After the tasks")).to_be_visible()
    assert person.replayed().endswith("# in time\n")
    assert page.title().find("0:0") < 0


@pytest.mark.slow
def test_the_next_task_opens_at_its_top_and_says_that_the_last_one_was_submitted(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n".join(f"line_{number} = {number}" for number in range(200)) + "\n# done\n")
    page.keyboard.press("Control+End")
    page.get_by_role("tab", name="Examples").click()
    page.get_by_role("button", name="Submit task").click()
    page.get_by_role("heading", name="Fetching users").wait_for()
    expect(page.locator(".sa-note-card")).to_contain_text("Task 1 submitted. This is task 2 of 2: Fetching users")
    page.wait_for_function("document.querySelector('.cm-scroller').scrollTop === 0")
    assert editor_text(page).startswith("import trio")
    tops = "() => ['.sa-brief .sa-scroll', '.sa-notes'].map(name => document.querySelector(name).scrollTop)"
    assert page.evaluate(tops) == [0, 0]
    expect(page.get_by_role("tab", name="Output")).to_have_attribute("aria-selected", "true")


@pytest.mark.slow  # by default: a killed server, in tests/ui/components/test_component_log.py
def test_soon_after_the_server_is_back_everything_is_saved(person, component_server):
    page = person.open()
    page.clock.install()
    page.get_by_label(EDITOR).click()
    component_server.kill()
    page.keyboard.type("# while it is away\n")
    expect(page.get_by_text("Offline")).to_be_visible()
    # Eight attempts, each within 4 s of the page's own clock: a pause that kept growing would miss the later ones.
    for _ in range(8):
        with page.expect_event("requestfailed", lambda request: "/api/events" in request.url):
            page.clock.run_for(4_000)
    component_server.start()
    page.clock.run_for(4_000)
    expect(page.locator(".sa-saving")).to_have_text("Saved")
    assert person.replayed() == editor_text(page)


@pytest.mark.slow
def test_inline_code_keeps_its_spaces_and_a_table_of_syntax_fits_a_narrow_pane(person):
    page = person.open()
    page.evaluate(
        """() => {
            const brief = document.querySelector(".sa-brief .sa-scroll");
            const rows = [["sleep", "await trio.sleep(seconds)"], ["wait for all", "async with trio.open_nursery():"]];
            const body = rows.map(([what, how]) => `<tr><td>${what}</td><td><code>${how}</code></td></tr>`).join("");
            const head = "<thead><tr><th>do</th><th>write</th></tr></thead>";
            brief.innerHTML = `<p><code>a   b</code></p><table>${head}<tbody>${body}</tbody></table>`;
        }"""
    )
    code = page.locator(".sa-brief p code")
    assert code.inner_text() == "a   b"
    assert code.evaluate("e => getComputedStyle(e).whiteSpaceCollapse") == "break-spaces"
    assert code.evaluate(
        "e => getComputedStyle(e).boxDecorationBreak || getComputedStyle(e).webkitBoxDecorationBreak"
    ) == ("clone")
    label, written = (page.locator(".sa-brief td").nth(number).bounding_box() for number in (0, 1))
    assert written["y"] >= label["y"] + label["height"] - 1
    assert written["width"] > 200
    assert page.locator(".sa-brief .sa-scroll").evaluate("e => e.scrollWidth <= e.clientWidth")
