"""An interview that was reopened keeps how it had ended until it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from study_app.dataset.measures.interviews.history import interviews_of
from study_app.dataset.measures.interviews.rows import interview_rows
from study_app.domain.events import Event

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LEFT = START + timedelta(minutes=60)
ASKED = {
    "interview_id": "i", "turn_id": "t1", "number": 1, "topic": "a", "action": "core", "question": "Why?",
    "by": "plan", "plan": "p", "plan_version": "1", "language": "en",
}  # fmt: skip


def event(minute: int, kind: str, **payload: object) -> Event:
    return Event("p1", "server", minute, kind, "talk", START + timedelta(minutes=minute), payload=payload)


REOPENED = [
    event(1, "interview_asked", **ASKED),
    event(9, "interview_answered", turn_id="t1", answer="half", outcome="deadline"),
    event(10, "interview_closed", interview_id="i", ended_by="deadline"),
    event(20, "stage_reopened", minutes=5.0),
]
ANSWERED = event(22, "interview_answered", turn_id="t1", answer="whole", outcome="answered")
CLOSED = event(23, "interview_closed", interview_id="i", ended_by="completed")
AGAIN = event(30, "stage_reopened", minutes=5.0)


@pytest.mark.parametrize(
    ("events", "ended_by", "ended_at"),
    [
        (REOPENED, "deadline", START + timedelta(minutes=10)),
        ([*REOPENED, AGAIN], "deadline", START + timedelta(minutes=10)),
        ([*REOPENED, ANSWERED], None, LEFT),
        ([*REOPENED, ANSWERED, CLOSED], "completed", START + timedelta(minutes=23)),
        ([*REOPENED, CLOSED], "completed", START + timedelta(minutes=23)),
    ],
    ids=["reopened", "reopened twice", "answered", "answered and closed", "closed"],
)
def test_a_reopened_interview_keeps_its_ending_until_an_answer_or_another_ending(events, ended_by, ended_at):
    record = SimpleNamespace(
        participant=SimpleNamespace(id="p1"), study=SimpleNamespace(stages=()), answers=(), events=events,
        moments=[0.0] * len(events), visits=(), visit=lambda _: SimpleNamespace(ended_at=LEFT),
    )  # fmt: skip
    [row] = interview_rows(record, ())
    assert (row["ended_by"], row["ended_at"]) == (ended_by, ended_at)


def test_a_reopened_interview_goes_on_although_its_ending_is_kept():
    [held] = interviews_of(REOPENED)
    assert (held.closed, held.questions[-1].reopened) == (None, True)
    [before] = interviews_of(REOPENED[:-1])
    assert (before.closed is None, before.questions[-1].reopened) == (False, False)
    assert not interviews_of(REOPENED[:1])[0].questions[-1].reopened
