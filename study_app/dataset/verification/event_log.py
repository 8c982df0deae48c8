"""The log: sequences without gap or duplicate, and edits that replay to the programs that were run and submitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import TableName, moment, writable
from study_app.dataset.schema.cells import code_sha256
from study_app.dataset.verification.server_log import Log, log_of, said
from study_app.domain.editing.edits import apply_event
from study_app.domain.events import (
    BROWSER_KINDS,
    ERASED,
    FIELD_KINDS,
    SERVER_KINDS,
    SERVER_PAGE,
    EventDetails,
    Unreadable,
)
from study_app.domain.events.browser import Edit, TextEvent
from study_app.domain.events.changes import ReplayMismatch
from study_app.domain.events.server import (
    EditsUnapplied,
    ProgramEvent,
    TurnStarted,
)

SLACK = timedelta(seconds=30)
"""Edits may reach the server this much before or after the press whose program they made."""


@dataclass
class _State:
    """The text after one edit, as a hash; None where an edit did not fit, up to the next whole text."""

    seq: int
    stored: datetime | None
    text: int | None


@dataclass
class _Pages:
    """What the edits of one participant make."""

    states: dict[tuple[str, str], list[_State]] = field(default_factory=lambda: defaultdict(list))
    """(page, task) -> states in order."""
    broken: set[tuple[str, str]] = field(default_factory=set)
    """Where events are missing, so that nothing after them can be compared."""
    facts: dict[str, ProgramEvent | TurnStarted] = field(default_factory=dict)
    """Id of a run or turn -> what the server's event says of it."""


def check_log(opened: UntrustedDataset, each: Callable[[str, list[UntrustedRow]], None]) -> dict[str, Log]:
    """Check every participant's events; returns what was seen by participant.

    Args:
        opened: the dataset.
        each: is given every participant's events, for they are read once only.
    """
    runs: dict[str, list[UntrustedRow]] = defaultdict(list)
    for run in opened.rows("runs"):
        runs[str(run["participant_id"])].append(run)
    turns = opened.by_participant("turns")
    people = {str(person["participant_id"]): person for person in opened.rows("participants")}
    found: dict[str, Log] = {}
    total = compared = 0
    for name, events in _by_participant(opened):
        # Neighbours only are grouped, for the log may be larger than memory: an export writes each person's together.
        if name in found:
            opened.report.add("reordered", opened.relative("events"), events[0].number, f"{name}'s rows are split")
        total += len(events)
        whole = _check_sequences(opened, name, events)
        _check_moments(opened, events, people.get(name))
        _check_erasures(opened, events, people.get(name))
        if not opened.public:
            pages = _replayed(opened, events, whole)
            compared += _check_programs(opened, pages, runs.pop(name, []))
            compared += _check_programs(opened, pages, list(_asked(events, turns.get(name, []))), "turns")
        found[name] = log_of(events)
        each(name, events)
    for rest in () if opened.public else runs.values():
        compared += _check_programs(opened, _Pages(), rest)
    for entry in opened.listed("events_lost"):
        what = f"page {entry.get('page')} of {entry.get('participant_id')}: {entry.get('stored')} events were stored, "
        opened.report.add(
            "sequence_truncated", opened.relative("events"), None, what + f"{entry.get('found')} are left"
        )
    opened.report.note(f"{total} events in sequence; {compared} programs against the replay of their edits")
    return found


def _by_participant(opened: UntrustedDataset) -> Iterator[tuple[str, list[UntrustedRow]]]:
    for name, group in groupby(opened.stream("events"), key=lambda row: str(row["participant_id"])):
        yield name, list(group)


def _check_sequences(opened: UntrustedDataset, name: str, events: Sequence[UntrustedRow]) -> dict[str, int]:
    """Check the numbers of each page's events; returns how far the log of a page is whole, where it has a gap."""
    report, file = opened.report, opened.relative("events")
    pages: dict[str, dict[int, UntrustedRow]] = defaultdict(dict)
    last = 0
    for row in events:
        seen, seq = pages[str(row["page"])], row["seq"] or 0
        if seq in seen:
            report.add("sequence_duplicate", file, row.number, f"page {row['page']}: {seq} comes twice")
        seen[seq] = row
        if row["event_id"] is not None and row["event_id"] <= last:
            report.add("reordered", file, row.number, f"event {row['event_id']} stands after {last}")
        last = row["event_id"] or last
        # A dataset that another program made has kinds of events that are not ours.
        if opened.own and (problem := _unknown(row, whole=not opened.public)):
            report.add("unknown_kind", file, row.number, problem)
    whole: dict[str, int] = {}
    for page, seen in pages.items():
        there = sorted(seq for seq in seen if seq > 0)
        # By differences: a number may be forged to any size.
        after = next((seq for place, seq in enumerate(there, start=1) if seq != place), None)
        if after is not None:
            first = there.index(after) + 1
            what = f"page {page}: {there[-1] - len(there)} of {there[-1]} events are missing, the first is {first}"
            ours = first - 1 != opened.whole_to(name, page)
            report.add("sequence_gap" if ours else "browser_gap", file, seen[after].number, what)
            whole[page] = first - 1
    return whole


def _check_erasures(opened: UntrustedDataset, events: Sequence[UntrustedRow], person: UntrustedRow | None) -> None:
    """Name each payload that was erased although its person's data stay.

    The chain of records holds without it; the platform itself erases single events only of fields of a form that was
    handed in without them.
    """
    if person is None or person["data_withdrawn"] or not opened.own:
        return
    for row in events:
        if row["payload"] == ERASED and row["kind"] not in FIELD_KINDS:
            what = f"event {row['event_id']} ({row['kind']}) was erased, and its person's data were not"
            opened.report.add("erased_without_reason", opened.relative("events"), row.number, what)


def _unknown(row: UntrustedRow, *, whole: bool) -> str:
    """Return why an event is of no kind of its page; empty where it is of one.

    Args:
        row: the event.
        whole: whether the payload is there as it was stored, and not what anybody may read of it.
    """
    servers = row["page"] == SERVER_PAGE
    if row["kind"] not in (SERVER_KINDS if servers else BROWSER_KINDS):
        return f"'{row['kind']}' is not a kind of event of page {row['page']}"
    details = said(row) if servers and whole else None
    return f"'{row['kind']}' of the server: {details.problem}" if isinstance(details, Unreadable) else ""


def _check_moments(opened: UntrustedDataset, events: Sequence[UntrustedRow], person: UntrustedRow | None) -> None:
    """No event before the participant came or after the export; a page's own clock never goes back."""
    if not opened.own:
        return
    report, file = opened.report, opened.relative("events")
    # By the moments of the server: a browser's clock may be years off, and proves nothing.
    earliest = person["enrolled_at"] if person is not None else None
    latest = _exported_at(opened)
    clocks: dict[str, float] = {}
    for row in sorted(events, key=lambda row: row["seq"] or 0):
        stored = row["server_time"]
        if stored is not None and earliest is not None and stored < earliest:
            report.add("time_backwards", file, row.number, "was stored before its participant came in")
        if stored is not None and latest is not None and stored > latest:
            report.add("time_backwards", file, row.number, "was stored after the export")
        if row["mono_ms"] is not None:
            if row["mono_ms"] < clocks.get(str(row["page"]), row["mono_ms"]):
                report.add("browser_clock_back", file, row.number, f"the clock of page {row['page']} goes back")
            clocks[str(row["page"])] = row["mono_ms"]


def _exported_at(opened: UntrustedDataset) -> datetime | None:
    try:
        return moment(str(opened.manifest.get("exported_at")))
    except ValueError:
        return None


def _replayed(opened: UntrustedDataset, events: Sequence[UntrustedRow], whole: Mapping[str, int]) -> _Pages:
    """Return what the edits make, as the server applied them.

    Nothing beyond a gap, nothing without the name of a task.
    """
    pages = _Pages(facts=_facts(events))
    unapplied = _unapplied(events)
    texts: dict[tuple[str, str], str | None] = {}
    lost: set[tuple[str, str]] = set()
    for row in sorted(events, key=lambda row: (str(row["page"]), row["seq"] or 0)):
        details = said(row)
        if not isinstance(details, TextEvent) or details.task is None or row["page"] == SERVER_PAGE:
            continue
        key = (str(row["page"]), details.task)
        if (row["seq"] or 0) > whole.get(key[0], row["seq"] or 0):
            pages.broken.add(key)
            continue
        # From the first edit that does not fit, all later ones would not fit either: one finding is enough.
        if key in lost and row["kind"] == Edit.kind:
            continue
        try:
            texts[key] = apply_event(texts.get(key), details)
            lost.discard(key)
        except ReplayMismatch as error:
            what = "edits_unapplied" if key in unapplied else "replay_mismatch"
            opened.report.add(what, opened.relative("events"), row.number, f"page {key[0]}: {error}")
            lost.add(key)
        text = None if key in lost else _digest(texts[key] or "")
        pages.states[key].append(_State(row["seq"] or 0, row["server_time"], text))
    return pages


def _of_server(events: Sequence[UntrustedRow]) -> Iterator[EventDetails]:
    """Return what the server's own events say."""
    return (said(row) for row in events if row["page"] == SERVER_PAGE)


def _facts(events: Sequence[UntrustedRow]) -> dict[str, ProgramEvent | TurnStarted]:
    found: dict[str, ProgramEvent | TurnStarted] = {}
    for details in _of_server(events):
        match details:
            case ProgramEvent(run_id=name) | TurnStarted(turn_id=name):
                found[name] = details
    return found


def _unapplied(events: Sequence[UntrustedRow]) -> set[tuple[str, str]]:
    """(page, task) of which the server itself says that edits came too late or did not fit."""
    return {(each.page, each.task) for each in _of_server(events) if isinstance(each, EditsUnapplied)}


def _digest(text: str) -> int:
    # Python's own: quick for the text after every edit, and seeded at random in each process, so that no one can make
    # two programs that are taken for the same.
    return hash(writable(text))


def _asked(events: Sequence[UntrustedRow], turns: Sequence[UntrustedRow]) -> Iterator[UntrustedRow]:
    """Yield turns whose event says which edit their program contains, as rows of runs."""
    by_id = {str(turn["turn_id"]): turn for turn in turns}
    for row in events:
        match said(row):
            case TurnStarted(turn_id=name, page=page, seq=int(seq)) if (turn := by_id.get(name)) is not None:
                logged = {"page": page, "seq": seq, "kind": "turn", "run_id": turn["turn_id"]}
                yield UntrustedRow(turn.number, turn.values | logged)


def _check_programs(
    opened: UntrustedDataset, pages: _Pages, runs: Sequence[UntrustedRow], table: TableName = "runs"
) -> int:
    """Compare programs with the log where the run names its page; returns how many were compared."""
    compared = 0
    for run in runs:
        if not run["page"]:
            continue
        key = (str(run["page"]), str(run["task"]))
        states = _candidates(run, pages.states.get(key, []))
        # What the edits give is not known there; that they do not fit is a finding already.
        if key in pages.broken or any(state.text is None for state in states):
            continue
        compared += 1
        if _digest(run["code"] or "") not in {state.text for state in states}:
            where = f"after event {run['seq']}" if run["seq"] else "at its time"
            what = f"the edits of page {key[0]} do not give the program of {run['kind']} {run['run_id']} {where}"
            name = "program_not_from_edits" if _sent_so(run, pages.facts) else "code_differs_from_edits"
            opened.report.add(name, opened.relative(table), run.number, what)
    return compared


def _sent_so(run: UntrustedRow, facts: Mapping[str, ProgramEvent | TurnStarted]) -> bool:
    """Whether a program came from the browser as it is, and the server did not find it to be what the edits give."""
    fact = facts.get(str(run["run_id"]))
    return fact is not None and fact.code_sha256 == code_sha256(run["code"] or "") and fact.as_edited is not True


def _candidates(run: UntrustedRow, states: Sequence[_State]) -> Sequence[_State]:
    """Return the states whose text the program may be: one where the page said which edit it contains."""
    if run["seq"]:
        before = [state for state in states if state.seq <= run["seq"]]
        return before[-1:]
    started = run["started_at"]
    if started is None:
        return states
    # From the last state before the slack on: it was the text until the edit that follows it.
    early = [place for place, state in enumerate(states) if state.stored is None or state.stored <= started - SLACK]
    return states[max(early, default=0) :]
