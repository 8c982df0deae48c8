"""All rules about what a valid study file says and no step could do."""

from __future__ import annotations

from study_app.domain.errors import Problem
from study_app.domain.study.comparing.assistants_met import assistant_problems
from study_app.domain.study.comparing.treatment_orders import order_problems
from study_app.domain.study.contradictions.answers import answer_problems
from study_app.domain.study.contradictions.asked_conditions import condition_problems
from study_app.domain.study.contradictions.course import course_of_stages_problems
from study_app.domain.study.contradictions.decisions import decision_problems
from study_app.domain.study.contradictions.drawing import drawing_problems
from study_app.domain.study.contradictions.expectations import expectation_problems
from study_app.domain.study.contradictions.kinds import kind_problems
from study_app.domain.study.contradictions.named_content import named_content_problems
from study_app.domain.study.contradictions.recruiting import recruiting_problems
from study_app.domain.study.study import Study

RULES = (
    order_problems,
    assistant_problems,
    kind_problems,
    answer_problems,
    condition_problems,
    course_of_stages_problems,
    named_content_problems,
    drawing_problems,
    recruiting_problems,
    decision_problems,
    expectation_problems,
)


def contradictions(study: Study, file: str) -> list[Problem]:
    """Return what a study file says that cannot mean anything, or that steps would pass over.

    Not a part of reading it: versions that were launched before a rule came stay readable.

    Args:
        study: a valid one.
        file: for the messages.
    """
    return [Problem(file, *finding) for rule in RULES for finding in rule(study)]
