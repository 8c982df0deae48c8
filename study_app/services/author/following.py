"""Following the files of a study while they are written: what can be read is taken over, what cannot is kept as faults.

The study goes on with the last version that could be read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from study_app.domain.errors import Problem, ProblemsFound, StudyError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""Between two looks at the files. A change is taken over once it stands for a look: a file that is being written is
short for a moment."""


class FollowedFiles:
    """The files as they were when they were last read, and what was wrong with them then.

    Args:
        name: the study file as the user named it.
        written: says of every file of the study when it was written.
        load: reads the study anew and goes on with it; raises where it is broken, and then nothing has changed.
    """

    def __init__(self, name: str, written: Callable[[], Mapping[Path, object]], load: Callable[[], None]) -> None:
        self.generation = 0
        """Counts the readings: a page that was drawn at another one is out of date."""
        self.problems: tuple[Problem, ...] = ()
        """Of the files as they are now; empty where the study that is shown is the one in the files."""
        self._name = name
        self._written = written
        self._load = load
        self._read = dict(written())
        self._last = self._read

    def look(self) -> bool:
        """Read the files again where they have changed since they were last read and stand still; whether it did."""
        now = dict(self._written())
        standing, self._last = now == self._last, now
        if now == self._read or not standing:
            return False
        self._read = now
        self.read()
        return True

    def read(self) -> None:
        """Read the files and go on with what they say, if they can be read."""
        try:
            self._load()
            self.problems = ()
        except ProblemsFound as found:
            self.problems = found.problems
        except (StudyError, OSError) as failure:
            self.problems = (Problem(self._name, "", str(failure), "correct it, then save"),)
        except Exception as failure:
            # An author must see that something is wrong, whatever it is; the study goes on.
            log.exception("the files of the study could not be read")
            what = f"could not be read ({type(failure).__name__}: {failure})"
            self.problems = (Problem(self._name, "", what, "undo the last change; the server's log has the rest"),)
        self.generation += 1
