"""What the server's own event says of a program that was handed to it: its hash, and whether the edits give it."""

from __future__ import annotations

from typing import Any

from study_app.dataset.schema import writable
from study_app.dataset.schema.cells import code_sha256
from study_app.ports import UnitOfWork


def program_facts(
    unit: UnitOfWork, participant_id: str, task: str, code: str, page: str | None, seq: int | None
) -> dict[str, Any]:
    """Payload of the event that a program was run, submitted or shown to an assistant.

    `as_edited` says whether the program is the text that the page's edits give up to that number; None where the server
    cannot know yet, for edits are still on their way or later ones are there already.
    """
    return {"code_sha256": code_sha256(code), "as_edited": _as_edited(unit, participant_id, task, code, page, seq)}


def _as_edited(
    unit: UnitOfWork, participant_id: str, task: str, code: str, page: str | None, seq: int | None
) -> bool | None:
    document = unit.document(participant_id, task)
    if page is None or document is None or unit.document_page(participant_id, task) != page:
        return None
    if seq is not None and unit.acknowledged(participant_id, page) != seq:
        return None
    return writable(document.text) == writable(code)
