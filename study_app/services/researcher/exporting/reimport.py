"""`study reimport`: an exported dataset back into a fresh database, from which it can be exported again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from study_app.dataset.border.folders import bounded_text, text_in
from study_app.dataset.findings import VerifyReport
from study_app.dataset.measures.models import look_in, reply_in
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of, open_dataset
from study_app.dataset.schema import compact_json, parsed_json, question_column
from study_app.dataset.schema.file_names import kept_banks
from study_app.dataset.verification.allocation import decision_of
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.ledger import LedgerRow
from study_app.domain.quiz.items import Bank
from study_app.domain.records import END, Answer, ProtocolVersion, RunRecord, Turn
from study_app.domain.study.clusters import COLUMN, cluster_questions
from study_app.ports import Restorable, UnitOfWork
from study_app.services.context import StudyContext, draft_key
from study_app.services.operation.held_acts import hold_acts
from study_app.services.operation.models.kept import put_back_watch
from study_app.services.researcher.lifecycle import Lifecycle
from study_app.services.version_content import keep_published_banks

PutBack = Callable[[UnitOfWork, Iterable[tuple[Restorable, Mapping[str, Any]]]], Mapping[Restorable, int]]
"""Stores records as they are."""
REIMPORTED = "reimport"
"""The verb in the audit log."""
_FACTS = ("commitment", "launched_at", "revealed_seed")
"""What the manifest says of the seal, under the names that the database has for it."""


@dataclass(frozen=True)
class ReimportSummary:
    """What was put back."""

    dataset: Path
    rows: Mapping[Restorable, int]

    def lines(self) -> list[str]:
        """For people."""
        return [f"{self.dataset}: {', '.join(f'{count} {table}' for table, count in self.rows.items())}"]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {"dataset": str(self.dataset), "rows": dict(self.rows)}


def reimport(context: StudyContext, path: Path, put_back: PutBack, *, who: str) -> ReimportSummary:
    """Put every record of a dataset into the database of this study, which must hold none.

    An export of it has the same bytes in `data/`. What a dataset does not hold stays behind: panel ids and labels of
    one without identities, the audit log, links, drafts of texts, and the sealed seed.

    Raises:
        ProblemsFound: the dataset lacks what a database needs, is another study's, or the database is not empty; all
            reasons at once.
        UserError: there is no dataset, or it holds rows that no export writes.
    """
    # Findings are not asked for here: what cannot be stored stops it, and the rest is for verify to say.
    dataset = open_dataset(Path(path), VerifyReport(str(path)))
    with context.registry.begin() as unit:
        # All at once, before the first record: half of a dataset in a database would look like a whole one.
        if problems := [*_unfit(dataset, context), *_not_empty(context, unit)]:
            raise ProblemsFound(problems)
        try:
            _restore_study(dataset, unit)
            counts = put_back(unit, _records(dataset, context))
            looks = [look_in(row.values) for row in dataset.rows("model_looks")]
            replies = [reply_in(row.values) for row in dataset.rows("model_replies")]
            put_back_watch(unit, looks, replies, context.now())
            if dataset.state != "draft":
                # No dataset says what was paid, written or mailed.
                hold_acts(unit, str(dataset.manifest["launched_at"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}: holds a row that no export writes ({type(error).__name__}: {error}); study verify names it, "
                "and nothing was put back"
            ) from error
    Lifecycle(context).audit(who, REIMPORTED, "", {"dataset": Path(path).name, "rows": dict(counts)})
    return ReimportSummary(Path(path), counts)


def _unfit(dataset: UntrustedDataset, context: StudyContext) -> Iterator[Problem]:
    """Yield what the dataset lacks."""
    manifest, path = dataset.manifest, str(dataset.path)
    if "pool" in manifest:
        yield Problem(path, "pool", "is a pool of several trials", "put one of its sites into a database")
    elif not dataset.own:
        yield Problem(path, "manifest.json", "is not an export of study-app", "there is no database that it came from")
    elif dataset.public:
        what = "was made for everybody: texts, moments and the ledger's order are left out, and answers are coarsened"
        yield Problem(path, "public", what, "take the export without --public")
    elif manifest.get("masked"):
        what = f"is of a {dataset.state} study: what would tell arms is withheld"
        yield Problem(path, "masked", what, "unseal the study and export it again")
    elif manifest.get("identified") and context.study.allocation.method == "cluster":
        what = "names the clusters' labels, and no dataset has the key by which their pseudonyms follow from them"
        yield Problem(path, "identified", what, "take the export without --identified")
    elif manifest.get("study_hash") != context.study_hash:
        what = f"is of version {str(manifest.get('study_hash'))[:12]}, and the study file is {context.study_hash[:12]}"
        yield Problem(path, "study_hash", what, "give the study file with which it was exported")


def _not_empty(context: StudyContext, unit: UnitOfWork) -> Iterator[Problem]:
    people = len(unit.participants())
    if people or unit.versions():
        what = f"holds {people} participants already" if people else "holds a launched study already"
        yield Problem("--database", "", what, "name a database that is not there yet")


def _restore_study(dataset: UntrustedDataset, unit: UnitOfWork) -> None:
    """Put back the versions of the study, its state and what became public of its seal."""
    for entry in dataset.listed("versions"):
        text = text_in(dataset.path, entry["file"])
        study_hash = str(entry["study_hash"])
        if entry.get("materials") is None:
            unit.set_meta(draft_key(study_hash), text)
        elif dataset.state != "draft":
            locked_at = datetime.fromisoformat(str(entry["locked_at"]))
            given = (dict(entry["materials"]), int(entry["from_index"]), locked_at, str(entry["reason"]))
            unit.add_version(ProtocolVersion(study_hash, text, *given))
            _restore_banks(dataset, unit, study_hash)
    if dataset.state == "draft":
        return
    unit.set_meta("state", dataset.state)
    for name in _FACTS:
        if dataset.manifest.get(name) is not None:
            unit.set_meta(name, str(dataset.manifest[name]))
    prereg = dataset.path / "materials" / "prereg.json"
    if prereg.is_file():
        unit.set_meta("prereg", bounded_text(prereg).removesuffix("\n"))


def _restore_banks(dataset: UntrustedDataset, unit: UnitOfWork, study_hash: str) -> None:
    """Put back the item banks of a version that was amended since: who began with it answered those items."""
    folder = dataset.path / "materials" / kept_banks(study_hash)
    banks = {path.stem: bounded_text(path) for path in sorted(folder.glob("*.json"))}
    for text in banks.values():
        Bank.model_validate_json(text)
    if banks:
        keep_published_banks(unit, study_hash, banks)


_LEDGERS: Mapping[int, Restorable] = {1: "allocations", 2: "later_allocations"}
"""Decision -> the table of its ledger."""


def _records(dataset: UntrustedDataset, context: StudyContext) -> Iterator[tuple[Restorable, Mapping[str, Any]]]:
    """Yield the records of every table, each in the dataset's order."""
    last_seen = _last_seen(dataset)
    opens = _openings(dataset)
    for row in dataset.rows("participants"):
        yield "participants", _participant(dataset, row, last_seen, opens, context)
    for decision, table in _LEDGERS.items():
        yield from ((table, _allocation(row)) for row in dataset.rows("allocations") if decision_of(row) == decision)
    for row in dataset.rows("visits"):
        yield "visits", row.values
    for row in dataset.rows("answers"):
        yield "answers", _answer(dataset, row)
    for row in dataset.rows("runs"):
        yield "runs", _of(RunRecord, row) | {"id": row["run_id"], "checks": row["checks"] or []}
    for row in dataset.rows("turns"):
        yield "turns", _of(Turn, row) | {"id": row["turn_id"], "parameters": row["parameters"] or {}}
    for row in dataset.rows("ratings"):
        yield "ratings", row.values
    for row in dataset.stream("events"):
        # Rounded: seconds as a float, times a thousand, may miss the whole milliseconds of the cell by a bit.
        moment: datetime | None = row["client_time"]
        milliseconds = None if moment is None else float(round(moment.timestamp() * 1000))
        yield "events", row.values | {"client_time_ms": milliseconds, "arrived_late": bool(row["arrived_late"])}


def _of(record: type[RunRecord] | type[Turn] | type[Answer], row: UntrustedRow) -> dict[str, Any]:
    """Return the cells that the database has as well; yes and no as such."""
    kinds = {field.name: str(field.type) for field in fields(record)}
    found = {name: row.values.get(name) for name in kinds}
    return {name: bool(v) if v is not None and kinds[name].startswith("bool") else v for name, v in found.items()}


def _participant(
    dataset: UntrustedDataset,
    row: UntrustedRow,
    last_seen: Mapping[str, datetime],
    opens: Mapping[str, datetime],
    context: StudyContext,
) -> dict[str, Any]:
    """Return a participant; where they stand follows from their visits, for the dataset does not say it."""
    who, status = str(row["participant_id"]), str(row["status"])
    unfinished = status in ("in_progress", "abandoned") or (status == "excluded" and row["finished_at"] is None)
    kept = "in_progress" if unfinished else "completed" if status == "excluded" else status
    seen = last_seen.get(who, row["enrolled_at"])
    return (
        row.values
        | {
            "id": who,
            "kind": kind_of(row),
            "status": kept,
            "stage": _stage(dataset, row) if unfinished else END,
            "step": 0,
            # Who was there a moment ago is there now; a long silence goes on.
            "last_seen_at": context.now() if status == "in_progress" else seen,
            "opens_at": opens.get(who) if unfinished else None,
            "place": "used" if row["allocation_index"] is not None else None,
            "data_withdrawn": bool(row["data_withdrawn"]),
            "language": row["language"] or "",
            "responded": None if row.values.get("responded") is None else bool(row["responded"]),
        }
        | _cluster(row, context)
    )


def _cluster(row: UntrustedRow, context: StudyContext) -> dict[str, Any]:
    """Return what stands for the label that named a cluster: its pseudonym, which is all that the dataset has."""
    known = row.values.get(COLUMN)
    return {"label": known} if known is not None and context.study.allocation.cluster == "label" else {}


def _stage(dataset: UntrustedDataset, row: UntrustedRow) -> str:
    """Return the stage that is open, or that follows the last one."""
    study = dataset.study_of(row)
    stages = [stage.id for stage in study.stages] if study else []
    visits = dataset.by_participant("visits").get(str(row["participant_id"]), [])
    if not visits:
        return stages[0]
    last = str(visits[-1]["stage"])
    later = stages[stages.index(last) + 1 :] if visits[-1]["ended_at"] is not None else [last]
    return later[0] if later else END


def _last_seen(dataset: UntrustedDataset) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in dataset.stream("events"):
        found[str(row["participant_id"])] = row["server_time"]
    return found


def _openings(dataset: UntrustedDataset) -> dict[str, datetime]:
    """Return when the session opens that each person waits for last."""
    rows = dataset.rows("sessions")
    return {str(row["participant_id"]): row["opens_at"] for row in rows if row["opens_at"] is not None}


def _allocation(row: UntrustedRow) -> dict[str, Any]:
    """Return a row of the ledger; one that was erased belongs to no participant any more."""
    record = LedgerRow.parse({name: "" if value is None else value for name, value in row.values.items()})
    # As an erasure leaves it: the column is unique, and the place in the ledger has to stay.
    erased = f"erased-{record.ledger}-{record.allocation_index}"
    return {
        "decision": record.decision,
        "participant_id": record.participant_id or erased,
        "ledger": record.ledger,
        "allocation_index": record.allocation_index,
        "row": record.record(),
    }


def _answer(dataset: UntrustedDataset, row: UntrustedRow) -> dict[str, Any]:
    found = _of(Answer, row)
    for name in ("bank", "form"):
        found[name] = found[name] or ""
    if not row["bank"] and row["item"] in cluster_questions(dataset.studies.values()):
        return found | {"response": row.values.get(COLUMN)}
    return found | {"response": _response(dataset, row)}


def _response(dataset: UntrustedDataset, row: UntrustedRow) -> Any:
    """Return what was answered: a cell holds texts as they are and anything else as JSON, so the question decides."""
    cell = row["response"]
    if cell is None:
        return "" if row["bank"] else None
    parsed = _json(cell)
    if isinstance(parsed, list | dict):
        return parsed
    columns = {column.name: column for column in dataset.tables["participants"].columns}
    asked = {q.id: question_column(q) for s in dataset.studies.values() for stage in s.stages for q in stage.asked}
    column = None if row["bank"] else columns.get(asked.get(str(row["item"]), ""))
    return parsed if parsed is not None and column is not None and column.numeric else cell


def _json(cell: str) -> Any:
    """Return the value whose JSON the cell is, to the letter; None where it is the JSON of nothing."""
    try:
        value = parsed_json(cell)
    except ValueError:
        return None
    return value if compact_json(value) == cell else None
