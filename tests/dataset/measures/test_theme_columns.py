"""Themes of a participant's interviews, from any coder."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from study_app.dataset.measures.interviews.themes import theme_columns
from study_app.domain.events import Event
from study_app.domain.themes.codebook import Code, Codebook

BOOK = Codebook(
    id="exit",
    codes=tuple(Code(id=name, title=name.title(), definition=f"Says {name}.") for name in ("hurry", "trust", "doubt")),
)
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def event(seq: int, kind: str, /, **payload: object) -> Event:
    return Event("p1", "server", seq, kind, "talk", NOW, payload=payload)


def interview(**answers: str) -> list[Event]:
    """One interview with an answer to each topic."""
    events = []
    for number, (topic, answer) in enumerate(answers.items(), 1):
        asked = {
            "interview_id": "i", "turn_id": topic, "number": number, "topic": topic, "action": "core", "question": "?",
            "by": "plan", "plan": "p", "plan_version": "1", "language": "en",
        }  # fmt: skip
        events += [
            event(2 * number, "interview_asked", **asked),
            event(2 * number + 1, "interview_answered", turn_id=topic, answer=answer, outcome="answered"),
        ]
    return events


def themes(events: list[Event], coded: dict[str, dict[str, str]]) -> set[str] | None:
    """The themes that a participant has; None where nothing is known of any."""
    record = SimpleNamespace(events=events, rated=lambda name, _book: coded.get(name.partition("#")[2], {}))
    found = theme_columns(record, BOOK)  # type: ignore[arg-type]
    assert set(found) in (set(), {"theme_hurry", "theme_trust", "theme_doubt"})
    return {name.removeprefix("theme_") for name, has in found.items() if has} if found else None


TWO = interview(time="A rush.", help="Good.")


@pytest.mark.parametrize(
    ("coded", "found"),
    [
        ({"time": {"eva": "hurry"}, "help": {"eva": "trust"}}, {"hurry", "trust"}),
        ({"time": {"eva": ""}, "help": {"eva": ""}}, set()),
        # An answer that no one has coded may hold any theme.
        ({"time": {"eva": "hurry"}}, None),
        ({}, None),
        # People come before programs, and Claude before the rules.
        ({"time": {"eva": "", "claude": "hurry"}, "help": {"rules": "doubt", "claude": "trust"}}, {"trust"}),
        ({"time": {"rules": "hurry"}, "help": {"rules": ""}}, {"hurry"}),
        ({"time": {"eva": "hurry;doubt", "finn": "doubt"}, "help": {"eva": "trust", "finn": ""}}, {"doubt"}),
    ],
)
def test_a_participant_has_the_themes_of_all_topics_once_each_is_coded(coded, found):
    assert themes(TWO, coded) == found


def test_topics_that_were_not_answered_need_no_code():
    assert themes(interview(time="A rush.", help=" "), {"time": {"eva": "hurry"}}) == {"hurry"}
    assert themes(interview(time=" "), {}) is None
    assert themes([], {}) is None
    assert theme_columns(SimpleNamespace(events=TWO), None) == {}  # type: ignore[arg-type]
