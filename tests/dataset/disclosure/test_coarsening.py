"""Coarsening leaves no value to fewer than k people and changes no more than that; the report counts small groups."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.dataset.disclosure.coarsening import RARE, recoding_of, smallest_cells
from study_app.dataset.schema import Column, compact_json

AGE = Column("age", "integer", "Age")
LEVEL = Column("level", "integer", "Level", levels=("1", "2", "3", "4"), labels=(("1", "low"), ("4", "high")))
ROLE = Column("role", "text", "Role", levels=("dev", "ops", "sci"), labels=(("ops", "operations"), ("sci", "science")))
WORDS = Column("words", "text", "Words")


def people(**counts: int) -> list[str]:
    return [value for value, count in counts.items() for _ in range(count)]


def of_ages(**counts: int) -> list[int]:
    return [int(name.removeprefix("of")) for name in people(**counts)]


def test_values_that_k_people_share_stay_as_they_are():
    found = recoding_of(ROLE, [*people(dev=3, ops=3), None], 3)
    assert [found.of(value) for value in ("dev", "ops", None)] == ["dev", "ops", None]
    assert not found.coarse
    assert found.described(ROLE) == ROLE


def test_fewer_answers_than_k_are_withheld_and_k_are_not():
    assert recoding_of(AGE, of_ages(of20=1, of30=1), 3).of(20) is None
    assert recoding_of(AGE, of_ages(of20=1, of30=1, of40=1), 3).of(20) == 30
    assert recoding_of(WORDS, people(a=1, b=1), 3).of("a") == RARE


def test_a_rare_answer_takes_the_next_rarest_along_until_they_are_common_together():
    found = recoding_of(ROLE, people(dev=5, ops=3, sci=1), 3)
    assert [found.of(value) for value in ("dev", "ops", "sci")] == ["dev", RARE, RARE]
    several = recoding_of(ROLE, people(dev=5, ops=2, sci=1), 3)
    assert [several.of(value) for value in ("dev", "ops", "sci")] == ["dev", RARE, RARE]
    # Two that are common together need no third.
    assert recoding_of(WORDS, people(a=3, b=2, c=1), 3).of("a") == "a"
    described = found.described(ROLE)
    assert described.levels == ("dev", RARE)
    assert described.labels == ((RARE, "operations or science"),)
    assert described.caption == f"Role. Values of fewer than 3 people are {RARE}"


def test_a_value_that_was_not_counted_is_rare_among_texts_and_missing_among_numbers():
    assert recoding_of(ROLE, people(dev=3, ops=1), 3).of("new") == RARE
    assert recoding_of(AGE, of_ages(of20=3), 3).of(99) is None


def test_neighbours_are_put_together_under_the_value_of_the_middle_person():
    found = recoding_of(AGE, of_ages(of20=1, of21=2, of30=1, of31=1, of40=3), 3)
    assert [found.of(age) for age in (20, 21, 30, 31, 40)] == [21, 21, 40, 40, 40]
    # The middle of an even number is the lower of both.
    assert recoding_of(AGE, of_ages(of20=1, of30=1), 2).of(30) == 20


def test_the_last_ones_who_are_too_few_join_those_before():
    found = recoding_of(AGE, of_ages(of20=3, of30=3, of40=1), 3)
    assert [found.of(age) for age in (20, 30, 40)] == [20, 30, 30]
    assert found.merged == (("30", ("30 to 40",)),)


def test_levels_that_were_put_together_are_named_one_by_one():
    found = recoding_of(LEVEL, of_ages(of1=3, of3=2, of4=1), 3)
    described = found.described(LEVEL)
    assert described.levels == ("1", "3")
    assert described.labels == (("1", "low"), ("3", "3 or high"))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 6))
def test_no_number_is_left_to_fewer_than_k_and_their_order_stays(values, k):
    found = recoding_of(AGE, values, k)
    shown = [found.of(value) for value in values]
    assert all(count >= k for value, count in Counter(shown).items() if value is not None)
    known = [(value, after) for value, after in zip(values, shown, strict=True) if after is not None]
    assert all(one[1] <= other[1] for one in known for other in known if one[0] <= other[0])
    assert bool(known) == (len(values) >= k)


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=40), st.integers(1, 6))
def test_no_text_is_left_to_fewer_than_k_unless_all_answers_are_too_few(values, k):
    shown = Counter(recoding_of(WORDS, values, k).of(value) for value in values)
    assert min(shown.values()) >= min(k, len(values))


PEOPLE: list[dict[str, Any]] = [
    {"role": "dev", "age": 20, "level": 1},
    {"role": "dev", "age": 20, "level": 2},
    {"role": "ops", "age": 30, "level": 1},
    {"role": "ops", "age": 30, "level": None},
    {"role": "ops", "age": 30, "level": 1},
]


def test_small_groups_are_counted_by_how_many_columns_are_known_together():
    found = smallest_cells(PEOPLE, ("role", "age", "level"))
    # Alone by one column: level 2 and the missing level; by two and three these and the dev of level 1.
    assert found == [(1, 1, 2, ("level",)), (2, 1, 3, ("role", "level")), (3, 1, 3, ("role", "age", "level"))]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), []),
        (("role",), [(1, 2, 0, ("role",))]),
        (("role", "age"), [(1, 2, 0, ("role",)), (2, 2, 0, ("role", "age"))]),
    ],
)
def test_no_size_is_looked_at_twice(names, found):
    assert smallest_cells(PEOPLE, names) == found


def test_equal_values_of_different_types_are_different():
    rows = [{"a": 1}, {"a": "1"}, {"a": True}]
    assert smallest_cells(rows, ("a",)) == [(1, 1, 3, ("a",))]
    assert compact_json(1) != compact_json("1")
