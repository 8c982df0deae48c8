"""Agreement of people who graded answers: by criterion and in points, from the ratings as the console stores them."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import agreement
from analysis.measurement.graders import graders_section

PEOPLE = [f"p{number}" for number in range(8)]


def table(*rows: tuple[str, str, object]) -> pd.DataFrame:
    """(object, rater, value) in order of rating."""
    return pd.DataFrame(
        [
            {
                "object": name,
                "rater": rater,
                "rubric": "points",
                "value": json.dumps(value),
                "rated_at": f"2026-01-{n:04}",
            }
            for n, (name, rater, value) in enumerate(rows, start=1)
        ]
    )


def rated(values: dict[str, list[object]], item: str = "q1") -> list[tuple[str, str, object]]:
    return [
        (f"answer:{PEOPLE[n]}:quiz:{item}", rater, value)
        for rater, given_values in values.items()
        for n, value in enumerate(given_values)
        if value is not None
    ]


EVA = [{"points": 0.0}, {"points": 1.0}, {"points": 2.0}, {"points": 2.0}, {"points": 0.5}]
FINN = [{"points": 0.0}, {"points": 1.0}, {"points": 1.0}, {"points": 2.0}, {"points": 0.5}]


def test_two_raters_of_whole_answers_get_kappa_alpha_and_icc_with_intervals():
    found = graders_section(table(*rated({"eva": EVA, "finn": FINN})), PEOPLE)
    points = [[a["points"], b["points"]] for a, b in zip(EVA, FINN, strict=True)]
    assert (found["objects"], found["raters"], found["percent_agreement"]) == (5, 2, 80.0)
    assert found["kappa"]["name"] == "cohen"
    assert found["kappa"]["value"] == pytest.approx(float(agreement.cohen_kappa(points)))
    assert found["krippendorff_alpha"]["value"] == pytest.approx(
        float(agreement.krippendorff_alpha(points, "interval"))
    )
    assert found["icc"]["value"] == pytest.approx(float(agreement.icc(points, "ICC2")))
    for name in ("kappa", "krippendorff_alpha", "icc"):
        assert found[name]["ci_low"] <= found[name]["value"] <= found[name]["ci_high"]
    assert [(each["item"], each["objects"]) for each in found["items"]] == [("q1", 5)]


def test_criteria_are_compared_each_by_itself():
    eva = [{"names": 0, "why": 1}, {"names": 1, "why": 0}, {"names": 1, "why": 1}]
    finn = [{"names": 0, "why": 0}, {"names": 1, "why": 1}, {"names": 1, "why": 1}]
    found = graders_section(table(*rated({"eva": eva, "finn": finn})), PEOPLE)
    by_criterion = {each["criterion"]: each for each in found["criteria"]}
    assert by_criterion["names"]["percent_agreement"] == 100
    assert by_criterion["names"]["kappa"]["value"] == 1
    assert by_criterion["why"]["percent_agreement"] == pytest.approx(100 / 3)
    assert found["disagreements"] == 2


def test_as_many_points_by_other_criteria_are_the_same_points():
    """0.1 + 0.2 is not 0.3 in floating point, and 0.1 + 0.2 + 0.3 not 0.3 + 0.2 + 0.1."""
    eva = [{"a": 0.1, "b": 0.2, "c": 0.3}, {"a": 0.1, "b": 0.2, "c": 0.0}, {"a": 1.0, "b": 0.0, "c": 0.0}]
    finn = [{"a": 0.3, "b": 0.2, "c": 0.1}, {"a": 0.3, "b": 0.0, "c": 0.0}, {"a": 0.0, "b": 0.5, "c": 0.5}]
    found = graders_section(table(*rated({"eva": eva, "finn": finn})), PEOPLE)
    assert [sum(one.values()) == sum(two.values()) for one, two in zip(eva, finn, strict=True)] == [False, False, True]
    assert (found["percent_agreement"], found["kappa"]["value"]) == (100, 1)
    assert found["disagreements"] == 3


def test_of_a_rater_who_corrects_a_rating_the_newest_counts_and_the_correction_is_counted():
    rows = rated({"eva": EVA, "finn": EVA})
    wrong = (rows[0][0], "eva", {"points": 2.0})
    found = graders_section(table(wrong, *rows), PEOPLE)
    assert (found["percent_agreement"], found["corrected"], found["disagreements"]) == (100, 1, 0)


def test_a_settled_decision_is_no_further_rater():
    rows = rated({"eva": EVA, "finn": FINN})
    found = graders_section(table(*rows, (rows[2][0], "adjudicated", {"points": 1.5})), PEOPLE)
    assert (found["raters"], found["disagreements"], found["settled"]) == (2, 1, 1)


def test_three_raters_who_did_not_rate_the_same_answers_get_fleiss_and_icc1():
    values = {"eva": [1, 0, 1, None, 0, 1], "finn": [1, 0, None, 1, 0, 0], "gus": [None, None, 1, 1, None, None]}
    given_values = {rater: [None if v is None else {"points": v} for v in each] for rater, each in values.items()}
    found = graders_section(table(*rated(given_values)), PEOPLE)
    assert (found["objects"], found["raters"], found["kappa"]["name"], found["icc"]["name"]) == (6, 3, "fleiss", "ICC1")
    assert found["kappa"]["value"] is not None
    assert found["krippendorff_alpha"]["value"] is not None


@pytest.mark.parametrize(
    "rows",
    [
        [],
        rated({"eva": EVA}),
        [("turn:t1", "eva", {"points": 1}), ("turn:t1", "finn", {"points": 1})],
        [("answer:stranger:quiz:q1", "eva", {"points": 1}), ("answer:stranger:quiz:q1", "finn", {"points": 1})],
        [("answer:p0:quiz:q1", "eva", "text"), ("answer:p0:quiz:q1", "finn", {"points": "x"})],
    ],
)
def test_nothing_that_two_people_rated_gives_an_empty_section(rows):
    frame = table(*rows) if rows else pd.DataFrame(columns=["object", "rater", "rubric", "value", "rated_at"])
    assert graders_section(frame, PEOPLE) == {}


def test_one_answer_or_no_variation_is_a_null_with_a_reason():
    one = graders_section(table(*rated({"eva": EVA[:1], "finn": FINN[:1]})), PEOPLE)
    assert one["kappa"]["value"] is None
    assert one["kappa"]["note"]
    alike = graders_section(table(*rated({"eva": [{"points": 1}] * 4, "finn": [{"points": 1}] * 4})), PEOPLE)
    assert alike["percent_agreement"] == 100
    assert "not estimable" in alike["kappa"]["note"]


AWARDED = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.dictionaries(st.sampled_from(["points", "a", "b"]), st.one_of(st.floats(0, 3), st.text(max_size=2)), max_size=2),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["eva", "finn", "gus", "adjudicated"]), AWARDED)))
def test_whatever_was_stored_as_a_rating_the_section_is_made(entries):
    rows = [(f"answer:{who}:quiz:q", rater, value) for who, rater, value in entries]
    frame = table(*rows) if rows else pd.DataFrame(columns=["object", "rater", "rubric", "value", "rated_at"])
    found = graders_section(frame, PEOPLE)
    assert not found or found["objects"] >= 0
