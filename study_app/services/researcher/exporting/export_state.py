"""What one export reads, shares between its parts and collects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from study_app.dataset.integrity.record_hashes import Records
from study_app.dataset.measures.interaction import Coding
from study_app.dataset.measures.interviews.themes import codebook_in_force
from study_app.dataset.redaction import Mask
from study_app.dataset.schema import tables_of
from study_app.dataset.writing.files import (
    Format,
    TableFormat,
)
from study_app.dataset.writing.manifest import (
    Seen,
)
from study_app.domain.records import Kind, ProtocolVersion
from study_app.domain.study.study import Study
from study_app.domain.trial_state import State
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import is_watched
from study_app.services.researcher.exporting.cluster_columns import Clusters
from study_app.services.researcher.exporting.collect_records import (
    VersionContents,
    Versions,
    included,
    versions_of,
)
from study_app.services.researcher.exporting.public_rules import PublicExport, public_export
from study_app.services.researcher.exporting.trial_facts import mask_of


@dataclass(frozen=True)
class Wanted:
    """What an export is to hold."""

    fmt: Format
    kinds: tuple[Kind, ...]
    identified: bool
    k: int | None
    """For everybody: least number of people who share an answer; None for an export that is not."""
    for_look: bool = False
    """With arms whatever the state, and without a signature."""


class ExportState:
    """What one export has read, within one transaction, and what it collects on its way."""

    def __init__(
        self,
        context: StudyContext,
        unit: UnitOfWork,
        folder: Path,
        out: Path,
        wanted: Wanted,
    ) -> None:
        self.context, self.unit, self.folder, self.out = context, unit, folder, out
        self.fmt, self.kinds, self.identified = wanted.fmt, wanted.kinds, wanted.identified
        self.tables_as: TableFormat = "parquet" if wanted.fmt == "parquet" else "csv"
        self.state: State = "unsealed" if wanted.for_look else context.state(unit)
        self.for_look = wanted.for_look
        self.contents = VersionContents(context)
        self.people = included(unit, self.kinds)
        if wanted.k is not None:
            # The order of entries would tell who is who to anyone who has a list of them.
            self.people.sort(key=lambda person: person.id)
        self.versions: Versions = versions_of(context, unit, self.people)
        self.studies = self.versions.in_order
        self.coding = Coding.of(self.studies[0])
        self.mask: Mask = mask_of(unit, self.state, self.studies)
        self.acts = self.contents.acts(self.versions)
        types = self.contents.quiz_types(self.versions)
        topics = self.contents.topics()
        self.book = None if any(map(self.mask.hides, self.kinds)) else codebook_in_force(unit.ratings())
        """Of interviews; None where none is frozen, or themes could tell arms apart."""
        themes = self.book.labels if self.book is not None else ()
        self.tables = tables_of(
            self.studies,
            types,
            identified=self.identified,
            acts=self.acts,
            topics=topics,
            themes=themes,
            watched=is_watched(unit),
        )
        self.clusters = Clusters(unit, self.versions, self.identified)
        self.seen = Seen()
        self.records = Records()
        self.now = context.now()
        self.chain: dict[str, Any] = {}
        """Where the chain of records stands; known once its file is written."""
        self.public: PublicExport | None = None
        if wanted.k is not None:
            given = (unit, self.people, self.versions, self.mask, self.contents, self.tables)
            self.public = public_export(*given, wanted.k)
            self.tables = self.public.rules.tables(self.tables)
        self.withheld = self.mask.withheld(self.kinds, self.tables)
        self.masked = bool(self.withheld) or self.public is not None
        """Whether the dataset is not all that the database holds of these people."""
        hidden = any(map(self.mask.hides, self.kinds))
        # The log's own numbers run over everybody's events, so that gaps would show how much of them is withheld and
        # where.
        self.event_numbers = count(1) if hidden or self.public is not None else None

    @property
    def study(self) -> Study:
        """The version in force."""
        return self.studies[0]

    def write_text(self, path: str, content: str) -> None:
        """Write one file of text below the folder."""
        self.write_bytes(path, content.encode())

    def write_bytes(self, path: str, content: bytes) -> None:
        """Write one file below the folder, with the folders that it lies in."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def shown_reason(self, text: str) -> str:
        """Return the reason of an act as this export shows it."""
        return text if self.public is None else self.public.reason(text)

    def locked_versions(self) -> list[ProtocolVersion]:
        """Return the locked versions with the reasons that this export shows."""
        return [replace(version, reason=self.shown_reason(version.reason)) for version in self.versions.locked]
