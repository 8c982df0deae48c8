"""Power with a standard deviation that the researcher gives: margins, scales and caps in the outcome's own unit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis.design.power import t_test_power
from analysis.pipeline.power.assumptions import Assumptions, as_text
from analysis.pipeline.power.planned_trials import PlannedTrial
from analysis.pipeline.power.trial_power import simulated_plan, trial_power
from study_app.cli import app
from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan

ROOT = Path(__file__).parents[3]
SCORE = {"id": "score", "kind": "continuous", "unit": "points"}
BOUNDED = {"id": "points", "kind": "bounded", "upper": 28}
MINUTES = {"id": "completion_minutes", "kind": "time", "event": "completion_event"}
PASSED = {"id": "passed", "kind": "binary"}
COUNT = {"id": "errors", "kind": "count"}
LIKED = {"id": "liked", "kind": "ordinal"}
CENSORED = MINUTES | {"id": "task_minutes", "censored": "right", "cap": 35}
ALL = [SCORE, BOUNDED, MINUTES, PASSED, COUNT, LIKED, CENSORED]


def study(outcomes, analyses=()):
    ids = [outcome["id"] for outcome in outcomes]
    given = {"outcomes": outcomes, "primary": ids, "analyses": list(analyses), "covariates": [], "subgroups": []}
    plan = Plan.model_validate(given).with_limit(35.0)
    return read_study(ROOT / "study.toml").model_copy(update={"analysis": plan})


def shown(outcome, method, **options):
    return {"outcome": outcome, "method": method, "role": "primary", "options": options}


def control(trial, given, n=4000):
    """The outcomes of the control arm of one large simulated trial."""
    planned = PlannedTrial(trial, simulated_plan(trial.analysis), given)
    table = planned.dataset(n, 0.0, np.random.default_rng(5)).participants
    return table[table["arm"] == trial.control.id]


@pytest.mark.parametrize(
    ("method", "expected"),
    [("noninferiority", t_test_power(6 / 12, 30, alpha=0.05, alternative="greater")),
     pytest.param("tost", 2 * t_test_power(6 / 12, 30, alpha=0.05, alternative="greater") - 1, marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_margin_in_raw_units_has_the_power_that_the_given_standard_deviation_implies(method, expected):
    trial = study([SCORE], [shown("score", method, margin=6)])
    found = trial_power(trial, sizes=[60], effects=[0.0], sims=40, workers="1", given=Assumptions(sd={"score": 12.0}))
    (row,) = found["power"][0]["rows"]
    (formula,) = row["formulas"]
    assert formula["power"] == pytest.approx(expected, abs=1e-9)
    assert "margin 6 where a standard deviation is 12" in formula["formula"]
    assert row["simulated"] == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 40))
    assert found["assumptions"]["sd"] == {"score": 12.0}


def test_simulated_outcomes_have_the_given_standard_deviation_and_else_the_documented_one():
    trial = study([SCORE, BOUNDED, MINUTES])
    given = Assumptions(sd={"points": 3.0, "completion_minutes": 5.0, "score": 12.0}, incomplete=0.001)
    for assumed, expected in ((given, (12, 3, 5)), (Assumptions(incomplete=0.001), (1, 28 / 6, 7))):
        table = control(trial, assumed)
        for name, sd in zip(("score", "points", "completion_minutes"), expected, strict=True):
            assert table[name].std() == pytest.approx(sd, rel=0.06)


def test_a_wide_score_meets_the_ends_of_its_scale_and_a_wide_time_its_floor():
    table = control(study([BOUNDED, MINUTES]), Assumptions(sd={"points": 13.0, "completion_minutes": 20.0}))
    assert table["points"].isin([0, 28]).mean() > 0.2
    assert (table["completion_minutes"] < 1).mean() > 0.2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("passed", 0.5, "--sd: passed: is a yes or no, whose spread follows from its share; leave it out"),
        ("errors", 2.0, "--sd: errors: is a count, whose spread follows from its mean; leave it out"),
        ("liked", 1.0, "--sd: liked: has levels and no unit; leave it out"),
        ("task_minutes", 5.0, "--sd: task_minutes: is a time to an event, censored where it ends.*leave it out"),
        (
            "sore",
            2.0,
            "--sd: sore: is not a primary outcome, and only those are simulated; name one of: score, points, ",
        ),
        ("points", 0.0, "--sd: points: 0 is not a standard deviation; give a number above 0"),
        ("points", float("nan"), "--sd: points: nan is not a standard deviation; give a number above 0"),
        ("points", float("inf"), "--sd: points: inf is not a standard deviation; give a number above 0"),
        ("points", 14.5, "--sd: points: no outcome from 0 to 28 has a standard deviation of 14.5; give at most 14"),
        ("completion_minutes", 28.0, "--sd: completion_minutes: with 28 the mean .* below 0.*; give less than 27.31"),
        ("score", 2.0, "--sd: score: no primary row of it has a margin.*nothing changes; leave it out"),
    ],
)
def test_a_standard_deviation_that_an_outcome_cannot_have_is_refused(name, value, message):
    with pytest.raises(ProblemsFound, match=message):
        trial_power(study(ALL), sims=10, workers="1", given=Assumptions(sd={name: value}))


def test_every_wrong_standard_deviation_is_named_at_once():
    with pytest.raises(ProblemsFound) as found:
        trial_power(study(ALL), sims=10, workers="1", given=Assumptions(sd={"passed": 1.0, "points": -1.0}))
    assert [(problem.file, problem.key) for problem in found.value.problems] == [("--sd", "passed"), ("--sd", "points")]


def test_what_is_assumed_names_the_standard_deviation_of_every_outcome_that_has_one():
    assumed = dataclasses.replace(Assumptions(), sd={"quiz_points": 4.6667})
    assert as_text(assumed.to_json()).endswith("cluster size 10, sd of quiz points 4.667")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sd", "quiz_points"], "error: --sd: 'quiz_points' is not an outcome with its standard deviation; "
         "write OUTCOME=NUMBER, such as score=12"),
        (["--sd", "quiz_points=3", "--sd", "quiz_points=4"], "error: --sd: quiz_points: is given twice; give it once"),
        (["--sd", "quiz_points=80"], "error: --sd: quiz_points: no outcome from 0 to 100, which is taken where the "
         "plan names no upper end, has a standard deviation of 80; give at most 50"),
    ],
)  # fmt: skip
def test_the_command_says_what_a_standard_deviation_must_be(options, message):
    done = CliRunner().invoke(app, ["power", str(ROOT / "study.toml"), "--sims", "10", "--workers", "1", *options])
    assert (done.exit_code, done.stderr.strip()) == (2, message)
