"""A case is shown as the call that it makes, with names in the place of what a prelude defines."""

from __future__ import annotations

import pytest

from study_app.domain.checks import call
from study_app.domain.tasks.checks import name, side_by_side


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (call("sort"), "sort()"),
        (call("sort", [3, 1], key="a"), "sort([3, 1], key='a')"),
        (call("sort", name("clock"), by=name("fast")), "sort(clock, by=fast)"),
        (call("sort", {"a": 1}, {}), "sort({'a': 1}, {})"),
        (call("sort", {"$name": "x", "more": 1}), "sort({'$name': 'x', 'more': 1})"),
        (call("sort", 3, None, "$name", 1.5), "sort(3, None, '$name', 1.5)"),
        (call("sort", ["$name"]), "sort(['$name'])"),
        (side_by_side(call("a", 1), call("b", 2)), "a(1) and b(2)"),
    ],
)
def test_a_case_is_shown_as_its_call(case, text):
    assert str(case) == text
