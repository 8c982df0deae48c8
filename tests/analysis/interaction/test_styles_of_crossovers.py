"""Of a crossover, patterns of use stand beside what belongs to the periods with an assistant."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from test_styles_description import own_export

from analysis.pipeline.sections import ASSISTED, assisted, styles_or_reason
from study_app.content.study_file import read_study

STUDY = read_study(Path(__file__).parents[3] / "examples" / "crossover" / "study.toml")
QUIZZES = [quiz.id for quiz in STUDY.period_quizzes]


def tables():
    """Person p asked in the second period: 7 minutes and 60 % there, 20 minutes and 10 % without help."""
    made = own_export()
    people = made["participants"].assign(arm=["no_ai>full", "full>no_ai"], task_minutes=[27.0, 11.0], quiz_score=0.1)
    people[f"{QUIZZES[0]}_score"], people[f"{QUIZZES[1]}_score"] = [0.1, 0.8], [0.6, 0.2]
    periods = pd.DataFrame(
        {"participant_id": ["p", "p", "q", "q"], "period": [1, 2, 1, 2],
         "treatment": ["no_ai", "full", "full", "no_ai"], "minutes": [20.0, 7.0, 5.0, 6.0]}
    )  # fmt: skip
    return made | {"participants": people, "periods": periods}


def test_minutes_and_quiz_of_a_crossovers_people_are_those_with_an_assistant():
    given = tables()
    people = assisted(given["participants"], given["periods"], STUDY).set_index("participant_id")
    assert people["task_minutes"].to_dict() == {"p": 7.0, "q": 5.0}
    assert people["quiz_score"].to_dict() == {"p": 0.6, "q": 0.8}


def test_the_table_of_patterns_rests_on_them_and_says_so():
    view = SimpleNamespace(tables=tables(), hidden=False)
    found = styles_or_reason(view, STUDY.analysis, {}, STUDY)
    (group,) = [row for row in found["groups"] if row["n"]]
    assert (group["minutes"]["mean"], group["score"]["mean"]) == (7.0, pytest.approx(0.6))
    assert found["scope"] == ASSISTED
    between = styles_or_reason(view, STUDY.analysis, {})
    (group,) = [row for row in between["groups"] if row["n"]]
    assert group["minutes"]["mean"] == 27.0
    assert "scope" not in between
