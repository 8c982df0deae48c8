"""The files of a dataset beside its tables: documents, materials, hashes and the chain of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from study_app.dataset.integrity.chain import join
from study_app.dataset.integrity.record_hashes import PATH as RECORDS
from study_app.dataset.measures.interviews.themes import CODEBOOK_FILE
from study_app.dataset.schema import codebook, timestamp
from study_app.dataset.schema.file_names import kept_banks
from study_app.dataset.writing.citation import Cited, citation_cff, datacite
from study_app.dataset.writing.coding_page import coding_page
from study_app.dataset.writing.copies import write_copies
from study_app.dataset.writing.documents import (
    CODEBOOK_INTRODUCTION,
    Contents,
    changes,
    description,
    directory_metadata,
    psychds_ignore,
    readme,
    sidecar,
    yaml,
)
from study_app.dataset.writing.files import (
    json_line,
    sha256_of,
    write_json,
)
from study_app.dataset.writing.manifest import (
    version_path,
)
from study_app.dataset.writing.packages import TableFile, croissant, datapackage
from study_app.dataset.writing.shipped import shipped
from study_app.domain.events.reference import events_page
from study_app.services.operation.models.interviewing import kept_transcripts, transcripts_page
from study_app.services.researcher.exporting.chain_file import ReadLog
from study_app.services.researcher.exporting.export_state import ExportState

TRANSCRIPTS = "documentation/model_interviews.md"
"""What models answered about the trial: outputs of a model, and no data."""


def write_companions(
    state: ExportState, files: Mapping[str, Any], withheld: Mapping[str, Any], log: Callable[[], ReadLog]
) -> dict[str, dict[str, Any]]:
    """Write every file that accompanies the tables; return its hash by path.

    Args:
        state: of the export.
        files: the tables.
        withheld: of the tables.
        log: waits for the reading of the log.
    """
    columns = withheld.get("columns", {})
    for (name, table), path in zip(state.tables.items(), files, strict=True):
        target = state.folder / path.replace(f".{state.tables_as}", ".json")
        write_json(target, sidecar(table, path, columns.get(name, ()), state.tables_as == "csv"))
    _described(state, files, withheld)
    state.write_text("CHANGES.md", _changes(state))
    write_json(state.folder / RECORDS, state.records.to_json())
    state.chain = _chain(state, log(), state.masked)
    if state.public is not None:
        state.write_text("documentation/disclosure.md", state.public.report())
    prereg = state.unit.meta_value("prereg")
    if prereg is not None:
        state.write_text("materials/prereg.json", json_line(prereg))
    state.write_text("documentation/codebook.md", codebook(list(state.tables.values()), CODEBOOK_INTRODUCTION))
    state.write_text("documentation/derivations.md", shipped("derivations.md").decode())
    state.write_text("documentation/coding.md", coding_page(state.coding))
    state.write_text("documentation/events.md", events_page())
    # Which assistants there were, and how they answered, would tell masked arms apart.
    treatments = () if withheld else state.context.content.treatments()
    for path, content in (*state.context.content.files(), *treatments):
        state.write_bytes(f"materials/{path}", content)
    transcripts = [] if withheld else kept_transcripts(state.unit)
    if transcripts:
        state.write_text(TRANSCRIPTS, transcripts_page(transcripts, moments=state.public is None))
    versions = state.context.package_versions().items()
    state.write_text("materials/packages.txt", "".join(f"{name}=={version}\n" for name, version in sorted(versions)))
    # The file may have changed since it was locked; what counts is the version in force.
    if state.book is not None:
        state.write_text(CODEBOOK_FILE, state.book.canonical() + "\n")
    state.write_text("materials/study.json", state.versions.newest.text + "\n")
    for version in (*state.versions.drafts, *state.versions.locked):
        state.write_bytes(version_path(version.study_hash), version.text.encode())
    _earlier_banks(state)
    # Last: the manifest lists what lies there now, and a file that is written behind it would be in no list.
    present = (path for path in sorted(state.folder.rglob("*")) if path.is_file())
    names = {path.relative_to(state.folder).as_posix(): path for path in present}
    return {name: {"sha256": sha256_of(path)} for name, path in names.items() if name not in files}


def _earlier_banks(state: ExportState) -> None:
    """Write the item banks of each version that was amended since: who began with it met those items."""
    for version in state.versions.locked[:-1]:
        for path, content in state.context.edition(version.study_hash).content.files():
            kind, _, name = path.partition("/")
            if kind == "quizzes":
                state.write_bytes(f"materials/{kept_banks(version.study_hash)}/{name}", content)


def _described(state: ExportState, files: Mapping[str, Any], withheld: Mapping[str, Any]) -> None:
    """Write the dataset as a whole, for people, for archives and for other tools."""
    cited = Cited(state.study, state.context.study.dataset, timestamp(state.now)[:10], state.seen.collected)
    held = Contents(
        state.state,
        list(state.tables.values()),
        withheld,
        state.seen.statuses,
        fmt=state.fmt,
        renamed=_copies(state, files),
        identified=state.identified,
        public=state.public is not None,
    )
    tables = {
        name: TableFile(table, path, files[path]["sha256"], (state.folder / path).stat().st_size)
        for (name, table), path in zip(state.tables.items(), files, strict=True)
    }
    write_json(
        state.folder / "dataset_description.json", description(cited, state.tables, csv=state.tables_as == "csv")
    )
    write_json(state.folder / "datapackage.json", datapackage(cited, tables, public=state.public is not None))
    write_json(state.folder / "croissant.json", croissant(cited, tables))
    write_json(state.folder / "documentation/datacite.json", datacite(cited))
    state.write_text("CITATION.cff", yaml(citation_cff(cited)) + "\n")
    state.write_text("README.md", readme(cited, held))
    for name in ("read.py", "read.R"):
        state.write_bytes(name, shipped(name))
    state.write_text(".psychds-ignore", psychds_ignore())
    if state.tables_as == "csv":
        write_json(state.folder / "data" / "file_metadata.json", directory_metadata(cited))


def _copies(state: ExportState, files: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """Write the tables once more for another program, where one was asked for; returns renamed columns."""
    if state.fmt == "csv" or state.fmt == "parquet":  # noqa: PLR1714 (the type checker sees what is left)
        return {}
    written = [(table, state.folder / path) for table, path in zip(state.tables.values(), files, strict=True)]
    return write_copies(state.folder, state.study.id, written, state.fmt)


def _chain(state: ExportState, log: ReadLog, masked: bool) -> dict[str, Any]:
    """Return where the chain of records stands, and what differs from it."""
    heads = state.unit.chain_heads()
    compared = {"database": log.differences}
    if masked:
        # How many entries there are would tell how many rows are withheld.
        signed = None if any(head.signed is None for head in heads) else all(head.signed for head in heads)
        return {"join": join(head.head for head in heads), "signed": signed, **compared}
    return {"heads": [vars(head) for head in heads], "entries": log.entries, "erased": log.erased, **compared}


def _changes(state: ExportState) -> str:
    erased = sum(person.data_withdrawn for person in state.people)
    acts = [replace(entry, why=state.shown_reason(entry.why)) for entry in state.unit.audit()]
    return changes(state.locked_versions(), acts, timestamp(state.now), state.state == "draft", erased)
