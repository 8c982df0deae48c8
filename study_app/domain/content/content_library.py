"""What the study's content offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class ContentLibrary(Protocol):
    """The study's task packs, item banks and assistants, opened once and kept."""

    def pack(self, folder: str) -> Any:
        """Return the public half and the checks of a task pack (study_app.domain.tasks.packs.TaskPack)."""
        ...

    def bank(self, folder: str) -> Any:
        """Return the public half of an item bank (study_app.domain.quiz.items.Bank)."""
        ...

    def keys(self, folder: str) -> Any:
        """Return the keyed half of an item bank; never handed to a page."""
        ...

    @property
    def plan_files(self) -> tuple[str, ...]:
        """Plans of interviews, as the study names them, each once."""
        ...

    def plan(self, file: str) -> Any:
        """Return the plan of an interview (study_app.domain.interviews.plan.InterviewPlan)."""
        ...

    def said(self, language: str) -> Mapping[str, str]:
        """Dotted key -> text of packs, banks and assistants in a language; empty for the study's own."""
        ...

    @property
    def specs(self) -> Mapping[str, Any]:
        """The treatments by their name in the study (study_app.domain.assistants.treatments.AssistantSpec)."""
        ...

    def materials(self) -> Mapping[str, str]:
        """Path relative to the study file -> SHA-256, of everything a participant can meet."""
        ...

    def linked_folders(self) -> tuple[str, ...]:
        """Return folders that are links to others, whose files the materials leave out."""
        ...

    def texts(self) -> Mapping[str, str]:
        """Path relative to the study file -> content, of those materials that are text."""
        ...

    def binaries(self) -> Mapping[str, bytes]:
        """Path relative to the study file -> content, of the other materials."""
        ...

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Return what may be published with a dataset: study file, briefs, notes, page texts, items without keys."""
        ...

    def treatments(self) -> Iterable[tuple[str, bytes]]:
        """Return each assistant with prompt, model and parameters, for publication once arms may be shown."""
        ...
