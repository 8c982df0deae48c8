"""Which screen a place has."""

from __future__ import annotations

from study_app.services.context import Position
from study_app.ui.page import Page
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


def draw_screen(page: Page, place: Position) -> None:
    """Draw the screen of a place."""
    if place.screen == "end":
        debrief.draw(page)
    elif place.screen == "waiting":
        waiting.draw(page)
    elif place.screen == "intro":
        intro.draw(page)
    else:
        assert place.stage is not None
        SCREENS[place.stage.kind](page)
