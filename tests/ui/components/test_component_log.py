"""Nothing typed is lost or counted twice, whatever happens to the page, the line and the server."""

from __future__ import annotations

import contextlib
import random
import time

import pytest
from playwright.sync_api import Error
from support.browser.component_browser import EDITOR, Person, editor_text, paste

pytestmark = [pytest.mark.browser]
NOW_MS = round(time.time() * 1000)  # noqa: TID251
WORDS = "async def await with nursery (x, y): [1, 2] 'text' # note\n    return None ".split(" ")


def settled(person: Person, page, task: str = "timer") -> None:
    """Wait until the server has what the editor shows, then check the log's numbers."""
    person.wait_for(lambda: person.replayed(task) == editor_text(page))
    assert person.gaps() == []


def typed_text(length: int) -> str:
    chooser = random.Random(7)
    text = ""
    while len(text) < length:
        text += chooser.choice(WORDS) + " "
    return text[:length]


@pytest.mark.parametrize("length", [60, *(pytest.param(length, marks=pytest.mark.slow) for length in (200, 2000))])
def test_typing_with_pastes_undo_cursors_reload_offline_and_a_killed_server_is_kept(person, component_server, length):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    step = length // 5
    parts = [typed_text(length)[start : start + step] for start in range(0, length, step)]

    page.keyboard.type(parts[0])
    paste(page, "first = 1\r\nsecond = '\U0001f600'\r\nthird = '\u00e9\u0301\u4e2d'\r")
    for _ in range(6):
        page.keyboard.press("Control+z")
    for _ in range(3):
        page.keyboard.press("Control+y")
    settled(person, page)

    page.keyboard.type(parts[1])
    before = editor_text(page)
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    assert editor_text(page) == before

    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+Alt+ArrowDown")
    page.keyboard.press("Control+Alt+ArrowDown")
    page.keyboard.type("# \U0001f468\u200d\U0001f469\u200d\U0001f467 ")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")

    person.context.set_offline(True)
    page.keyboard.type(parts[2])
    page.get_by_text("Offline").wait_for()
    page.keyboard.type(parts[3])
    assert person.replayed() != editor_text(page)
    person.context.set_offline(False)
    settled(person, page)

    component_server.kill()
    page.keyboard.type(parts[4])
    page.get_by_text("Offline").wait_for()
    component_server.start()
    settled(person, page)
    page.get_by_text("Saved").wait_for()

    assert len(person.events("load")) == 2
    assert max(len(event["payload"]["changes"]) for event in person.events("edit")) == 3
    assert {"paste", "undo", "redo", "typed"} <= {event["payload"]["kind"] for event in person.events("edit")}


def crash(page) -> None:
    """End the tab as a lack of memory would: no farewell runs."""
    with contextlib.suppress(Error):
        page.goto("chrome://crash", timeout=3000)
    page.close()


@pytest.mark.slow
def test_a_tab_that_crashes_offline_leaves_its_work_to_the_next_one(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# kept on the server\n")
    settled(person, page)
    page.route("**/api/**", lambda route: route.abort())
    page.keyboard.type("# kept on this computer only\n")
    text = editor_text(page)
    page.wait_for_timeout(300)
    crash(page)
    assert person.replayed() != text

    page = person.open()
    assert editor_text(page) == text
    loads = person.wait_for(lambda: person.events("load")[1:] and person.events("load"))
    assert [load["payload"]["text"] == text for load in loads] == [False, True]
    settled(person, page)
    assert sum(event["payload"].get("kind") == "typed" for event in person.events("edit")) == len(
        "# kept on the server\n# kept on this computer only\n"
    )


@pytest.mark.slow
def test_a_draft_of_this_computer_yields_to_later_work_elsewhere(person, component_server):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.route("**/api/events", lambda route: route.abort())
    page.keyboard.type("# never sent\n")
    page.wait_for_timeout(300)
    crash(page)
    later = {"task": "timer", "text": "# written elsewhere\n", "source": "saved"}
    event = {"seq": 1, "kind": "load", "payload": later, "client_time_ms": 0}
    component_server.book.store(person.who, "elsewhere" + person.who, [event])

    page = person.open()
    assert editor_text(page) == "# written elsewhere\n"


@pytest.mark.slow
def test_without_a_disk_of_its_own_the_page_still_sends_everything(person):
    person.context.add_init_script("Object.defineProperty(window, 'indexedDB', {get() { throw new Error('no'); }})")
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("x = 1\n")
    settled(person, page)
    page.route("**/api/**", lambda route: route.abort())
    page.keyboard.type("y = 2\n")
    page.get_by_text("keep this window open").wait_for()
    page.unroute("**/api/**")
    settled(person, page)


@pytest.mark.slow
def test_a_full_disk_stops_nothing(person):
    person.context.add_init_script(
        "IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }"
    )
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("x = 1\n")
    settled(person, page)
    assert len(person.events("storage_full")) == 1


@pytest.mark.parametrize("lines", [4_000, pytest.param(6_000, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_paste_of_many_lines_arrives_in_parts_that_replay_to_it(person, lines):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    paste(page, "".join(f"line {number} \U0001f600 of the pasted text\r\n" for number in range(lines)))
    settled(person, page)
    edits = [event["payload"] for event in person.events("edit")]
    assert len(edits) > lines // 4000
    assert {edit["kind"] for edit in edits} == {"paste"}
    assert [edit.get("continued", False) for edit in edits] == [False] + [True] * (len(edits) - 1)


KEPT = """([who, event]) => new Promise(done => {
    const request = indexedDB.open("study-app", 1);
    request.onsuccess = () => {
        const events = request.result.transaction("events", "readwrite").objectStore("events");
        events.put({owner: who, page: "earlier", seq: event.seq, event, hash: null}).onsuccess = done;
    };
})"""


@pytest.mark.slow
def test_what_the_server_refuses_of_an_earlier_page_holds_up_neither_its_other_events_nor_the_new_page(person):
    page = person.open()
    for seq, kind, payload in [
        (1, "load", {"task": "timer", "text": "", "source": "starter"}),
        (2, "edit", {"task": "timer", "kind": "paste", "changes": [{"from": 0, "to": 0, "insert": "x" * 400_001}]}),
        (3, "focus", {}),
        (4, "blur", {}),
    ]:
        event = {"seq": seq, "kind": kind, "client_time_ms": NOW_MS, "mono_ms": seq, "payload": payload}
        page.evaluate(KEPT, [person.who, event])
    page.evaluate("fetch('/api/open', {method: 'POST', body: JSON.stringify({page: 'earlier'})}).then(() => null)")
    page.reload()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# goes on\n")
    settled(person, page)
    page.get_by_text("Saved").wait_for()
    left = [(each["seq"], each["kind"]) for each in person.events() if each["page"] == "earlier"]
    assert left == [(1, "load"), (2, "event_refused"), (3, "focus"), (4, "blur")]
    (note,) = person.events("event_refused")
    assert (note["payload"]["refused"], note["payload"]["task"]) == ("edit", "timer")
    assert "400000 characters" in note["payload"]["why"]


REFUSING = """() => {
    const send = window.fetch;
    const refused = init => String(init?.body).includes('"insert":"# refused');
    const answer = () => Promise.resolve(new Response('{"error": "not this one"}', {status: 400}));
    window.fetch = (url, init) => refused(init) ? answer() : send(url, init);
}"""


@pytest.mark.slow
def test_an_edit_that_the_server_refuses_is_followed_by_the_whole_text(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("x = 1\n")
    settled(person, page)
    page.evaluate(REFUSING)
    page.keyboard.type("y = 2\n")
    paste(page, "# refused\n")
    page.keyboard.type("y = 3\n")
    (note,) = person.wait_for(lambda: person.events("event_refused"))
    assert (note["payload"]["refused"], note["payload"]["task"]) == ("edit", "timer")
    page.keyboard.type("z = 3\n")
    settled(person, page)
    page.get_by_text("Saved").wait_for()
    assert len(person.events("load")) == 2


@pytest.mark.slow
def test_a_change_of_more_lines_than_one_event_may_hold_arrives_in_several_that_replay_to_it(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    paste(page, "".join(f"f({number})\n" for number in range(6_000)))
    settled(person, page)
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    settled(person, page)
    indents = [edit["payload"] for edit in person.events("edit") if edit["payload"]["kind"] == "indent"]
    assert len(indents) == 6
    assert sum(len(edit["changes"]) for edit in indents) == 6_000
    assert person.events("event_refused") == []


@pytest.mark.slow
def test_the_editor_takes_no_more_than_fits_into_one_event_and_says_so(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+a")
    paste(page, "x" * 200_001)
    page.get_by_text("The program would be longer than 200,000 characters").wait_for()
    assert editor_text(page).startswith("import trio")
    page.keyboard.press("Control+a")
    paste(page, "x" * 199_999)
    page.keyboard.type("yz")
    assert len(editor_text(page)) == 200_000
    page.keyboard.press("Backspace")
    page.keyboard.type("z")
    settled(person, page)
    page.get_by_text("Saved").wait_for()


RANDOM_EDITS = """seed => {
    const view = document.querySelector(".cm-content").cmTile.root.view;
    const random = limit => (seed = (seed * 48271) % 2147483647) % limit;
    const words = [
        "\U0001f600", "\U0001f601", "a\u0301", "x\\n", "\u4e2d", "\U0001f468\u200d\U0001f469", "()", "    ", "",
    ];
    for (let step = 0; step < 400; step++) {
        const size = view.state.doc.length;
        const places = Array.from({length: 2 * (1 + random(4))}, () => random(size + 1)).sort((a, b) => a - b);
        const changes = [];
        for (let at = 0; at < places.length; at += 2) {
            const to = Math.min(places[at + 1], places[at] + 5);
            changes.push({from: places[at], to, insert: words[random(words.length)] + words[random(words.length)]});
        }
        view.dispatch({changes, userEvent: "input.type"});
    }
}"""


SLOW_SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4)]


@pytest.mark.parametrize("seed", [1, *SLOW_SEEDS])
@pytest.mark.slow
def test_random_edits_of_many_places_replay_exactly_even_inside_surrogate_pairs(person, seed):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.evaluate(RANDOM_EDITS, seed)
    for _ in range(60):
        page.keyboard.press("Control+z")
    for _ in range(40):
        page.keyboard.press("Control+y")
    settled(person, page)


@pytest.mark.slow
def test_an_answer_that_is_not_json_acknowledges_nothing(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.route("**/api/events", lambda route: route.fulfill(status=200, body="<html>starting</html>"))
    page.keyboard.type("x = 1\n")
    page.get_by_text("Offline").wait_for()
    page.unroute("**/api/events")
    settled(person, page)


@pytest.mark.slow  # by default: the same of a form, in tests/ui/screens/test_forms_browser.py
def test_an_older_window_says_so_and_goes_quiet(person):
    old = person.open()
    old.get_by_label(EDITOR).click()
    old.keyboard.type("# from the old window\n")
    settled(person, old)
    new = person.open()
    new.get_by_label(EDITOR).click()
    new.keyboard.type("# from the new window\n")
    settled(person, new)

    old.bring_to_front()
    old.get_by_label(EDITOR).click()
    old.keyboard.type("z")
    old.get_by_text("You continued in another window").last.wait_for()
    text = editor_text(old)
    old.get_by_label(EDITOR).focus()
    old.keyboard.type("nothing")
    assert editor_text(old) == text
    assert old.get_by_role("button", name="Submit task").is_disabled()
    old.get_by_role("button", name="Use this window instead").click()
    old.get_by_label(EDITOR).wait_for()
    assert editor_text(old) == editor_text(new)


def test_attention_is_recorded(person):
    page = person.context.new_page()
    page.clock.install()
    page = person.open(page=page)
    page.set_viewport_size({"width": 1200, "height": 700})
    page.evaluate("window.dispatchEvent(new Event('blur')); window.dispatchEvent(new Event('focus'))")
    page.get_by_label(EDITOR).click()
    page.get_by_label("Your message").click()
    page.clock.fast_forward(11_000)
    page.clock.fast_forward(3_000)
    kinds = {"load", "resize", "focus", "blur", "visible", "editor_focus", "editor_blur", "heartbeat"}
    person.wait_for(lambda: kinds <= {event["kind"] for event in person.events()})
    load = person.events()[0]
    assert (load["kind"], load["seq"], load["payload"]["source"]) == ("load", 1, "starter")
    assert person.events("resize")[-1]["payload"] == {"w": 1200, "h": 700}
