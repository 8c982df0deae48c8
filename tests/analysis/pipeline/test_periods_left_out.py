"""Of a sequence of treatments, who is in a row follows from the periods, and who is not is said."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.data.dataset import DeclaredArm
from analysis.data.view import View
from analysis.pipeline.crossover import CrossoverRunner
from study_app.domain.study.analysis_plan import Plan

PLAN = Plan.model_validate(
    {
        "outcomes": [{"id": "completion_minutes", "kind": "time", "cap": 40}], "primary": ["completion_minutes"],
        "covariates": [], "subgroups": [], "estimands": [],
        "analyses": [{"outcome": "completion_minutes", "method": "crossover", "role": "primary"}],
    }
)  # fmt: skip
ORDERS = ("plain>helped", "helped>plain")


def runner(people: int, without: int, half: int) -> CrossoverRunner:
    """Some people have no period, some the first only."""
    rows, periods = [], []
    for number in range(people):
        who, order = f"p{number}", ORDERS[number % 2]
        rows.append({"participant_id": who, "arm": order, "status": "completed", "completion_minutes": 20.0})
        kept = 0 if number < without else 1 if number < without + half else 2
        for period, treatment in list(enumerate(order.split(">"), start=1))[:kept]:
            # Handed in after three minutes, and not completed: the limit counts.
            value = 5 + number % 4 + 2 * period + number * period % 3 + (3 if treatment == "helped" else 0)
            periods.append(
                {"participant_id": who, "period": period, "treatment": treatment, "minutes": 3.0,
                 "completed": 0, "completion_minutes": float(value)}
            )  # fmt: skip
    arms = (DeclaredArm("plain"), DeclaredArm("helped"))
    tables = {"periods": pd.DataFrame(periods)}
    view = View(pd.DataFrame(rows), arms, tables, False, False, ("real",), ())  # type: ignore[arg-type]
    return CrossoverRunner(view, PLAN, "plain", None, "", 1)


def test_the_time_of_a_period_is_that_to_completion_and_not_to_the_last_submission():
    (row,) = runner(12, 0, 0).run(PLAN.analyses[0])
    assert row.estimate == pytest.approx(3, abs=1.5), "the column minutes has no difference"
    assert "left out" not in row.note


def test_people_without_a_period_and_with_some_only_are_counted_in_the_row():
    (row,) = runner(12, 1, 2).run(PLAN.analyses[0])
    assert "1 of 12 left out: no period with a value" in row.note
    assert "2 of 12 with values in some of the 2 periods only" in row.note


def test_the_flow_can_ask_who_has_a_value_in_the_periods():
    assert len(runner(12, 1, 2).measured()["completion_minutes"]) == 11
