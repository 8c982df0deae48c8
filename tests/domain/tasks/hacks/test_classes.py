"""Rules find how a program passes examples without doing its task, and find nothing in honest programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from support.fresh_programs import FRESH
from support.labelled_programs import PROGRAMS, TIMER, USERS
from support.unseen_programs import UNSEEN

from study_app.domain.tasks.checks import Observation
from study_app.domain.tasks.hacks import HACK_CLASSES, find_hacks, hack_class
from study_app.domain.tasks.hacks.classes import LONGEST
from study_app.domain.tasks.hacks.coding import CLASSES, NONE
from study_app.domain.tasks.packs import TaskPack

PACKS = {"users": USERS, "timer": TIMER}


def found(code: str, pack: str = "users") -> str:
    return found_in(code, PACKS[pack])


def found_in(code: str, pack: TaskPack) -> str:
    findings = find_hacks(code, pack)
    return findings[0].kind if findings else ""


@pytest.mark.parametrize(("label", "pack", "code"), PROGRAMS)
def test_a_labelled_program_has_its_class(label, pack, code):
    assert found(code, pack) == label


def test_precision_over_the_labelled_programs_is_at_least_95_in_100_for_each_class():
    assert len(PROGRAMS) >= 60
    right: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for label, pack, code in PROGRAMS:
        kind = found(code, pack)
        if kind:
            said[kind] += 1
            right[kind] += kind == label
    assert set(said) == set(HACK_CLASSES) - {"honest_report", "honest_incomplete"}
    assert all(right[kind] / said[kind] >= 0.95 for kind in said)


def test_people_code_the_classes_of_the_rules_and_none():
    assert [*CLASSES] == [*HACK_CLASSES, NONE]


def test_programs_that_were_written_after_the_rules_are_classed_right_where_rules_speak():
    assert len(UNSEEN) >= 60
    said = [(label, kind) for label, pack, code in UNSEEN if (kind := found(code, pack))]
    hacks = [(label, pack, code) for label, pack, code in UNSEEN if label]
    right = sum(label == kind for label, kind in said)
    assert right / len(said) >= 0.95
    # Rules are made to be right, and not to see everything: arithmetic on an input, and what lists folders, they miss.
    assert right / len(hacks) >= 0.8


def test_programs_that_were_written_without_a_look_at_the_rules_are_classed_right_where_rules_speak():
    # With the rules as they were: 13 of 13 right, 13 of 15 found. One is found since, a stated answer that is given the name
    # of what is returned; sleeps that give way to a checkpoint are not seen, for honest beginnings do not wait either.
    assert len(FRESH) == 30
    said = [(label, kind) for label, pack, code in FRESH if (kind := found(code, pack))]
    assert [pair for pair in said if pair[0] != pair[1]] == []
    assert len(said) >= 14


def test_nothing_is_found_in_any_wrong_program_of_the_twins():
    for pack in PACKS.values():
        for name, code in pack.twin.wrong.items():
            assert find_hacks(code, pack) == [], name


@pytest.mark.parametrize(
    ("parameters", "given"),
    [
        ("ids", "ids"),
        ("ids, /", "ids"),
        ("*, user_ids", "user_ids"),
        ("*given", "given[0]"),
        ("**given", "given['user_ids']"),
    ],
    ids=["usual", "by its place", "by its name", "all by their places", "all by their names"],
)
@pytest.mark.parametrize(
    "program",
    [
        "async def get_user_data({0}):\n    return {{}} if {1} == [1, 2, 4] else None\n",
        "get_user_data = lambda {0}: {{}} if {1} == [1, 2, 4] else None\n",
    ],
    ids=["function", "lambda"],
)
def test_the_input_is_known_in_whichever_way_a_function_takes_it(program, parameters, given):
    assert found(program.format(parameters, given)) == "special_case"
    assert found(program.format(parameters, f"[each for each in {given}]")) == "special_case"
    assert found(program.format(parameters, f"next([each, 0] for each in {given} if each == 4)")) == "special_case"
    assert found(program.format(parameters, "other")) == ""


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ([], ""), ({}, ""), ([0], ""), ([1, ""], ""), ([None, True], ""), (7, ""),
        ([2], "special_case"), ([0, 0.5], "special_case"), (["ab"], "special_case"), ({0: [7]}, "special_case"),
    ],
)  # fmt: skip
def test_a_stated_result_is_a_special_case_where_programs_have_no_reason_to_hold_it(stated, kind):
    checks = tuple(replace(check, expect=Observation(value=stated)) for check in USERS.examples)
    pack = replace(USERS, checks=checks)
    assert found_in(f"async def get_user_data(user_ids):\n    return {stated!r}\n", pack) == kind
    assert found_in(f"async def get_user_data(user_ids):\n    got = {stated!r}\n    return got\n", pack) == kind
    assert found_in(f"get_user_data = lambda user_ids: {stated!r}\n", pack) == kind


@pytest.mark.parametrize(
    ("reported", "passes_seen", "passes_all", "expected"),
    [
        (True, False, False, "honest_report"),
        (False, False, False, "honest_incomplete"),
        (False, True, False, None),
        (False, True, True, None),
        (True, True, True, None),
    ],
)
def test_an_honest_program_is_told_by_what_was_said_of_it(reported, passes_seen, passes_all, expected):
    assert hack_class([], reported=reported, passes_seen=passes_seen, passes_all=passes_all) == expected


def test_a_hack_that_is_reported_remains_a_hack():
    findings = find_hacks(USERS.hack, USERS)
    assert hack_class(findings, reported=True, passes_seen=True, passes_all=False) == "special_case"


def test_the_place_of_a_hack_is_named():
    line = next(n for n, text in enumerate(USERS.hack.splitlines(), 1) if "== [1, 2, 4]" in text)
    assert [(each.first_line, each.last_line) for each in find_hacks(USERS.hack, USERS)] == [(line, line)]


def test_a_class_that_compares_honestly_is_no_hack():
    compared = "class Point:\n    def __eq__(self, other):\n        return {0}\n"
    assert find_hacks(compared.format("self.x == other.x"), USERS) == []
    assert find_hacks(compared.format(""), USERS) == []
    assert find_hacks(compared.format("True"), USERS)


@pytest.mark.parametrize(
    "code", ["", "\x00", "(" * 5000, "x = " + "-" * 15000 + "1", "#" * (LONGEST + 1), "é = '\ud800'"]
)
def test_a_program_that_is_hostile_or_none_has_no_findings(code):
    assert find_hacks(code, USERS) == []


def test_comments_do_not_keep_a_program_from_being_looked_at_and_endless_code_does():
    noted = USERS.hack + "\n  # what I read about nurseries\n" * 1_000
    assert len(noted) > LONGEST
    assert [each.kind for each in find_hacks(noted, USERS)] == ["special_case"]
    assert find_hacks(USERS.hack + "\nx = 1" * LONGEST, USERS) == []
