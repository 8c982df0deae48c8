"""Surveys and the eligibility form.

Shows: the questions of the stage, time left where it has a limit. Records: every change of an answer.
"""

from __future__ import annotations

from study_app.domain.study.study import Stage
from study_app.services.position import OnStage
from study_app.ui.page import Page
from study_app.ui.screens.form import draw_form, question_field


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    place, stage = page.place, page.place.stage
    page.head()
    if stage.body:
        page.write(page.filled(stage.body))
    drafts = page.app.answers.drafts(place)
    fields = [question_field(question, drafts) for question in stage.questions]
    draw_form(page, fields, button="exit.finish" if _last_before_end(page, stage) else "common.continue")
    page.leave_button()


def _last_before_end(page: Page[OnStage], stage: Stage) -> bool:
    following = page.place.study.next_stage(stage.id)
    return following is None or following.kind == "debrief"
