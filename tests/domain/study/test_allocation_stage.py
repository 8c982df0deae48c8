"""People are allocated on their way into the first stage that differs by arm, and into none where nothing differs."""

from __future__ import annotations

import tomllib
from pathlib import Path

from study_app.content.study_file import validate_study
from study_app.domain.study.recruiting.quotas import answers_of
from study_app.domain.study.sections import Question

SHIPPED = tomllib.loads((Path(__file__).parents[3] / "study.toml").read_text())


def test_tasks_differ_where_arms_have_different_treatments():
    study = validate_study(SHIPPED, "study.toml")
    (tasks,) = (stage for stage in study.stages if stage.kind == "tasks" and stage.main)
    assert study.differs_by_arm(tasks)
    alike = [arm.model_copy(update={"assistant": None, "persona": None}) for arm in study.arms]
    assert not study.model_copy(update={"arms": tuple(alike)}).differs_by_arm(tasks)


def test_a_quota_counts_each_value_of_a_scale_and_none_of_a_number():
    scale = Question(id="q", kind="scale", prompt="How much?", low=1, high=3)
    assert answers_of(scale) == [1, 2, 3]
    assert answers_of(Question(id="q", kind="number", prompt="How many?", low=1, high=3)) == []
    assert answers_of(Question(id="q", kind="text", prompt="Why?")) == []
