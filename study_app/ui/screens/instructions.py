"""Instructions by arm, with the arm's pledge.

Shows: the arm's instructions and pledge. Records: the stage's end.
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    place, stage = page.place, page.place.stage
    assert stage is not None
    assert place.arm is not None
    page.head()
    if stage.body:
        st.markdown(stage.body)
    st.markdown(place.arm.instructions)
    promised = True
    if place.arm.pledge:
        st.header(page.text("instructions.pledge"), anchor=False)
        promised = st.checkbox(place.arm.pledge, key=page.key("pledge"))
    tried = page.key("tried")

    def go_on() -> None:
        st.session_state[tried] = True
        if promised_now():
            page.app.session.continue_(page.participant_id, stage.id)

    def promised_now() -> bool:
        return not place.arm.pledge or bool(st.session_state.get(page.key("pledge")))  # type: ignore[union-attr]

    if st.session_state.get(tried) and not promised:
        st.warning(page.text("instructions.pledge_missing"))
    st.button(page.text("common.continue"), type="primary", key=page.key("continue"), on_click=go_on)
    page.leave_button()
