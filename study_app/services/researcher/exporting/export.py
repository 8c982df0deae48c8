"""Export: the database as a dataset directory, whole or not at all, without anybody's identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, get_args

from study_app import __version__
from study_app.dataset.disclosure.coarsening import DEFAULT_K
from study_app.dataset.integrity.chain import join
from study_app.dataset.integrity.record_hashes import PATH as RECORDS
from study_app.dataset.integrity.record_hashes import Records
from study_app.dataset.integrity.signature import signed_content
from study_app.dataset.measures.compliance import evidence_rows
from study_app.dataset.measures.interaction import Coding
from study_app.dataset.measures.periods import periods
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.dataset.measures.row import participant_row, work_of
from study_app.dataset.redaction import Mask, Row
from study_app.dataset.schema import SCHEMA, TableName, TableSchema, codebook, quiz_types, tables_of, timestamp
from study_app.dataset.writing import rows
from study_app.dataset.writing.citation import Cited, citation_cff, datacite
from study_app.dataset.writing.coding_page import coding_page
from study_app.dataset.writing.copied_rows import LONG_CELLS
from study_app.dataset.writing.copies import write_copies
from study_app.dataset.writing.documents import (
    CODEBOOK_INTRODUCTION,
    Contents,
    changes,
    description,
    readme,
    sidecar,
    yaml,
)
from study_app.dataset.writing.files import (
    Format,
    TableFormat,
    TableWriter,
    json_line,
    keep_private,
    open_writer,
    sha256_of,
    whole_directory,
    write_json,
)
from study_app.dataset.writing.manifest import (
    Seen,
    audit_summary,
    events_ahead,
    file_entries,
    lost_events,
    measured,
    public_audit,
    quantiles,
    version_entries,
    version_path,
)
from study_app.dataset.writing.packages import TableFile, croissant, datapackage
from study_app.dataset.writing.sessions import sessions
from study_app.dataset.writing.shipped import shipped
from study_app.domain.content_library import ContentLibrary
from study_app.domain.errors import SealingKeyMissing, UserError
from study_app.domain.events.reference import events_page
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import Kind, ProtocolVersion
from study_app.domain.study.clusters import cluster_questions
from study_app.domain.study.study import Study
from study_app.domain.trial_state import State
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant_status import closed_wave
from study_app.services.researcher.exporting.chain_file import ChainFile
from study_app.services.researcher.exporting.cluster_columns import Clusters
from study_app.services.researcher.exporting.collect_records import (
    VersionContents,
    Versions,
    dossiers,
    included,
    versions_of,
)
from study_app.services.researcher.exporting.public_rules import PublicExport, public_export
from study_app.services.researcher.exporting.trial_facts import ledgers, mask_of, seal_facts
from study_app.services.researcher.interim.kept import known_looks

FORMATS: tuple[Format, ...] = get_args(Format)


BESIDE_PSYCH_DS = (
    *("CITATION.cff", "croissant.json", "datapackage.json", "manifest.json", "read.py", "read.R"),
    *("data/*.xlsx", "data/*.sav", "data/*.dta", f"{LONG_CELLS}/"),
)
"""Files of a dataset that the layout does not know; its validator is configured to leave them."""


@dataclass(frozen=True)
class ExportSummary:
    """What an export holds."""

    path: Path
    state: State
    rows: Mapping[str, int]
    """By table."""
    masked: bool
    """Whether anything is withheld."""
    turn_seconds: Mapping[str, float | int | None]
    """n, median, p90, p99 and p99_9 of the time to the end of a reply; empty while masked."""
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        parts = ", ".join(f"{count} {table}" for table, count in self.rows.items())
        found = [f"{self.path}: {parts}"]
        if self.masked:
            found.append(f"the study is {self.state}: what could tell arms is withheld, see README.md there")
        if self.turn_seconds.get("n"):
            names = {"median": "median", "p90": "90%", "p99": "99%", "p99_9": "99.9%"}
            times = ", ".join(f"{names[key]} {self.turn_seconds[key]:.2f} s" for key in names)
            found.append(f"replies took: {times}")
        return [*found, *(f"warning: {warning}" for warning in self.warnings)]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "path": str(self.path),
            "state": self.state,
            "rows": dict(self.rows),
            "masked": self.masked,
            "turn_seconds": dict(self.turn_seconds),
            "warnings": list(self.warnings),
        }


def export(
    world: StudyContext,
    out: Path,
    *,
    fmt: Format = "csv",
    identified: bool = False,
    include_simulated: bool = False,
    include_preview: bool = False,
    public: bool = False,
    k: int = DEFAULT_K,
    only: Kind | None = None,
) -> ExportSummary:
    """Write the dataset, masked as the trial's state demands.

    Args:
        world: the study.
        out: a new or empty folder, or an earlier export, which is replaced at the end.
        fmt: csv (Psych-DS) or parquet, with the same columns; xlsx, sav or dta write copies beside CSV.
        identified: export labels and Prolific ids, too.
        include_simulated: simulated participants, too.
        include_preview: preview participants, too.
        public: for everybody: without what people wrote, with times from each entry on, rare answers coarsened.
        k: for everybody: least number of people who share an answer.
        only: participants of this kind alone, with their arms whatever the state: for a planned look, which deletes
            the folder. Needs the sealing key.

    Raises:
        UserError: `out` cannot be taken.
        SealingKeyMissing: earlier looks cannot be opened.
        InfrastructureError: the disk is full, or the database cannot be reached.
    """
    if fmt not in FORMATS:
        raise UserError(f"--format: '{fmt}' is unknown; use one of {', '.join(FORMATS)}")
    if public and identified:
        raise UserError("--public: a dataset for everybody holds no names; leave out --identified")
    if k < 1:
        raise UserError(f"--k: {k} people cannot share an answer; give 1 or more, such as {DEFAULT_K}")
    chosen: dict[Kind, bool] = {"real": True, "preview": include_preview, "simulated": include_simulated}
    kinds = (only,) if only else tuple(name for name in LEDGERS if chosen[name])
    with whole_directory(Path(out)) as folder, world.registry.begin(write=False) as unit:
        wanted = _Wanted(fmt, kinds, identified, k if public else None, for_look=only is not None)
        summary = _Export(world, unit, folder, Path(out), wanted).write()
        if identified:
            keep_private(folder)
        return summary


@dataclass(frozen=True)
class _Wanted:
    """What an export is to hold."""

    fmt: Format
    kinds: tuple[Kind, ...]
    identified: bool
    k: int | None
    """For everybody: least number of people who share an answer; None for an export that is not."""
    for_look: bool = False
    """With arms whatever the state, and without a signature."""


class _Export:
    """One export, within one transaction."""

    def __init__(
        self,
        world: StudyContext,
        unit: UnitOfWork,
        folder: Path,
        out: Path,
        wanted: _Wanted,
    ) -> None:
        self.world, self.unit, self.folder, self.out = world, unit, folder, out
        self.fmt, self.kinds, self.identified = wanted.fmt, wanted.kinds, wanted.identified
        self.tables_as: TableFormat = "parquet" if wanted.fmt == "parquet" else "csv"
        self.state: State = "unsealed" if wanted.for_look else world.state(unit)
        self.for_look = wanted.for_look
        self.contents = VersionContents(world)
        self.people = included(unit, self.kinds)
        if wanted.k is not None:
            # The order of entries would tell who is who to anyone who has a list of them.
            self.people.sort(key=lambda person: person.id)
        self.versions: Versions = versions_of(world, unit, self.people)
        self.studies = self.versions.in_order
        self.coding = Coding.of(self.studies[0])
        self.mask: Mask = mask_of(unit, self.state, self.studies)
        self.tables = tables_of(self.studies, self.contents.quiz_types(self.versions), identified=self.identified)
        self.clusters = Clusters(unit, self.versions, self.identified)
        self.seen = Seen()
        self.records = Records()
        self.now = world.now()
        self.public: PublicExport | None = None
        if wanted.k is not None:
            given = (unit, self.people, self.versions, self.mask, self.contents, self.tables)
            self.public = public_export(*given, wanted.k)
            self.tables = self.public.rules.tables(self.tables)
        hidden = any(map(self.mask.hides, self.kinds))
        self._numbers = count(1) if hidden or self.public is not None else None

    @property
    def study(self) -> Study:
        """The version in force."""
        return self.studies[0]

    def write(self) -> ExportSummary:
        files = self._tables()
        self.now = self.world.now()  # After the last row: nothing in the dataset is later.
        withheld = self.mask.withheld(self.kinds, self.tables)
        others = self._beside(files, withheld)
        masked = bool(withheld)
        manifest = self._manifest(files, others, withheld)
        signature, unsigned = self._signature(manifest)
        write_json(self.folder / "manifest.json", manifest | {"signature": signature})
        return ExportSummary(
            path=self.out,
            state=self.state,
            rows={table: facts["rows"] for table, facts in zip(self.tables, files.values(), strict=True)},
            masked=masked,
            turn_seconds={} if masked else quantiles(self.seen.turn_seconds),
            warnings=(*self.seen.warnings, *unsigned),
        )

    def _signature(self, manifest: Mapping[str, Any]) -> tuple[str | None, list[str]]:
        """Return the manifest signed with the key that the registration names, or why it is not."""
        sealed = self.unit.meta("sealed_signing_key")
        if sealed is None or self.for_look:
            return None, []
        try:
            return self.world.seal.sign(sealed, signed_content(manifest)), []
        except SealingKeyMissing as error:
            return None, [f"the dataset is not signed, so later changes cannot be detected: {error}"]

    # -- tables --------------------------------------------------------------------------------------------------------

    def _tables(self) -> dict[str, dict[str, Any]]:
        writers: dict[TableName, TableWriter] = {}
        paths: dict[TableName, str] = {}
        with ExitStack() as closing:
            for name, table in self.tables.items():
                paths[name], writers[name] = open_writer(self.folder, self.study.id, table, self.tables_as)
                closing.callback(writers[name].close)
            with rows.readable("the ledgers"):
                for row in self._allocations():
                    self.records.add("allocations", "", writers["allocations"].write(row))
            for dossier in dossiers(self.world, self.unit, self.people, self.versions):
                with rows.readable(f"participant {dossier.participant.id}"):
                    self._note(dossier)
                    for name, row in self._shown(dossier):
                        self.records.add(name, dossier.participant.id, writers[name].write(row))
            for row in self._ratings():
                self.records.add("ratings", "", writers["ratings"].write(row))
        return {
            path: {"sha256": sha256_of(self.folder / path), "rows": writers[name].rows} for name, path in paths.items()
        }

    def _shown(self, dossier: ParticipantRecord) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
        """Yield the rows of one participant as this export shows them."""
        shown = self.clusters.rows(dossier, self._rows_of(self.mask.dossier(dossier)))
        return shown if self.public is None else self.public.rules.rows(dossier, shown)

    def _rows_of(self, dossier: ParticipantRecord) -> Iterator[tuple[TableName, Mapping[str, Any]]]:
        content = self.contents.of(dossier.participant.study_hash)
        mask, work = self.mask, work_of(dossier, content, self.coding)
        yield "participants", mask.participant(dossier, participant_row(dossier, content, self.coding, work))
        yield from (("visits", row) for row in rows.visits(dossier, work.use))
        yield from (("events", self._numbered(row)) for row in mask.events(dossier, rows.events(dossier)))
        yield from (("runs", row) for row in mask.runs(dossier, rows.runs(dossier)))
        yield from (("turns", row) for row in mask.whole(dossier, rows.turns(dossier, work.codes, work.replies)))
        yield from (("answers", row) for row in mask.answers(dossier, rows.answers(dossier, content)))
        yield from (("compliance", row) for row in mask.whole(dossier, evidence_rows(dossier, work.evidence)))
        if "periods" in self.tables:
            yield from (("periods", row) for row in mask.whole(dossier, periods(dossier, content)))
        if "sessions" in self.tables:
            yield from (("sessions", row) for row in sessions(dossier))

    def _numbered(self, event: Row) -> Row:
        """Where events are withheld, the numbers of the rest would tell how many."""
        return event if self._numbers is None else event | {"event_id": next(self._numbers)}

    def _note(self, dossier: ParticipantRecord) -> None:
        seen = self.seen
        seen.statuses[dossier.status] += 1
        seen.note_times(dossier)
        seen.isolation.update(run.isolation for run in dossier.runs if run.isolation)
        seen.turn_seconds += [t.total_seconds for t in dossier.turns if t.total_seconds is not None and not t.error]
        seen.turns |= {turn.id for turn in dossier.turns}
        seen.ungraded += sum(run.kind == "submission" and run.ended_by is None for run in dossier.runs)
        seen.unscored += sum(bool(answer.bank) and answer.points is None for answer in dossier.answers)
        pages = self.unit.pages(dossier.participant.id)
        seen.lost += lost_events(dossier, pages)
        seen.ahead += events_ahead(dossier, pages)
        if dossier.participant.study_hash not in self.versions.studies:
            seen.unknown_versions.add(dossier.participant.study_hash)

    def _allocations(self) -> Iterator[Mapping[str, Any]]:
        for name in self.kinds:
            rows = map(self.clusters.allocation, self.mask.allocations(self.unit.allocations(name)))
            if self.public is None:
                yield from rows
            else:
                shown = map(self.public.rules.allocation, rows)
                yield from sorted(shown, key=lambda row: (row.get("participant_id") or "", row.get("arm") or ""))

    def _ratings(self) -> Iterator[Mapping[str, Any]]:
        people = {person.id for person in self.people if not person.data_withdrawn}
        masked = any(map(self.mask.hides, self.kinds))
        ratings = self.unit.ratings()
        if self.public is not None:
            ratings.sort(key=lambda rating: rating.rating_id)
        for rating in ratings:
            if masked and not rating.object.startswith("answer:"):
                continue
            kind, _, name = rating.object.partition(":")
            known = {"turn": self.seen.turns, "answer": people, "participant": people}.get(kind)
            if known is not None and name.split(":")[0] not in known:
                continue
            row = self.clusters.rating(vars(rating))
            yield row if self.public is None else self.public.rules.rating(row)

    # -- what accompanies them -----------------------------------------------------------------------------------------

    def _beside(self, files: Mapping[str, Any], withheld: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        columns = withheld.get("columns", {})
        for (name, table), path in zip(self.tables.items(), files, strict=True):
            target = self.folder / path.replace(f".{self.tables_as}", ".json")
            write_json(target, sidecar(table, path, columns.get(name, ()), self.tables_as == "csv"))
        self._described(files, withheld)
        self._text("CHANGES.md", self._changes())
        write_json(self.folder / RECORDS, self.records.to_json())
        self.chain = self._chain(bool(withheld) or self.public is not None)
        if self.public is not None:
            self._text("documentation/disclosure.md", self.public.report())
        prereg = self.unit.meta_value("prereg")
        if prereg is not None:
            self._text("materials/prereg.json", json_line(prereg))
        self._text("documentation/codebook.md", codebook(list(self.tables.values()), CODEBOOK_INTRODUCTION))
        self._text("documentation/derivations.md", shipped("derivations.md").decode())
        self._text("documentation/coding.md", coding_page(self.coding))
        self._text("documentation/events.md", events_page())
        # Which assistants there were, and how they answered, would tell masked arms apart.
        treatments = () if withheld else self.world.content.treatments()
        for path, content in (*self.world.content.files(), *treatments):
            self._bytes(f"materials/{path}", content)
        versions = self.world.package_versions().items()
        self._text("materials/packages.txt", "".join(f"{name}=={version}\n" for name, version in sorted(versions)))
        # The file may have changed since it was locked; what counts is the version in force.
        self._text("materials/study.json", self.versions.newest.text + "\n")
        for version in (*self.versions.drafts, *self.versions.locked):
            self._bytes(version_path(version.study_hash), version.text.encode())
        present = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        names = {path.relative_to(self.folder).as_posix(): path for path in present}
        return {name: {"sha256": sha256_of(path)} for name, path in names.items() if name not in files}

    def _described(self, files: Mapping[str, Any], withheld: Mapping[str, Any]) -> None:
        """Write the dataset as a whole, for people, for archives and for other tools."""
        cited = Cited(self.study, self.world.study.dataset, timestamp(self.now)[:10], self.seen.collected)
        held = Contents(
            self.state,
            list(self.tables.values()),
            withheld,
            self.seen.statuses,
            fmt=self.fmt,
            renamed=self._copies(files),
            identified=self.identified,
            public=self.public is not None,
        )
        tables = {
            name: TableFile(table, path, files[path]["sha256"], (self.folder / path).stat().st_size)
            for (name, table), path in zip(self.tables.items(), files, strict=True)
        }
        write_json(
            self.folder / "dataset_description.json", description(cited, self.tables, csv=self.tables_as == "csv")
        )
        write_json(self.folder / "datapackage.json", datapackage(cited, tables))
        write_json(self.folder / "croissant.json", croissant(cited, tables))
        write_json(self.folder / "documentation/datacite.json", datacite(cited))
        self._text("CITATION.cff", yaml(citation_cff(cited)) + "\n")
        self._text("README.md", readme(cited, held))
        for name in ("read.py", "read.R"):
            self._bytes(name, shipped(name))
        self._text(".psychds-ignore", "".join(f"{name}\n" for name in BESIDE_PSYCH_DS))

    def _copies(self, files: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Write the tables once more for another program, where one was asked for; returns renamed columns."""
        if self.fmt == "csv" or self.fmt == "parquet":  # noqa: PLR1714 (the type checker sees what is left)
            return {}
        written = [(table, self.folder / path) for table, path in zip(self.tables.values(), files, strict=True)]
        return write_copies(self.folder, self.study.id, written, self.fmt)

    def _chain(self, masked: bool) -> dict[str, Any]:
        """Return the chain of records, and where it stands.

        The order of entries could tell arms, so it waits while masked.
        """
        heads = self.unit.chain_heads()
        if masked:
            # How many entries there are would tell how many rows are withheld.
            return {"join": join(head.head for head in heads)}
        labels = frozenset() if self.identified else cluster_questions(self.studies)
        written = ChainFile({person.id: person for person in self.unit.participants()}, self.kinds, labels)
        written.write(self.folder, self.unit)
        return {"heads": [vars(head) for head in heads], "entries": written.entries, "erased": written.erased}

    def _changes(self) -> str:
        erased = sum(person.data_withdrawn for person in self.people)
        acts = [replace(entry, why=self._reason(entry.why)) for entry in self.unit.audit()]
        return changes(self._locked(), acts, timestamp(self.now), self.state == "draft", erased)

    def _locked(self) -> list[ProtocolVersion]:
        """Return the locked versions with the reasons that this export shows."""
        return [replace(version, reason=self._reason(version.reason)) for version in self.versions.locked]

    def _reason(self, text: str) -> str:
        return text if self.public is None else self.public.reason(text)

    def _text(self, path: str, content: str) -> None:
        self._bytes(path, content.encode())

    def _bytes(self, path: str, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def _manifest(
        self, files: Mapping[str, Any], others: Mapping[str, Any], withheld: Mapping[str, Any]
    ) -> dict[str, Any]:
        draft, audit = self.state == "draft", audit_summary(self.unit.audit())
        figures = measured(self.seen, bool(withheld))
        if self.public is not None:
            audit, figures = public_audit(audit, self.public.reason), figures | {"events_lost": [], "events_ahead": []}
        return {
            "study_id": self.study.id,
            "study_hash": self.versions.newest.study_hash,
            "state": self.state,
            "package_version": __version__,
            "study_packages": dict(self.world.package_versions()),
            "exported_at": timestamp(self.now),
            "files": file_entries(files),
            "other_files": file_entries(others),
            "schema": SCHEMA,
            "coding": self.coding.described(),
            "kinds": list(self.kinds),
            "identified": self.identified,
            **({} if self.public is None else {"public": {"k": self.public.k, "recoded": self.public.recoded()}}),
            "masked": bool(withheld),
            "withheld": dict(withheld),
            "columns": {name: list(table.names) for name, table in self.tables.items()},
            **seal_facts(self.unit, self.state),
            "versions": version_entries(self._locked(), self.versions.drafts, draft),
            "ledgers": ledgers(self.unit, self.kinds),
            "chain": self.chain,
            "audit": audit,
            "closed_wave": closed_wave(self.unit),
            **figures,
            "interim_looks": known_looks(
                self.unit, self.kinds, bool(withheld), self.world.seal if self.for_look else None
            ),
            "warnings": list(self.seen.warnings),
        }


def study_tables(world: StudyContext, *, identified: bool = False) -> dict[TableName, TableSchema]:
    """Return the tables and columns that an export of this study has, for the console and the documentation."""
    with world.registry.begin(write=False) as unit:
        versions = versions_of(world, unit)
    studies = versions.in_order
    return tables_of(studies, VersionContents(world).quiz_types(versions), identified=identified)


def codebook_page(study: Study, library: ContentLibrary) -> str:
    """docs/reference/codebook.md: the codebook of a study's dataset, identities included."""
    tables = tables_of([study], quiz_types([study], Content(library).bank), identified=True)
    return codebook(
        list(tables.values()),
        "Written from the code for the shipped study by `scripts/generate_docs.py`; every dataset brings its study's "
        f"codebook in `documentation/`. {CODEBOOK_INTRODUCTION}",
    )


__all__ = ["FORMATS", "ExportSummary", "Format", "codebook_page", "export", "study_tables"]
