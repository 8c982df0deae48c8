"""Probes of a study file: inside a stage's limit, in order, during tasks only."""

from __future__ import annotations

import pytest
from support.trials.probe_study import probe_study

from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound


@pytest.mark.parametrize(
    ("probes", "key", "what"),
    [
        ("at_minutes = [2, 10]", "probes.1.at_minutes", "minute 10 does not lie within the 10 minutes of 'tasks'"),
        ("at_minutes = [5, 2]", "probes.1.at_minutes", "not in ascending order"),
        ("at_minutes = [2, 2]", "probes.1.at_minutes", "not in ascending order, each once"),
        ("at_minutes = []", "probes.1.at_minutes", "found []"),
        ("at_minutes = [0]", "probes.1.at_minutes.1", "found 0"),
        ('at_minutes = [2]\nstages = ["start"]', "probes.1.stages", "'start' is of kind survey"),
        ('at_minutes = [2]\nstages = ["nowhere"]', "probes.1.stages", "'nowhere' is not a stage; use one of: tasks"),
        ('at_minutes = [2]\ntasks = ["other"]', "probes.1.tasks", "has the task 'other'; use one of: warmup"),
        ("at_minutes = [2]\n[[probes]]\nat_minutes = [1, 2]", "probes", "minute 2 of 'tasks' has two probes"),
        ("at_minutes = [2]\nevery = 3", "probes.1.every", "this key is not known"),
    ],
)
def test_a_probe_that_cannot_be_asked_is_refused_with_its_key(tmp_path, probes, key, what):
    study = probe_study(tmp_path, f"[[probes]]\n{probes}\n")
    with pytest.raises(ProblemsFound) as found:
        read_study(study)
    assert any(problem.key == key and what in str(problem) for problem in found.value.problems), str(found.value)


def test_probes_belong_to_the_main_stages_of_tasks_unless_they_are_named(tmp_path):
    study = read_study(probe_study(tmp_path))
    assert [probe.minute for probe in study.probes_at("tasks")] == [2, 5]
    assert study.probes_at("start") == ()
    assert [stage.id for stage in study.probed_stages] == ["tasks"]


def test_a_study_without_probes_says_nothing_of_them_in_its_hashed_text(tmp_path):
    assert "probes" not in read_study(probe_study(tmp_path, "")).published()
    (tmp_path / "second").mkdir()
    assert "probes" in read_study(probe_study(tmp_path / "second")).published()
