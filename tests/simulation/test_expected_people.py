"""What a study file expects of people is what simulated people are like."""

from __future__ import annotations

import tomllib
from random import Random
from statistics import correlation, mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.simulations import ROOT

from study_app.dataset.measures.assistant import _says_yes
from study_app.domain.study.rehearsal.section import ExpectedAnswer, ExpectedMeasure, Rehearsal, Scenario
from study_app.domain.study.study import Question, Stage, Study
from study_app.rehearsal.drawn_people import draw_people
from study_app.rehearsal.trials import opened
from study_app.simulation.behaviour.profiles import ClusterLevels, Rates, Scales, draw_person, effects_of
from study_app.simulation.behaviour.surveys import answers
from study_app.simulation.population.crowd import cluster_of

SHIPPED = tomllib.loads((ROOT / "study.toml").read_text(encoding="utf-8"))


def people(count=1500, cluster=None, within=0.0, **expected):
    scales = Scales(20.0, 40.0, Rehearsal(**expected), within)
    return scales, [draw_person(n, Random(f"e:{n}"), scales, Rates(), cluster) for n in range(count)]


def test_quiz_points_and_minutes_have_the_expected_mean_sd_and_correlation():
    quiz, minutes = ExpectedMeasure(mean=0.4, sd=0.1, skill=0.8), ExpectedMeasure(mean=0.5, sd=0.3, skill=-0.2)
    _, crowd = people(quiz=quiz, minutes=minutes)
    skill = [person.skill for person in crowd]
    points, spent = [person.base_score for person in crowd], [person.base_minutes for person in crowd]
    assert (mean(points), stdev(points)) == (pytest.approx(8, abs=0.2), pytest.approx(2, abs=0.15))
    assert (mean(spent), stdev(spent)) == (pytest.approx(20, abs=1), pytest.approx(12, abs=0.8))
    assert correlation(skill, points) == pytest.approx(0.8, abs=0.05)
    assert correlation(skill, spent) == pytest.approx(-0.2, abs=0.07)


def test_other_quizzes_have_their_own_mean_and_go_with_the_main_one():
    expected = {
        "baseline_quiz": ExpectedMeasure(mean=0.2, sd=0.05),
        "later_quiz": ExpectedMeasure(mean=0.7, sd=0.05),
        "quiz_to_quiz": 0.9,
    }
    scales, crowd = people(**expected)
    early = [person.other_score(True, 10, scales, Random(person.number)) for person in crowd]
    late = [person.other_score(False, 10, scales, Random(person.number)) for person in crowd]
    assert mean(early) == pytest.approx(2, abs=0.1)
    assert mean(late) == pytest.approx(7, abs=0.1)
    assert correlation(early, [person.base_score for person in crowd]) == pytest.approx(0.9, abs=0.03)


def test_each_period_of_a_sequence_has_a_quiz_of_its_own_with_the_expected_mean_sd_and_correlations():
    expected = {"quiz": ExpectedMeasure(mean=0.4, sd=0.1, skill=0.5), "quiz_to_quiz": 0.7}
    scales, crowd = people(**expected)
    periods = [
        [person.base_score + person.period_points(scales, Random(f"{name}:{person.number}")) for person in crowd]
        for name in ("one", "two")
    ]
    for points in periods:
        assert (mean(points), stdev(points)) == (pytest.approx(8, abs=0.2), pytest.approx(2, abs=0.15))
        assert correlation(points, [person.skill for person in crowd]) == pytest.approx(0.5, abs=0.06)
    assert correlation(*periods) == pytest.approx(0.7, abs=0.04)


def test_the_periods_of_a_sequence_agree_no_less_than_their_common_skill_makes_them():
    scales, crowd = people(quiz=ExpectedMeasure(mean=0.4, sd=0.1, skill=0.8), quiz_to_quiz=0.1)
    one, two = ([person.period_points(scales, Random(f"{n}:{person.number}")) for person in crowd] for n in "ab")
    points = [[p.base_score + more for p, more in zip(crowd, each, strict=True)] for each in (one, two)]
    assert correlation(*points) == pytest.approx(0.64, abs=0.05)


@pytest.mark.slow
def test_minutes_of_a_period_have_the_expected_sd_and_correlation_with_skill():
    with opened(str(ROOT / "examples" / "crossover" / "study.toml"), 1) as (app, _):
        drawn = draw_people(app, Scenario(id="none"), 1500, "s")
        one, two = ([each.walk.person.base_minutes + each.walk.shift(stage) for each in drawn]
                    for stage in app.study.main_task_stages)  # fmt: skip
        quizzes = [[each.walk.filled(stage, None).points for each in drawn] for stage in app.study.period_quizzes]
    skill = [each.walk.person.skill for each in drawn]
    for minutes in (one, two):
        assert stdev(minutes) == pytest.approx(0.2 * 20, rel=0.06)
        assert correlation(minutes, skill) == pytest.approx(-0.45, abs=0.06)
    assert correlation(one, two) == pytest.approx(0.75, abs=0.04)
    assert 0.2 < correlation(*quizzes) < 0.7, "copies of one quiz would make every difference of treatments certain"


def test_points_go_with_skill_as_expected_also_where_clusters_share_a_part():
    scales, _ = people(count=1, icc=0.4, quiz=ExpectedMeasure(mean=0.5, sd=0.1, skill=0.7))
    rng = Random("c")
    levels = [ClusterLevels(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(300)]
    crowd = [draw_person(n, Random(f"e:{n}"), scales, Rates(), levels[n // 10]) for n in range(3000)]
    skill, points = [person.skill for person in crowd], [person.base_score for person in crowd]
    assert correlation(skill, points) == pytest.approx(0.7, abs=0.04)
    assert stdev(points) == pytest.approx(2, abs=0.15)
    minutes = [person.base_minutes for person in crowd]
    assert correlation(skill, minutes) == pytest.approx(scales.expected.minutes.skill, abs=0.04)
    assert stdev(minutes) == pytest.approx(40 * scales.expected.minutes.sd, abs=0.4)


def test_times_have_the_expected_correlation_within_a_cluster_which_points_do_not_decide():
    scales, _ = people(count=1, icc=0.0, minutes_icc=0.4)
    rng = Random("c")
    levels = [ClusterLevels(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(1500)]
    crowd = [draw_person(n, Random(f"e:{n}"), scales, Rates(), levels[n // 2]) for n in range(3000)]
    for measure, icc in (("base_minutes", 0.4), ("base_score", 0.0)):
        found = [getattr(person, measure) for person in crowd]
        assert correlation(found[::2], found[1::2]) == pytest.approx(icc, abs=0.06)


def test_the_share_that_gives_up_is_the_expected_one():
    _, crowd = people(gives_up=0.5)
    assert mean(person.gives_up for person in crowd) == pytest.approx(0.5, abs=0.05)
    _, none = people(count=200, gives_up=0.0)
    assert not any(person.gives_up for person in none)


def test_people_of_a_cluster_share_the_expected_part_of_the_variance():
    expected = {"quiz": ExpectedMeasure(mean=0.5, sd=0.1), "minutes": ExpectedMeasure(mean=0.5, sd=0.1)}
    _, alike = people(count=50, cluster=ClusterLevels(2.0, 1.0), icc=0.99, minutes_icc=0.99, **expected)
    assert stdev(person.base_score for person in alike) < 0.4
    assert stdev(person.base_minutes for person in alike) < 0.8
    assert mean(person.base_minutes for person in alike) == pytest.approx(24, abs=0.4)
    raw = SHIPPED | {"allocation": {"method": "cluster", "cluster": "label"}, "rehearsal": {"cluster_size": 7}}
    study = Study.model_validate(raw)
    assert [cluster_of(study, number, "s")[0] for number in (0, 6, 7)] == ["class 1", "class 1", "class 2"]


def stage(**question):
    return Stage(id="about", kind="survey", questions=(Question(id="q", prompt="?", **question),))


OPTIONS = [{"value": value, "label": value} for value in ("low", "middle", "high")]


def test_choices_have_the_expected_shares_and_go_with_skill():
    _, crowd = people()
    expected = {"q": ExpectedAnswer(shares={"low": 3, "middle": 1}, skill=0.9)}
    given = [answers(stage(kind="choice", options=OPTIONS), p, False, Random(p.number), expected)["q"] for p in crowd]
    assert set(given) == {"low", "middle"}
    assert given.count("low") / len(given) == pytest.approx(0.75, abs=0.04)
    skilled = mean(p.skill for p, answer in zip(crowd, given, strict=True) if answer == "middle")
    assert skilled > 0.6


@pytest.mark.parametrize(
    "question",
    [
        {"kind": "choice", "options": [{"value": value, "label": value} for value in ("tasks", "No")]},
        {"kind": "multiple", "options": [{"value": value, "label": value} for value in ("tasks", "quiz", "none")]},
        {"kind": "scale", "low": 0, "high": 7},
        {"kind": "slider", "low": 10, "high": 60},
        {"kind": "number", "low": 0},
    ],
    ids=lambda question: question["kind"],
)
def test_people_say_whether_they_used_other_ai_as_the_dataset_reads_it(question):
    _, (person, *_) = people(count=1)
    asked = stage(other_ai=True, **question)
    said = {used: answers(asked, person, used, Random(1))["q"] for used in (False, True)}
    assert {used: _says_yes(asked.questions[0], value) for used, value in said.items()} == {False: False, True: True}


def test_numbers_have_the_expected_mean_and_sd_and_stay_in_range():
    _, crowd = people()
    expected = {"q": ExpectedAnswer(mean=30, sd=4)}
    asked = stage(kind="number", low=18, high=99)
    given = [answers(asked, p, False, Random(p.number), expected)["q"] for p in crowd]
    assert (mean(given), stdev(given)) == (pytest.approx(30, abs=0.5), pytest.approx(4, abs=0.4))
    assert min(given) >= 18


@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.floats(-0.99, 0.99), st.integers(0, 50))
def test_an_expected_number_is_always_an_answer_that_the_question_takes(mean_, sd, skill, number):
    _, crowd = people(count=1)
    expected = {"q": ExpectedAnswer(mean=mean_, sd=sd, skill=skill)}
    answer = answers(stage(kind="scale", low=1, high=7), crowd[0], False, Random(number), expected)["q"]
    assert answer in range(1, 8)


def test_each_arm_has_its_own_effect_and_outside_ai_that_of_the_average():
    arms = [*SHIPPED["arms"], {"id": "hints", "label": "Hints", "assistant": SHIPPED["arms"][0].get("assistant")}]
    arms[-1]["assistant"] = next(arm["assistant"] for arm in SHIPPED["arms"] if arm.get("assistant"))
    study = Study.model_validate(SHIPPED | {"arms": arms})
    effects = effects_of(study, {"ai": -4.0, "hints": 2.0}, -3.0)
    assert (effects.of(study.arm("ai")).score, effects.of(study.arm("hints")).score) == (-4.0, 2.0)
    assert effects.of(study.arm("hints")).minutes == -3.0
    assert effects.of(study.control).score == -1.0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"answers": {"nothing": {"mean": 1, "sd": 1}}},
            "rehearsal.answers.nothing: the study asks no question of this",
        ),
        ({"answers": {"years_python": {"mean": 2, "sd": 1}}}, "is of kind choice; mean and sd belong to a number"),
        ({"answers": {"years_python": {"shares": {"soon": 1}}}}, "'soon' is not an option"),
        ({"answers": {"years_python": {"shares": {}}}}, "give either shares of the options, or mean and sd"),
        ({"answers": {"years_python": {"mean": 2}}}, "a mean needs its sd"),
        ({"answers": {"years_python": {"shares": {"1": 0}}}}, "every share is 0"),
        ({"scenarios": [{"id": "a", "effect_score": {"robot": 1}}]}, "scenarios.a: 'robot' is not an arm"),
        ({"scenarios": [{"id": "a", "effect_minutes": {"no_ai": 1}}]}, "'no_ai' is the control arm"),
        ({"scenarios": [{"id": "a"}, {"id": "a"}]}, "the scenario 'a' is declared twice"),
        ({"scenarios": [{"id": "null"}]}, "'null' is the trial without effects"),
    ],
)
def test_a_table_that_does_not_fit_the_study_is_refused_by_key(table, said):
    with pytest.raises(ValueError, match=said):
        Study.model_validate(SHIPPED | {"rehearsal": table})


def test_what_is_expected_is_no_part_of_the_protocol():
    plain = Study.model_validate(SHIPPED)
    expecting = Study.model_validate(SHIPPED | {"rehearsal": {"gives_up": 0.2, "scenarios": [{"id": "a"}]}})
    assert plain.canonical() == expecting.canonical()
    assert expecting.rehearsal.scenarios == (Scenario(id="a"),)
