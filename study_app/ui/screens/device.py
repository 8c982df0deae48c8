"""The device check: readable on a phone, passable on a computer.

Shows: what is needed; on a phone the personal link. Records: nothing.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from study_app.services.position import OnStage
from study_app.ui.components.views import Button, Copy
from study_app.ui.page import Page

STYLE = """<style>
.narrow-only { display: none; }
@media (max-width: 899px) { .narrow-only { display: block; } .st-key-wide_only { display: none !important; } }
</style>"""
MOVED = "moving_link"


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    stage = page.place.stage
    page.head()
    page.write(page.filled(stage.body or page.text("device.body")))
    if "Mobi" in (st.context.headers.get("User-Agent") or ""):
        _phone(page)
        return
    st.html(STYLE)
    st.html(f'<p class="narrow-only" role="alert"><b>{escape(page.text("device.narrow"))}</b></p>')
    with st.container(key="wide_only"):
        go_on: Button = {"act": "continue", "label": page.text("common.continue"), "first": True}
        page.actions(go_on, leave="none", forget="sent")
    with st.container(key="leave"):
        page.leave_button()


def _phone(page: Page[OnStage]) -> None:
    """Draw the way on to another device: a personal link."""
    st.html(f'<p role="alert"><b>{escape(page.text("device.phone"))}</b></p>')
    if MOVED not in st.session_state:
        st.session_state[MOVED] = page.app.enrol.moving_token(page.participant_id)
    link = f"enter?move={st.session_state[MOVED]}"
    hint = page.text("device.link_hint")
    copy: Copy = {"title": page.text("device.link"), "value": link, "address": True, "hint": hint}
    page.actions(copies=[copy], forget="sent")
