"""Variants of a program that leave one thing out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from study_app.domain.tasks.omissions import omissions

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import contextlib

def given(x):
    if x:
        return x

def treat(items, limit):
    try:
        with contextlib.suppress(KeyError) as quiet:
            found = max((item for item in items if item > 0 and item < limit), default=0)
    except (ValueError, OSError):
        return None
    except TypeError:
        return 0
    return found if quiet is None else quiet.anything
"""
GIVEN = PROGRAM[: PROGRAM.index("def treat")]


def test_each_part_of_a_function_is_left_out_once():
    found = omissions(PROGRAM, GIVEN)
    assert [omission.what for omission in found] == [
        "catching (ValueError, OSError)",
        "catching TypeError",
        "`with contextlib.suppress(KeyError)`",
        "`default=0`",
        "the condition `item > 0 and item < limit`",
        "the condition `item > 0`",
        "the condition `item < limit`",
        "catching ValueError",
        "catching OSError",
        "looking whether `quiet is None` (taken as False)",
        "looking whether `quiet is None` (taken as True)",
    ]


def treat(code: str, *arguments: object) -> object:
    names: dict[str, object] = {}
    exec(compile(code, "variant", "exec"), names)
    return names["treat"](*arguments)


def test_the_variants_do_without_that_part():
    by_what = {omission.what: omission.code for omission in omissions(PROGRAM, GIVEN)}
    assert treat(PROGRAM, [], 5) == treat(PROGRAM, [7], 5) == 0
    assert treat(PROGRAM, ["x"], 5) == 0
    with pytest.raises(TypeError):
        treat(by_what["catching TypeError"], ["x"], 5)
    assert treat(by_what["`default=0`"], [], 5) is None, "ValueError is caught"
    assert treat(by_what["the condition `item < limit`"], [7], 5) == 7
    assert treat(by_what["`with contextlib.suppress(KeyError)`"], [3], 5) is None, "quiet is nothing in particular"


@pytest.mark.parametrize("name", ["warmup", "trio_timer", "trio_users", "sorted_scores"])
def test_the_variants_of_shipped_solutions_are_valid_programs_and_differ(name):
    solution = (ROOT / "tasks" / name / "solution.py").read_text()
    variants = omissions(solution, (ROOT / "tasks" / name / "starter.py").read_text())
    assert variants
    for omission in variants:
        compile(omission.code, "variant", "exec")
        assert ast.dump(ast.parse(omission.code)) != ast.dump(ast.parse(solution))
        assert 0 < omission.line <= len(solution.splitlines())
