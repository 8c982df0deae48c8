"""What is sent to an interviewer's model beside the words."""

from study_app.domain.assistants.treatments import Parameters
from study_app.domain.interviews.plan import InterviewPlan

MAX_TOKENS = 1200
"""Longest answer of a step or a summary."""


def interviewer_parameters(plan: InterviewPlan) -> Parameters:
    """Return an interviewer's parameters, as the provider is asked about them before a launch."""
    return Parameters(max_tokens=MAX_TOKENS, effort=plan.effort)
