"""The page before a timed stage: the clock starts when the participant goes on.

Shows: the stage's intro and limit. Records: the visit's start, on the click.
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    stage = page.place.stage
    assert stage is not None
    page.head()
    st.markdown(stage.intro)
    st.button(
        page.text("common.continue"),
        type="primary",
        key=page.key("begin"),
        on_click=page.go(lambda: page.app.session.begin_stage(page.participant_id, stage.id)),
    )
    page.leave_button()
