"""The log against its chain of records, and the chain as a file beside the tables: what each row was sealed with."""

from __future__ import annotations

import csv
import re
from binascii import b2a_base64
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

from study_app.dataset.integrity.chain import CHAIN_COLUMNS, CHAIN_PATH, ERASED_EVENTS, KEYS, Chained
from study_app.dataset.integrity.differences import stated
from study_app.domain.events import saying
from study_app.domain.events.server import InterviewAsked
from study_app.domain.records import Kind, Participant
from study_app.ports import UnitOfWork
from study_app.services.researcher.exporting.cluster_columns import entered_labels
from study_app.services.researcher.exporting.collect_records import few_collections


@dataclass
class ChainFile:
    """Writes the entries of one export.

    Args:
        people: everybody in the database, by id.
        kinds: whose rows the export holds.
        labels: questions whose answers are withheld, for they name a cluster.
        withheld: events whose payload is withheld, for it holds such an answer.
        interviews: whose each interview is.
    """

    people: Mapping[str, Participant]
    kinds: tuple[Kind, ...]
    labels: frozenset[str] = frozenset()
    interviews: Mapping[str, str] = field(default_factory=dict)
    withheld: Collection[str] = frozenset()
    entries: int = 0
    erased: int = 0
    _turns: dict[str, str] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)

    def passing(self, folder: Path, unit: UnitOfWork, entries: Iterator[Chained]) -> Iterator[Chained]:
        """Write every entry into the file of a dataset, and pass it on."""
        newest = self._newest(unit)
        hidden = {name for name, person in self.people.items() if not self._of_export(person)}
        target = folder / CHAIN_PATH
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(CHAIN_COLUMNS)
            for entry in entries:
                self.entries += 1
                whole = entry.opening and entry.owner not in hidden and entry.key not in self.withheld
                if entry.table == "events" and whole:
                    # Nearly all entries are of events, and no cell of these has to be quoted.
                    handle.write(_of_event(entry))
                else:
                    writer.writerow(self._cells(entry, newest))
                yield entry

    def _newest(self, unit: UnitOfWork) -> dict[tuple[str, str], int]:
        """Record -> number of its last state, which may be in another chain; remembers whose each run and turn is."""
        found: dict[tuple[str, str], int] = {}
        for entry in unit.chained_records():
            if entry.table not in SHOWN:
                continue
            found[entry.table, entry.key] = max(found.get((entry.table, entry.key), 0), entry.number)
            if entry.table == "turns":
                self._turns[entry.parts[0]] = entry.owner
            elif entry.table == "runs":
                self._runs[entry.parts[0]] = entry.owner
        return found

    def _cells(self, entry: Chained, newest: Mapping[tuple[str, str], int]) -> tuple[object, ...]:
        """Return a row: of a record that the tables do not hold, or not in this state, nothing but its digest."""
        where = (entry.chain, entry.position)
        is_event, is_last = entry.table == "events", newest.get((entry.table, entry.key)) == entry.number
        erasure = entry.table == ERASED_EVENTS
        gone = is_last and not erasure and entry.is_gone
        self.erased += gone
        # The tables hold the last state only, so that an earlier one has no row to be compared with: its digest alone
        # keeps the chain whole. An event never changes.
        shown = entry.opening and (is_event or is_last) and not gone and self._exported(entry)
        if not shown:
            return (*where, "", "", "", "", entry.digest.hex())
        # By the number alone, as the table of events has it: verify finds the erased row by it.
        key = entry.parts[0] if erasure else entry.key
        return (*where, entry.table, key, int(entry.final), *_proof(entry))

    def _exported(self, entry: Chained) -> bool:
        owner = self.people.get(next(self._owners(entry), ""))
        # A record of people whom the database does not hold is one that has to be missed.
        if owner is None:
            return True
        # With its salt shown, the label could be guessed from the digest.
        if entry.table == "answers" and entry.parts[-1] in self.labels:
            return False
        if entry.table == "events" and entry.key in self.withheld:
            return False
        return owner.kind in self.kinds if entry.table == "participants" else self._of_export(owner)

    def _of_export(self, owner: Participant) -> bool:
        return owner.kind in self.kinds and not owner.data_withdrawn

    def _owners(self, entry: Chained) -> Iterator[str]:
        if entry.table != "ratings":
            yield entry.owner
            return
        kind, _, name = entry.owner.partition(":")
        # By what was judged: a rating whose owner is not found counts as one that must be there, and verify would miss
        # every judgement of people whom this export leaves out.
        owners = {"turn": self._turns, "run": self._runs, "interview": self.interviews}.get(kind, {})
        # Behind the id stands which part was judged: `#reply` of a turn, `#topic` of an interview, `:stage:item`.
        name = re.split("[:#]", name)[0]
        yield owners.get(name, name)


def _of_event(entry: Chained) -> str:
    return f"{entry.chain},{entry.position},events,{entry.key},1,{','.join(_proof(entry))}\r\n"


def _proof(entry: Chained) -> tuple[str, str]:
    """Return the cells by which a row that is there is compared."""
    return b2a_base64(entry.opening, newline=False).decode(), entry.digest.hex()[:SHOWN_DIGITS]


SHOWN = (*KEYS, ERASED_EVENTS)
"""Tables whose entries are named; of the others a dataset has nothing but the digests."""
SHOWN_DIGITS = 16
"""Hex digits of the digest of a row that is there: they name the row that differs; the head covers all digits."""


@dataclass(frozen=True)
class ReadLog:
    """What the reading of the log found."""

    differences: dict[str, Any]
    """Rows that are not what the chain says of them, for the manifest."""
    entries: int = 0
    """Of the file; 0 where there is none."""
    erased: int = 0


@dataclass(frozen=True)
class LogReading:
    """Work for a second reader: compares the database with its chain, and writes the chain's file."""

    folder: Path
    kinds: tuple[Kind, ...]
    masked: bool
    """Whether anything is withheld: the order of entries could tell arms, so that there is no file."""
    labels: frozenset[str] = frozenset()
    """See `ChainFile`."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """See `label_questions`."""

    def __call__(self, unit: UnitOfWork) -> ReadLog:
        """Read the log once."""
        with few_collections():
            if self.masked:
                return ReadLog(stated(unit.differences(events=True), named=False))
            # Everybody and not only who is exported: whose an entry is decides whether it is named.
            people = {person.id: person for person in unit.participants()}
            withheld = entered_labels(unit, self.asked)
            file = ChainFile(people, self.kinds, self.labels, _whose_interviews(unit), withheld)
            found = unit.differences(events=False, through=partial(file.passing, self.folder, unit))
            return ReadLog(stated(found, named=True), file.entries, file.erased)


def _whose_interviews(unit: UnitOfWork) -> dict[str, str]:
    # Of every kind: a rating of a simulated interview must be known as such in an export of real people.
    asked = (event for kind in get_args(Kind) for event in unit.events_of_kind(kind, InterviewAsked.kind))
    return {said.interview_id: event.participant_id for event, said in saying(asked, InterviewAsked)}
