"""What a board looks at again by itself ends with the sign-in, the account or the role of who opened it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from study_app.secrets.console_accounts import ConsoleUser
from study_app.ui.console import session
from study_app.ui.console.pages import overview, participants

MONA = ConsoleUser("mona", "monitor")


@pytest.mark.parametrize("now", [None, ConsoleUser("mona", "grader"), ConsoleUser("paula", "monitor")])
@pytest.mark.parametrize("board", [overview, participants])
def test_a_part_that_runs_alone_shows_nothing_once_its_reader_is_another(monkeypatch, board, now):
    looks, parts, drawn_anew = [], [], []
    seen = {"is": MONA}

    def look(kind):
        looks.append(kind)
        return SimpleNamespace(stages=(), state="")

    monkeypatch.setattr(session, "signed_in", lambda app: seen["is"])
    monkeypatch.setattr(st, "rerun", lambda: drawn_anew.append(True))
    monkeypatch.setattr(st, "fragment", lambda run_every: lambda part: parts.append(part) or part)
    monitor = SimpleNamespace(overview=look, state=lambda: "draft")
    app = SimpleNamespace(live=SimpleNamespace(view=look))
    console = SimpleNamespace(app=app, person=MONA, monitor=monitor, head=lambda *_: None, kind=lambda: "real")
    if board is overview:
        for name in ("_enrolment", "_alerts", "_protocol", "_planned_looks", "_machine", "_models", "_costs"):
            monkeypatch.setattr(overview, name, lambda *_: None)
        overview.render(console)
    else:
        participants._live(console, "real")
    (again,) = parts
    again()
    assert (len(looks), drawn_anew) == (2, [])
    seen["is"] = now
    again()
    assert (len(looks), drawn_anew) == (2, [True])
