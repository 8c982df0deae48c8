"""The last screen of every way, however it ended.

Shows: thanks, what the study was about, the completion code of this outcome. Records: nothing.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    place = page.place
    codes = place.study.recruitment.codes
    status = place.participant.status
    known = {"completed", "declined", "screened_out", "withdrawn"}
    outcome: str = status if status in known else "completed"
    if place.participant.place == "refused":
        outcome = "full"
    debrief = place.study.stages[-1]
    page.head(debrief.title)
    st.markdown(page.text(f"end.{outcome}"))
    if place.participant.data_withdrawn:
        st.markdown(page.text("end.withdrawn_deleted"))
    if outcome == "completed" and debrief.body:
        st.markdown(debrief.body)
    code = getattr(codes, outcome)
    st.html(
        f'<p><b>{escape(page.text("end.code"))}</b></p><p><span class="code-box">{escape(code)}</span></p>'
        f'<p class="small">{escape(page.text("end.code_hint"))}</p>'
    )
    url = place.study.recruitment.completion_url
    if url:
        st.link_button(page.text("end.back_link"), url.replace("{code}", code), type="primary")
    if place.participant.kind == "preview":
        st.html(f'<p class="preview"><a href="/enter?again=1" target="_self">{escape(page.text("end.again"))}</a></p>')
