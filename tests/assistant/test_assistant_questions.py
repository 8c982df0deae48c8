"""What participants ask, in their words, and what the embedded assistant has to answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from questions import FULL, PROGRAMS, rows, timer_program

from study_app.assistant.answers import answer
from study_app.assistant.embedded.message import RequestText
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.content.task_packs import load_pack
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.syntax import DEEPEST
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.grading import run_visible

TASKS = Path(__file__).resolve().parents[2] / "tasks"
PACKS = {"t": "trio_timer", "u": "trio_users"}
FUNCTIONS = {"t": ["timer", "delayed_greeting", "together"], "u": ["get_user_data"]}
BEGINS = {
    "hello": "Hello!",
    "thanks": "Good.",
    "task": "The task in its own words",
    "run": "Press **Run**",
    "nothing": "My notes have nothing",
    "able": "I explain, look for mistakes",
}


@cache
def notebook(pack: str) -> Notebook:
    return Notebook(notes_in_folder(str(TASKS / PACKS[pack])))


def text(pack: str, name: str) -> str:
    return (TASKS / PACKS[pack] / name).read_text(encoding="utf-8")


def ask(
    pack: str, message: str, code: str | None = None, history: Sequence[tuple[str, str]] = (), manner="answers"
) -> str:
    starter = text(pack, "starter.py")
    code = starter if code is None else code
    request = AssistantRequest(message, text(pack, "brief.md"), code, tuple(history), starter=starter)
    return answer(request, notebook(pack), manner=manner, gives_code=manner == "answers")


def talk(pack: str, *messages: str, code: str | None = None) -> list[str]:
    history: list[tuple[str, str]] = []
    for message in messages:
        history.append((message, ask(pack, message, code, history)))
    return [reply for _, reply in history]


def blocks(reply: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", reply, re.DOTALL)


def defined(reply: str) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for block in blocks(reply) for node in ast.parse(block).body if isinstance(node, kinds)]


def holds(pack: str, expected: str, reply: str) -> bool:
    kind, _, what = expected.partition(" ")
    given = [name for name in defined(reply) if name in FUNCTIONS[pack]] if kind in ("whole", "code", "start") else []
    if kind in BEGINS:
        return reply.startswith(BEGINS[kind])
    if kind == "whole":
        return len(blocks(reply)) == 1 and given == FUNCTIONS[pack] and "__main__" in reply
    if kind == "code":
        return given == [what] and len(blocks(reply)) == 1
    if kind == "start":
        return f"with `{what}`" in reply and given == [what] and "hint" not in reply
    if kind == "topic":
        first = re.search(r"\*\*(.+?)\*\*", reply)
        return first is not None and first.group(1).startswith(what)
    return what in reply


@pytest.mark.parametrize("kind", sorted({expected.split()[0] for *_, expected in rows()}))
def test_each_question_gets_the_answer_it_asks_for(kind):
    wrong = [
        (message, expected, reply[:120])
        for pack, program, message, expected in rows()
        if expected.split()[0] == kind and not holds(pack, expected, reply := ask(pack, message, PROGRAMS.get(program)))
    ]
    assert wrong == []


def test_there_are_many_questions_and_no_two_alike():
    assert len(rows()) == len({row[:3] for row in rows()}) > 220


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def fails(sandbox: LocalSandbox, pack: str, code: str) -> list[str]:
    """The visible examples that a program does not pass."""
    return [
        check.name for check in run_visible(sandbox, load_pack(TASKS / PACKS[pack]), code).checks if not check.passed
    ]


@pytest.mark.parametrize("pack", PACKS)
def test_the_whole_program_it_gives_passes_every_visible_example(sandbox, pack):
    for broken in (None, "", "def broken(:\n"):
        (program,) = blocks(ask(pack, "give me the complete solution in one file", broken))
        assert fails(sandbox, pack, program) == []


def test_function_after_function_it_writes_a_program_that_passes(sandbox):
    replies = talk("t", "write timer", "now do delayed_greeting", "and the last one please")
    assert [defined(reply) for reply in replies] == [["timer"], ["delayed_greeting"], ["together"]]
    code = "import trio\n\n\n" + "\n\n\n".join(block for reply in replies for block in blocks(reply))
    assert fails(sandbox, "t", code) == []


BROKEN = [
    name for name in PROGRAMS if name not in ("done", "one_left")
]  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_asked_to_fix_it_returns_the_program_repaired_and_once(sandbox, name):
    pack = "u" if name.startswith("u_") else "t"
    reply = ask(pack, "can you fix it?", PROGRAMS[name])
    (program,) = blocks(reply)
    given = defined(reply)
    assert len(given) == len(set(given))
    assert fails(sandbox, pack, program) == []


def test_a_repair_keeps_what_the_participant_wrote_of_their_own():
    code = FULL.replace("        await trio.sleep(interval)", "        trio.sleep(interval)  # mine").replace(
        "import trio\n", "import trio\n\n\ndef helper():\n    return 1\n", 1
    )
    (program,) = blocks(ask("t", "fix my code", code))
    assert "def helper():" in program
    assert "await trio.sleep(interval)  # mine" in program


def test_its_own_last_code_is_explained_line_by_line():
    given, explained, second = talk(
        "t",
        "write together",
        "can you explain the code you just gave me line by line?",
        "what does the second line do?",
    )
    for line in blocks(given)[0].splitlines():
        if line.strip() and not line.strip().startswith(("return", "print")):
            assert f"`{line.strip()}`" in explained
    assert "`with trio.move_on_after(limit) as scope:`" in second
    assert "open_nursery" not in second.split("\n\n")[1]


@pytest.mark.parametrize(
    "message",
    [
        "explain it", "explain that code please", "how does this work?", "walk me through what you wrote",
        "could you explain your code", "line by line please", "i don't understand the code above, explain it",
        "what does that code do", "why did you use range(1, count + 1)?", "explain your answer in detail",
    ],
)  # fmt: skip
def test_every_way_to_ask_about_the_code_it_gave_is_about_that_code(message):
    _, explained = talk("t", "implement timer", message)
    assert "code I gave you" in explained
    assert "`for number in range(1, count + 1):`" in explained


def test_a_question_that_refers_back_is_read_with_the_conversation():
    replies = talk("t", "what is a nursery?", "and how do I start something in it?", "what does it return?")
    assert replies[0].startswith("**Nurseries**")
    assert replies[1].startswith("**start_soon**")
    assert "returns `None`" in replies[2]


def test_memory_reaches_further_than_one_turn():
    replies = talk("t", "write timer", "thanks", "ok", "can you explain the code you gave me?")
    assert "`for number in range(1, count + 1):`" in replies[-1]


def test_yes_goes_on_with_the_next_function():
    replies = talk("t", "write timer", "yes please", "go on")
    assert [defined(reply) for reply in replies] == [["timer"], ["delayed_greeting"], ["together"]]


GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "main.py", line 33, in <module>
  |     trio.run(together, 3, 0.5, "Ada", 0.7, 5)
  |   File "/usr/lib/python3.12/site-packages/trio/_core/_run.py", line 2300, in run
  |     raise runner.main_task_outcome.error
  | ExceptionGroup: Exceptions from Trio nursery (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "main.py", line 18, in together
    |     nursery.start_soon(timer(count, interval))
    |   File "/usr/lib/python3.12/site-packages/trio/_core/_run.py", line 1600, in start_soon
    |     raise TypeError(
    | TypeError: Trio was expecting an async function, but instead it got a coroutine object <coroutine object timer>
    +------------------------------------
"""


@pytest.mark.parametrize(
    "shown",
    [
        GROUP,
        "\n".join(GROUP.splitlines()[-3:]),
        "    | TypeError: Trio was expecting an async function, but instead it got a coroutine object",
        " ".join(GROUP.split()),
        GROUP.replace("  | ", "").replace("    | ", ""),
        f"what is this?\n{GROUP}",
        f"{GROUP}\nwhat does this mean",
        f"```\n{GROUP}```",
        "TypeError: Trio was expecting an async function, but instead it got a coroutine object",
    ],
    ids=["whole", "tail", "last-line", "one-line", "no-margin", "question-before", "question-after", "fenced", "bare"],
)
@pytest.mark.parametrize("manner", ["answers", "hints", "questions"])
def test_a_pasted_group_traceback_is_known_in_every_form(shown, manner):
    reply = ask("t", shown, manner=manner)
    assert "Trio was expecting an async function" in reply


def test_a_traceback_says_where_it_comes_from():
    reply = ask("t", GROUP, timer_program(start="nursery.start_soon(timer(count, interval))"))
    assert "Line 18" in reply
    assert "ExceptionGroup" in reply


def test_the_part_of_a_traceback_that_raises_is_enough():
    assert RequestText("    |     raise TypeError(\n    |         'x'").error.kind == "TypeError"


def test_pasted_code_is_looked_at_instead_of_the_editor():
    reply = ask(
        "t", "why does this not wait?\n```python\nasync def timer(count, interval):\n    trio.sleep(interval)\n```"
    )
    assert "Line 2" in reply


def test_why_looks_at_the_program_before_it_explains():
    code = timer_program(timer="trio.sleep(interval)")
    for message in ("why do I need await before trio.sleep?", "why are all ticks at once", "why though"):
        assert ask("t", message, code).startswith("Line 6")


@pytest.mark.parametrize("manner", ["hints", "questions"])
@pytest.mark.parametrize("pack", PACKS)
def test_an_arm_without_code_gets_none_whatever_is_asked(pack, manner):
    history: list[tuple[str, str]] = []
    for row in rows():
        code = PROGRAMS.get(row[1]) if row[0] == pack else None
        reply = ask(pack, row[2], code, history[-3:], manner)
        history.append((row[2], reply))
        assert "```" not in reply, row[2]


def test_the_full_treatment_never_hints():
    assert [row[2] for row in rows() if "(hint " in ask(row[0], row[2], PROGRAMS.get(row[1]))] == []


TEA = {
    "concepts.md": "## Steeping\nAlso: steep, brew, infuse\n\nLeaves stay in hot water for some minutes.\n\n"
    "```python\nsteep(3)\n```\n\n## Milk\n\nMilk comes last.\n",
    "errors.md": "## Cold water\nAlso: cold\nLooks for: `kettle = None`\n\nBoil the water first.\n",
    "code.md": "## brew\n\n```python\ndef brew(cups):\n    return [n for n in range(cups)]\n```\n\nOne cup each.\n",
}
TEA_BRIEF = "# Tea for two\n\nWrite **`brew(cups)`**. It returns the list of cups.\n"


def test_a_pack_of_another_subject_is_answered_from_its_own_notes():
    def reply_to(message: str, code: str = "def brew(cups):\n    ...\n") -> str:
        request = AssistantRequest(message, TEA_BRIEF, code, starter="def brew(cups):\n    ...\n")
        return answer(request, Notebook(TEA), manner="answers", gives_code=True)

    assert reply_to("what is steeping?").startswith("**Steeping**")
    assert reply_to("what's a nursery").startswith("My notes have nothing")
    assert defined(reply_to("write brew")) == ["brew"]
    assert "returns the list of cups" in reply_to("i don't get the task")
    assert "Line 1" in reply_to("why does it fail?", "kettle = None\n\n\ndef brew(cups):\n    return []\n")
    assert "with `brew`" in reply_to("how do I start?")


@pytest.mark.parametrize("levels", [DEEPEST, 300, 450, 950])
@pytest.mark.parametrize("message", ["explain my code line by line", "what does line 4 do", "where is the mistake?"])
def test_a_program_of_many_levels_is_answered_and_a_deeper_one_is_not_looked_at(message, levels):
    code = f"import trio\n\nasync def timer(n):\n    return n{'.b' * (levels - 4)}\n"
    assert ask("t", message, code)
