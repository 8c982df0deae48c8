"""The published annotated transcripts -> our dataset."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from analysis.interaction.coders.queries import empty_queries
from analysis.published_study.dataset import STUDY_ID, WrittenFile, write_dataset
from analysis.published_study.repairs import Repair, Repaired, repair
from analysis.published_study.schema import Transcript, read_transcripts
from analysis.published_study.tables import tables
from analysis.published_study.texts import changes, readme

__all__ = ["ImportReport", "Repair", "Repaired", "Transcript", "import_transcripts", "read_transcripts", "repair"]


@dataclass(frozen=True)
class ImportReport:
    """What an import read, repaired and wrote."""

    study_id: str
    out: Path
    participants: int
    arms: dict[str, int]
    events: int
    queries: int
    empty_queries: tuple[str, ...]
    """Turns whose query is empty in the files: counted, but nothing in them can be coded."""
    repairs: tuple[Repair, ...]
    files: tuple[WrittenFile, ...]

    @property
    def repaired(self) -> int:
        """Values that differ from the files."""
        return sum(entry.action == "repaired" for entry in self.repairs)

    @property
    def left(self) -> int:
        """Irregularities that are listed and not repaired."""
        return len(self.repairs) - self.repaired

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON types."""
        return {
            "study_id": self.study_id,
            "out": str(self.out),
            "participants": self.participants,
            "arms": self.arms,
            "events": self.events,
            "queries": self.queries,
            "empty_queries": list(self.empty_queries),
            "repaired": self.repaired,
            "left": self.left,
            "repairs": [vars(entry) for entry in self.repairs],
            "files": [vars(file) for file in self.files],
        }


def import_transcripts(folder: Path, out: Path, exported_at: str | None = None) -> ImportReport:
    """Read every transcript of `folder`, repair what can be repaired, write the dataset `out`.

    Args:
        folder: Holds the `p<pid>.json` files as published, all or some.
        out: A new or empty folder.
        exported_at: ISO 8601 time for the manifest; None keeps two imports of the same files equal to the byte.

    Raises:
        ProblemsFound: every malformed file and unknown field at once; nothing is written.
        UserError: `out` cannot be written.
    """
    people = [repair(transcript) for transcript in read_transcripts(folder)]
    study_hash = _hash(folder)
    made = tables(people, study_hash)
    arms = {str(arm): int(count) for arm, count in made["participants"]["arm"].value_counts(sort=False).items()}
    repairs = tuple(entry for person in people for entry in person.repairs)
    texts = {"README.md": readme(arms), "CHANGES.md": changes(repairs)}
    files = write_dataset(out, made, texts, study_hash, exported_at)
    return ImportReport(
        STUDY_ID,
        out,
        participants=len(people),
        arms=arms,
        events=len(made["events"]),
        queries=len(made["turns"]),
        empty_queries=empty_queries(made),
        repairs=repairs,
        files=files,
    )


def _hash(folder: Path) -> str:
    """SHA-256 over the files' names and contents, in order of name."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        total.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
