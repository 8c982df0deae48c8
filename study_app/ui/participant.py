"""The participant's app: one page, whose screen the server chooses from the database in every run."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from study_app.bootstrap import App, current
from study_app.domain.errors import StudyError, UnknownParticipant
from study_app.services.position import Position
from study_app.ui.author.bar import draw_bar
from study_app.ui.author.content import draw_look
from study_app.ui.components import top
from study_app.ui.page import STYLE, Page
from study_app.ui.screens.drawing import draw_screen

LANGUAGE_COOKIE = "study_language"
"""As the entry sets it; a participant's own language is in the database."""


def main() -> None:
    """Draw the screen of this browser's participant."""
    app = current()
    chosen = st.context.cookies.get(LANGUAGE_COOKIE, "")
    texts = app.texts[chosen if chosen in app.study.offered else app.study.offered[0]]
    study = app.context.localised(app.study, texts.language, app.context.study_hash)
    try:
        participant = app.enrol.identify(st.context.cookies.get("study_participant"))
        place = app.session.where(participant.id)
    except UnknownParticipant:
        _begin(study.title)
        st.info(texts["failure.sign_in"])
        _author(app, None)
        return
    except StudyError:
        _begin(study.title)
        st.error(texts["failure.page"])
        raise
    _begin(place.study.title)
    _author(app, place)
    if app.author is not None and draw_look(app, str(st.query_params.get("look", ""))):
        return
    with _stage_floor(Page(app, place)):
        draw_screen(app, place)


def _author(app: App, place: Position | None) -> None:
    """Draw the author's bar, where one works on the study."""
    if app.author is not None:
        draw_bar(app, place)


def _begin(title: str) -> None:
    st.set_page_config(page_title=title, layout="wide", initial_sidebar_state="collapsed")
    st.html(STYLE)


def _stage_floor(page: Page[Position]) -> DeltaGenerator:
    """Return a container for this screen, at its own place beside the last screen's.

    Streamlit leaves what a screen drew before on the page until the next has drawn to its end; for a moment both would
    have a `Continue`. The last screen's place is emptied first, so a click can only ever meet the screen one sees.
    """
    if st.session_state.get("screen") != page.screen:
        st.session_state["followed"] = "screen" in st.session_state
        st.session_state["screen"] = page.screen
        st.session_state["floor"] = 1 - st.session_state.get("floor", 1)
    top(page.screen, page.text("connection.lost"), page.text("page.skip"), followed=st.session_state["followed"])
    if st.session_state["floor"] == 0:
        floor = st.container()
        st.empty()
        return floor
    st.empty()
    return st.container()


main()
