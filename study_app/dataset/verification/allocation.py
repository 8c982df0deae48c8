"""The ledgers: their chain, their recomputation from the seed, and the participants against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.redaction import ALLOCATION_COLUMNS
from study_app.domain.allocation import preview_seed, simulated_seed
from study_app.domain.ledger import DECISIONS, LEDGERS, Anchor, Version, genesis, parse_rows, verify_ledger, version_of
from study_app.domain.ledger.commitment import keeps_commitment
from study_app.domain.ledger.replay import Gap, after_gaps


def check_ledgers(opened: UntrustedDataset) -> None:
    """Each exported ledger by itself."""
    if not opened.allocation_applies:
        opened.report.note("allocation does not apply: the data come from elsewhere")
        return
    seed = _seed(opened)
    again = any(study.second_decision for study in opened.studies.values())
    for name in LEDGERS:
        rows = [row for row in opened.rows("allocations") if row["ledger"] == name and decision_of(row) == 1]
        later = [row for row in opened.rows("allocations") if row["ledger"] == name and decision_of(row) != 1]
        if opened.hides(name):
            _check_masked(opened, name, rows)
            _check_withheld(opened, later)
        elif rows or name in opened.kinds:
            _check_open(opened, name, rows, seed)
        if not opened.hides(name) and (later or (again and name in opened.kinds)):
            _check_open(opened, name, later, seed, 2)
        for decision in DECISIONS:
            _check_beginning(opened, name, decision)


def _check_beginning(opened: UntrustedDataset, name: str, decision: int) -> None:
    """Hold the genesis hash that the manifest states against the commitment; readers compare the first row with it."""
    if _stated(opened, name, decision).get("genesis", "") not in ("", _beginning(opened, name, decision)):
        what = f"{_called(name, decision)}: the genesis hash does not follow from the commitment"
        opened.report.add("broken_chain", "manifest.json", None, what)


def _beginning(opened: UntrustedDataset, name: str, decision: int = 1) -> str:
    """Return the genesis hash: of the published promise, so that no ledger drawn with another seed takes its place."""
    return genesis(name, str(opened.manifest.get("commitment") or "") if name == "real" else "", decision)


def decision_of(row: UntrustedRow) -> int:
    """Return which decision a row of a ledger is of; exports of before there were several have none."""
    return 1 if (number := row.values.get("decision")) is None else int(number)


def _check_withheld(opened: UntrustedDataset, rows: Sequence[UntrustedRow]) -> None:
    for row in rows:
        what = "a second allocation of a sealed study is in the dataset"
        opened.report.add("arm_shown", opened.relative("allocations"), row.number, what)


def _seed(opened: UntrustedDataset) -> bytes | None:
    """Return the revealed seed, if it is the one that was committed to."""
    shown = opened.manifest.get("revealed_seed")
    if not shown:
        return None
    try:
        seed = bytes.fromhex(str(shown))
    except ValueError:
        opened.report.add("commitment_broken", "manifest.json", None, "revealed_seed is not a seed")
        return None
    promise = str(opened.manifest.get("commitment"))
    # The promise was made over the version of the launch; amendments came later and cannot change it.
    launched = [str(entry.get("study_hash")) for entry in opened.listed("versions") if entry.get("locked_at")]
    first = opened.studies.get(launched[0]) if launched else None
    if first is None or not keeps_commitment(promise, seed, first):
        opened.report.add("commitment_broken", "manifest.json", None, "the seed is not the one committed to at launch")
    else:
        opened.report.note("the seed is the one committed to at launch")
    return seed


def _check_open(
    opened: UntrustedDataset, name: str, rows: Sequence[UntrustedRow], seed: bytes | None, decision: int = 1
) -> None:
    file, report = opened.relative("allocations"), opened.report
    numbers = [row.number for row in rows]
    parsed, malformed = parse_rows(_record(row) for row in rows)
    place = "allocation_index" if decision == 1 else "second_index"
    withdrawn = [
        int(person.values[place])
        for person in opened.rows("participants")
        if person["data_withdrawn"] and kind_of(person) == name and person.values.get(place)
    ]
    breaches = [
        *malformed,
        *verify_ledger(
            parsed,
            _versions(opened, name, seed, decision),
            genesis_hash=_beginning(opened, name, decision),
            anchors=_anchors(opened, name, decision),
            erasures=withdrawn,
            gaps=_gaps(opened, name, decision),
        ),
    ]
    unread = {breach.index for breach in malformed}
    # Without the rows that cannot be read, or every later finding would name the row before its own.
    read = [number for place, number in enumerate(numbers, start=1) if place not in unread]
    places = {row.allocation_index: number for row, number in zip(parsed, read, strict=True)}
    for breach in breaches:
        where = places.get(breach.index) if breach.name != "malformed_row" else numbers[breach.index - 1]
        report.add(breach.name, file, where, f"{_called(name, decision)}, allocation {breach.index}: {breach.what}")
    _check_length(opened, name, len(rows), decision)
    report.note(f"{_called(name, decision)}: {len(rows)} allocations chained and recomputed from the seed")


def _called(name: str, decision: int) -> str:
    return f"ledger {name}" if decision == 1 else f"ledger {name} of decision {decision}"


def _record(row: UntrustedRow) -> dict[str, Any]:
    """Cells as the ledger reads them; erased and absent text is empty."""
    return {name: "" if cell is None and name != "profile" else cell for name, cell in row.values.items()}


def _versions(opened: UntrustedDataset, name: str, seed: bytes | None, decision: int) -> list[Version]:
    made = {"preview": preview_seed, "simulated": simulated_seed}.get(name)
    found = [
        version_of(study_hash, study, made(study_hash) if made else seed, decision)
        for study_hash, study in opened.studies.items()
    ]
    return [version for version in found if version is not None]


def _stated(opened: UntrustedDataset, name: str, decision: int = 1) -> dict[str, Any]:
    ledgers = opened.manifest.get("ledgers" if decision == 1 else "second_ledgers")
    stated = ledgers.get(name) if isinstance(ledgers, dict) else None
    return stated if isinstance(stated, dict) else {}


def _anchors(opened: UntrustedDataset, name: str, decision: int = 1) -> list[Anchor]:
    stated = _stated(opened, name, decision)
    anchors = _anchor(stated.get("last", stated.get("rows")), stated.get("head"))
    return anchors + (closing_anchors(opened) if name == "real" and decision == 1 else [])


def closing_anchors(opened: UntrustedDataset) -> list[Anchor]:
    """Return the real ledger's end as the audit log recorded it when enrolment closed."""
    return [
        anchor for act in opened.acts("closings") for anchor in _anchor(act.get("allocated"), act.get("ledger_head"))
    ]


def _anchor(index: Any, row_hash: Any) -> list[Anchor]:
    """Return an anchor, or none where nothing was allocated; what is misshapen is named with the manifest."""
    return [Anchor(index, row_hash)] if isinstance(index, int) and isinstance(row_hash, str) else []


def _gaps(opened: UntrustedDataset, name: str, decision: int = 1) -> list[Gap]:
    """Places of the real ledger that the audit log says were lost; each is said."""
    gaps = [
        (act["from"], act["to"])
        for act in opened.acts("ledger_gaps")
        if name == "real" and isinstance(act.get("from"), int) and isinstance(act.get("to"), int)
        and act.get("decision", 1) == decision
    ]  # fmt: skip
    for low, high in gaps:
        which = "allocations" if decision == 1 else f"allocations of decision {decision},"
        opened.report.note(f"{which} {low} to {high} were lost with a part of the database, as the audit log says")
    return gaps


def _check_length(opened: UntrustedDataset, name: str, count: int, decision: int = 1) -> None:
    stated = _stated(opened, name, decision).get("rows", count)
    if stated != count:
        what = f"{_called(name, decision)} has {count} rows, the manifest says {stated}"
        opened.report.add("ledger_length", opened.relative("allocations"), None, what)


def _check_masked(opened: UntrustedDataset, name: str, rows: Sequence[UntrustedRow]) -> None:
    """While sealed: order and links of what is shown; the draws that could be recomputed are withheld."""
    report, file = opened.report, opened.relative("allocations")
    if opened.state == "launched":
        for row in rows:
            report.add("arm_shown", file, row.number, "an allocation of a running, sealed study is in the dataset")
        report.note("ledger real: sealed and withheld while the study runs; the rest is checked")
        return
    place, gaps = 0, _gaps(opened, name)
    for row in rows:
        place = after_gaps(place + 1, gaps)
        if row["allocation_index"] != place:
            report.add("missing_row", file, row.number, f"index {row['allocation_index']} stands where {place} is due")
        _check_mask(opened, file, row)
    if rows and rows[0]["previous_hash"] != _beginning(opened, name):
        report.add("broken_chain", file, rows[0].number, "is not chained to the published commitment")
    for before, after in pairwise(rows):
        if after["previous_hash"] != before["row_hash"]:
            report.add("broken_chain", file, after.number, "is not chained to the row before")
        if (
            None not in (before["allocated_at"], after["allocated_at"])
            and after["allocated_at"] < before["allocated_at"]
        ):
            report.add("time_backwards", file, after.number, "was allocated before the row that precedes it")
    # The last row alone: those before it are bound by their links.
    head = _stated(opened, name).get("head")
    if rows and head and rows[-1]["row_hash"] != head:
        report.add("history_rewritten", file, rows[-1].number, "the last row is not the head that the manifest states")
    _check_length(opened, name, len(rows))
    report.note(f"ledger real: sealed; {len(rows)} allocations checked by their chain, not yet recomputed")


def _check_mask(opened: UntrustedDataset, file: str, row: UntrustedRow) -> None:
    if row["arm"] and not str(row["arm"]).startswith("arm_"):
        opened.report.add("arm_shown", file, row.number, f"shows the arm '{row['arm']}' of a sealed study")
    if row["draw"] is not None or row["probabilities"] is not None or row["salt"]:
        opened.report.add("arm_shown", file, row.number, "holds what the arm of a sealed study could be computed from")


def check_participants(opened: UntrustedDataset) -> None:
    """Participants against the ledgers, in both directions."""
    if not opened.allocation_applies:
        return
    first = [row for row in opened.rows("allocations") if decision_of(row) == 1]
    ledger = {str(row["participant_id"]): row for row in first if row["participant_id"]}
    erased = {(row["ledger"], row["allocation_index"]) for row in first if not row["participant_id"]}
    for person in opened.rows("participants"):
        if opened.state == "launched" and opened.hides(kind_of(person)):
            _check_hidden(opened, person)
        else:
            _check_person(opened, person, ledger, erased)
    known = {str(person["participant_id"]) for person in opened.rows("participants")}
    # The other direction: a person who was removed from the table leaves their row in the ledger.
    for name, row in ledger.items():
        if name not in known:
            what = f"participant {name} was allocated and is not in participants"
            opened.report.add("participant_missing", opened.relative("allocations"), row.number, what)
    opened.report.note(f"{len(known)} participants against the ledgers")


def _check_hidden(opened: UntrustedDataset, person: UntrustedRow) -> None:
    for name in ALLOCATION_COLUMNS:
        if person[name] is not None:
            what = f"{name} of a participant of a running, sealed study is in the dataset"
            opened.report.add("arm_shown", opened.relative("participants"), person.number, what)


def _check_person(
    opened: UntrustedDataset, person: UntrustedRow, ledger: dict[str, UntrustedRow], erased: Iterable[Any]
) -> None:
    report, file = opened.report, opened.relative("participants")
    name = str(person["participant_id"])
    row = ledger.get(name)
    if row is None:
        if person["arm"] is None:
            return
        if person["data_withdrawn"] and (kind_of(person), person["allocation_index"]) in erased:
            return
        report.add("not_in_ledger", file, person.number, f"{name} has the arm {person['arm']} and no row in the ledger")
        return
    if row["ledger"] != kind_of(person):
        report.add("wrong_ledger", file, person.number, f"{name} is {kind_of(person)}, their row is in {row['ledger']}")
    for column in ("arm", "stratum", "allocation_index", "study_hash", "allocated_at"):
        if person[column] != row[column]:
            what = f"{name}: {column} is {person[column]}, the ledger says {row[column]}"
            report.add(f"{column}_differs", file, person.number, what)
