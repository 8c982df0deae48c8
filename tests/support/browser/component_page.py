"""The Streamlit page that the component tests open: one participant's room, from the stand-in's book."""

import time
import tomllib
from pathlib import Path

import streamlit as st
from support.browser.component_server import STARTER, TASKS, Book, state_of, turns_of

import study_app
from study_app.ui.components import actions, countdown, workspace

TEXTS = tomllib.loads((Path(study_app.__file__).parent / "texts/en.toml").read_text("utf-8"))["workspace"]
BRIEF = """<p>The small programs of this task greet people after a delay. You write them with <strong>Trio</strong>, a
library for doing several things at once.</p><h3>What to write</h3><ol><li>An async function
<code>greet(name, delay)</code> that waits <code>delay</code> seconds and then prints <code>Hello, NAME!</code></li>
<li>An async function <code>main()</code> that greets three people at the same time, and gives up after two
seconds.</li></ol><h3>Syntax you may need</h3>
<pre><code class="language-python">async with trio.open_nursery() as tasks:
    tasks.start_soon(work, 1)

with trio.move_on_after(2):
    await trio.sleep(10)
</code></pre><p>Press <em>Run</em> as often as you like. Two examples are checked each time.</p>"""
NOTES = """<h2>Sleeping</h2><p>Inside an async function, <code>await trio.sleep(seconds)</code> waits without holding
up other tasks.</p><pre><code class="language-python">await trio.sleep(0.5)</code></pre><h2>Nurseries</h2><p>A nursery
holds the tasks that you start in it, and is left when all of them have ended.</p><pre><code class="language-python">
async with trio.open_nursery() as nursery:
    nursery.start_soon(work, "a")</code></pre><h2>Timeouts</h2><p>A cancel scope ends what takes too long.</p>
<h2>Errors in child tasks</h2><p>They arrive together in an exception group.</p>"""

st.set_page_config(layout="wide")
book = Book(st.secrets["book"])
query = st.query_params
who = st.context.cookies.get("study_participant", "unknown")
person = book.person(who, float(query.get("minutes", 35)), query.get("arm", "ai"))
state = state_of(book, who)
assistant = {
    "label": "Assistant",
    "greeting": "I know the task and your current code. Ask me anything about either.",
    "turns": turns_of(book, who),
    "allow_paste": query.get("paste", "1") == "1",
    "allow_insert": "insert" in query,
    "agent": {"offers_mode": "switch" in query, "without_asking": False} if "agent" in query else None,
    "opens_at_ms": round(time.time() * 1000) + 90_000 if "delayed" in query else None,  # noqa: TID251
}
now, deadline = state["now_ms"], person["deadline"]
if "quiz" in query:
    result = countdown(
        {
            "deadline_ms": deadline,
            "now_ms": now,
            "texts": TEXTS,
            "record": {"page_key": who, "stage": "tasks", "step": 0, "api": ""},
        },
        key="countdown",
    )
    st.text_input("Answer")
    st.text(f"expired {bool(result.expired)}")
elif state["stage"] == "after" or now >= deadline:
    st.title("After the tasks")
    if query.get("end", "none") != "none":
        words = tomllib.loads((Path(study_app.__file__).parent / "texts/en.toml").read_text("utf-8"))["page"]
        end = {
            "page_key": who,
            "stage": "after",
            "screen": "after",
            "buttons": [],
            "pledge": None,
            "copies": [],
            "link": None,
        }
        forget = {"page_key": who, "events": query["end"] == "erased", "last": query["end"] != "between"}
        more = {"leave": None, "pinned": False, "api": "", "texts": words}
        actions(end | more | {"forget": forget}, key="actions")
else:
    task = TASKS[person["task"]]
    saved = book.text(who, task)
    brief = BRIEF
    result = workspace(
        {
            "page_key": who,
            "stage": f"tasks{person['task']}" if "switch" in query else "tasks",
            "step": person["task"],
            "stage_title": "Tasks",
            "task": {
                "id": task,
                "title": {"timer": "Greetings with a delay", "users": "Fetching users"}[task],
                "index": person["task"] + 1,
                "count": len(TASKS),
                "brief_html": brief,
            },
            "doc": STARTER if saved is None else saved,
            "doc_source": "starter" if saved is None else "saved",
            "starter": STARTER,
            "longest_code": 64_000,
            "time_scope": "for both tasks",
            "deadline_ms": deadline,
            "now_ms": now,
            "assistant": assistant if person["arm"] == "ai" else None,
            "notes_html": NOTES,
            "last_run": None,
            "can_leave": True,
            "offers_exit": "exit" in query,
            "api": "",
            "texts": TEXTS,
        },
        key="workspace",
    )
    if result.leave:
        st.dialog("Leave the study")(lambda: st.write("Really?"))()
