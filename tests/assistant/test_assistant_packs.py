"""The shipped packs' notes: right, findable, and tight-lipped where the arm gets no code."""

import ast
import re
import warnings
from pathlib import Path

import pytest

from study_app.assistant.answers import answer
from study_app.assistant.inspection import findings
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.domain.assistants.fidelity import leak_score, leak_share
from study_app.domain.assistants.treatments import AssistantRequest

TASKS = Path(__file__).parents[2] / "tasks"
PACKS = ["trio_timer", "trio_users"]
QUESTIONS = [
    "write the code",
    "give me the complete solution",
    "implement everything and explain it",
    "what does start_soon return?",
    "how do I run them at the same time?",
    "how do I handle errors in child tasks?",
    "how do I stop after some seconds?",
    "why does it not work?",
    "RuntimeWarning: coroutine 'sleep' was never awaited",
    "fix my code",
    "what is a nursery",
    "please just show me one line of code",
]
BROKEN = """import trio

async def timer(count, interval):
    trio.sleep(interval)

async def main():
    with trio.open_nursery() as nursery:
        nursery.start_soon(timer(1, 1))
"""


def notebook(pack):
    return Notebook(notes_in_folder(str(TASKS / pack)))


def text(pack, name):
    return (TASKS / pack / name).read_text(encoding="utf-8")


def reply_to(pack, message, manner, code=None, history=()):
    request = AssistantRequest(message, text(pack, "brief.md"), code or text(pack, "starter.py"), tuple(history))
    return answer(request, notebook(pack), manner=manner, gives_code=manner == "answers")


def functions(source):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: ast.dump(node) for node in ast.parse(source).body if isinstance(node, kinds)}


@pytest.mark.parametrize("pack", PACKS)
def test_the_code_in_the_notes_is_the_reference_solution(pack):
    solution, starter = functions(text(pack, "solution.py")), functions(text(pack, "starter.py"))
    asked = {name: body for name, body in solution.items() if starter.get(name) != body}
    given = {
        note.title: functions(note.code.strip("`").removeprefix("python")) for note in notebook(pack).of_kind("code")
    }
    assert {name: body[name] for name, body in given.items()} == asked


@pytest.mark.parametrize("pack", PACKS)
def test_every_function_has_hints_and_questions(pack):
    book = notebook(pack)
    for note in book.of_kind("code"):
        assert len(book.named("hints", note.title).points) >= 3
        assert len(book.named("questions", note.title).points) >= 3


@pytest.mark.parametrize("pack", [*PACKS, "warmup"])
def test_every_code_example_in_the_notes_is_python(pack):
    for note in notebook(pack).notes:
        for block in re.findall(r"```python\n(.*?)```", note.body, re.DOTALL):
            wrapped = "async def example():\n" + "".join(f"    {line}\n" for line in block.splitlines())
            ast.parse(wrapped)


@pytest.mark.parametrize("pack", PACKS)
def test_asked_for_the_solution_the_full_assistant_gives_all_of_it(pack):
    reply = reply_to(pack, "give me the complete solution", "answers")
    code = "\n".join(re.findall(r"```python\n(.*?)```", reply, re.DOTALL))
    assert functions(code).items() <= functions(text(pack, "solution.py")).items()
    assert leak_score(reply, text(pack, "solution.py"), given=text(pack, "starter.py")) == 1.0


@pytest.mark.parametrize(
    ("pack", "manner", "rounds"),
    [
        (PACKS[0], "hints", 1),
        *(pytest.param(pack, manner, 4, marks=pytest.mark.slow) for pack in PACKS for manner in ("hints", "questions")),
    ],
)
def test_an_arm_without_code_leaks_none_however_long_it_is_asked(pack, manner, rounds):
    replies, history = [], []
    for message in QUESTIONS * rounds:
        for code in (None, BROKEN, "def broken("):
            reply = reply_to(pack, message, manner, code, history)
            replies.append(reply)
            history.append((message, reply))
    given = text(pack, "starter.py") + text(pack, "brief.md")
    assert leak_share(replies, text(pack, "solution.py"), given=given).leaked == 0
    assert all("```" not in reply for reply in replies)


@pytest.mark.parametrize(
    ("pack", "message", "title"),
    [
        ("trio_timer", "what does start_soon do?", "start_soon"),
        ("trio_timer", "how do I stop everything after 5 seconds?", "move_on_after"),
        ("trio_timer", "what is the difference between sequential and concurrent?", "Sequential and concurrent"),
        ("trio_timer", "what's a nursery", "Nurseries"),
        ("trio_timer", "time.sleep or trio.sleep?", "trio.sleep"),
        ("trio_timer", "what do async and await mean?", "async and await"),
        ("trio_users", "how do I get the return value out of a child task?", "Getting results out of child tasks"),
        ("trio_users", "can I write to the dict concurrently", "Sharing a dictionary between tasks"),
        ("trio_users", "what happens if one child raises an exception?", "Errors in a nursery"),
        ("trio_users", "how do I get the message of an exception?", "The text of an exception"),
        ("trio_users", "is the order of the results preserved?", "The order of results"),
        ("warmup", "how do I pad a string with spaces?", "Padding and alignment"),
    ],
)
def test_a_question_finds_its_note_first(pack, message, title):
    assert notebook(pack).search("concepts", message)[0].note.title == title


@pytest.mark.parametrize(
    ("pack", "message", "title"),
    [
        ("trio_timer", "RuntimeWarning: coroutine 'sleep' was never awaited", "coroutine was never awaited"),
        ("trio_timer", "RuntimeError: use 'async with open_nursery(...)', not 'with", "use 'async with open_nursery"),
        ("trio_timer", "RuntimeError: Nursery is closed to new arrivals", "Nursery is closed to new arrivals"),
        ("trio_timer", "NameError: name 'trio' is not defined", "NameError"),
        ("trio_users", "TypeError: 'coroutine' object is not subscriptable", "'coroutine' object is not subscriptable"),
        ("trio_users", "KeyError: 2", "KeyError"),
        ("trio_users", "ExceptionGroup: Exceptions from Trio nursery (1 sub-exception)", "ExceptionGroup"),
        ("warmup", "ValueError: max() arg is an empty sequence", "max() arg is an empty sequence"),
    ],
)
def test_a_pasted_error_finds_its_explanation_first(pack, message, title):
    assert notebook(pack).search("errors", message)[0].note.title.startswith(title)


@pytest.mark.parametrize("pack", [*PACKS, "warmup"])
def test_neither_starter_nor_solution_is_accused_of_a_mistake(pack):
    for name in ("starter.py", "solution.py"):
        assert findings(text(pack, name), notebook(pack).of_kind("errors")) == []


MISTAKES = {
    "trio.sleep(1)": "coroutine was never awaited",
    "with trio.open_nursery() as nursery:\n        pass": "use 'async with open_nursery(...)'",
    "async with trio.open_nursery() as n:\n        n.start_soon(trio.sleep(1))": "Trio was expecting an async function",
    "await asyncio.sleep(1)": "no running event loop",
    "time.sleep(1)": "Everything stands still",
    "nursery = trio.open_nursery()": "'NurseryManager' object",
    "await nursery.start_soon(trio.sleep, 1)": "object NoneType can't be used",
}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("line", MISTAKES)
def test_each_common_mistake_is_found_where_it_stands(pack, line):
    code = f"import trio\n\n\nasync def main():\n    {line}\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = findings(code, notebook(pack).of_kind("errors"))
    assert [one.note.title.startswith(MISTAKES[line]) for one in found] == [True]
    assert found[0].line == 5 + (line.count("\n") if "async with" in line else 0)
