"""`study` with a part of it replaced, for what a running server does in trouble; files in a folder say what, and when.

Environment: ALTERED is the folder. Its files: `clock`, seconds by which the wall clock is wrong; `isolation`, the level
that programs have; `grading`, a text whose programs the grader fails at; `open`, no gate before the app.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from study_app.cli import main
from study_app.clock import SystemClock
from study_app.sandbox.local import LocalSandbox
from study_app.services.grading import submissions

FOLDER = Path(os.environ["ALTERED"])


def said(name: str) -> str:
    """What the folder says now."""
    file = FOLDER / name
    return file.read_text().strip() if file.exists() else ""


def alter() -> None:
    wall, monotonic = SystemClock.__init__.__defaults__
    SystemClock.__init__.__defaults__ = (lambda: wall() + float(said("clock") or 0), monotonic)
    isolation, grade = LocalSandbox.isolation, submissions.grade

    def isolated(sandbox):
        found = isolation(sandbox)
        return replace(found, level=said("isolation"), message="lowered") if said("isolation") else found

    def graded(sandbox, pack, code, **named):
        if said("grading") and said("grading") in code:
            raise ValueError("the grader fails at this program")
        return grade(sandbox, pack, code, **named)

    LocalSandbox.isolation, submissions.grade = isolated, graded
    if said("open"):
        from study_app.web import app

        app.ParticipantGateway = lambda inner, **_given: inner


if __name__ == "__main__":
    alter()
    main()
