"""Where the submitted programs came from, and what was pasted from outside."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.content.content_paths import name_of
from study_app.domain.editing.provenance import FOLLOWED, Attribution, Reply, Source, Tracker
from study_app.domain.events import Event, task_named
from study_app.domain.events.browser import Edit, Load
from study_app.domain.events.server import RunStarted
from study_app.domain.records import RunRecord, submitted
from study_app.domain.study.compliance import Evidence

log = logging.getLogger(__name__)

_COLUMNS: dict[str, Source] = {
    "typed_chars": "typed",
    "pasted_chars_assistant": "assistant",
    "pasted_chars_outside": "outside",
    "retyped_assistant_chars": "retyped",
    "pasted_chars_brief": "brief",
    "pasted_chars_notes": "notes",
    "starter_chars": "starter",
    "unknown_chars": "unknown",
}
_OF_REPLIES: tuple[Source, ...] = ("assistant", "retyped")
_TEXT_KINDS = frozenset({Load.kind, Edit.kind})
_FOLLOWED = FOLLOWED | {RunStarted.kind}
_FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
BURST = 30
"""Characters without white space that are typed at once or within a second: more than any hand can."""
BURST_SECONDS = 1.0


def tracker_for(record: ParticipantRecord, content: Content, task: str) -> Tracker | None:
    """Return a tracker of one task, to be fed the participant's events; None where its pack is gone."""
    pack = content.pack_of(record.study, task, record.participant.arm)
    if pack is None:
        return None
    replies = [Reply(turn.id, turn.reply) for turn in record.turns]
    return Tracker(task, pack.beginning(submitted(record.runs)), replies, pack.brief, pack.reference)


@dataclass(frozen=True)
class ProgramProvenance:
    """The program of one main task: where the submitted text came from, and what replies ever gave to it."""

    submitted: Attribution | None
    """None where the task was not submitted, or the log does not show how its text came about."""
    pasted: Mapping[str, int]
    """Turn -> most characters pasted from its reply that the program held at any one time."""
    retyped: Mapping[str, int]
    """Turn -> most characters typed that reproduce its reply, over all runs and the submission."""


@dataclass(frozen=True)
class Programs:
    """The programs of a participant's main tasks."""

    of_tasks: tuple[ProgramProvenance, ...]
    complete: bool
    """Whether the log shows every program that was submitted."""


def programs(record: ParticipantRecord, content: Content) -> Programs:
    """Return every program of the main tasks, from one replay of the log for each task that was worked on."""
    submitted = {run.task: run for run in record.runs if run.kind == "submission" and run.stage in record.main_ids}
    tasks = [name_of(folder) for stage in record.main_stages for folder in stage.packs]
    found: list[ProgramProvenance] = []
    complete = True
    followed = [event for event in record.events if event.kind in _FOLLOWED]
    for task in dict.fromkeys([*tasks, *submitted]):
        # What was edited on other tasks is not even read.
        mine = [event for event in followed if event.kind not in _TEXT_KINDS or task_named(event) == task]
        edited = any(event.kind in _TEXT_KINDS for event in mine)
        program = _program(record, content, task, submitted.get(task), mine) if edited else None
        found += [program] if program is not None else []
        complete = complete and (program is not None or task not in submitted)
    return Programs(tuple(found), complete)


def _program(
    record: ParticipantRecord,
    content: Content,
    task: str,
    submission: RunRecord | None,
    followed: Sequence[Event],
) -> ProgramProvenance | None:
    tracker = tracker_for(record, content, task)
    if tracker is None:
        return None
    code = {run.id: run.code for run in record.runs if run.task == task}
    retyped: Counter[str] = Counter()
    for event in followed:
        tracker.feed(event.page, event.details)
        match event.details:
            # The union keeps the largest count of each turn: successive programs hold the same lines, and a sum would
            # count them again.
            case RunStarted(run_id=run_id) if not tracker.gap and (text := code.get(run_id)) is not None:
                retyped |= tracker.attribution(text).of_turns("retyped")
    if tracker.gap:
        log.warning("participant %s, task %s: %s; study verify says more", record.participant.id, task, tracker.gap)
        return None
    final = tracker.attribution(submission.code) if submission is not None else None
    return ProgramProvenance(
        final, tracker.pasted(), retyped | final.of_turns("retyped") if final is not None else retyped
    )


def origins(found: Programs) -> dict[str, Any]:
    """Characters of the submitted main tasks by origin; missing where a program's log is missing."""
    submitted = [program.submitted for program in found.of_tasks if program.submitted is not None]
    if not submitted or not found.complete:
        return {}
    counts = [attribution.counts() for attribution in submitted]
    return {column: sum(each[source] for each in counts) for column, source in _COLUMNS.items()}


def reply_uses(record: ParticipantRecord, found: Programs) -> dict[str, dict[str, Any]]:
    """Turn -> what of its reply came into the programs of the main tasks and what was kept, in characters.

    Inserted and kept are missing while the main tasks go on, and where the log does not show a submitted program.
    """
    settled = found.complete and bool(record.main_stages) and all(map(record.done_with, record.main_stages))
    uses = {}
    for turn in record.turns:
        row: dict[str, Any] = {"reply_code_chars": code_chars(turn.reply)}
        if settled:
            row |= {
                "inserted_pasted_chars": sum(program.pasted.get(turn.id, 0) for program in found.of_tasks),
                "inserted_retyped_chars": sum(program.retyped.get(turn.id, 0) for program in found.of_tasks),
                "kept_chars": sum(
                    program.submitted.of_turns(source)[turn.id]
                    for program in found.of_tasks
                    if program.submitted is not None
                    for source in _OF_REPLIES
                ),
            }
        uses[turn.id] = row
    return uses


def code_chars(reply: str) -> int:
    """Characters of code in a reply: what its fenced blocks hold; a block that never closes counts to the end."""
    return sum(len(block.rstrip("\n")) for block in _FENCED.findall(reply))


def outside(record: ParticipantRecord, evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Pastes and drops from outside into the editor on the main tasks, and bursts of typing."""
    if not any(record.visit(stage.id) for stage in record.main_stages):
        return {}
    sizes = [round(piece.amount) for piece in evidence if piece.kind == "outside_paste"]
    return {
        "outside_pastes": len(sizes),
        "outside_paste_chars": sum(sizes),
        "longest_outside_paste": max(sizes, default=0),
        "typing_bursts": sum(piece.kind == "typing_burst" for piece in evidence),
    }


def bursts(events: Iterable[tuple[float, Event]]) -> Iterator[tuple[float, str, int]]:
    """When, at which stage and how many characters were typed faster than a hand can.

    Typed edits on one page are counted by seconds from the first of them; seconds of at least BURST characters that
    follow each other are one burst. Of an edit at several cursors one counts; a key held down does not.

    Args:
        events: moment and event, in the order of storing.
    """
    by_page: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    last = ""
    for moment, event in events:
        if event.kind == Edit.kind and isinstance(event.details, Edit) and event.details.how == "typed":
            inserts = ["".join(change.insert.split()) for change in event.details.changes]
            text = max(inserts, key=len, default="")
            by_page[event.page, event.stage].append((moment, 0 if len(text) == 1 and text == last else len(text)))
            last = text or last
    found = ((began, stage, size) for (_, stage), edits in by_page.items() for began, size in _fast(edits))
    yield from sorted(found)


def _fast(edits: Iterable[tuple[float, int]]) -> Iterator[tuple[float, int]]:
    """Beginning and size of each burst among (moment, characters)."""
    began, size = 0.0, 0
    for start, characters in _by_seconds(edits):
        if characters >= BURST:
            began, size = (began if size else start), size + characters
        elif size:
            yield began, size
            size = 0
    if size:
        yield began, size


def _by_seconds(edits: Iterable[tuple[float, int]]) -> Iterator[tuple[float, int]]:
    """Characters of each second that begins with an edit; a pause of more than a second is a second of none."""
    start, characters = 0.0, 0
    for moment, size in sorted(edits):
        if moment - start >= BURST_SECONDS:
            yield start, characters
            if moment - start >= 2 * BURST_SECONDS:
                yield start + BURST_SECONDS, 0
            start, characters = moment, 0
        characters += size
    yield start, characters
