"""The programs that a participant's pages and the server had, followed through the log event by event."""

from __future__ import annotations

from study_app.domain.editing.edits import apply_event
from study_app.domain.events import Event
from study_app.domain.events.browser import TextEvent
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import PageOpened


class ProgramsInLog:
    """Texts of tasks as they are after the events seen so far."""

    def __init__(self) -> None:
        self.owner: str | None = None
        """The page that the attempt belongs to."""
        self._texts: dict[tuple[str | None, str | None], str | None] = {}
        self._saved: dict[str | None, str | None] = {}
        self._before: dict[str | None, str | None] = {}

    def see(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event.details, PageOpened):
            self.owner = event.details.page
        elif isinstance(event.details, TextEvent):
            self._write(event, event.details)

    def of_page(self, page: str | None, task: str) -> str | None:
        """Return the text of a task in a page; None where it is not known."""
        return self._texts.get((page, task))

    def saved(self, task: str) -> str | None:
        """Return the text of a task as the server keeps it: that of the page that owned the attempt last."""
        return self._saved.get(task)

    def saved_lately(self, task: str) -> list[str | None]:
        """Return `saved`, and before it the text that it was last where that is known.

        Two transactions at once are numbered in either order: what reads the one may stand behind the other.
        """
        before = self._before.get(task)
        return ([] if before is None else [before]) + [self.saved(task)]

    def _write(self, event: Event, details: TextEvent) -> None:
        place = (event.page, details.task)
        try:
            self._texts[place] = apply_event(self._texts.get(place), details)
        except ReplayMismatch:
            # Not known from here on, until the page loads the text again; the replay of the log says more.
            self._texts[place] = None
        # A page that another one has replaced still sends what was typed there; the server keeps it in the log alone.
        if self.owner in (None, event.page):
            self._before[details.task] = self._saved.get(details.task)
            self._saved[details.task] = self._texts[place]
