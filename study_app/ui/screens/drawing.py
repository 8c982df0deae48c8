"""Which screen a place has."""

from __future__ import annotations

from collections.abc import Callable

from study_app.bootstrap import App
from study_app.services.position import BeforeStage, Ended, OnStage, Paused, Position, Waiting
from study_app.ui.page import Page
from study_app.ui.screens import (
    consent,
    debrief,
    device,
    instructions,
    interview,
    intro,
    paused,
    quiz,
    survey,
    waiting,
    workspace,
)

SCREENS: dict[str, Callable[[Page[OnStage]], None]] = {
    "consent": consent.draw,
    "eligibility": survey.draw,
    "survey": survey.draw,
    "device": device.draw,
    "instructions": instructions.draw,
    "tasks": workspace.draw,
    "quiz": quiz.draw,
    "interview": interview.draw,
}


def draw_screen(app: App, place: Position, api: str = "") -> None:
    """Draw the screen of a place."""
    match place:
        case Ended():
            debrief.draw(Page(app, place, api))
        case Waiting():
            waiting.draw(Page(app, place, api))
        case Paused():
            paused.draw(Page(app, place, api))
        case BeforeStage():
            intro.draw(Page(app, place, api))
        case OnStage():
            SCREENS[place.stage.kind](Page(app, place, api))
