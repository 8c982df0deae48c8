"""What the server's own event says of a program that was handed to it: its hash, and whether the edits give it."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.dataset.schema import writable
from study_app.dataset.schema.cells import code_sha256
from study_app.ports import UnitOfWork


@dataclass(frozen=True)
class ProgramFacts:
    """What the server knows of a program by itself."""

    code_sha256: str
    as_edited: bool | None
    """Whether it is the text that the page's edits give up to that number; None where the server cannot know yet, for
    edits are still on their way or later ones are there already."""


def program_facts(
    unit: UnitOfWork, participant_id: str, task: str, code: str, page: str | None, seq: int | None
) -> ProgramFacts:
    """Return what the event says of a program that was run, submitted or shown to an assistant."""
    return ProgramFacts(code_sha256(code), _as_edited(unit, participant_id, task, code, page, seq))


def _as_edited(
    unit: UnitOfWork, participant_id: str, task: str, code: str, page: str | None, seq: int | None
) -> bool | None:
    document = unit.document(participant_id, task)
    if page is None or document is None or unit.document_page(participant_id, task) != page:
        return None
    if seq is not None and unit.acknowledged(participant_id, page) != seq:
        return None
    return writable(document.text) == writable(code)
