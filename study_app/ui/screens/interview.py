"""An interview: one question at a time, then what was said, in short, and how well that describes it.

Shows: where one is among the topics, the question, `Skip` and `Stop`. Records: every change of an answer.
"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from study_app.domain.interviews.machine import progress_of
from study_app.services.participant.interviewing.state import MISSING, RATING, Interview
from study_app.services.position import OnStage
from study_app.ui.components.views import FormAct, FormField
from study_app.ui.page import Page
from study_app.ui.screens.form import draw_form, question_field

ROWS = 6


def draw(page: Page[OnStage]) -> None:
    """Draw the screen; a question that is due is written down first."""
    found = page.app.interviews.view(page.participant_id)
    if found is None:
        # Moved on meanwhile, by another tab or a deadline: the next run draws where they are.
        st.rerun()
        return
    place, interview = found
    page = Page(page.app, place, page.api)
    page.head()
    if place.participant.step == 0 and place.stage.body:
        page.write(page.filled(place.stage.body))
    if interview.question(place.participant.step) is None:
        _after(page, interview)
    else:
        _question(page, interview)
    page.leave_button()


def _question(page: Page[OnStage], interview: Interview) -> None:
    step = page.place.participant.step
    if step == 0:
        page.write(page.text("interview.opening"))
    number, count = progress_of(interview.standing)
    st.html(f'<p class="small">{escape(page.text("interview.topic", n=number, m=count))}</p>')
    (asked,) = interview.form(step)
    field: FormField = {
        **question_field(asked, page.app.answers.drafts(page.place)),
        # A model's words are text, never Markdown or HTML.
        "prompt_html": f"<p><strong>{escape(asked.prompt)}</strong></p>",
        "label": page.text("interview.your_answer"),
        "rows": ROWS,
    }
    acts: list[FormAct] = [
        {"act": "skipped", "label": page.text("interview.skip")},
        {"act": "stopped", "label": page.text("interview.stop")},
    ]
    draw_form(page, [field], button="common.continue", acts=acts)


def _after(page: Page[OnStage], interview: Interview) -> None:
    closed = interview.held.closed if interview.held is not None else None
    own = interview.plan.texts.get(interview.language)
    if closed is not None and closed.ended_by == "distress":
        words = (own.distress if own is not None else "") or page.text("interview.distress")
        contact = page.place.study.contact or page.text("refusal.team")
        page.write(words.replace("{contact}", contact))
        draw_form(page, [], button="common.continue")
        return
    page.write((own.farewell if own is not None else "") or page.text("interview.farewell"))
    fields: list[FormField] = []
    if closed is not None and closed.summary:
        page.write(page.text("interview.summary_lead"))
        _summary(closed.summary, closed.summary_by == "model")
        fields = _rating(page, interview)
    draw_form(page, fields, button="common.continue")


def _summary(words: str, by_model: bool) -> None:
    """Draw the summary: a model's as one text, the rule's as each question with the beginning of its answer."""
    parts = words.split("\n\n")
    if by_model:
        shown = "".join(f"<p>{escape(part)}</p>" for part in parts)
    else:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        shown = "".join(f"<p><strong>{escape(q.strip('*'))}</strong><br>{escape(said)}</p>" for q, said in pairs)
    st.html(f'<blockquote class="prose">{shown}</blockquote>')


def _rating(page: Page[OnStage], interview: Interview) -> list[FormField]:
    drafts: dict[str, Any] = dict(page.app.answers.drafts(page.place))
    asked = {question.id: question for question in interview.form(page.place.participant.step)}
    fields: list[FormField] = []
    for name, key in ((RATING, "interview.rating"), (MISSING, "interview.missing")):
        words = page.text(key)
        fields.append(
            {**question_field(asked[name], drafts), "prompt": words, "prompt_html": f"<p>{escape(words)}</p>"}
        )
    fields[0]["low_label"] = page.text("interview.rating_low")
    fields[0]["high_label"] = page.text("interview.rating_high")
    return fields
