"""Erasing what has been kept as long as the consent page promised."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.domain.records import AuditEntry
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.erasing import erase
from study_app.services.participant.falling_silent import end_way
from study_app.services.participant.flow import ParticipantFlow
from study_app.services.retrying import retried

PURGE = "purge"
"""The verb in the audit log; each purged person has the event `data_withdrawn`, too."""


@dataclass(frozen=True)
class Purged:
    """Whose data were erased, or are due."""

    people: tuple[str, ...]
    done: bool

    def lines(self) -> list[str]:
        """For people."""
        if not self.people:
            return ["no data have been kept as long as the consent page promised"]
        if not self.done:
            return [f"{len(self.people)} participant(s) are due: {', '.join(self.people)}"]
        return [
            f"erased the data of {len(self.people)} participant(s)",
            "copies made before still hold them: delete earlier exports, and let backups run out",
        ]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {"participants": list(self.people), "done": self.done}


class Purge:
    """Finds whose time is up, counted in calendar months from their last step, and erases as a withdrawal does."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow) -> None:
        self.context = context
        self._flow = flow

    def due(self) -> Purged:
        """Return whose data have been kept as long as was promised to them."""
        with self.context.registry.begin(write=False) as unit:
            return Purged(tuple(self._due(unit)), False)

    @retried
    def run(self, who: str) -> Purged:
        """Erase their data and record it; then take what was erased off the disk as far as that goes now."""
        with self.context.registry.begin() as unit:
            due = sorted(self._due(unit))
            # Everyone before the first erasure, which takes locks that another one takes after its person's row.
            for name in due:
                unit.hold(unit.known_participant(name))
            people = tuple(name for name in due if self._left(unit, name))
            for name in people:
                erase(self.context, unit, unit.known_participant(name), "purge")
            if people:
                detail = {"participants": len(people)}
                unit.add_audit(AuditEntry(self.context.now(), who, PURGE, "kept as long as promised", detail))
        self.context.registry.forget_erased()
        return Purged(people, True)

    def _left(self, unit: UnitOfWork, name: str) -> bool:
        """Whether a person is not on their way any more, or has not come back just now; then their way ends here."""
        person = unit.known_participant(name)
        # Else they could go on by their link, and what they gave then would be kept for ever.
        return person.over or end_way(self._flow, unit, person)

    def _due(self, unit: UnitOfWork) -> list[str]:
        now = self.context.now()
        return [
            person.id
            for person in unit.participants()
            if not person.data_withdrawn
            and months_after(
                person.finished_at or person.last_seen_at, self.context.study_of(unit, person).data.keep_months
            )
            <= now
        ]


def months_after(moment: datetime, months: int) -> datetime:
    """Return the same day some calendar months later; the last of the month where it has fewer days."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    if year > 9999:
        return datetime.max.replace(tzinfo=moment.tzinfo)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
