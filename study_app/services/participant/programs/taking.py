"""Which programs are taken, and when."""

from __future__ import annotations

from study_app.domain.errors import NotAllowed, TooLong
from study_app.domain.sentences import REFUSALS
from study_app.ports import UnitOfWork
from study_app.services.participant.flow import ParticipantFlow, check_not_paused
from study_app.services.position import OnStage

MAX_CODE_BYTES = 64_000
"""Of a program that is run, submitted or shown to the assistant; learners' programs have a few thousand."""


def on_task(flow: ParticipantFlow, unit: UnitOfWork, participant_id: str, page: str | None) -> OnStage:
    """Return where the participant is, on a task that is open.

    Raises:
        NotAllowed: not on a task, or another page has taken over.
    """
    # Held before the first look: whatever else is stored of them meanwhile, an erasure too, comes before or after it.
    place = flow.place(unit, unit.hold(unit.known_participant(participant_id)))
    flow.check_page(unit, place, page)
    check_not_paused(place)
    begun = place.deadline_at is not None or flow.context.clock_stopped(participant_id)
    if not isinstance(place, OnStage) or place.stage.kind != "tasks" or not begun:
        raise NotAllowed(REFUSALS("no_task"))
    return place


def check_code(code: str) -> None:
    """Refuse what no program of a task can be.

    Raises:
        TooLong: longer than MAX_CODE_BYTES.
    """
    if len(code.encode("utf-8", "surrogatepass")) > MAX_CODE_BYTES:
        raise TooLong(REFUSALS("program_long", kb=MAX_CODE_BYTES // 1000))
