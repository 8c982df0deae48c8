"""Grading beside a simulation, so that the sandbox works while people type."""

from __future__ import annotations

import threading

from study_app.bootstrap import App


class Grader:
    """Grades submissions beside the simulation, and the rest at its end."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begin a grading, unless one is going on."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._grade, daemon=True)
            self._thread.start()

    def _grade(self) -> None:
        try:
            self._app.grading.grade_pending()
        except BaseException as failure:
            self._failure = failure

    def finish(self) -> None:
        """Wait, then grade and score what is left.

        Raises:
            InfrastructureError: a grading failed.
        """
        if self._thread is not None:
            self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._app.grading.grade_pending()
        self._app.scoring.score_pending()
