"""Acts towards people outside of which it is not known whether they were done, and which therefore wait for a person.

One act waits after a request without an answer. In a database that was put back from an earlier moment all bonuses,
messages and reminders wait: what went out after that moment is written down nowhere, and none of it may go out a second
time. Approving, and adding to a group, change nothing the second time.
"""

from __future__ import annotations

from typing import Literal

from study_app.domain.errors import NotAllowed
from study_app.ports import RESTORED, UnitOfWork

KEY = "panel_act"
"""Begins the key of each act's fact, and names the lock under which acts are claimed and settled."""
CLAIMED = ("asked", "done")
"""States of an act that is not to be asked for again."""
HELD = "restored"
"""Stands where other acts have what they are, for all acts of a kind."""
Outward = Literal["bonus", "message", "remind"]
"""What would reach people a second time."""
_WORDS: dict[Outward, str] = {"bonus": "bonuses", "message": "messages", "remind": "reminders"}


def hold_acts(unit: UnitOfWork, since: str) -> None:
    """Let nothing go out until a person has said what went out after `since`, which the database does not know."""
    for act in _WORDS:
        unit.set_meta_value(f"{KEY}:{HELD}:{act}", {"state": "asked", "since": since})


def put_back_as_of(unit: UnitOfWork) -> str | None:
    """Return the moment as of which the database was last put back; None where it never was."""
    unrecorded = unit.meta_value(RESTORED)
    if unrecorded:
        return str(unrecorded["made_at"])
    kept = unit.meta_value(f"{KEY}:{HELD}:bonus") or {}
    # A person's word replaces the moment of the hold by that of what was settled.
    since = kept.get("since") or kept.get("settled")
    return None if since is None else str(since)


def require_known(unit: UnitOfWork, act: Outward) -> None:
    """Refuse an act of which it is open whether it went out already.

    Raises:
        NotAllowed: the database was put back, and no person has settled this since.
    """
    kept = unit.meta_value(f"{KEY}:{HELD}:{act}") or {}
    # A restore that no start has recorded yet counts already.
    unrecorded = unit.meta_value(RESTORED)
    if not unrecorded and kept.get("state") != "asked":
        return
    since = unrecorded["made_at"] if unrecorded else kept["since"]
    raise NotAllowed(
        f"the database was put back as of {since} and does not know which {_WORDS[act]} went out after that; look "
        f"where they went out, then study pay --settle {HELD}:{act} --reason TEXT, with --done (what is owed now went "
        "out) or --not-done"
    )
