"""Consent: what the study is, what is kept, who sees it.

Shows: body, data policy, assistant's provider, the choice. Records: consented or declined.
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    study, stage = page.place.study, page.place.stage
    assert stage is not None
    page.head()
    st.markdown(stage.body)
    st.header(page.text("consent.kept_title"), anchor=False)
    st.markdown(page.text("consent.kept", months=study.data.keep_months, shared=study.data.shared))
    if study.assistants:
        embedded = all(assistant.id != "claude" for assistant in page.app.world.assistants.values())
        st.header(page.text("consent.provider_title"), anchor=False)
        st.markdown(page.text("consent.provider_embedded" if embedded else "consent.provider"))
    st.header(page.text("consent.voluntary_title"), anchor=False)
    st.markdown(page.text("consent.voluntary", contact=study.contact))
    who = page.participant_id
    left, right, _ = st.columns([1, 1, 1])
    left.button(
        page.text("consent.agree"),
        type="primary",
        key=page.key("agree"),
        on_click=page.go(lambda: page.app.session.consent(who, True)),
        width="stretch",
    )
    right.button(
        page.text("consent.disagree"),
        key=page.key("disagree"),
        on_click=page.go(lambda: page.app.session.consent(who, False)),
        width="stretch",
    )
