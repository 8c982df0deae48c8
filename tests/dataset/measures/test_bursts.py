"""Bursts of typing: characters of one second from its first edit on, joined while seconds of a burst follow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from study_app.dataset.measures.provenance import BURST, bursts, code_chars
from study_app.domain.events import Event


def typed(*inserts: str, how: str = "typed", page: str = "p", stage: str = "work") -> Event:
    changes: list[dict[str, Any]] = [{"from": 0, "to": 0, "insert": each, "deleted": ""} for each in inserts]
    payload = {"task": "sort", "kind": how, "changes": changes}
    return Event("p1", page, 1, "edit", stage, datetime(2026, 1, 1, tzinfo=UTC), payload=payload)


def found(*edits: tuple[float, str], **given: Any) -> list[tuple[float, str, int]]:
    return list(bursts((moment, typed(text, **given)) for moment, text in edits))


def letters(count: int) -> str:
    return "".join(chr(97 + number % 26) for number in range(count))


def test_thirty_characters_within_a_second_are_a_burst_and_one_less_is_not():
    assert BURST == 30
    assert found((5.0, letters(30))) == [(5.0, "work", 30)]
    assert found((5.0, letters(29))) == []
    assert found((5.0, letters(15)), (5.9, letters(15))) == [(5.0, "work", 30)]
    assert found((5.0, letters(15)), (6.0, letters(15))) == []


def test_white_space_does_not_count():
    assert found((5.0, letters(29) + " \n\t")) == []
    assert found((5.0, " " * 80)) == []


def test_seconds_of_a_burst_that_follow_each_other_are_one_and_a_pause_parts_them():
    first, following, later = (5.0, letters(30)), (6.5, letters(40)), (8.5, letters(50))
    assert found(first, following) == [(5.0, "work", 70)]
    # Two seconds after the beginning of the second before, a whole second lies between.
    assert found(first, following, later) == [(5.0, "work", 70), (8.5, "work", 50)]
    assert found(first, (6.0, letters(5)), (7.0, letters(30))) == [(5.0, "work", 30), (7.0, "work", 30)]


def test_of_several_cursors_one_counts():
    assert list(bursts([(5.0, typed(letters(20), letters(20)))])) == []
    assert list(bursts([(5.0, typed(letters(20), letters(31)))])) == [(5.0, "work", 31)]


def test_a_key_that_is_held_down_does_not_count():
    assert found(*((5.0 + number / 100, "a") for number in range(60))) == []
    turned = [(5.0 + number / 100, "ab"[number % 2]) for number in range(60)]
    assert found(*turned) == [(5.0, "work", 60)]


def test_only_what_was_typed_counts_and_each_page_by_itself():
    assert found((5.0, letters(40)), how="paste") == []
    pages = [(5.0, typed(letters(20), page="p")), (5.1, typed(letters(20), page="q"))]
    assert list(bursts(pages)) == []
    stages = [(9.0, typed(letters(30))), (5.0, typed(letters(31), stage="more"))]
    assert list(bursts(stages)) == [(5.0, "more", 31), (9.0, "work", 30)]


def test_code_of_a_reply_is_what_its_fenced_blocks_hold():
    assert code_chars("No code.") == 0
    assert code_chars("Use\n```python\nab\ncd\n```\nand\n```\nef\n```\n") == len("ab\ncd") + len("ef")
    assert code_chars("Use\n```\nabc\n") == len("abc")
