"""The rows of a dataset for everybody.

Nothing that a person or their program wrote, unless it was released line by line; times relative to each person's
entry; nothing that tells the order in which people came; rare answers coarsened.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from study_app.dataset.disclosure.coarsening import Recoding
from study_app.dataset.disclosure.patterns import holds_identifiers, identifiers_in, redacted, texts_in
from study_app.dataset.disclosure.payloads import PLATFORM_KEYS, is_platforms, public_payload
from study_app.dataset.disclosure.scores import Sums, published_scores, score_column
from study_app.dataset.measures.interviews.rows import shares
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.schema import Column, TableName, TableSchema
from study_app.dataset.schema.cells import plain_text
from study_app.dataset.schema.participants import columns_of
from study_app.dataset.schema.tables import IDS
from study_app.domain.events import SERVER_KINDS, SERVER_PAGE
from study_app.domain.interaction.codebook import LABELS
from study_app.domain.interaction.codes import people
from study_app.domain.interaction.tone import TONES
from study_app.domain.quiz.items import Item
from study_app.domain.records import NO_PLACE
from study_app.domain.study.study import Study
from study_app.domain.tasks.hacks.coding import CLASSES
from study_app.domain.themes.marks import CODEBOOK, QUOTE, REASON, REPLY, interview_of

Row = dict[str, Any]

WITHHELD = "[withheld]"
"""What stands where there was text."""
ENTRY = datetime(2000, 1, 1, tzinfo=UTC)
"""The moment at which everybody enters, in a dataset for everybody."""
ORDERED: dict[TableName, tuple[str, ...]] = {
    "participants": ("allocation_index", "second_index"),
    "allocations": (
        *("allocation_index", "draw", "previous_hash", "row_hash", "levels", "imbalance", "returned", "profile"),
        *("salt", "payload_hash"),
    ),
    "ratings": ("rated_at",),
}
"""Left empty: what tells the order in which people came, or from which an answer could be computed."""
EXCEPTIONS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)
"""Names of errors that no participant made up."""


@dataclass(frozen=True)
class Cell:
    """One text of one row, as reviewers decide on it."""

    table: TableName
    column: str
    record: str
    """Ids of the row, joined by `|`."""
    participant_id: str
    text: str

    @property
    def digest(self) -> str:
        """By which a decision names the text: another text in its place is not decided."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a decision is about."""
        return self.table, self.column, self.record, self.digest


@dataclass
class Found:
    """What was looked through on the way."""

    withheld: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(table, column) -> texts left out."""
    released: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same of texts that stay after review."""
    identifiers: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    """(place, kind of identifier, whether it stays) -> cells."""
    cells: dict[Cell, None] | None = None
    """The texts themselves as reviewers decide on them, in the order met; None where they are only counted."""

    def note(self, cell: Cell, stays: bool, decided_as: Cell) -> None:
        """Count a text and the identifiers in it."""
        if self.cells is not None:
            self.cells[decided_as] = None
        (self.released if stays else self.withheld)[cell.table, cell.column] += 1
        for kind in identifiers_in(cell.text):
            self.identifiers[f"{cell.table}.{cell.column}", kind, stays] += 1


@dataclass
class Public:
    """The rules of one export for everybody.

    Args:
        recodings: by column of `participants`.
        released: keys of the texts that a person has released.
        entries: participant -> moment of entry.
        item_of: item of a version's bank, by the version's hash, the bank's folder and the item's id; or None.
    """

    recodings: Mapping[str, Recoding]
    released: frozenset[tuple[str, str, str, str]]
    entries: Mapping[str, datetime]
    item_of: Callable[[str, str, str], Item | None]
    ids: frozenset[str]
    """Of stages, tasks, questions and items."""
    found: Found = field(default_factory=Found)
    sums: Sums = field(default_factory=dict)
    """Scores of surveys, each with the columns that it adds up."""
    _raters: dict[str, str] = field(default_factory=dict)
    _schemas: dict[TableName, TableSchema] = field(default_factory=dict)
    _cells: dict[str, list[tuple[str, Column, str]]] = field(default_factory=dict)
    """Table -> name, column and treatment of each of its cells that stays: decided once, not for each row."""

    def tables(self, tables: Mapping[TableName, TableSchema]) -> dict[TableName, TableSchema]:
        """Return the schemas with the values that are left and what they mean."""
        self._schemas = dict(tables)
        self._cells = {name: [*self._treated(name, table)] for name, table in tables.items()}
        return {name: public_table(table, self.recodings, self.sums) for name, table in tables.items()}

    def rows(
        self, record: ParticipantRecord, rows: Iterable[tuple[TableName, Mapping[str, Any]]]
    ) -> Iterator[tuple[TableName, Row]]:
        """Yield the rows of one participant as everybody may read them."""
        person = _Person(record, self.ids)
        for name, row in rows:
            kept = self._row(name, row, record.participant.id, person)
            if name == "events":
                kept |= self._event(row, person)
            elif name == "answers":
                kept["response"] = self._answer(row, person)
            elif name == "runs" and row.get("page"):
                kept["page"] = person.page(str(row["page"]))
            elif name == "participants" and self.sums:
                scores = published_scores(record, self.recodings)
                kept |= {score: points for score, points in scores.items() if kept.get(score) is not None}
            yield name, kept

    def allocation(self, row: Mapping[str, Any]) -> Row:
        """Return a row of a ledger."""
        return self._row("allocations", row, str(row.get("participant_id") or ""))

    def model_row(self, name: TableName, row: Mapping[str, Any]) -> Row:
        """Return a row on a model, which no participant has a part in; its moment is left out."""
        return self._row(name, row, "")

    def rating(self, row: Mapping[str, Any]) -> Row:
        """Return a judgement; raters are numbered."""
        kept = self._row("ratings", row, "")
        rater = str(row["rater"])
        kept["rater"] = self._rater(rater) if people([rater]) else rater
        for kind in identifiers_in(rater):
            self.found.identifiers["ratings.rater", kind, False] += 1
        value = self._schemas["ratings"].column("value")
        judged = _is_judgement(str(row["value"])) or _is_of_themes(row)
        kept["value"] = row["value"] if judged else self._text("ratings", value, row, row["value"])
        return kept

    def _rater(self, name: str) -> str:
        return self._raters.setdefault(name, f"rater-{len(self._raters) + 1}")

    def _row(self, name: TableName, row: Mapping[str, Any], who: str, person: _Person | None = None) -> Row:
        entry = self.entries.get(who)
        kept: Row = {}
        known = row.get
        for key, column, treatment in self._cells[name]:
            value = known(key)
            if value is None:
                continue
            if treatment == "stays":
                kept[key] = value
            elif treatment == "moved":
                kept[key] = _moved(value, entry) if person is None else person.moved(key, value, entry)
            else:
                kept[key] = self._cell(name, column, row, value, person)
        return kept

    def _treated(self, name: TableName, table: TableSchema) -> Iterator[tuple[str, Column, str]]:
        """Yield how the cells of each column are treated; what is left out or follows other rules is not among them."""
        for column in table.columns:
            if column.name in ORDERED.get(name, ()) or (name, column.name) in _ELSEWHERE:
                continue
            looked_at = self._coarse(name, column) or column.free or (name, column.name) == _ENDED
            yield column.name, column, "moved" if column.type == "time" else "looked at" if looked_at else "stays"

    def _coarse(self, name: TableName, column: Column) -> bool:
        """Return whether values of a column are put together: in every table that says the same of a person."""
        about = name in ("participants", "allocations") or column.name in _EVERYWHERE
        return about and column.name in self.recodings

    def _cell(self, name: TableName, column: Column, row: Mapping[str, Any], value: Any, person: _Person | None) -> Any:
        if self._coarse(name, column):
            return self.recodings[column.name].of(value)
        if (name, column.name) == _ENDED and value == "distress":
            # That a person was in distress is nothing for everybody to know.
            return "stopped"
        return self._text(name, column, row, value, person) if column.free else value

    def _text(
        self, name: TableName, column: Column, row: Mapping[str, Any], value: Any, person: _Person | None = None
    ) -> str | None:
        text = plain_text(value)
        if not text or (column.name in _KNOWN and text in _KNOWN[column.name]):
            return text
        cell = cell_of(name, column.name, row, text)
        decided_as = cell if person is None or name != "participants" else person.asked(cell)
        if person is not None and not person.lets_leave(name):
            # Not even offered for review: without the participant's word no reviewer can release it.
            self.found.withheld[name, column.name] += 1
            return WITHHELD if column.type == "text" else None
        stays = decided_as.key in self.released
        softened = replace(decided_as, text=redacted(text))
        if column.type == "text" and not stays and softened.text != text and softened.key in self.released:
            self.found.note(replace(cell, text=softened.text), True, decided_as)
            return softened.text
        self.found.note(cell, stays, decided_as)
        return text if stays else WITHHELD if column.type == "text" else None

    def _event(self, row: Mapping[str, Any], person: _Person) -> Row:
        payload = person.said(row)
        self._look_through(str(row["kind"]), payload, person)
        kept = public_payload(str(row["kind"]), payload, person.known, person.page)
        if kept != payload:
            self.found.withheld["events", "payload"] += 1
        if isinstance(payload.get("mono_ms"), int | float) and "page" in payload:
            kept["mono_ms"] = person.since(str(payload["page"]), payload["mono_ms"])
        page = str(row["page"])
        if page == SERVER_PAGE:
            return {"payload": kept, "page": page}
        mono = row.get("mono_ms")
        since = None if mono is None else person.since(page, mono)
        return {"payload": kept, "page": person.page(page), "mono_ms": since}

    def _look_through(self, kind: str, payload: Any, person: _Person) -> None:
        """Count the identifiers in a payload, ids and hashes of the platform aside."""
        # Hardly any holds one: where it would stand is not asked before.
        if not holds_identifiers(payload):
            return
        for where, text in texts_in(payload):
            identifiers = identifiers_in(text)
            if not identifiers or text in person.known or is_platforms(kind, where, kind in SERVER_KINDS):
                continue
            for identifier in identifiers:
                self.found.identifiers[f"events.payload: {kind}, {_place(where)}", identifier, False] += 1

    def _answer(self, row: Mapping[str, Any], person: _Person) -> Any:
        value = row.get("response")
        if value is None:
            return None
        if row["bank"]:
            item = self.item_of(person.study_hash, person.bank_folder(str(row["stage"])), str(row["item"]))
            if item is not None and item.options:
                return value
        elif (columns := person.columns.get(str(row["item"]))) is not None and not any(c.free for c in columns):
            return self.recodings[columns[0].name].of(value) if columns[0].name in self.recodings else value
        return self._text("answers", _RESPONSE, row, value)


def _place(where: str) -> str:
    """Return where in a payload a text stands; a made-up name of a key is not repeated."""
    known = {*PLATFORM_KEYS, "(name)"}
    return ".".join(part if part in known else "other" for part in where.split(".")) or "payload"


_RESPONSE = Column("response", "text", "")
INTERVIEW_TABLES = frozenset({"interviews", "interview_turns"})
_ELSEWHERE = frozenset(
    {
        ("events", "payload"),
        ("events", "page"),
        ("runs", "page"),
        ("answers", "response"),
        ("ratings", "rater"),
        ("ratings", "value"),
    }
)
"""Cells that follow other rules."""
_ENDED = ("interviews", "ended_by")
_EVERYWHERE = frozenset({"language"})
"""Columns of `participants` that say the same of a person in every table: coarse there, coarse in all."""
_KNOWN: Mapping[str, frozenset[str]] = {
    "error_type": EXCEPTIONS,
    "first_error_type": EXCEPTIONS,
    "exclusion_reason": frozenset({NO_PLACE}),
}
"""Texts that the platform or Python made."""


def cell_of(table: TableName, column: str, row: Mapping[str, Any], text: str) -> Cell:
    """Return a text with what names its place."""
    record = "|".join(str(row.get(name) or "") for name in IDS.get(table, ("participant_id",)))
    return Cell(table, column, record, str(row.get("participant_id") or ""), text)


def _moved(value: Any, entry: datetime | None) -> datetime | None:
    """Return a moment as long after `ENTRY` as it was after the person's entry."""
    if entry is None or not isinstance(value, datetime):
        return None
    try:
        return value - entry + ENTRY
    except OverflowError:
        return None


def _is_judgement(value: str) -> bool:
    """Return whether a rating is points or codes, and not a sentence."""
    if value in TONES or value in CLASSES or all(label in LABELS for label in value.split(";")):
        return True
    try:
        found = json.loads(value)
    except ValueError:
        return False
    points = found.values() if isinstance(found, dict) else [found]
    return all(isinstance(each, int | float) for each in points)


def _is_of_themes(row: Mapping[str, Any]) -> bool:
    """Return whether a rating is a codebook, or codes and marks of an interview, and not words of a person."""
    if row["rubric"] == CODEBOOK:
        return True
    return interview_of(str(row["object"])) is not None and row["rubric"] not in (REPLY, REASON, QUOTE)


_NEVER: tuple[Any, datetime | None] = None, None


class _Person:
    """What the rules need to know of one participant."""

    def __init__(self, record: ParticipantRecord, ids: frozenset[str]) -> None:
        self.study: Study = record.study
        self.study_hash = record.participant.study_hash
        self.known = ids | {run.id for run in record.runs} | {turn.id for turn in record.turns}
        self.pages: dict[str, str] = {}
        self._clocks: dict[str, float] = {}
        self._events = iter(record.events)
        self._last: dict[str, tuple[Any, datetime | None]] = {}
        asked = (question for stage in record.study.stages for question in stage.asked)
        self.columns = {question.id: columns_of(question) for question in asked}
        talks = [stage.id for stage in record.study.stages if stage.kind == "interview"]
        self._shares = all(shares(record, stage) for stage in talks)

    def lets_leave(self, table: TableName) -> bool:
        """Whether a text of a table may leave at all: words of an interview only where a consent item says so."""
        return self._shares or table not in INTERVIEW_TABLES

    def asked(self, cell: Cell) -> Cell:
        """Return the answer of which a cell of `participants` is a copy: one decision is for both."""
        for stage in self.study.stages:
            for question in stage.asked:
                if cell.column in (column.name for column in columns_of(question)):
                    record = f"{cell.participant_id}|{stage.id}|{question.id}"
                    return replace(cell, table="answers", column="response", record=record)
        return cell

    def page(self, name: str) -> str:
        """Return the number of a browser's page as its name: the name itself was the browser's choice."""
        return self.pages.setdefault(name, f"page-{len(self.pages) + 1}")

    def said(self, row: Mapping[str, Any]) -> Any:
        """Return what an event says. It was read with the log, so that only a row that was changed is read again."""
        text = row["payload"]
        if not isinstance(text, str):
            return text or {}
        # Rows come in the order of the log, and some are left out.
        for event in self._events:
            if event.seq == row["seq"] and event.page == row["page"]:
                return event.payload if event.stored is text else json.loads(text)
        return json.loads(text)

    def moved(self, column: str, value: Any, entry: datetime | None) -> datetime | None:
        """Return a moment after `ENTRY`: the very same for the events of a batch, which bear one moment."""
        before, shown = self._last.get(column, _NEVER)
        if value is not before:
            shown = _moved(value, entry)
            self._last[column] = value, shown
        return shown

    def since(self, page: str, mono_ms: float) -> float:
        """Return milliseconds since the first reading of a page's clock, which it may start when it likes."""
        return mono_ms - self._clocks.setdefault(page, mono_ms)

    def bank_folder(self, stage: str) -> str:
        """Return the folder of a stage's bank."""
        return next((each.bank for each in self.study.stages if each.id == stage), "")


def public_table(table: TableSchema, recodings: Mapping[str, Recoding], sums: Sums | None = None) -> TableSchema:
    """Return a table's schema as it is for everybody."""
    columns = [_public_column(table.name, column, recodings) for column in table.columns]
    if table.name == "participants":
        columns = [score_column(column, sums or {}, recodings) for column in columns]
    return replace(table, caption=_CAPTIONS.get(table.name, table.caption), columns=tuple(columns))


_CAPTIONS: Mapping[TableName, str] = {
    "allocations": "The ledgers of allocations: one row for each participant and decision, in the order of random ids, "
    "without the hashes that chain them",
    "events": "The log of what a page or the server saw, without what people wrote",
}
"""Tables of which the usual words would say too much."""
_MADE_HERE: Mapping[tuple[TableName, str], tuple[str, str]] = {
    ("events", "event_id"): ("Number of the row, from 1", ""),
    ("events", "page"): ("Number of the browser page, as page-1, ...; `server` for the server's own events", ""),
    ("events", "mono_ms"): ("When it happened by the page's monotonic clock", "ms since its first reading"),
    ("runs", "page"): ("Browser page whose editor held the program, numbered as in events", ""),
    ("ratings", "rater"): ("Rater: people are numbered, programs have their names", ""),
}
"""Columns whose values an export for everybody makes anew: what they mean, and their unit."""


def _public_column(table: TableName, column: Column, recodings: Mapping[str, Recoding]) -> Column:
    if (table, column.name) in _MADE_HERE:
        caption, unit = _MADE_HERE[table, column.name]
        return replace(column, caption=caption, unit=unit or column.unit)
    if column.type == "time":
        column = replace(column, caption=f"{column.caption}. Moved: everybody enters at {ENTRY:%Y-%m-%dT%H:%M:%SZ}")
    if table == "participants" and column.name in recodings:
        return recodings[column.name].described(column)
    if column.name in ORDERED.get(table, ()):
        return replace(column, caption=f"{column.caption}. Left out: it could tell who a person is")
    if column.free and (table, column.name) != ("events", "payload"):
        return replace(column, caption=f"{column.caption}. {WITHHELD} where text was left out")
    return column
