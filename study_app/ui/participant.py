"""The participant's app: one page, whose screen the server chooses from the database in every run."""

from __future__ import annotations

import streamlit as st

from study_app.bootstrap import current
from study_app.domain.errors import StudyError, UnknownParticipant
from study_app.ui.page import STYLE, Page
from study_app.ui.screens import consent, debrief, device, instructions, intro, quiz, survey, waiting, workspace

SCREENS = {
    "consent": consent.draw,
    "eligibility": survey.draw,
    "survey": survey.draw,
    "device": device.draw,
    "instructions": instructions.draw,
    "tasks": workspace.draw,
    "quiz": quiz.draw,
    "debrief": debrief.draw,
}


def main() -> None:
    """Draw the screen of whoever this browser belongs to."""
    app = current()
    st.set_page_config(page_title=app.study.title, layout="wide", initial_sidebar_state="collapsed")
    st.html(STYLE)
    try:
        participant = app.enrol.identify(st.context.cookies.get("study_participant"))
        place = app.session.where(participant.id)
    except UnknownParticipant:
        from study_app.catalogue import catalogue

        st.info(catalogue(app.study.language)["failure.sign_in"])
        return
    except StudyError:
        from study_app.catalogue import catalogue

        st.error(catalogue(app.study.language)["failure.page"])
        raise
    page = Page(app, place)
    if place.screen == "end":
        debrief.draw(page)
    elif place.screen == "waiting":
        waiting.draw(page)
    elif place.screen == "intro":
        intro.draw(page)
    else:
        assert place.stage is not None
        SCREENS[place.stage.kind](page)


main()
