"""Export: the database as a dataset directory, whole or not at all, without anybody's identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from study_app import __version__
from study_app.dataset.disclosure.coarsening import DEFAULT_K
from study_app.dataset.integrity.signature import signed_content
from study_app.dataset.measures.record import Content
from study_app.dataset.schema import SCHEMA, TableName, TableSchema, codebook, quiz_types, tables_of, timestamp
from study_app.dataset.writing.documents import (
    CODEBOOK_INTRODUCTION,
)
from study_app.dataset.writing.files import (
    Format,
    keep_private,
    whole_directory,
    write_json,
)
from study_app.dataset.writing.manifest import (
    audit_summary,
    file_entries,
    measured,
    public_audit,
    quantiles,
    version_entries,
)
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.errors import SealingKeyMissing, UserError
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import Kind
from study_app.domain.study.clusters import cluster_questions
from study_app.domain.study.study import Study
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import is_watched
from study_app.services.participant_status import closed_wave
from study_app.services.reasons import readable
from study_app.services.researcher.exporting.chain_file import LogReading, ReadLog
from study_app.services.researcher.exporting.cluster_columns import label_questions
from study_app.services.researcher.exporting.collect_records import (
    VersionContents,
    few_collections,
    versions_of,
)
from study_app.services.researcher.exporting.companions import write_companions
from study_app.services.researcher.exporting.export_state import ExportState, Wanted
from study_app.services.researcher.exporting.export_summary import ExportSummary
from study_app.services.researcher.exporting.export_tables import write_tables
from study_app.services.researcher.exporting.trial_facts import ledgers, seal_facts
from study_app.services.researcher.interim.kept import known_looks

FORMATS: tuple[Format, ...] = get_args(Format)


def export(
    context: StudyContext,
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
        context: the study.
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
    # One reading transaction: tables, ledgers and chain are of one moment however many people work meanwhile.
    with few_collections(), whole_directory(Path(out)) as folder, context.registry.begin_reading() as (unit, beside):
        wanted = Wanted(fmt, kinds, identified, k if public else None, for_look=only is not None)
        state = ExportState(context, unit, folder, Path(out), wanted)
        summary = _write(state, beside.start(_log_reading(state)))
        if identified:
            keep_private(folder)
        return summary


def _log_reading(state: ExportState) -> LogReading:
    """Return what is read beside the tables: a third of the work of a long log."""
    if state.identified:
        return LogReading(state.folder, state.kinds, state.masked)
    asked = label_questions(state.people, state.versions)
    return LogReading(state.folder, state.kinds, state.masked, cluster_questions(state.studies), asked)


def _write(state: ExportState, log: Callable[[], ReadLog]) -> ExportSummary:
    files = write_tables(state)
    state.now = state.context.now()  # After the last row: nothing in the dataset is later.
    withheld = state.withheld
    others = write_companions(state, files, withheld, log)
    masked = bool(withheld)
    manifest = _manifest(state, files, others, withheld)
    signature, unsigned = _signature(state, manifest)
    write_json(state.folder / "manifest.json", manifest | {"signature": signature})
    return ExportSummary(
        path=state.out,
        state=state.state,
        rows={table: facts["rows"] for table, facts in zip(state.tables, files.values(), strict=True)},
        masked=masked,
        turn_seconds={} if masked else quantiles(state.seen.turn_seconds),
        warnings=(*state.seen.warnings, *unsigned),
    )


def _second_ledgers(state: ExportState) -> dict[str, Any]:
    """Return the ledgers of the second decision, where there is one; of masked people not even their length."""
    if not any(study.second_decision for study in state.versions.studies.values()):
        return {}
    return {"second_ledgers": ledgers(state.unit, [kind for kind in state.kinds if not state.mask.hides(kind)], 2)}


def _manifest(
    state: ExportState, files: Mapping[str, Any], others: Mapping[str, Any], withheld: Mapping[str, Any]
) -> dict[str, Any]:
    masked = any(map(state.mask.hides, state.kinds))
    acts = state.unit.audit()
    # How an interview was settled can tell an arm, as its codes can.
    # And so can the number of codes of queries: those of answers to a quiz are everybody's.
    real = {person.id for person in state.people if person.kind == "real" and not person.data_withdrawn}
    ratings = [
        each
        for each in state.unit.ratings()
        if (not masked or each.object.startswith("answer:")) and state.seen.whose(each.object) in real
    ]
    kinds = {person.id: person.kind for person in state.unit.participants()}
    interviews = () if masked else state.seen.interviews
    audit = audit_summary(acts, readable(state.unit, acts), interviews, kinds, ratings)
    draft = state.state == "draft"
    figures = measured(state.seen, bool(withheld))
    if state.public is not None:
        # Which events a browser lost is said by page and moment, and would name a person's visit to who saw it.
        audit, figures = public_audit(audit, state.public.reason), figures | {"events_lost": [], "events_ahead": []}
    return {
        "study_id": state.study.id,
        "study_hash": state.versions.newest.study_hash,
        "state": state.state,
        "package_version": __version__,
        "study_packages": dict(state.context.package_versions()),
        "exported_at": timestamp(state.now),
        "files": file_entries(files),
        "other_files": file_entries(others),
        "schema": SCHEMA,
        "coding": state.coding.described(),
        "kinds": list(state.kinds),
        "identified": state.identified,
        **({} if state.public is None else {"public": {"k": state.public.k, "recoded": state.public.recoded()}}),
        "masked": bool(withheld),
        "withheld": dict(withheld),
        "columns": {name: list(table.names) for name, table in state.tables.items()},
        **seal_facts(state.unit, state.state),
        "versions": version_entries(state.locked_versions(), state.versions.drafts, draft),
        "ledgers": ledgers(state.unit, state.kinds),
        **_second_ledgers(state),
        "chain": state.chain,
        "audit": audit,
        "closed_wave": closed_wave(state.unit),
        **figures,
        "interim_looks": known_looks(
            state.unit, state.kinds, bool(withheld), state.context.seal if state.for_look else None
        ),
        "warnings": list(state.seen.warnings),
    }


def _signature(state: ExportState, manifest: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """Return the manifest signed with the key that the registration names, or why it is not."""
    sealed = state.unit.meta("sealed_signing_key")
    # A draft has no key yet. The dataset of a look is deleted, and shows arms that no one may vouch for so early.
    if sealed is None or state.for_look:
        return None, []
    try:
        return state.context.seal.sign(sealed, signed_content(manifest)), []
    except SealingKeyMissing as error:
        return None, [f"the dataset is not signed, so later changes cannot be detected: {error}"]


def study_tables(context: StudyContext, *, identified: bool = False) -> dict[TableName, TableSchema]:
    """Return the tables and columns that an export of this study has, for the console and the documentation."""
    with context.registry.begin(write=False) as unit:
        versions, watched = versions_of(context, unit), is_watched(unit)
    studies = versions.in_order
    contents = VersionContents(context)
    types, acts = contents.quiz_types(versions), contents.acts(versions)
    return tables_of(studies, types, identified=identified, acts=acts, topics=contents.topics(), watched=watched)


def codebook_page(study: Study, library: ContentLibrary) -> str:
    """docs/reference/codebook.md: the codebook of a study's dataset, identities included."""
    tables = tables_of([study], quiz_types([study], Content(library).bank), identified=True, watched=True)
    return codebook(
        list(tables.values()),
        "Written from the code for the shipped study by `scripts/generate_docs.py`; every dataset brings its study's "
        f"codebook in `documentation/`. {CODEBOOK_INTRODUCTION}",
    )


__all__ = ["FORMATS", "ExportSummary", "Format", "codebook_page", "export", "study_tables"]
