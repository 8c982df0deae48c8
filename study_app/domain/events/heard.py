"""When the log last heard from a participant: what they did, not what the server or a researcher did about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from study_app.domain.events.log import SERVER_PAGE, Event
from study_app.domain.events.server import (
    AnswersHandedIn,
    Entered,
    InterviewAnswered,
    InterviewAsked,
    InterviewClosed,
    PageOpened,
    ParticipantResumed,
    ProbeAnswered,
    ProbeShown,
    StageEnded,
    StageOpened,
    StageReopened,
    TaskShown,
)

HEARD_FROM = frozenset(
    each.kind
    for each in (
        Entered, PageOpened, StageOpened, StageEnded, StageReopened, ParticipantResumed, TaskShown, AnswersHandedIn,
        InterviewAsked, InterviewAnswered, InterviewClosed, ProbeShown, ProbeAnswered,
    )
)  # fmt: skip
"""The server's own kinds that move `participants.last_seen_at`; a verdict, an extension or an exclusion does not."""


def last_heard(events: Iterable[Event], entered: datetime) -> datetime:
    """Return the moment of the newest event by which a participant was heard of; `entered` before the first."""
    moments = (event.server_time for event in events if event.page != SERVER_PAGE or event.kind in HEARD_FROM)
    return max(moments, default=entered)
