"""The page before a timed stage: the clock starts when the participant goes on.

Shows: the stage's intro and limit. Records: the visit's start, on the click.
"""

from __future__ import annotations

from study_app.services.position import BeforeStage
from study_app.ui.page import Page


def draw(page: Page[BeforeStage]) -> None:
    """Draw the screen."""
    stage = page.place.stage
    page.head()
    page.write(page.filled(stage.intro))
    page.clock_starts(stage)
    page.actions({"act": "begin", "label": page.text("common.continue"), "first": True}, forget="sent")
