"""While researchers have stopped a participant's clock.

Shows: that nothing is lost, and whom to write to; goes on by itself once they may. Records: nothing.
"""

from __future__ import annotations

import streamlit as st

from study_app.services.position import Paused
from study_app.ui.page import Page

LOOK_AGAIN_SECONDS = 5


def draw(page: Page[Paused]) -> None:
    """Draw the screen."""
    page.head(page.text("paused.title"))
    page.write(page.text("paused.body"))
    page.write(page.text("paused.contact", contact=page.place.study.contact or page.text("refusal.team")))

    @st.fragment(run_every=LOOK_AGAIN_SECONDS)
    def wait() -> None:
        if not isinstance(page.app.session.peek(page.participant_id), Paused):
            st.rerun()

    wait()
    page.leave_button()
