"""Replies: Markdown as elements, never as HTML of a model's making; whole, partial, hostile."""

from __future__ import annotations

import random
import re
import time

import pytest
from playwright.sync_api import expect
from support.browser.component_browser import EDITOR, Person, editor_text

pytestmark = [pytest.mark.browser]

WHOLE = """Here is *how* with **both**, ~~gone~~ and `two  spaces `.

1. First:

   ```python
   async def timer(name):
       await trio.sleep(1)
   ```

   - a sub point
     1. deeper still
   - another
2. Second

```python
trio.run(main)
```

3. Third, numbered on

| call | means |
|---|---:|
| `sleep(1)` | wait \\| rest |

> quoted *words*

---

See [the docs](https://trio.readthedocs.io/en/stable/) or https://example.org/bare, not main.py.
<b onclick="alert(1)">raw</b> &amp; [no](javascript:alert(1)) ![a picture](https://example.org/x.png)
"""


class Replies:
    """A page whose assistant says whatever the test gives it."""

    def __init__(self, person: Person, query: str = "") -> None:
        self.text = ""
        self.page = person.context.new_page()
        self.page.route("**/api/chat", self._answer)
        person.open(query, self.page)
        self.number = 0

    def _answer(self, route) -> None:
        self.number += 1
        headers = {"content-type": "text/plain; charset=utf-8", "x-turn-id": f"turn{self.number}"}
        route.fulfill(status=200, headers=headers, body=self.text)

    def say(self, text: str):
        """The reply's element, drawn to its end."""
        self.text = text
        before = self.page.locator(".sa-reply").count()
        self.page.get_by_label("Your message").fill(f"question {before}")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".sa-reply")).to_have_count(before + 1)
        expect(self.page.get_by_role("button", name="Send")).to_be_visible()
        return self.page.locator(".sa-reply").last


@pytest.fixture
def replies(person) -> Replies:
    return Replies(person)


def tags(reply) -> list[str]:
    return reply.evaluate("e => [...e.querySelectorAll('*')].map(each => each.tagName.toLowerCase())")


def test_every_part_of_a_usual_reply_becomes_its_element(replies):
    reply = replies.say(WHOLE)
    assert {"em", "strong", "s", "code", "ol", "ul", "li", "pre", "table", "th", "td", "blockquote", "hr", "a"} <= set(
        tags(reply)
    )
    assert reply.locator(":scope > ol").count() == 2
    assert reply.locator(":scope > ol").nth(1).get_attribute("start") == "3"
    assert reply.locator(":scope > ol > li").count() == 3
    assert reply.locator("ol > li > ul > li > ol > li").inner_text() == "deeper still"
    assert reply.locator("td").nth(1).inner_text() == "wait | rest"
    assert reply.locator("p code").first.evaluate("e => e.textContent") == "two  spaces "
    assert reply.locator("p code").first.evaluate("e => getComputedStyle(e).whiteSpaceCollapse") == "break-spaces"


@pytest.mark.slow
def test_links_open_beside_the_study_and_lead_outside_only(replies):
    reply = replies.say(
        WHOLE + "\n[home](/enter) [file](file:///etc/passwd) [data](data:text/html,x) <javascript:alert(1)>"
    )
    links = reply.locator("a").evaluate_all("all => all.map(a => [a.getAttribute('href'), a.target, a.rel])")
    assert [href for href, _, _ in links] == [
        "https://trio.readthedocs.io/en/stable/", "https://example.org/bare", "https://example.org/x.png",
    ]  # fmt: skip
    assert {(target, rel) for _, target, rel in links} == {("_blank", "noopener noreferrer")}


def test_raw_html_is_shown_as_the_text_it_is(replies):
    html = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>\n\n<div onclick="x">\n\n<!-- c -->'
    reply = replies.say(html)
    assert set(tags(reply)) <= {"p", "br"}
    assert '<img src=x onerror="window.hit = 1"><script>' in reply.inner_text()
    assert "<!-- c -->" in reply.inner_text()
    assert replies.page.evaluate("window.hit") is None


INDENTED = [
    "1. Like this:\n   ```python\n   async def f():\n       pass\n   ```\n2. Then",
    "- Like this:\n\n      ```python\n      async def f():\n          pass\n      ```\n",
    "10. Like this:\n    ```py\n    async def f():\n        pass\n    ```\n",
    "* a\n  * b:\n    ~~~\n    async def f():\n        pass\n    ~~~\n",
    "> ```python\n> async def f():\n>     pass\n> ```\n",
    "   ```python\n   async def f():\n       pass\n   ```",
    "1. a\r\n\r\n   ```python\r\n   async def f():\r\n       pass\r\n   ```\r\n",
    "```python\nasync def f():\n    pass",
]


@pytest.mark.slow
def test_code_is_copied_without_the_indent_of_where_it_stands(person):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    replies = Replies(person)
    for text in INDENTED:
        replies.say(text).get_by_role("button", name="Copy").click()
        assert replies.page.evaluate("navigator.clipboard.readText()") == "async def f():\n    pass", text


@pytest.mark.slow
def test_a_growing_reply_never_draws_half_a_fence_and_ends_as_the_whole_one(replies):
    whole = replies.say(WHOLE).evaluate("e => e.innerHTML")
    seen = replies.page.evaluate(
        """text => {
            const boxes = [];
            const watch = new MutationObserver(() => {
                const last = [...document.querySelectorAll(".sa-reply")].at(-1);
                boxes.push(last.innerText);
            });
            watch.observe(document.querySelector(".sa-turns"), {subtree: true, childList: true, characterData: true});
            window.boxes = boxes;
            const parts = text.match(/[\\s\\S]{1,3}/g);
            const real = window.fetch;
            window.fetch = (url, options) => {
                if (!String(url).endsWith("/api/chat")) return real(url, options);
                const encoder = new TextEncoder();
                const body = new ReadableStream({async start(controller) {
                    for (const part of parts) {
                        controller.enqueue(encoder.encode(part));
                        await new Promise(requestAnimationFrame);
                    }
                    controller.close();
                }});
                return Promise.resolve(new Response(body, {status: 200, headers: {"x-turn-id": "grown"}}));
            };
            return parts.length;
        }""",
        WHOLE,
    )
    assert seen > 100
    replies.page.get_by_label("Your message").fill("again, slowly")
    replies.page.keyboard.press("Enter")
    last = replies.page.locator(".sa-reply").last
    expect(last.get_by_text("quoted")).to_be_visible()
    expect(replies.page.get_by_role("button", name="Send")).to_be_visible()
    assert last.evaluate("e => e.innerHTML") == whole
    shown = replies.page.evaluate("window.boxes")
    assert len(shown) > 20
    assert not [text for text in shown if re.search(r"^\s*(`{2,}|~{2,})\s*\w*$", text, re.MULTILINE)]


HOSTILE = {
    "brackets": "[" * 60_000,
    "images": "![" * 30_000,
    "stars": "*a " * 20_000,
    "emphasis": "a**b" * 15_000,
    "underscores": "_a__b" * 12_000,
    "quotes": ">" * 30_000 + "x",
    "bullets": "- " * 10_000 + "x",
    "backticks": "".join("`" * count + "x" for count in range(300)),
    "links": "[a](<b" * 10_000,
    "table": "|a" * 1500 + "\n" + "|-" * 1500 + "\n" + "|x\n" * 400,
    "comments": "<!--" * 15_000,
    "entities": "&#" * 30_000,
    "nested lists": "\n".join(" " * (2 * depth) + "- x" for depth in range(200)),
    "numbers": "\n".join(f"{number}. x" for number in range(3000)),
    "one fence": "```python\n" + "x = [(" * 8000,
    "words": "word " * 20_000,
}


DEFAULT = {"one fence"}
NAMES = [name if name in DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in HOSTILE]


@pytest.mark.parametrize("name", NAMES)
def test_no_reply_can_hold_up_the_page(replies, name):
    """Twice the text may take three times as long, not four: what is drawn grows with the text."""
    text = HOSTILE[name]
    spent = []
    for part in (text[: len(text) // 2], text):
        began = time.monotonic()
        replies.say(part)
        spent.append(time.monotonic() - began)
    assert spent[1] < 8 + 3 * spent[0], spent
    replies.page.get_by_label(EDITOR).click()
    replies.page.keyboard.type("x")
    assert "x" in editor_text(replies.page)


PIECES = [
    "plain words ", "*star* ", "**bold", "`code` ", "``", "\n", "\n\n", "- item ", "1. one ", "   ", "> quote ",
    "# head ", "```\n", "| a | b |\n|---|---|\n", "[text](http://x.org) ", "<b>", "&amp; ", "---\n", "\\*", "_under_ ",
    "~~~", "\t",
]  # fmt: skip


@pytest.mark.slow
def test_no_word_of_a_reply_is_lost_whatever_stands_around_it(replies):
    chooser = random.Random(5)
    for _ in range(25):
        words = [f"w{number}" for number in range(chooser.randrange(3, 14))]
        text = "".join(f"{chooser.choice(PIECES) * chooser.randrange(3)} {word} " for word in words)
        shown = replies.say(text).evaluate("e => e.innerText")
        lost = [word for word in words if not re.search(rf"\b{word}\b", shown)]
        assert lost == [], text


@pytest.mark.slow
def test_the_whole_reply_can_be_copied_and_counts_as_taken_from_it(person):
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    replies = Replies(person)
    replies.say(WHOLE)
    replies.page.get_by_role("button", name="Copy reply").click()
    assert replies.page.evaluate("navigator.clipboard.readText()") == WHOLE
    copied = person.wait_for(lambda: person.events("copy_reply"))[0]["payload"]
    assert (copied["turn_id"], copied["how"]) == ("turn1", "button")


def test_code_is_put_into_the_editor_where_the_study_allows_it_and_logged_as_a_paste_of_the_reply(person):
    replies = Replies(person, "insert=1")
    replies.say("Use:\n\n```python\nasync def f():\n    pass\n```")
    page = replies.page
    page.get_by_label(EDITOR).click()
    page.keyboard.press("Control+End")
    page.get_by_role("button", name="Insert into editor").click()
    assert editor_text(page).endswith("trio.run(main)\nasync def f():\n    pass\n")
    attempt = person.wait_for(lambda: person.events("paste_attempt"))[0]["payload"]
    assert (attempt["from"], attempt["turn_id"], attempt["target"]) == ("reply", "turn1", "editor")
    edit = person.wait_for(lambda: person.events("edit"))[-1]["payload"]
    assert edit["kind"] == "paste"
    person.wait_for(lambda: person.replayed() == editor_text(page))
    page.keyboard.press("Control+z")
    assert "async def f" not in editor_text(page)


@pytest.mark.slow
def test_without_the_switch_there_is_no_button_for_it(replies):
    replies.say("```python\nx = 1\n```")
    assert replies.page.get_by_role("button", name="Insert into editor").count() == 0


@pytest.mark.slow
def test_the_question_stays_in_sight_while_its_reply_grows(replies):
    for _ in range(2):
        replies.say("\n\n".join(f"paragraph {number}" for number in range(40)))
    page = replies.page
    box = page.locator(".sa-chat .sa-scroll").bounding_box()
    asked = page.locator(".sa-asked").last.bounding_box()
    assert box["y"] - 1 <= asked["y"] <= box["y"] + 60
    assert page.get_by_text("paragraph 0").last.is_visible()


@pytest.mark.slow
def test_after_a_reload_the_conversation_is_where_it_was(person):
    page = person.open()
    long = "\n\n".join(f"paragraph {number}" for number in range(30))
    for number in range(2):
        page.get_by_label("Your message").fill(f"say: {long} end{number}")
        page.keyboard.press("Enter")
        expect(page.locator(".sa-reply").last).to_contain_text(f"end{number}")
        expect(page.get_by_role("button", name="Send")).to_be_visible()
    scroller = page.locator(".sa-chat .sa-scroll")
    scroller.evaluate("e => e.scrollTop = e.scrollHeight / 2")
    page.wait_for_timeout(200)
    before = scroller.evaluate("e => e.scrollTop")
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    expect(page.locator(".sa-reply").last).to_contain_text("end1")
    page.wait_for_function(f"Math.abs(document.querySelector('.sa-chat .sa-scroll').scrollTop - {before}) < 3")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    page.wait_for_function(
        "(e => e && e.scrollTop > 0 && e.scrollHeight - e.scrollTop - e.clientHeight < 3)"
        "(document.querySelector('.sa-chat .sa-scroll'))"
    )


@pytest.mark.slow
def test_the_conversation_keeps_its_place_while_the_notes_are_read(replies):
    replies.say("\n\n".join(f"paragraph {number}" for number in range(60)))
    page = replies.page
    scroller = page.locator(".sa-chat .sa-scroll")
    scroller.evaluate("e => e.scrollTop = 300")
    page.get_by_role("tab", name="Library notes").click()
    page.get_by_role("tab", name="Assistant").click()
    assert scroller.evaluate("e => e.scrollTop") == 300


@pytest.mark.slow
def test_a_reply_that_broke_off_can_be_asked_for_again(person):
    page = person.open()
    page.get_by_label("Your message").fill("please break off")
    page.keyboard.press("Enter")
    page.locator(".sa-note", has_text="had to stop").wait_for()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".sa-turn")).to_have_count(2)
    expect(page.locator(".sa-asked").last).to_contain_text("please break off")
    page.locator(".sa-note", has_text="had to stop").nth(1).wait_for()
    page.reload()
    page.get_by_label(EDITOR).wait_for()
    expect(page.get_by_role("button", name="Try again")).to_have_count(2)


@pytest.mark.slow
def test_what_is_typed_while_a_message_is_sent_stays_below_the_words_that_come_back(person):
    page = person.open()
    waiting = []
    page.route("**/api/chat", lambda route: waiting.append(route))
    box = page.get_by_label("Your message")
    box.fill("my long question")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.sa-asked')")
    page.keyboard.type("the next one")
    page.keyboard.press("Home")
    person.wait_for(lambda: page.title() and waiting)
    waiting[0].abort()
    expect(page.locator(".sa-notice")).to_contain_text("could not be sent")
    expect(box).to_have_value("my long question\n\nthe next one")
    page.keyboard.type("and ")
    expect(box).to_have_value("my long question\n\nand the next one")


@pytest.mark.slow
def test_a_reply_is_asked_for_again_only_once_the_one_that_is_written_has_ended(person):
    page = person.open()
    page.get_by_label("Your message").fill("please break off")
    page.keyboard.press("Enter")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_enabled()
    page.get_by_label("Your message").fill("slowly please")
    page.keyboard.press("Enter")
    page.locator(".sa-reply").get_by_text("several tasks").wait_for()
    expect(again).to_be_disabled()
    again.evaluate("button => { button.disabled = false; button.click(); button.disabled = true; }")
    expect(again).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(again).to_be_enabled()
    again.click()
    expect(page.locator(".sa-asked")).to_contain_text(["please break off", "slowly please", "please break off"])


@pytest.mark.slow
@pytest.mark.parametrize("key", [{"keyCode": 229}, {"keyCode": 13, "isComposing": True}])
def test_enter_that_confirms_what_an_input_method_composed_sends_nothing(person, key):
    page = person.open()
    box = page.get_by_label("Your message")
    box.fill("\u3053\u3093\u306b\u3061\u306f")
    press = """(box, key) => box.dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...key}))"""
    assert box.evaluate(press, key), "the key is left to the input method"
    assert box.input_value()
    assert not box.evaluate(press, {"keyCode": 13})
    expect(box).to_have_value("")
    expect(page.locator(".sa-asked")).to_have_count(1)


@pytest.mark.slow
def test_that_the_message_could_not_be_sent_is_not_said_any_more_once_it_could(person):
    page = person.open()
    person.context.set_offline(True)
    page.get_by_label("Your message").fill("hello?")
    page.keyboard.press("Enter")
    notice = page.locator(".sa-notice")
    expect(notice).to_contain_text("could not be sent")
    assert page.get_by_label("Your message").input_value() == "hello?"
    person.context.set_offline(False)
    expect(notice).to_have_text("")
    assert page.get_by_label("Your message").input_value() == "hello?"
