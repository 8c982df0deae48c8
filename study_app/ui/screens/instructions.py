"""Instructions by arm, with the arm's pledge.

Shows: the arm's instructions and pledge. Records: the stage's end.
"""

from __future__ import annotations

from study_app.ui.components import Button
from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    place, stage = page.place, page.place.stage
    assert stage is not None
    assert place.arm is not None
    page.head()
    if stage.body:
        page.write(page.filled(stage.body))
    page.write(page.filled(place.arm.instructions))
    page.clock_starts(place.study.next_stage(stage.id))
    if place.arm.pledge:
        page.write(f"## {page.text('instructions.pledge')}")
    go_on: Button = {"act": "continue", "label": page.text("common.continue"), "first": True}
    page.actions(go_on, pledge=place.arm.pledge or None)
