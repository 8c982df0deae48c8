"""Between two sessions.

Shows: when the next part opens. Records: nothing.
"""

from __future__ import annotations

from study_app.services.position import Waiting
from study_app.ui.page import Page


def draw(page: Page[Waiting]) -> None:
    """Draw the screen."""
    opens_at = page.place.opens_at
    page.head(page.text("waiting.title"))
    page.write(page.text("waiting.body", date=page.texts.figures.moment(opens_at)))
    page.leave_button()
