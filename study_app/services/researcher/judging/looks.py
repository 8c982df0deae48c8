"""Looks at what others gave: who has seen it judges the same thing no more, so that agreement is blind."""

from __future__ import annotations

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext

SAW = "saw judgements"
"""What the audit log calls a first look at what others gave on one thing."""


def note_look(context: StudyContext, who: str, name: str) -> None:
    """Record a person's first look at others' judgements of the thing of that name."""
    with context.registry.begin(write=False) as unit:
        if name in looked_at(unit, who):
            return
    with context.registry.begin() as unit:
        unit.add_audit(AuditEntry(context.now(), who, SAW, "", {"object": name}))


def looked_at(unit: UnitOfWork, who: str) -> set[str]:
    """Return the names of what a person has seen others' judgements of."""
    return {str(entry.detail.get("object")) for entry in unit.audit_of((SAW,)) if entry.who == who}


def check_not_seen(unit: UnitOfWork, who: str, name: str) -> None:
    """Check that a person has not seen what others gave.

    Raises:
        NotAllowed: they have.
    """
    if name in looked_at(unit, who):
        raise NotAllowed("you have seen what others gave, so that your judgement would not be independent; settle it")
