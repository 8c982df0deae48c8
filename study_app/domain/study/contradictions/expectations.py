"""Expectations of people for which the study has no place: simulations would pass over them in silence."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.study.contradictions.kinds import Finding, given, quiz_of_role
from study_app.domain.study.rehearsal.section import Scenario
from study_app.domain.study.study import Study


def expectation_problems(study: Study) -> Iterator[Finding]:
    """Yield keys of [rehearsal] about what the study does not have."""
    lacking = _lacking(study)
    for key in given(study.rehearsal):
        if why := lacking.get(key):
            yield f"rehearsal.{key}", why, "remove it"
    for scenario in study.rehearsal.scenarios:
        for key in _moved(scenario):
            if why := lacking.get(key):
                yield f"rehearsal.scenarios.{scenario.id}.{key}", why, "remove it"


def _lacking(study: Study) -> dict[str, str]:
    """Return key -> why nothing of the study takes it."""
    main, tasks = study.main_quiz is not None, bool(study.main_task_stages)
    place = study.stages.index(study.main_quiz) if study.main_quiz is not None else 0
    later = any(main and study.stages.index(quiz.stage) > place for quiz in study.quizzes)
    needs = {
        ("quiz", "effect_score"): (main, "the study has no main quiz"),
        ("baseline_quiz",): (quiz_of_role(study, "baseline") is not None, "no quiz comes before allocation"),
        ("later_quiz",): (later, "no quiz follows the main one"),
        ("quiz_to_quiz",): (len(study.quizzes) > 1, "there are not two quizzes"),
        ("minutes", "gives_up", "effect_minutes", "noncompliance"): (tasks, "the study has no main tasks"),
        ("icc", "cluster_size"): (study.allocation.method == "cluster", "people are not allocated in clusters"),
        ("variants",): (bool(study.varied_tasks), "no arm meets a task that cannot be done"),
        ("affect",): (bool(study.probes), "the study has no probes"),
    }
    return {key: why for keys, (there, why) in needs.items() if not there for key in keys}


def _moved(scenario: Scenario) -> list[str]:
    """Return the keys of a scenario that move anything."""
    return [key for key in given(scenario) if key != "id"]
