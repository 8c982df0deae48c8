"""Errors over clusters, each left out once: what does not exist without one of them has no error, and says so."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run

ARMS = {"arm": "arm", "control": "plain", "cluster": "class"}


def people(passed):
    """Return six people in each of twelve classes; `passed` says of a class how many of its people pass."""
    rows = [
        {
            "class": number,
            "arm": "ai" if number % 2 else "plain",
            "minutes": 5.0 + 7 * person + number,
            "passed": int(person < passed(number)),
        }
        for number in range(12)
        for person in range(6)
    ]
    return pd.DataFrame(rows)


def some_of(number):
    return 1 + number // 2 % 3 if number % 2 == 0 else 2


def test_a_hazard_ratio_whose_events_lie_in_one_class_has_no_error():
    table = people(lambda number: some_of(number) if number % 2 == 0 else 4 * (number == 1))
    row = run("cox", table, outcome="minutes", event="passed", **ARMS)
    assert row.estimate is not None
    assert (row.std_error, row.p_value, row.ci_low) == (None, None, None)
    assert "without one of the clusters there is no such estimate" in row.note


@pytest.mark.parametrize("passed", [lambda number: 0 if number % 2 else some_of(number),
                                    lambda number: 2 * (number == 1) if number % 2 else some_of(number)])  # fmt: skip
def test_a_ratio_that_does_not_exist_without_a_class_leaves_the_difference_its_error(passed):
    table = people(passed)
    row = run("newcombe", table, outcome="passed", **ARMS)
    shares = table.groupby("arm")["passed"].mean()
    left_out = [
        rest.groupby("arm")["passed"].mean()
        for rest in (table[table["class"] != number] for number in range(12))
    ]  # fmt: skip
    gaps = np.array([rest["ai"] - rest["plain"] for rest in left_out])
    assert row.estimate == pytest.approx(shares["ai"] - shares["plain"])
    assert row.std_error == pytest.approx(np.sqrt(11 / 12 * ((gaps - row.estimate) ** 2).sum()))
    assert (row.effect_size.ci_low, row.effect_size.ci_high) == (None, None)


def test_a_method_that_fails_without_a_class_names_it_as_the_table_has_it():
    table = people(lambda number: 1 + number % 4)
    table = table[(table["arm"] == "plain") | (table["class"] == 7)]
    row = run("newcombe", table, outcome="passed", **ARMS)
    assert row.estimate is None
    assert "without cluster '7' nothing can be estimated" in row.note


def test_a_note_on_clusters_comes_once_in_each_row_of_several_arms():
    table = people(some_of)
    table.loc[table["class"] > 8, "arm"] = "hints"
    rows = run("tost", table, outcome="minutes", margin=4, **ARMS)
    assert [row.note.count("few clusters") for row in rows] == [1, 1]
