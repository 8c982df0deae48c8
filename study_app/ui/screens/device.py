"""The device check: readable on a phone, passable on a computer.

Shows: what is needed. Records: nothing.
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.page import Page

STYLE = """<style>
.narrow-only { display: none; }
@media (max-width: 899px) {
  .narrow-only { display: block; }
  .st-key-device_continue { display: none !important; }
}
</style>"""


def draw(page: Page) -> None:
    """Draw the screen."""
    stage = page.place.stage
    assert stage is not None
    page.head()
    st.markdown(stage.body or page.text("device.body"))
    if "Mobi" in (st.context.headers.get("User-Agent") or ""):
        st.warning(page.text("device.phone"))
    else:
        st.html(STYLE)
        st.html(f'<p class="narrow-only" role="alert"><b>{page.text("device.narrow")}</b></p>')
        with st.container(key="device_continue"):
            st.button(
                page.text("common.continue"),
                type="primary",
                key=page.key("continue"),
                on_click=page.go(lambda: page.app.session.continue_(page.participant_id, stage.id)),
            )
    page.leave_button()
