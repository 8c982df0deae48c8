"""The embedded assistant: what it finds, what it gives away, what it admits not to know."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.assistant.answers import answer
from study_app.assistant.inspection import findings, unfinished
from study_app.assistant.intents import intents
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import NotesAssistant, notes_in_folder
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd
from study_app.domain.errors import ProblemsFound

CODE_NOTES = """
## fetch

```python
async def fetch(n):
    await trio.sleep(n)
```

Sleeps and is done.

## gather

```python
async def gather():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, 1)
```
"""
FILES = {
    "concepts.md": "## Nurseries\nAlso: concurrent\n\nChildren live there.\n\n```python\nasync with x:\n    pass\n```\n"
    "## Sleeping\n\nUse sleep to wait some seconds.\n",
    "errors.md": "## coroutine was never awaited\nAlso: RuntimeWarning\nLooks for: `(?m)^\\s*trio\\.sleep\\(`\n\n"
    "Add await.\n## SyntaxError\n\nLook for a colon.\n",
    "code.md": CODE_NOTES,
    "hints.md": "## fetch\n\n1. Something has to wait.\n2. Trio can sleep.\n",
    "questions.md": "## fetch\n\n- What waits?\n- For how long?\n",
}
NOTEBOOK = Notebook(FILES)
CODE = NOTEBOOK.of_kind("code")
STARTER = "import trio\n\n\nasync def fetch(n):\n    ...\n\n\nasync def gather():\n    raise NotImplementedError\n"


def reply_to(message, code=STARTER, history=(), manner="answers", gives_code=True):
    request = AssistantRequest(message, "", code, tuple(history))
    return answer(request, NOTEBOOK, manner=manner, gives_code=gives_code)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Write the fetch function", {"generation"}),
        ("can you finish it for me", {"generation"}),
        ("What is a nursery?", {"explanation"}),
        ("How do I write to a dict?", {"explanation"}),
        ("how do I catch an error in a child task?", {"explanation"}),
        ("Write fetch and explain it", {"generation", "explanation"}),
        ("why is my code not working", {"debugging"}),
        ("ValueError: bad", {"debugging"}),
        ("I get an error here", {"debugging"}),
        ("what can you do?", {"capability"}),
        ("Thanks, it works!", {"appreciation"}),
        ("", {"greeting"}),
    ],
)
def test_the_words_of_a_message_show_what_it_asks_for(message, expected):
    assert intents(message) == expected


def test_a_pasted_brief_asks_for_the_task_to_be_done():
    brief = "Fetch the data of every user at the same time and store each result in a dictionary by its id."
    assert intents(brief, brief) == {"generation"}
    assert intents("Is every user fetched?", brief) == {"explanation"}


def test_asked_for_a_function_it_gives_that_function():
    reply = reply_to("Please write fetch for me")
    assert "await trio.sleep(n)" in reply
    assert "open_nursery" not in reply


def test_asked_for_the_code_it_gives_what_is_still_missing():
    done = STARTER.replace("    ...", "    await trio.sleep(n)")
    reply = reply_to("give me the code", code=done)
    assert "open_nursery" in reply
    assert "Sleeps and is done" not in reply


def test_without_code_it_gives_hints_one_after_the_other():
    first = reply_to("write fetch", manner="hints", gives_code=False)
    second = reply_to("write fetch", history=[("write fetch", first)], manner="hints", gives_code=False)
    third = reply_to("write fetch", history=[("a", first), ("b", second)], manner="hints", gives_code=False)
    assert "Something has to wait." in first
    assert "Trio can sleep." in second
    assert "Trio can sleep." in third


def test_the_tutor_answers_with_its_next_question():
    first = reply_to("write fetch", manner="questions", gives_code=False)
    second = reply_to("write fetch", history=[("write fetch", first)], manner="questions", gives_code=False)
    assert first.endswith("What waits?")
    assert second.endswith("For how long?")


@given(st.text(max_size=80), st.sampled_from(["hints", "questions"]))
@settings(max_examples=60, deadline=None)
def test_no_message_gets_code_out_of_an_arm_without_code(message, manner):
    for asked in (message, f"write the code {message}", f"fix it {message}", f"explain nurseries {message}"):
        assert "```" not in reply_to(asked, code="trio.sleep(1)", manner=manner, gives_code=False)


def test_a_forgotten_await_is_found_with_its_line():
    code = "import trio\n\n\nasync def fetch(n):\n    trio.sleep(n)  # wait\n"
    reply = reply_to("why is my code not working?", code=code)
    assert "Line 5" in reply
    assert "Add await." in reply
    assert "await trio.sleep(n)" in reply, "the arm with code also gets the function as it should be"


def test_an_async_function_of_ones_own_called_without_await_is_found():
    code = "async def fetch(n):\n    pass\n\n\nasync def main():\n    x = fetch(1)\n"
    (finding,) = findings(code, NOTEBOOK.of_kind("errors"))
    assert (finding.line, finding.function) == (6, "main")
    assert "`fetch` without `await`" in finding.what


def test_code_that_python_cannot_read_is_told_with_its_line():
    reply = reply_to("what is wrong?", code="def f()\n    pass\n")
    assert "Line 1 cannot be read by Python" in reply
    assert "Look for a colon." in reply


@pytest.mark.parametrize(
    "code",
    ["    " * 20_000 + "\n" + "  \n" * 20_000, "x = (" * 5000, "a\x00b", "trio.sleep(1)\n" * 60_000, "with " * 12_000],
    ids=["blank", "nested", "null", "long", "wide"],
)
def test_no_code_makes_it_fall_over_or_hang(code):
    assert reply_to("why does it not work?", code=code)
    assert reply_to("what is wrong " * 1400, code=code)


def test_commented_code_is_not_accused():
    assert findings("x = 1\n# trio.sleep(1)\n", NOTEBOOK.of_kind("errors")) == []


def test_code_without_a_known_fault_is_not_accused_either():
    done = "import trio\n\n\n" + "\n\n\n".join(note.code.strip("`\n").removeprefix("python\n") for note in CODE) + "\n"
    assert "no mistake that my notes know of" in reply_to("is this right?", code=done)
    assert "Not written yet: `fetch`, `gather`" in reply_to("is this right?")


def test_what_is_unfinished_is_seen_by_the_bodies():
    code = 'def a():\n    """Doc."""\n\n\ndef b():\n    return 1\n'
    assert unfinished(code, ["a", "b", "c"]) == ["a", "c"]
    assert unfinished("def broken(", ["a"]) == ["a"]


def test_an_explanation_comes_from_the_note_that_fits():
    assert "Children live there." in reply_to("what does a nursery do?")
    assert "wait some seconds" in reply_to("how long does sleep last?")


def test_asking_how_to_start_a_task_is_about_tasks_and_not_about_where_to_begin():
    reply = reply_to("What does a nursery do, and how do I start a task in it?")
    assert "Children live there." in reply
    assert "Something has to wait." not in reply


def test_a_short_question_is_read_with_the_one_before():
    assert "Children live there." in reply_to("why?", history=[("what is a nursery", "It holds children.")])


@pytest.mark.parametrize(
    "message", ["I'm stuck", "where do I start?", "what should I do next", "help me with fetch", "fetch?"]
)
def test_asked_how_to_go_on_the_full_treatment_begins_and_the_others_point_the_way(message):
    full = reply_to(message)
    assert "await trio.sleep(n)" in full
    assert "hint" not in full
    assert "Something has to wait." in reply_to(message, manner="hints", gives_code=False)
    assert reply_to(message, manner="questions", gives_code=False).endswith("What waits?")


def test_being_stuck_with_a_visible_mistake_is_about_the_mistake():
    assert "Line 1" in reply_to("I'm stuck", code="trio.sleep(1)\n", manner="hints", gives_code=False)


def test_an_error_note_is_not_dragged_in_where_no_error_is_named():
    code = "def main():\n    trio.sleep(1)\n"
    assert "Look for a colon." not in reply_to("is my syntax correct?", code=code)
    assert "Look for a colon." in reply_to("SyntaxError: invalid syntax", code=code)


def test_it_says_so_when_the_notes_hold_nothing():
    reply = reply_to("how tall is the Eiffel tower?")
    assert reply.startswith("My notes have nothing on that. They cover: Nurseries, Sleeping")


def test_it_says_what_it_is():
    assert "notes written for this task" in reply_to("can you see my code?")
    assert "do not write the solution" in reply_to("what can you do?", manner="hints", gives_code=False)


def test_a_pack_without_notes_still_gets_an_honest_answer(tmp_path):
    spec = AssistantSpec(id="full", version="1", label="A", provider="notes")

    async def scene():
        assistant = NotesAssistant(spec, seconds_per_word=0)
        return [piece async for piece in assistant.reply(AssistantRequest("Hi?", "", "", pack=str(tmp_path)))]

    pieces = asyncio.run(scene())
    assert "answer from notes" in "".join(piece.text for piece in pieces[:-1])
    assert isinstance(pieces[-1], ReplyEnd)


def test_the_pieces_join_to_the_whole_answer():
    spec = AssistantSpec(id="full", version="1", label="A", provider="notes")
    request = AssistantRequest("write all the code", "", STARTER)

    async def scene():
        assistant = NotesAssistant(spec, load_notes=lambda pack: FILES, seconds_per_word=0)
        return [piece async for piece in assistant.reply(request)]

    *pieces, end = asyncio.run(scene())
    assert "".join(piece.text for piece in pieces) == answer(request, NOTEBOOK, manner="answers", gives_code=True)
    assert end.parameters == {"notes": NOTEBOOK.digest}


def test_every_mistake_in_the_notes_is_reported_at_once():
    with pytest.raises(ProblemsFound) as caught:
        Notebook({"ideas.md": "## A\n\nB\n", "errors.md": "## E\nLooks for: `(`\n\nText\n## Empty\n"})
    assert [(problem.file, problem.key) for problem in caught.value.problems] == [
        ("errors.md", "E"),
        ("errors.md", "Empty"),
        ("ideas.md", ""),
    ]


def test_wrapped_paragraphs_are_joined_and_code_is_left_alone():
    (note,) = Notebook({"concepts.md": "## T\n\na\nb\n\n```python\nx\ny\n```\nc\nd\n"}).of_kind("concepts")
    assert note.body == "a b\n\n```python\nx\ny\n```\nc d"
    assert notes_in_folder("no/such/folder") == {}
