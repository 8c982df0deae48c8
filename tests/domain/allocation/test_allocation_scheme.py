"""The [allocation] table: what it accepts, and what it says when it does not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from study_app.domain.allocation import Factor, Scheme, options, scheme_problems
from study_app.domain.allocation.arms import Arm

TWO = (Arm(id="ai"), Arm(id="no_ai"))


def said(**table):
    with pytest.raises(ValidationError) as caught:
        Scheme(**table)
    return {".".join(str(part) for part in error["loc"]): error["msg"] for error in caught.value.errors()}


@pytest.mark.parametrize("given", ["years", 5, {"variable": "years"}])
def test_strata_that_are_no_list_are_refused_as_they_were_written(given):
    with pytest.raises(ValidationError) as caught:
        Scheme(method="stratified_blocks", strata=given)
    (error,) = (error for error in caught.value.errors() if error["loc"][0] == "strata")
    assert error["input"] == given


def test_a_parameter_that_the_method_does_not_use_is_named_with_those_that_do():
    found = said(method="simple", block_sizes=[4], bound=2)
    assert "remove it, or choose permuted_blocks or stratified_blocks" in found["block_sizes"]
    assert "choose big_stick" in found["bound"]


@pytest.mark.parametrize(
    ("table", "needed"),
    [
        ({"method": "stratified_blocks"}, "strata"),
        ({"method": "minimisation"}, "factors"),
        ({"method": "cluster"}, "cluster"),
        ({"method": "cluster", "cluster": "label", "base_method": "stratified_blocks"}, "strata"),
    ],
)
def test_a_method_says_what_it_needs(table, needed):
    assert f"needs {needed}" in said(**table)[""]


@pytest.mark.parametrize(
    ("table", "key", "part"),
    [
        ({"method": "minimisation", "factors": ["a"], "probability": 1.2}, "probability", "less than or equal to 1"),
        ({"method": "minimisation", "factors": ["a"], "metric": "max"}, "metric", "'range', 'sd' or 'variance'"),
        ({"method": "stratified_blocks", "strata": ["a", "a"]}, "strata", "list each variable once"),
        ({"block_sizes": [4, 4]}, "block_sizes", "list each block size once"),
        ({"block_sizes": [0]}, "block_sizes", "below 1"),
        ({"method": "big_stick", "bound": 0}, "bound", "greater than or equal to 1"),
        ({"method": "coin"}, "method", "'simple'"),
        ({"blocks": [4]}, "blocks", "Extra inputs"),
        ({"method": "simple", "replacement": "return_slot"}, "replacement", "does not use it"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(table, key, part):
    assert part in said(**table)[key]


def test_cuts_must_ascend():
    with pytest.raises(ValidationError, match="does not ascend"):
        Factor(variable="warmup_minutes", cuts=(10, 5))


@pytest.mark.parametrize(
    ("value", "level"),
    [(3, "<5"), (5, "5-10"), ("7.5", "5-10"), (10, ">=10"), (None, "missing"), ("often", "missing")],
)
def test_numbers_become_categories_at_the_cuts(value, level):
    assert Factor(variable="warmup_minutes", cuts=(5, 10)).level(value) == level


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("4-6", "4-6"),
        (2, "2"),
        (2.0, "2"),
        (True, "true"),
        ("", "missing"),
        (None, "missing"),
        (float("nan"), "missing"),
    ],
)
def test_other_values_are_categories_as_they_are(value, level):
    assert Factor(variable="experience").level(value) == level


def test_block_sizes_must_hold_the_weights():
    arms = (Arm(id="ai", weight=2), Arm(id="no_ai"))
    [problem] = scheme_problems(Scheme(block_sizes=[4, 6]), arms)
    assert str(problem) == (
        "study.toml: allocation.block_sizes: [4] is not a multiple of 3, the sum of the weights; "
        "use multiples such as 6 and 9"
    )


def test_weights_count_by_their_ratio():
    assert scheme_problems(Scheme(block_sizes=[2]), (Arm(id="ai", weight=10), Arm(id="no_ai", weight=10))) == []


def test_every_variable_must_be_saved_before_allocation():
    scheme = Scheme(method="cluster", cluster="class", base_method="stratified_blocks", strata=["experience", "age"])
    found = scheme_problems(scheme, TWO, {"experience"})
    assert [problem.key for problem in found] == ["allocation.strata", "allocation.cluster"]
    assert "use one of: experience" in found[0].remedy


@pytest.mark.parametrize("weight", [0, -1, 1.5, "2", True, float("nan"), 10_000])
def test_a_weight_is_a_whole_number(weight):
    with pytest.raises(ValidationError, match="whole number|out of range"):
        Arm(id="ai", weight=weight)


def test_a_crossover_says_which_orders_do_not_fit():
    scheme = Scheme(method="sequence", orders=[["ai", "no_ai"], ["ai", "tutor"]])
    [problem] = scheme_problems(scheme, TWO)
    assert "tutor is not an arm" in problem.what
    many = tuple(Arm(id=f"arm{number}") for number in range(6))
    [problem] = scheme_problems(Scheme(method="sequence"), many)
    assert problem.remedy == 'write orders = "williams"'
    assert scheme_problems(Scheme(method="sequence"), many[:5]) == []


@pytest.mark.parametrize("given", [[["ai", "no_ai"], ["ai", "no_ai"]], [["ai", "no_ai"], []], []])
def test_a_crossover_lists_each_of_its_orders_once_and_none_that_is_empty(given):
    found = scheme_problems(Scheme(method="sequence", orders=given), TWO)
    assert "an order is empty or listed twice" in [problem.what for problem in found]


@pytest.mark.parametrize(("orders", "arms", "count"), [("all", 3, 6), ("latin_square", 4, 4), ("williams", 4, 4)])
def test_a_crossover_offers_as_many_orders_as_its_design_has(orders, arms, count):
    given = [Arm(id=f"arm{number}") for number in range(arms)]
    assert len(options(Scheme(method="sequence", orders=orders), given)) == count
