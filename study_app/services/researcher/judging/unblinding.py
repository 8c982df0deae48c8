"""Who has seen what tells an arm: chats, code, or a link that leads in as a participant; from the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from study_app.dataset.writing.blinding import LOOK, Blinding
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext

UNBLINDED = LOOK
"""What the audit log calls a first look at a participant's chats or code."""
REMINDERS = "links of reminders"
"""What was seen, in the audit log, by whom the file of `study remind` was written for."""


def unblinded(entries: Sequence[AuditEntry], kinds: Mapping[str, Kind]) -> list[tuple[str, datetime, int]]:
    """From the audit log: who counts as unblinded, since when, by how many acts; by the rule of datasets and reports.

    Args:
        entries: looks, unblindings, and the unsealing.
        kinds: participant -> kind, for acts of earlier versions do not name it.
    """
    blinding = Blinding.of(entries, kinds)
    acts: dict[str, list[datetime]] = {}
    for entry in entries:
        if blinding.unblinds(entry):
            acts.setdefault(entry.who, []).append(entry.at)
    return sorted((who, min(moments), len(moments)) for who, moments in acts.items())


def has_looked_at(unit: UnitOfWork, who: str, what: str) -> bool:
    """Return whether a person's look at this is in the audit log."""
    seen = (entry.detail.get("seen", "") for entry in unit.audit_of((UNBLINDED,)) if entry.who == who)
    return what in seen


def note_way_in(context: StudyContext, unit: UnitOfWork, who: str, kind: Kind, what: str) -> None:
    """Record a person's first link that leads in as a participant whose arm is hidden: their pages show it."""
    if hides_arms(context.state(unit), kind) and not has_looked_at(unit, who, what):
        unit.add_audit(AuditEntry(context.now(), who, UNBLINDED, "", {"seen": what}))


def way_in(participant_id: str) -> str:
    """Return what the audit log calls a link that leads in as this participant."""
    return f"link that leads in as {participant_id}"
