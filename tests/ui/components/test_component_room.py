"""The room as participants meet it: names, keyboard, Run, the assistant, pasting, submitting, the deadline."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from support.browser.component_browser import EDITOR, Person, editor_text, paste
from support.browser.kept_words import KEPT

pytestmark = [pytest.mark.browser]


def ask(page, message: str) -> None:
    page.get_by_label("Your message").fill(message)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("arm", ["ai", "no_ai"])
@pytest.mark.slow
def test_the_room_fills_the_window_and_names_its_parts(person, arm):
    page = person.open(f"arm={arm}")
    for label in ["Instructions", EDITOR, "Output", "Time left"]:
        assert page.get_by_label(label).count() == 1
    assert page.get_by_label("Assistant").count() == page.get_by_role("button", name="Send").count() == (arm == "ai")
    assert page.get_by_text("Library notes").is_visible()
    height, width, side = page.evaluate(
        "() => [document.documentElement.scrollHeight, document.documentElement.scrollWidth,"
        " document.querySelector('.sa-side').getBoundingClientRect().width]"
    )
    assert (height, width) == (768, 1366)
    assert round(side) == 369
    assert not re.search(r"\[\w+\]", page.get_by_label("Instructions").inner_text())


def test_run_streams_output_marks_examples_and_points_at_the_failing_line(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    page.keyboard.type('print("one")\noops\n')
    page.keyboard.press("Control+Enter")
    output = page.get_by_label("Output")
    output.locator(".sa-lines", has_text="one").wait_for()
    page.get_by_role("tab", name="Examples 1/2").click()
    output.get_by_text("waits for every user").wait_for()
    assert output.get_by_text("Passed").count() == output.get_by_text("Not yet").count() == 1
    page.get_by_role("button", name="line 5").click()
    assert page.locator(".cm-activeLine").inner_text().strip() == 'print("hello")'
    person.wait_for(lambda: person.events("run_pressed"))


def test_a_run_can_be_interrupted_and_does_not_wait_for_a_reply(person):
    page = person.open()
    ask(page, "slowly please")
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("sleep(20)")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Interrupt").click()
    page.get_by_text("Interrupted").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("You stopped this reply.").last.wait_for()
    page.get_by_role("button", name="Send").wait_for()


@pytest.mark.slow  # by default: the parts of a reply, in tests/ui/components/test_component_reply.py
def test_a_reply_is_drawn_as_text_with_code_to_copy_and_survives_a_reload(person):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = person.open()
    page.get_by_label("Your message").type("With markup?")
    page.keyboard.press("Enter")
    page.locator(".sa-reply p").first.wait_for()
    known = {event["kind"] for event in person.events()}
    assert {"compose_start", "send_pressed"} <= known, "the server has them before the message"
    reply = page.locator(".sa-reply")
    reply.get_by_text("Tell me if an error appears.").wait_for()
    assert reply.locator("img").count() == 0
    assert "<img src=x onerror=alert(1)>" in reply.inner_text()
    reply.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("async def greet(name: str) -> None:\n    await")

    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+v")
    turn = person.server.book.rows("select id from turns where who = ?", person.who)[0]["id"]
    attempt = person.wait_for(lambda: person.events("paste_attempt"))[0]["payload"]
    assert (attempt["from"], attempt["turn_id"]) == ("reply", turn)
    assert person.events("copy_reply")[0]["payload"] == {"turn_id": turn, "text": copied, "how": "button"}
    kinds = [event["kind"] for event in person.events()]
    assert kinds.index("compose_start") < kinds.index("send_pressed") < kinds.index("compose_end")
    assert "greet" in editor_text(page)

    page.reload()
    page.locator(".sa-reply").get_by_text("Tell me if an error appears.").wait_for()
    assert page.locator(".sa-turn").count() == 1


@pytest.mark.slow
def test_a_reply_in_progress_is_taken_up_again_after_a_reload(person):
    page = person.open()
    ask(page, "slowly please")
    page.locator(".sa-reply").get_by_text("nursery").wait_for()
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    page.get_by_role("button", name="Stop").wait_for()
    page.locator(".sa-reply").get_by_text("several tasks").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".sa-turn").get_by_text("You stopped this reply.").wait_for()


@pytest.mark.slow
def test_failures_of_the_assistant_are_said_kindly_and_the_words_are_kept(person):
    page = person.open()
    ask(page, "are you unavailable?")
    page.get_by_text("The assistant is not available at the moment.").last.wait_for()
    assert page.get_by_label("Your message").input_value() == "are you unavailable?"
    assert page.locator(".sa-turn").count() == 0
    ask(page, "please break off")
    page.locator(".sa-turn").get_by_text("The assistant had to stop.").wait_for()
    assert "nursery" in page.locator(".sa-reply").inner_text()


@pytest.mark.slow
def test_text_from_replies_is_kept_out_where_the_arm_forbids_pasting_it(person):
    page = person.open("paste=0")
    before = editor_text(page)
    ask(page, "how?")
    page.locator(".sa-reply").get_by_text("Tell me").wait_for()
    page.get_by_label(EDITOR).click()
    paste(page, "async with trio.open_nursery() as nursery:\n    nursery.start_soon(greet, 'Ada')"[:60])
    page.get_by_text("cannot be pasted").wait_for()
    assert editor_text(page) == before
    paste(page, "something_else = 1\n")
    assert editor_text(page) == before + "something_else = 1\n"
    origins = person.wait_for(lambda: [event["payload"]["from"] for event in person.events("paste_attempt")][:2])
    assert origins == ["reply", "outside"]


@pytest.mark.slow
def test_copies_from_the_brief_and_the_editor_are_known_by_their_place(person):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = person.open()
    page.get_by_label("Instructions").get_by_text("What to write").click(click_count=3)
    page.keyboard.press("Control+c")
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+v")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    page.keyboard.press("Control+v")
    attempts = person.wait_for(lambda: person.events("paste_attempt")[1:] and person.events("paste_attempt"))
    assert [event["payload"]["from"] for event in attempts] == ["brief", "editor"]
    assert [event["payload"]["from"] for event in person.events("copy")] == ["brief"]
    assert [event["payload"]["from"] for event in person.events("cut")] == ["editor"]


@pytest.mark.slow
def test_submitting_warns_of_failing_examples_and_then_moves_on(person):
    page = person.open()
    page.get_by_role("button", name="Submit task").click()
    page.get_by_text("waits for every user").wait_for()
    page.get_by_role("button", name="Keep working").click()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# done\n")
    page.get_by_role("button", name="Submit task").click()
    page.get_by_role("heading", name="Fetching users").wait_for()
    assert editor_text(page).startswith("import trio")
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# second\n")
    person.wait_for(lambda: person.replayed("users") == editor_text(page))
    page.get_by_role("button", name="Submit task").click()
    page.get_by_role("button", name="Submit anyway").click()
    page.get_by_text("After the tasks").wait_for()
    codes = person.server.book.rows("select task, code from submissions where who = ?", person.who)
    assert [row["task"] for row in codes] == ["timer", "users"]
    assert [row["code"] for row in codes] == [person.replayed("timer"), person.replayed("users")]
    assert person.gaps() == []


@pytest.mark.slow  # by default: the same of a quiz, in tests/ui/screens/test_forms_browser.py
def test_the_deadline_closes_the_editor_and_the_server_moves_on(person):
    page = person.context.new_page()
    page.add_init_script("window.seen = []; new MutationObserver(() => { const v = document.querySelector('.sa-veil');"
                         " if (v && !v.hidden) window.seen.push(v.textContent); }).observe(document,"
                         " {subtree: true, childList: true, attributes: true});")  # fmt: skip
    page = person.open("minutes=0.1", page=page)
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# in time\n")
    page.get_by_text("After the tasks").wait_for(timeout=40_000)
    seen = page.evaluate("window.seen")
    assert any("Time is up. The program in your editor has been handed in" in text for text in seen)
    assert person.replayed().endswith("# in time\n")


@pytest.mark.slow  # by default: a task by keyboard, in tests/trial/test_trial_browser.py
def test_the_keyboard_reaches_and_leaves_everything(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Tab")
    assert editor_text(page).startswith("    import")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+/")
    assert editor_text(page).startswith("# import")
    page.evaluate("document.querySelector('.cm-content').cmTile.root.view.dispatch({changes: {from: 0, insert: '#'}})")
    edits = person.wait_for(lambda: person.events("edit")[3:])
    assert [edit["payload"]["kind"] for edit in [*person.events("edit")[:3], *edits]] == [
        "indent", "indent", "typed", "programmatic",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
        )
    assert reached[0] == "Run"
    assert {"Assistant", "Your message"} <= set(reached)
    page.get_by_role("tab", name="Assistant").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Nurseries").focus()
    page.keyboard.press("Enter")
    opened = person.wait_for(lambda: person.events("notes_opened")[1:] and person.events("notes_opened"))
    assert [event["payload"]["title"] for event in opened] == ["", "Nurseries"]


@pytest.mark.slow
def test_panes_are_resized_by_keyboard_and_pointer_and_stay_so_after_a_reload(person):
    page = person.open()
    widths = "() => ['.sa-brief', '.sa-side'].map(name => document.querySelector(name).getBoundingClientRect().width)"
    brief, side = page.evaluate(widths)
    page.get_by_role("separator", name="Width of the left pane").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(widths)[0] == pytest.approx(brief + 48, abs=1)
    box = page.get_by_role("separator", name="Width of the right pane").bounding_box()
    page.mouse.move(box["x"] + 4, 300)
    page.mouse.down()
    page.mouse.move(box["x"] - 76, 300, steps=4)
    page.mouse.up()
    wanted = page.evaluate(widths)
    assert wanted == pytest.approx([brief + 48, side + 80], abs=2)
    events = person.wait_for(lambda: person.events("panes_resized")[2:] and person.events("panes_resized"))
    assert events[-1]["payload"] == {"brief": round(wanted[0]), "side": round(wanted[1])}
    page.set_viewport_size({"width": 1000, "height": 768})
    assert page.evaluate("document.documentElement.scrollWidth") == 1000
    page.set_viewport_size({"width": 1366, "height": 768})
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    assert page.evaluate(widths) == pytest.approx(wanted, abs=1)


@pytest.mark.slow
def test_a_rerun_of_the_page_leaves_the_editor_its_focus_and_its_history(person):
    page = person.open()
    page.get_by_label(EDITOR).click()
    page.keyboard.type("x = 1")
    page.get_by_role("button", name="Leave the study").click()
    page.get_by_text("Really?").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Really?").wait_for(state="hidden")
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+z")
    assert not editor_text(page).startswith("x = 1")
    assert len(person.events("load")) == 1


@pytest.mark.slow
def test_an_answer_that_comes_late_does_not_end_the_task_it_came_to(person):
    page = person.open()

    def stale(route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "step": 99})

    page.route("**/api/events", stale)
    page.get_by_label(EDITOR).click()
    page.keyboard.type("x = 1\n")
    veil = page.locator(".sa-veil", has_text="This part is over")
    veil.wait_for()
    page.unroute("**/api/events")
    veil.wait_for(state="hidden")
    page.get_by_label(EDITOR).click()
    page.keyboard.type("y = 2\n")
    person.wait_for(lambda: person.replayed() == editor_text(page))
    assert "y = 2" in editor_text(page)


@pytest.mark.slow
def test_a_delayed_assistant_says_when_it_opens(person):
    page = person.open("delayed=1")
    page.get_by_text(re.compile(r"Opens in 1:\d\d")).wait_for()
    assert page.get_by_role("button", name="Send").is_disabled()


@pytest.mark.slow  # by default: attention, in tests/ui/components/test_component_log.py
def test_the_countdown_of_other_pages_reports_its_end_and_records_attention(component_server, chromium):
    person = Person.arrive(chromium, component_server)
    page = person.context.new_page()
    page.goto(f"{component_server.url}/?quiz=1&minutes=0.08")
    page.get_by_label("Time left").wait_for()
    page.get_by_label("Answer").click()
    paste(page, "an answer from elsewhere")
    page.get_by_text("expired True").wait_for(timeout=15_000)
    assert person.wait_for(lambda: person.events("paste_attempt"))[0]["payload"]["target"] == "answer"
    person.context.close()


@pytest.mark.slow
def test_a_half_written_message_outlives_a_reload_and_is_forgotten_once_it_is_sent(person):
    page = person.open()
    page.get_by_label("Your message").fill("half a ques")
    person.wait_for(lambda: [person.who, "chat:message"] in page.evaluate(KEPT, "drafts"))
    page.reload()
    box = page.get_by_label("Your message")
    expect(box).to_have_value("half a ques")
    box.press("End")
    box.press_sequentially("tion")
    box.press("Enter")
    expect(page.get_by_text("half a question")).to_be_visible()
    person.wait_for(lambda: [person.who, "chat:message"] not in page.evaluate(KEPT, "drafts"))
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("")


ASKED = {
    "action_id": "a1", "turn_id": "t1", "step": 1, "tool": "ask", "input": {"question": "Which one?"}, "waits": True,
    "start": None, "end": None, "length": None, "line": None, "decision": None, "result": None, "failed": False,
}  # fmt: skip


def asked_an_agent(person) -> dict:
    """A turn of this person that is not over, as the page gets it."""
    turn_id = f"turn of {person.who}"
    person.server.book.person(person.who)
    row = "insert into turns values(?, ?, 'do it', '', 0, 0, null, null, 0)"
    person.server.book.rows(row, turn_id, person.who)
    return {"turn_id": turn_id, "message": "do it", "reply": "", "complete": False, "stopped": False, "error": None}


@pytest.mark.slow
def test_a_half_written_answer_to_an_agent_and_a_reason_outlive_a_reload(person):
    turn = asked_an_agent(person)
    page = person.context.new_page()
    page.route("**/api/chat/turns", lambda route: route.fulfill(json={"turns": [turn | {"actions": [ASKED]}]}))
    page = person.open("agent&exit", page=page)
    answer, reason = page.locator(".sa-agent textarea"), page.locator("[data-field=impossible]")
    answer.fill("the sec")
    page.locator("[data-act=cannot]").click()
    reason.fill("it is not")
    page.wait_for_timeout(500)
    page.reload()
    expect(answer).to_have_value("the sec")
    expect(reason).to_have_value("it is not")
    page.locator("[data-act=agent-answer]").click()
    person.wait_for(lambda: person.events("agent_answered"))
    kept = {name for _, name in page.evaluate(KEPT, "drafts")}
    assert "agent:a1:answer" not in kept
    assert "cannot:timer" in kept


@pytest.mark.slow
def test_what_is_pasted_into_the_reason_on_an_agents_card_is_logged_as_in_other_boxes(person):
    turn = asked_an_agent(person)
    wants = ASKED | {"tool": "run", "input": {}}
    page = person.context.new_page()
    page.route("**/api/chat/turns", lambda route: route.fulfill(json={"turns": [turn | {"actions": [wants]}]}))
    page = person.open("agent", page=page)
    page.locator(".sa-agent-why").click()
    paste(page, "a reason from elsewhere")
    attempt = person.wait_for(lambda: person.events("paste_attempt"))[0]["payload"]
    assert (attempt["text"], attempt["from"], attempt["target"]) == ("a reason from elsewhere", "outside", "message")


@pytest.mark.slow
def test_the_switch_of_an_agent_shows_at_each_stage_what_the_server_goes_by(person):
    page = person.context.new_page()

    def by_stage(route) -> None:
        # Each task is a stage here.
        said = route.fetch()
        body = said.json()
        route.fulfill(
            response=said, json=body | ({"stage": f"tasks{body['step']}"} if body.get("step") in (0, 1) else {})
        )

    page.route("**/api/*", by_stage)
    page = person.open("agent&switch", page=page)
    switch = page.locator("[data-act=without-asking]")
    switch.check()
    person.wait_for(lambda: person.events("agent_switched"))
    page.get_by_label(EDITOR).click()
    page.keyboard.type("# done\n")
    page.get_by_text("Saved").wait_for()
    page.get_by_role("button", name="Submit task").click()
    expect(page.locator(".sa-room[data-task=users]")).to_be_visible()
    expect(switch).not_to_be_checked()
    assert len(person.events("agent_switched")) == 1


@pytest.mark.slow
def test_what_is_over_leaves_no_draft_on_this_computer(person):
    page = person.open()
    page.get_by_label("Your message").fill("never sent")
    for task in ("timer", "users"):
        expect(page.locator(f".sa-room[data-task={task}]")).to_be_visible()
        page.get_by_label(EDITOR).click()
        page.keyboard.type("# done\n")
        person.wait_for(lambda task=task: [person.who, task] in page.evaluate(KEPT, "drafts"))
        page.get_by_text("Saved").wait_for()
        page.get_by_role("button", name="Submit task").click()
    page.get_by_text("After the tasks").wait_for()
    person.wait_for(lambda: page.evaluate(KEPT, "drafts") == [])
