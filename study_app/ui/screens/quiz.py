"""The quiz, page by page, without a way back.

Shows: items of one page, time left. Records: every change of an answer, and the page's end.
"""

from __future__ import annotations

import streamlit as st

from study_app.domain.localisation.content_texts import localised_item
from study_app.services.position import OnStage
from study_app.ui.components.views import FormField
from study_app.ui.page import Page
from study_app.ui.screens.form import confidence_rating, draw_form, item_field


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    place, stage = page.place, page.place.stage
    bank, items, pages = page.app.answers.page(place)
    step = place.participant.step
    page.head()
    st.caption(page.text("common.page_of", n=step + 1, m=pages))
    everything = bank.form(stage.form or None).item_ids
    first = sum(len(earlier) for earlier in bank.form(stage.form or None).pages[:step]) + 1
    drafts = page.app.answers.drafts(place)
    fields: list[FormField] = []
    for number, item in enumerate(items, first):
        fields.append(item_field(localised_item(stage.bank, item, page.say), number, drafts))
        if stage.confidence:
            fields.append(confidence_rating(page, item, number, drafts))
    button = "quiz.submit" if step + 1 >= pages else "common.continue"
    draw_form(page, fields, button=button, count=len(everything))
    page.leave_button()
