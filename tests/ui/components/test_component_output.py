"""Output and examples: nothing that was printed goes out of sight, every status is true while it stands."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect
from support.browser.component_browser import EDITOR, editor_text, paste

pytestmark = [pytest.mark.browser]


def run(page, code: str) -> None:
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def top_of_output(page) -> int:
    return page.evaluate("document.querySelector('.sa-output .sa-panel:not([hidden]) .sa-scroll').scrollTop")


def in_sight(page, text: str) -> bool:
    """Whether the line lies within the visible part of the output."""
    return page.evaluate(
        """text => {
            const box = document.querySelector(".sa-lines").parentElement.getBoundingClientRect();
            const walker = document.createTreeWalker(document.querySelector(".sa-lines"), NodeFilter.SHOW_TEXT);
            for (let node; (node = walker.nextNode());) {
                const at = node.data.indexOf(text);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + text.length);
                const line = range.getBoundingClientRect();
                return line.top >= box.top - 1 && line.bottom <= box.bottom + 1;
            }
            return false;
        }""",
        text,
    )


@pytest.mark.slow
def test_a_long_output_stays_at_its_first_line_while_and_after_the_examples_are_checked(person):
    page = person.open()
    run(page, "".join(f'print("line {number}")\n' for number in range(40)) + "# slow_examples\n")
    status = page.locator(".sa-run-status")
    expect(status).to_contain_text("Running…")
    expect(status).to_contain_text("Checking examples…")
    expect(page.get_by_role("tab", name="Examples")).to_have_text("Examples")
    expect(status).to_contain_text("1 of 2 examples pass")
    assert top_of_output(page) == 0
    assert in_sight(page, "line 0")
    examples, output = page.get_by_role("tab", name="Examples 1/2"), page.get_by_role("tab", name="Output")
    expect(examples).to_be_visible()
    expect(output).to_have_attribute("aria-selected", "true")
    output.focus()
    for key, chosen in (("End", examples), ("Home", output), ("ArrowLeft", examples), ("ArrowRight", output)):
        page.keyboard.press(key)
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(page.locator(f"#{chosen.get_attribute('aria-controls')}")).to_be_visible()


@pytest.mark.slow
def test_a_program_that_prints_nothing_is_said_to_run(person):
    page = person.open()
    run(page, "sleep(2)\n")
    expect(page.locator(".sa-run-status")).to_have_text("Running…")
    page.get_by_role("button", name="Interrupt").click()
    expect(page.locator(".sa-run-status")).to_contain_text("Interrupted after")


@pytest.mark.slow
def test_the_error_is_in_sight_and_its_line_marked_in_the_gutter_until_the_next_run(person):
    page = person.open()
    run(page, 'print("one")\n' * 4 + "oops\n")
    expect(page.locator(".sa-run-status")).to_contain_text("examples pass")
    assert in_sight(page, "NameError: name 'oops' is not defined")
    marked = page.locator(".cm-lineNumbers .sa-error-gutter")
    expect(marked).to_have_text("5")
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# above\n")
    expect(marked).to_have_text("6")
    run(page, 'print("well")\n')
    expect(marked).to_have_count(0)


@pytest.mark.slow
def test_what_was_expected_lies_beside_what_came_with_the_difference_marked(person):
    page = person.open()
    check = {
        "name": "counts", "passed": False, "message": "", "call": 'timer("tea", 3)', "cause": "",
        "expected": " 0.0 s  tea 1\n 1.0 s  tea 2\n 2.0 s  done", "seen": " 0.0 s  tea 1\n 1.0 s  tea  2",
    }  # fmt: skip
    fails = {"name": "stops", "passed": False, "message": "", "call": "f()", "cause": "NameError in line 3: x" * 20}

    def answer(route) -> None:
        response = route.fetch()
        lines = response.text().splitlines()[:-1]
        route.fulfill(body="\n".join([*lines, json.dumps({"type": "examples", "checks": [check, fails]})]) + "\n")

    page.route("**/api/runs", answer)
    run(page, "print()\n")
    page.get_by_role("tab", name="Examples 0/2").click()
    blocks = page.locator(".sa-compare dd")
    expect(blocks).to_have_count(2)
    rows = [block.locator(".sa-compare-row") for block in blocks.all()]
    assert [row.count() for row in rows] == [3, 3]
    assert [mark.inner_text() for mark in blocks.nth(1).locator("mark").all()] == [" ", "no line here"]
    boxes = [[row.bounding_box() for row in part.all()] for part in rows]
    assert len({box["x"] for part in boxes for box in part}) == 1
    assert "monospace" in rows[0].first.evaluate("e => getComputedStyle(e).fontFamily").lower()
    long = page.locator(".sa-cause").bounding_box()
    assert long["height"] > 40
    assert page.locator(".sa-examples").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_examples_that_come_before_the_end_of_the_program_stay_when_it_ends(person):
    page = person.open()
    checks = [{"name": name, "passed": name == "a", "message": ""} for name in "ab"]
    end = {"type": "end", "ended_by": "cancelled", "message": "", "wall_seconds": 1}
    body = "\n".join(json.dumps(line) for line in ({"type": "examples", "checks": checks}, end)) + "\n"
    page.route("**/api/runs", lambda route: route.fulfill(body=body))
    run(page, "sleep(2)\n")
    expect(page.locator(".sa-run-status")).to_contain_text("Interrupted after")
    expect(page.locator(".sa-run-status")).to_contain_text("1 of 2 examples pass")
    expect(page.get_by_role("tab", name="Examples 1/2")).to_be_visible()


@pytest.mark.slow
def test_a_cause_that_all_examples_share_is_said_once(person):
    page = person.open()
    cause = "SyntaxError in line 1: expected ':'"
    checks = [
        {"name": name, "passed": False, "message": f"f(): {cause}", "call": "f()", "cause": cause} for name in "abc"
    ]
    end = {"type": "end", "ended_by": "exit", "message": "", "error_type": "SyntaxError", "error_line": 1}
    body = "\n".join(json.dumps(line) for line in (end, {"type": "examples", "checks": checks})) + "\n"
    page.route("**/api/runs", lambda route: route.fulfill(body=body))
    run(page, "def f(\n")
    page.get_by_role("tab", name="Examples 0/3").click()
    text = page.get_by_label("Output").locator(".sa-examples").inner_text()
    assert text.count("SyntaxError") == 1
    assert all(name in text for name in "abc")


@pytest.mark.slow
def test_the_editor_and_the_output_share_their_height_by_keyboard_and_pointer(person):
    page = person.open()
    height = "document.querySelector('.sa-output').getBoundingClientRect().height"
    before = page.evaluate(height)
    handle = page.get_by_role("separator", name="Height of the lower pane")
    handle.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(height) == pytest.approx(before + 48, abs=2)
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] - 56, steps=4)
    page.mouse.up()
    wanted = page.evaluate(height)
    assert wanted == pytest.approx(before + 108, abs=3)
    events = person.wait_for(lambda: person.events("panes_resized")[2:] and person.events("panes_resized"))
    assert events[-1]["payload"] == {"output": round(wanted)}
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    assert page.evaluate(height) == pytest.approx(wanted, abs=1)
    handle.focus()
    page.keyboard.press("Home")
    assert page.locator(".sa-editor").bounding_box()["height"] >= 80
    page.keyboard.press("End")
    assert 80 <= page.evaluate(height) <= 120


@pytest.mark.slow
def test_find_reaches_every_line_and_the_next_occurrence_is_selected_by_a_key(person):
    page = person.open()
    text = "".join(f"value_{number} = {number}\n" for number in range(900)) + "needle = value_1\n"
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+f")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-searchMatch-selected")).to_have_text("needle")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+d")
    page.keyboard.type("found")
    assert editor_text(page).endswith("found = value_1\n")
    page.get_by_role("button", name="Find in the code").click()
    expect(page.locator(".cm-search input[name=search]")).to_be_focused()
    person.wait_for(lambda: person.replayed() == editor_text(page))


@pytest.mark.slow
def test_the_text_grows_and_shrinks_and_stays_so_after_a_reload(person):
    page = person.open()
    size = "parseFloat(getComputedStyle(document.querySelector('.cm-content')).fontSize)"
    before = page.evaluate(size)
    for _ in range(3):
        page.get_by_role("button", name="Larger text").click()
    assert page.evaluate(size) == before + 3
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    assert page.evaluate(size) == before + 3
    page.get_by_role("button", name="Smaller text").click()
    assert page.evaluate(size) == before + 2


@pytest.mark.slow
def test_the_way_back_to_the_starter_asks_is_logged_as_an_edit_and_can_be_undone(person):
    page = person.open()
    starter = editor_text(page)
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("all = 'mine'\n")
    page.get_by_role("button", name="Back to the starter").click()
    page.get_by_role("button", name="Keep working").click()
    assert editor_text(page) == "all = 'mine'\n"
    page.get_by_role("button", name="Back to the starter").click()
    page.get_by_role("button", name="Replace my code").click()
    expect(page.locator(".cm-content")).to_contain_text("import trio")
    assert editor_text(page) == starter
    kinds = person.wait_for(lambda: [edit["payload"]["kind"] for edit in person.events("edit")][1:])
    assert kinds == ["programmatic"]
    assert person.replayed() == starter
    page.keyboard.press("Control+z")
    assert editor_text(page) == "all = 'mine'\n"


@pytest.mark.slow
def test_a_program_that_is_too_long_is_refused_with_a_reason_before_it_is_sent(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    paste(page, "# é " * 16_000)
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".sa-lines")).to_contain_text("Your program is longer than 64 kB. Shorten it, then try again.")
    page.get_by_role("button", name="Submit task").click()
    expect(page.locator(".sa-note-line")).to_contain_text("longer than 64 kB")


@pytest.mark.slow
def test_no_names_are_completed(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("trio.ru")
    page.keyboard.press("Control+Space")
    page.wait_for_timeout(400)
    assert page.locator(".cm-tooltip-autocomplete").count() == 0
