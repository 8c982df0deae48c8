"""A dataset against the chain of records: every row is what was stored, none is missing, none was added.

The chain holds all of it in the order of storing, so that a row changed in the database before the export differs from
its digest, a removed one leaves a gap, and a history written anew has another head than those kept elsewhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from study_app.dataset.integrity import chain
from study_app.dataset.integrity.stored_rows import FACTS, facts_of
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import TABLES, TableName, compact_json
from study_app.dataset.schema.csv_rows import csv_rows, uneven
from study_app.dataset.verification.registration import registration_of
from study_app.domain.events import ERASED, FIELD_KINDS
from study_app.domain.study.clusters import cluster_questions

_ROWS: tuple[TableName, ...] = tuple(name for name in TABLES if name in chain.KEYS)


@dataclass
class _Listed:
    """What the file says of one record that the tables hold."""

    final: bool
    opening: bytes
    digest: str
    """Its first digits."""
    present: bool = False
    found: bytes | None = None
    """The digest of its row."""


@dataclass
class _Chains:
    """Heads while the file is read for the second time."""

    heads: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Those of the anchors' heads that the chains passed."""


def check_chain(opened: UntrustedDataset, anchors: Collection[str] = ()) -> None:
    """Compare every row with the chain, the chain with its heads, and heads that were kept elsewhere with both."""
    if not opened.own:
        return
    stated = opened.manifest.get("chain")
    if not isinstance(stated, dict):
        opened.report.note("the chain of records was not checked: an older version exported this dataset without one")
        return
    _check_database(opened, stated)
    if any(map(opened.hides, opened.kinds)):
        if _signs(opened) and stated.get("signed", True) is not True and opened.manifest.get("signature"):
            opened.report.add("chain_unsigned", "manifest.json", None, f"a head of the chain {_UNSIGNED}")
        opened.report.note("the chain of records is checked once the study is unsealed: its order could tell arms")
        return
    file = opened.path / chain.CHAIN_PATH
    if not file.is_file():
        opened.report.add("chain_missing", chain.CHAIN_PATH, None, "is not in the dataset; export again")
        return
    try:
        listed = _listed(opened)
    except ValueError as error:
        opened.report.add("chain_broken", chain.CHAIN_PATH, None, f"cannot be read: {error}")
        return
    # Rows before the chain: of a record that is there the file has the first digits only, and the rest of its digest
    # follows from its row.
    rows = sum(_check_table(opened, table, listed) for table in _ROWS)
    _check_absent(opened, listed)
    _check_heads(opened, stated, _walk(opened, listed, set(anchors)), anchors)
    erased = sum(len(entry.opening) == chain.BODY_BYTES for entry in listed.values())
    opened.report.note(f"{rows} rows against the chain of records, {erased} of them erased")


_UNSIGNED = (
    "is not signed by the study's server: another program stored records, or a server without the sealing key did, and "
    "its var/interim.key is not here"
)
_DIFFERENCES = {
    "changed": ("row_differs_from_chain", "is not what was stored: it differs from its digest in the chain"),
    "added": ("row_added", "is not in the chain: the platform did not store it"),
    "removed": ("row_removed", "was stored and is gone"),
    "erased": ("erased_without_reason", "was erased, and no act of the platform says so"),
}
"""What an export found in the database -> name and words of the finding."""


def _check_database(opened: UntrustedDataset, stated: Mapping[str, Any]) -> None:
    """Name what the export found when it compared the database with its chain; older versions did not compare."""
    compared = stated.get("database")
    if not isinstance(compared, dict):
        return
    counts = compared.get("counts")
    if not isinstance(counts, dict):
        opened.report.add("chain_broken", "manifest.json", None, "chain.database does not say what the export compared")
        return
    named = [row for row in compared.get("rows", []) if isinstance(row, dict)]
    for what, count in counts.items():
        name, words = _DIFFERENCES.get(what, ("row_differs_from_chain", "is not what was stored"))
        rows = [f"{row.get('table')} {row.get('key')} {words}" for row in named if row.get("what") == what]
        for said in rows or [f"{count} row(s) of the database: {words}"]:
            opened.report.add(name, "", None, said)
    opened.report.note("every row of the database against the chain of records, at the export")


def _check_erased(
    opened: UntrustedDataset, row: UntrustedRow, entry: _Listed, listed: Mapping[tuple[str, str], _Listed]
) -> None:
    """Name a payload that was erased, while the chain does not speak of that; its person did not take all data back."""
    if len(entry.opening) == chain.BODY_BYTES and (chain.ERASED_EVENTS, str(row["event_id"])) not in listed:
        what = f"event {row['event_id']} ({row['kind']}) was erased, and no act of the platform says so"
        opened.report.add("erased_without_reason", opened.relative("events"), row.number, what)


def _entries(opened: UntrustedDataset) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the entries, each with its row number.

    Raises:
        ValueError: the file is not a table, or a row lacks a cell.
    """
    rows = csv_rows(opened.path / chain.CHAIN_PATH)
    _, header = next(rows, (1, []))
    # By name and not by place: a later version may write further columns.
    if absent := [name for name in chain.CHAIN_COLUMNS if name not in header]:
        raise ValueError(f"it lacks the columns {', '.join(absent)}")
    for number, cells in rows:
        if wrong := uneven(header, cells):
            raise ValueError(f"row {number} {wrong}")
        yield number, dict(zip(header, cells, strict=True))


def _listed(opened: UntrustedDataset) -> dict[tuple[str, str], _Listed]:
    """Return what the file says of each record of the tables.

    Raises:
        ValueError: it cannot be read.
    """
    found: dict[tuple[str, str], _Listed] = {}
    for number, entry in _entries(opened):
        if not entry["table"]:
            continue
        record = entry["table"], entry["key"]
        if record in found:
            opened.report.add("chain_broken", chain.CHAIN_PATH, number, f"lists {record[0]} {record[1]} twice")
        try:
            opening = base64.b64decode(entry["opening"], validate=True)
        except ValueError:
            opened.report.add("chain_broken", chain.CHAIN_PATH, number, "holds an opening that is not base64")
            opening = b""
        found[record] = _Listed(entry["final"] == "1", opening, entry["digest"])
        if record[0] == chain.ERASED_EVENTS:
            body = chain.body_of(opening, chain.GONE)
            found[record].found = chain.digest(chain.ERASED_EVENTS, (record[1],), True, body)
    return found


def _check_table(opened: UntrustedDataset, table: TableName, listed: Mapping[tuple[str, str], _Listed]) -> int:
    count, labels = 0, cluster_questions(opened.studies.values())
    # Of who took all data back every payload is erased, by one act that is an event itself.
    left = {str(person["participant_id"]) for person in opened.rows("participants") if person["data_withdrawn"]}
    # Older versions chained no erasures, and did not compare the database either, by which they are known.
    erasures_are_chained = "database" in opened.manifest["chain"]
    for row in opened.stream(table):
        count += 1
        key = _name(table, row)
        entry = listed.get((table, key))
        if entry is None and _withholds_label(opened, table, row, labels):
            continue
        if entry is None:
            what = f"{key} is not in the chain: the platform did not store it"
            opened.report.add("row_added", opened.relative(table), row.number, what)
            continue
        entry.present = True
        entry.found = _digest(table, row, entry)
        if table == "events" and erasures_are_chained and str(row["participant_id"]) not in left:
            _check_erased(opened, row, entry, listed)
        if entry.found is None or entry.found.hex()[: len(entry.digest)] != entry.digest:
            what = f"{key} is not what was stored: it differs from its digest in the chain"
            opened.report.add("row_differs_from_chain", opened.relative(table), row.number, what)
    return count


def _withholds_label(opened: UntrustedDataset, table: TableName, row: UntrustedRow, labels: frozenset[str]) -> bool:
    """Return whether a row goes without the answer that names a cluster: with its salt the label could be guessed."""
    if table == "answers":
        return row["item"] in labels and row["response"] is None
    if table != "events" or row["payload"] != ERASED or row["kind"] not in FIELD_KINDS:
        return False
    stages = (stage for study in opened.studies.values() for stage in study.stages)
    return any(stage.id == row["stage"] and labels & {q.id for q in stage.asked} for stage in stages)


def _name(table: TableName, row: UntrustedRow) -> str:
    if table == "events":
        return str(row["event_id"])
    return json.dumps(chain.key_of(table, {name: row[name] for name in chain.KEYS[table]}))


def _digest(table: TableName, row: UntrustedRow, entry: _Listed) -> bytes | None:
    """Return the digest that a row has; None where its cells cannot be those of any stored record."""
    values = dict.fromkeys(_columns(table)) | row.values
    try:
        if table == "events":
            key = chain.event_key(values)
            content = compact_json(values["payload"]).encode()
            # Erasing leaves the body in the place of the salt; a payload that is there all the same was put in again.
            if len(entry.opening) == chain.BODY_BYTES and values["payload"] != ERASED:
                return None
        else:
            key = chain.key_of(table, values)
            facts = table == "participants"
            content = chain.facts_content(facts_of(values)) if facts else chain.content_of(table, values)
        return chain.digest(table, key, entry.final, chain.body_of(entry.opening, content))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _columns(table: TableName) -> tuple[str, ...]:
    """Columns that a digest may ask for and an empty cell or another version may leave out."""
    if table == "events":
        return ("client_time", "mono_ms", "arrived_late")
    if table == "participants":
        return FACTS
    return tuple(column.name for column in chain.content_columns(table))


def _check_absent(opened: UntrustedDataset, listed: Mapping[tuple[str, str], _Listed]) -> None:
    for (table, key), entry in listed.items():
        if not entry.present and table != chain.ERASED_EVENTS:
            opened.report.add(
                "row_removed", opened.relative(cast(TableName, table)), None, f"{key} was stored and is gone"
            )


def _walk(opened: UntrustedDataset, listed: Mapping[tuple[str, str], _Listed], kept: Collection[str]) -> _Chains:
    """Join the digests anew, in their order."""
    chains = _Chains()
    for number, entry in _entries(opened):
        digest = _joined(entry, listed)
        try:
            name, position = int(entry["chain"]), int(entry["position"])
        except ValueError:
            opened.report.add("chain_broken", chain.CHAIN_PATH, number, "names no place in a chain")
            continue
        before, head = chains.heads.get(name, (0, chain.GENESIS))
        if position != before + 1 or digest is None:
            what = f"entry {position} of chain {name} follows entry {before}: what lay between was removed"
            if digest is None:
                what = f"entry {position} of chain {name} has no digest"
            opened.report.add("chain_broken", chain.CHAIN_PATH, number, what)
        # Goes on after a breach, so that every later head that was kept is compared as well.
        head = chain.link(head, digest or b"")
        chains.heads[name] = (position, head)
        if head.hex() in kept:
            chains.seen.add(head.hex())
    return chains


def _joined(entry: Mapping[str, str], listed: Mapping[tuple[str, str], _Listed]) -> bytes | None:
    """Return the whole digest of an entry: of the row that is there, else as the file gives it."""
    if entry["table"]:
        return listed[entry["table"], entry["key"]].found
    try:
        digest = bytes.fromhex(entry["digest"])
    except ValueError:
        return None
    return digest if len(digest) == chain.BODY_BYTES else None


def _check_heads(opened: UntrustedDataset, given: Mapping[str, Any], chains: _Chains, anchors: Collection[str]) -> None:
    heads = [head for head in given.get("heads", []) if isinstance(head, dict)]
    for head in heads:
        position, found = chains.heads.get(head.get("chain", 0), (0, chain.GENESIS))
        if (position, found.hex()) != (head.get("position"), head.get("head")):
            what = f"chain {head.get('chain')} does not end where the database says that it ends"
            opened.report.add("chain_broken", chain.CHAIN_PATH, None, what)
        if _signs(opened) and head.get("signed") is not True and opened.manifest.get("signature"):
            what = f"the head of chain {head.get('chain')} {_UNSIGNED}"
            opened.report.add("chain_unsigned", "manifest.json", None, what)
    for name in chains.heads.keys() - {head.get("chain") for head in heads}:
        opened.report.add("chain_broken", chain.CHAIN_PATH, None, f"chain {name} has no head in the manifest")
    for kept in sorted(set(anchors) - chains.seen):
        what = f"{kept[:16]}... was written down, and no state of the chain has this head: history was rewritten or cut"
        opened.report.add("history_rewritten", chain.CHAIN_PATH, None, what)
    if anchors:
        opened.report.note(f"{len(anchors)} heads that were kept elsewhere")


def _signs(opened: UntrustedDataset) -> bool:
    """Return whether the registration promises signed heads; studies launched by older versions do not."""
    return isinstance(registration_of(opened).get("chain_key"), str)
