"""No text that a participant can send takes a regular expression long: patterns found by walking the modules."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import study_app
from study_app.assistant.answers import answer
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.domain.assistants.fidelity import leak_score
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.errors import ProblemsFound
from study_app.domain.interaction.rules import code_session
from study_app.domain.quiz.patterns import takes_long
from study_app.domain.quiz.short_text import normalise, number, tokens

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "tasks"
MEASURABLE_SECONDS = 0.004
UNITS = [
    "\n", " ", "\t", "a", "a ", "(", "[", "{", '"', "'", "`", "```\n", "\\", "a.", "a_", "_", "-", "- ", "# ", "|", "=",
    ": ", ":\n", "0", "1,", "x=", "\n  ", "\n\n a", "write ", "give me ", "how do i ", "the ", "(a", "a(", "*", "**a",
    "import ", "def a", "error ", ".", "?",
]  # fmt: skip


def adversarial() -> list[str]:
    texts = []
    for unit in UNITS:
        texts += [(unit * n)[:n] for n in (500, 4000)]
        texts += [f"x{(unit * 4000)[:3998]}!", f"why {(unit * 2000)[:1990]}\nx"]
    return texts


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(study_app.__path__, "study_app."):
        if ".migrations" in found.name or found.name.startswith("study_app.ui.") or found.name.endswith("__main__"):
            continue
        yield importlib.import_module(found.name)


def inside(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for one in value.values():
            yield from inside(one, depth + 1)
    elif depth < 4 and isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from inside(one, depth + 1)
    elif depth < 4 and dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from inside(getattr(value, one.name, None), depth + 1)


def written_in_place(path: Path) -> Iterator[re.Pattern[str]]:
    """The patterns of `re.search("...", ...)`, `re.compile("...")` and their like."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=[ast.Constant(value=str(pattern)), *_]):
                yield re.compile(pattern)


@cache
def patterns() -> dict[tuple[str, int], tuple[str, re.Pattern[str]]]:
    found: dict[tuple[str, int], tuple[str, re.Pattern[str]]] = {}
    for module in modules():
        held = [pattern for name, value in vars(module).items() if name[:2] != "__" for pattern in inside(value)]
        for pattern in held:
            if isinstance(pattern.pattern, str):
                found.setdefault((pattern.pattern, pattern.flags), (module.__name__, pattern))
    for path in [*(ROOT / "study_app").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]:
        for pattern in written_in_place(path):
            found.setdefault((pattern.pattern, pattern.flags), (path.name, pattern))
    return found


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """CPU seconds of one search: the least of three, where the first was long."""
    least = 1.0
    for _ in range(3):
        began = time.thread_time()
        pattern.search(text)
        least = min(least, time.thread_time() - began)
        if least < MEASURABLE_SECONDS or least > 0.5:
            break
    return least


def grows_faster_than_the_text(pattern: re.Pattern[str], text: str) -> bool:
    """Whether an eighth of a text takes far less than an eighth of the time.

    A ratio of two times on one machine, so that a slow or a busy machine gives the same answer: a linear pattern gives
    about 8, a quadratic one about 64. Measured again before it counts, and only where a search takes measurable time.
    """
    for _ in range(5):
        whole = seconds(pattern, text)
        if whole < MEASURABLE_SECONDS:
            return False
        part = max(seconds(pattern, text[: len(text) // 8]), 1e-6)
        if whole < 0.5 and whole / part < 24:
            return False
    return True


def test_every_pattern_of_the_app_is_found():
    assert len(patterns()) > 200
    assert {"study_app.domain.interaction.lexicon", "study_app.assistant.intents"} <= {
        where for where, _ in patterns().values()
    }


def test_no_pattern_takes_longer_than_in_proportion_to_any_text():
    texts = adversarial()
    assert len(texts) > 150
    slow = [
        (where, pattern.pattern[:80], text[:20])
        for where, pattern in patterns().values()
        for text in texts
        if grows_faster_than_the_text(pattern, text)
    ]
    assert slow == []


def test_a_pattern_that_takes_the_square_of_the_texts_length_is_found():
    assert grows_faster_than_the_text(re.compile(r"\s+y"), " " * 4000)
    assert not grows_faster_than_the_text(re.compile(r"[a-z]{0,60}=[0-9]"), "a" * 4000)


def timed(call: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    call(text)
    return time.thread_time() - began


def in_proportion(call: Callable[[str], object], text: str) -> bool:
    """Whether a text takes about eight times as long as its eighth, or too little to be measured."""
    return any(
        timed(call, text) < 32 * max(timed(call, "x" + text[1 : len(text) // 8] + "x"), 0.01) for _attempt in range(3)
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("unit", ["\n", " ", "a", "(", '"', "write ", "x\n", "def f():\n", "Error: ", "|", "`"])
def test_whatever_reads_a_participants_words_takes_time_in_proportion_to_them(unit):
    text = "x" + (unit * 20_000)[:19_990] + "x"
    notebook = Notebook(notes_in_folder(str(TASKS / "trio_timer")))
    assert in_proportion(
        lambda words: answer(
            AssistantRequest(words, "A brief.", words, ((words, words),)), notebook, manner="answers", gives_code=True
        ),
        text,
    )
    assert in_proportion(lambda words: code_session([words]), text)
    assert in_proportion(lambda words: leak_score(words, "def f():\n    return 1\n"), text)
    assert in_proportion(lambda words: (normalise(words), tokens(words), number(words)), text[:2000])


@pytest.mark.parametrize(
    "slow", [r"(a+)+$", r"^(\w+\s?)*$", r"(a|aa)+$", r"^\W*(?:x)?,?\s*\W*\s*y", r"(.*,)*x", r"(\s*\n)*y"]
)
def test_a_pattern_that_can_take_long_is_told_from_one_that_cannot(slow):
    assert takes_long(re.compile(slow))


@pytest.mark.parametrize(
    "fine", [r"(?:start_soon|trio\.run)\(\s*[\w.]+\(", r"\d+ (?:and|or) \d+", r"a{1,3}b?", r"(?:a|b){1,20}c"]
)
def test_a_plain_pattern_is_accepted(fine):
    assert not takes_long(re.compile(fine))


def test_a_pack_whose_pattern_can_take_long_is_refused():
    with pytest.raises(ProblemsFound) as caught:
        Notebook({"errors.md": "## E\nLooks for: `(a+)+$`\n\nText\n"})
    assert "can take very long" in str(caught.value.problems[0])
