"""Words that researchers type about single people: kept beside the audit log, so that an erasure reaches them.

A reason or a message may repeat what a participant wrote. The audit log is never changed, so its entry holds a name
under which the words are kept, and neither the words nor anything from which they could be computed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry
from study_app.ports import UnitOfWork

ERASED_REASON = "(erased with the participant's data)"
NAMED = "words"
"""Where the detail of an entry names its words."""
_PREFIX = "reason:"


def add_act(
    unit: UnitOfWork, entry: AuditEntry, people: Collection[str], words: Mapping[str, str] | None = None
) -> None:
    """Record an act on these participants.

    Args:
        unit: an open transaction.
        entry: the act, with its reason.
        people: ids of whom it concerns; the words go when the data of any of them are erased, and of those whose data
            were erased before none are kept.
        words: what else was typed, which stands in the detail for those who read the log.
    """
    given = dict(words or {})
    # Each is held, and always in this order, so that two acts on the same people cannot block each other.
    erased = [one for one in sorted(people) if _is_erased(unit, one)]
    if erased:
        entry, given = replace(entry, why=ERASED_REASON if entry.why else ""), {}
    if not entry.why and not given:
        unit.add_audit(entry)
        return
    name = secrets.token_hex(8)
    unit.set_meta_value(_PREFIX + name, {"people": sorted(people), "why": entry.why, "words": given})
    unit.add_audit(replace(entry, why="", detail={**entry.detail, NAMED: name}))


def _is_erased(unit: UnitOfWork, participant_id: str) -> bool:
    """Whether a person's data were deleted; an erasure of this moment is seen, or waits and takes the words along."""
    person = unit.participant(participant_id)
    return person is not None and unit.hold(person).data_withdrawn


def readable(unit: UnitOfWork, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Return entries with their words, as far as those were not erased; their hashes are those of the log."""
    kept = unit.meta_values(_PREFIX)
    return [_read(entry, kept.get(f"{_PREFIX}{entry.detail.get(NAMED)}")) for entry in entries]


def _read(entry: AuditEntry, kept: Mapping[str, object] | None) -> AuditEntry:
    if kept is None:
        return entry
    words = kept["words"]
    more = words if isinstance(words, Mapping) else {}
    return replace(entry, why=str(kept["why"]), detail={**entry.detail, **more})


def erase_reasons(unit: UnitOfWork, participant_id: str) -> None:
    """Erase all that was typed about a participant."""
    for key, kept in unit.meta_values(_PREFIX).items():
        if participant_id in kept["people"]:
            unit.set_meta_value(key, kept | {"why": ERASED_REASON if kept["why"] else "", "words": {}})


def require_reason(reason: str) -> None:
    """Refuse an act without a reason.

    Raises:
        NotAllowed: the reason is empty.
    """
    if not reason.strip():
        raise NotAllowed("this needs a reason that others can understand; give --reason TEXT")
