"""Instructions by arm, with the arm's pledge.

Shows: the arm's instructions and pledge. Records: the stage's end.
"""

from __future__ import annotations

from study_app.services.position import OnStage
from study_app.ui.components.views import Button
from study_app.ui.page import Page


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    place, stage, arm = page.place, page.place.stage, page.place.allocated_arm
    page.head()
    if stage.body:
        page.write(page.filled(stage.body))
    page.write(page.filled(arm.instructions))
    page.clock_starts(place.study.straight_after(stage.id))
    if arm.pledge:
        page.write(f"## {page.text('instructions.pledge')}")
    go_on: Button = {"act": "continue", "label": page.text("common.continue"), "first": True}
    page.actions(go_on, pledge=arm.pledge or None, forget="sent")
