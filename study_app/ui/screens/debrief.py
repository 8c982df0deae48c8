"""The last screen of every way, however it ended.

Shows: thanks, what the study was about, the completion code of this outcome. Records: nothing.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from study_app.services.position import Ended
from study_app.ui.page import Page

KNOWN = {"completed", "declined", "screened_out", "withdrawn"}


def draw(page: Page[Ended]) -> None:
    """Draw the screen."""
    place = page.place
    recruitment, status = place.study.recruitment, place.participant.status
    outcome: str = status if status in KNOWN else "completed"
    if place.participant.place == "refused":
        outcome = "full"
    debrief = place.study.stages[-1]
    page.head(debrief.title)
    page.write(page.text(f"end.{outcome}"))
    if place.participant.data_withdrawn:
        page.write(page.text("end.withdrawn_deleted"))
    if outcome == "completed" and debrief.body:
        page.write(debrief.body)
    code, url = getattr(recruitment.codes, outcome), recruitment.completion_url
    if outcome == "completed":
        code = place.study.session_code(place.study.session_of(debrief))
    hint = page.text("end.code_hint_link" if url else "end.code_hint")
    page.actions(
        copies=[{"title": page.text("end.code"), "value": code, "address": False, "hint": hint}],
        link={"href": url.replace("{code}", code), "label": page.text("end.back_link")} if url else None,
        leave="none",
    )
    if place.participant.kind == "preview":
        st.html(f'<p class="preview"><a href="/enter?again=1" target="_self">{escape(page.text("end.again"))}</a></p>')
