"""What other people wrote is parsed right in many threads at once, and no program is too deep to be looked at."""

from __future__ import annotations

import ast
import gc
import re
import threading
from pathlib import Path

import pytest
from support.labelled_programs import USERS

from study_app.domain.syntax import DEEPEST, UNREADABLE, is_deep, parse, parse_expression
from study_app.domain.tasks.hacks import find_hacks

ROOT = Path(__file__).parents[2]
LONG = "\n".join(f"def f{n}(a):\n    return [b * {n} for b in a if b > (3 + (4 * (b - {n})))]" for n in range(300))


class Interrupting:
    """A cycle that is collected in the middle of a tree, and has another thread parse then, as a library would."""

    def __init__(self, parsed: list[ast.Module]) -> None:
        self.me = self
        self.parsed = parsed

    def __del__(self) -> None:
        thread = threading.Thread(target=lambda: self.parsed.append(ast.parse("x = 1 + (2 * (3 + 4))")))
        thread.start()
        thread.join()


def test_a_text_is_parsed_while_a_library_parses_another_in_its_own_thread():
    parsed: list[ast.Module] = []
    usual = gc.get_threshold()
    expected = ast.dump(ast.parse(LONG))
    try:
        gc.set_threshold(50)
        for _ in range(20):
            Interrupting(parsed)
            assert ast.dump(parse(LONG)) == expected
    finally:
        gc.set_threshold(*usual)
    assert len(parsed) >= 10


def test_many_threads_parse_at_once():
    trees: list[str] = []
    threads = [threading.Thread(target=lambda: trees.append(ast.dump(parse(LONG)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trees == [ast.dump(ast.parse(LONG))] * 12


def test_the_server_parses_in_no_other_place():
    """A program's own process may: there is one thread that parses."""
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "study_app").rglob("*.py")
        if re.search(r"\bast\.parse\(|\bPyCF_ONLY_AST\b|\bliteral_eval\(", path.read_text(encoding="utf-8"))
    ]
    # A tree that is there already is evaluated by `names.py`.
    assert sorted(elsewhere) == [
        "study_app/domain/syntax.py",
        "study_app/domain/tasks/hacks/names.py",
        "study_app/sandbox/inside/inspection.py",
    ]


def test_expressions_are_parsed_and_what_is_none_is_refused():
    assert ast.dump(parse_expression("a + 1")) == ast.dump(ast.parse("a + 1", mode="eval").body)
    for text in ("a = 1", "\0", "\ud800", "(" * 3000, "-" * 50_000 + "1"):
        with pytest.raises(UNREADABLE):
            parse_expression(text)


def nested(levels: int) -> str:
    """Return a program whose tree has so many levels: a module, a function, its `return`, sums and a number."""
    return "async def get_user_data(user_ids):\n    return 1" + " + 1" * (levels - 4)


def test_a_tree_is_deep_above_its_limit_and_not_at_it():
    assert not is_deep(ast.parse(nested(DEEPEST)))
    assert is_deep(ast.parse(nested(DEEPEST + 1)))


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, 400, 900, 2500])
def test_no_submitted_program_is_too_deep_for_the_export(levels):
    """One participant's program of a thousand additions would end the export of everybody's data."""
    assert _far_down(250, lambda: find_hacks(nested(levels), USERS)) == []
    assert find_hacks("x = a" + ".b" * levels, USERS) == []
    assert find_hacks(f"from unittest.mock import patch\npatch('{'-' * levels}1')", USERS) == []


@pytest.mark.parametrize("text", ["\\0", "\\ud800", "(((", "a b"])
def test_what_a_program_patches_need_be_no_python(text):
    assert find_hacks(f"from unittest.mock import patch\nimport trio\npatch('{text}')", USERS) == []


def _far_down(calls: int, work):
    """Do it as many calls down as a server's request is, and more."""
    return work() if calls == 0 else _far_down(calls - 1, work)
