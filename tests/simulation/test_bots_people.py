"""What simulated people are like before they meet a service: traits, potential outcomes, quiz sheets."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from statistics import correlation, mean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.bootstrap import open_library
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.keys import AnyKey, Criterion
from study_app.domain.quiz.scoring import rate, response_problem, score
from study_app.simulation.behaviour.profiles import Effects, Rates, Scales, draw_person
from study_app.simulation.behaviour.quiz import fill_in, levels

ROOT = Path(__file__).parents[2]
SCALES = Scales(27.0, 35.0)


def people(count, rates=Rates()):  # noqa: B008
    return [draw_person(number, Random(f"test:{number}"), SCALES, rates) for number in range(count)]


@cache
def the_bank():
    library = open_library(ROOT / "study.toml")
    return library.bank("quizzes/trio").items_of(), library.keys("quizzes/trio")


@pytest.fixture
def bank():
    return the_bank()


def test_outcomes_have_the_stated_distribution():
    base = [person.base_score for person in people(2000)]
    assert mean(base) == pytest.approx(27 * SCALES.expected.quiz.mean, abs=0.4)
    assert stdev(base) == pytest.approx(27 * SCALES.expected.quiz.sd, abs=0.3)


def test_skill_raises_points_and_shortens_work():
    crowd = people(2000)
    skill = [person.skill for person in crowd]
    assert correlation(skill, [person.base_score for person in crowd]) == pytest.approx(0.55, abs=0.05)
    assert correlation(skill, [person.base_minutes for person in crowd]) == pytest.approx(-0.45, abs=0.05)


@pytest.mark.parametrize("effect", [-4.0, 0.0, 2.5])
def test_the_effect_is_there_for_everybody_whom_clipping_leaves_alone(effect):
    effects = Effects(score=effect)
    for person in people(300):
        difference = person.score(True, effects, SCALES) - person.score(False, effects, SCALES)
        if 5 < person.base_score < 22:
            assert difference == pytest.approx(effect)
        assert min(0.0, effect) - 1e-9 <= difference <= max(0.0, effect) + 1e-9


def test_the_effect_is_found_in_expectation_between_randomised_halves():
    effects, crowd = Effects(-4.0, -3.0), people(600)
    treated = [person.score(True, effects, SCALES) for person in crowd[:300]]
    control = [person.score(False, effects, SCALES) for person in crowd[300:]]
    assert mean(treated) - mean(control) == pytest.approx(-4.0, abs=3 * 5.1 * (2 / 300) ** 0.5)
    realised = [p.score(True, effects, SCALES) - p.score(False, effects, SCALES) for p in crowd]
    assert -4.0 <= mean(realised) < -3.8  # a few are clipped


def test_who_gives_up_counts_with_the_limit_in_every_arm():
    lost = [person for person in people(600) if person.gives_up]
    assert 0 < len(lost) < 60
    assert {person.minutes(got, Effects(0, -10), SCALES) for person in lost for got in (True, False)} == {35.0}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5])
def test_each_arm_shows_the_wanted_share_of_noncompliance_and_nobody_defies(share):
    crowd = people(3000, Rates(noncompliance=share))
    assert mean(person.always_ai for person in crowd) == pytest.approx(share, abs=0.03)
    assert mean(person.never_ai for person in crowd) == pytest.approx(share, abs=0.03)
    assert not any(person.always_ai and person.never_ai for person in crowd)


def test_effects_act_on_those_who_receive_the_treatment():
    always, never, other = (
        next(p for p in people(200, Rates(noncompliance=0.3)) if (p.always_ai, p.never_ai) == kind)
        for kind in ((True, False), (False, True), (False, False))
    )
    received = [(p.receives(False, False), p.receives(True, True)) for p in (always, never, other)]
    assert received == [(True, True), (False, False), (False, True)]


# -- quizzes -----------------------------------------------------------------------------------------------------------


def test_every_way_to_answer_is_a_possible_response_and_earns_what_it_says(bank):
    items, keys = bank
    for item in items:
        for level in levels(item, keys[item.id]):
            for response in level.responses:
                assert response_problem(item, response) is None
                found = score(item, keys[item.id], response).points
                assert found is None or found == pytest.approx(level.points)


@given(target=st.floats(0, 27), seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_points_come_within_half_a_point_of_the_target(target, seed):
    items, keys = the_bank()
    assert fill_in(items, keys, target, str(seed)).points == pytest.approx(target, abs=0.5)


def test_points_miss_their_target_by_little_and_to_both_sides(bank):
    items, keys = bank
    rng = Random("targets")
    targets = [rng.uniform(0, 27) for _ in range(300)]
    missed = [fill_in(items, keys, target, str(number)).points - target for number, target in enumerate(targets)]
    assert mean(abs(each) for each in missed) < 0.12
    assert abs(mean(missed)) < 0.04


def test_extreme_targets_are_reached_exactly(bank):
    items, keys = bank
    assert fill_in(items, keys, 0.0, "low").points == 0
    assert fill_in(items, keys, 27.0, "high").points == 27


def test_equal_points_come_from_different_items(bank):
    items, keys = bank
    sheets = [fill_in(items, keys, 14.0, str(seed)) for seed in range(30)]
    assert len({str(sheet.responses) for sheet in sheets}) == 30


RUBRIC = tuple(
    Criterion(id=name, text=text, points=points)
    for name, text, points in (("why", "Sagt, warum", 1), ("how", "Nennt den Weg", 2), ("case", "Zeigt\neinen Fall", 3))
)


def rated(kind: str) -> tuple[Item, AnyKey]:
    """Return an item of a kind that people rate by three criteria, 6 points in all."""
    items, keys = the_bank()
    item = next(each for each in items if each.kind == kind).model_copy(update={"points": 6.0})
    return item, keys[item.id].model_copy(update={"accept": (), "checks": (), "rubric": RUBRIC})


@pytest.mark.parametrize("kind", ["short_text", "code"])
def test_what_people_rate_is_answered_as_well_as_the_person_knows_it(kind):
    """A grader who gives a criterion its points where its words stand comes to the points of the sheet."""
    item, key = rated(kind)
    met = {}
    for target in range(7):
        sheet = fill_in((item,), {item.id: key}, target, f"{kind} {target}")
        given = " ".join((sheet.responses[item.id] or "").replace("#", " ").split())
        stands = {each.id: each.points for each in RUBRIC if " ".join(each.text.split()) in given}
        assert sum(stands.values()) == sheet.points == target
        assert rate(item, key, stands).points == target
        assert sheet.shares[item.id] == target / 6
        met[target] = given
    assert len(set(met.values())) == 7


@pytest.mark.parametrize("kind", ["short_text", "code"])
def test_one_who_knows_nothing_of_what_people_rate_mostly_writes_something(kind):
    item, key = rated(kind)
    sheets = [fill_in((item,), {item.id: key}, 0.0, str(seed)) for seed in range(60)]
    assert 40 < sum(sheet.responses[item.id] is not None for sheet in sheets) < 60
    assert {sheet.points for sheet in sheets} == {0.0}
