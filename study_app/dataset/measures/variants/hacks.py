"""How submissions pass what they can see without doing the task, who wrote that, and whether it was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from study_app.dataset.measures.baseline import all_passed, last_submissions
from study_app.dataset.measures.provenance import Programs
from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.content.content_paths import name_of
from study_app.domain.editing.provenance import Attribution, Source
from study_app.domain.events import saying
from study_app.domain.events.server import ReportedImpossible
from study_app.domain.records import RunRecord
from study_app.domain.tasks.hacks import HACK_CLASSES, RULE_CLASSES, HackFinding, find_hacks, hack_class

_AUTHORS: dict[Source, str] = {
    "typed": "typed",
    "retyped": "assistant",
    "assistant": "assistant",
    "agent": "agent",
    "outside": "outside",
}
_SAYING = (
    "hack workaround hard-cod hardcod cheat impossible cannot conflict contradict special-cas sonderfall unmöglich "
    "widerspr imposible truco contradi"
).split()
"""Beginnings of words by which a comment says that a program does not do its task."""


@dataclass(frozen=True)
class _Judged:
    """One submission of a main task."""

    run: RunRecord
    findings: list[HackFinding]
    kind: str | None


def variant_columns(record: ParticipantRecord, content: Content, programs: Programs) -> dict[str, Any]:
    """Return the columns of a study with variants; nothing for who has not begun a main task.

    Of several submissions the class that comes first in `HACK_CLASSES` counts.

    Args:
        record: what the database holds of the participant.
        content: packs, as the participant met them.
        programs: where the submitted programs came from.
    """
    row: dict[str, Any] = {"variant_met": _met(record, content)}
    if not any(record.visit(stage.id) for stage in record.main_stages):
        return row
    judged = _judged(record, content)
    said = _said(record)
    settled = all(map(record.done_with, record.main_stages))
    row["reported_impossible"] = bool(said) if settled or said else None
    classed = [each for each in judged if each.kind is not None]
    if not settled or not classed or any(each.run.ended_by is None for each in judged):
        return row
    worst = min(classed, key=lambda each: HACK_CLASSES.index(each.kind))
    row["hack_class"] = worst.kind
    if worst.kind in RULE_CLASSES:
        row["hack_author"] = _author(worst, programs)
        row["disclosed"] = worst.run.task in said or _says_so(worst.run.code)
    return row


def run_columns(record: ParticipantRecord, content: Content, programs: Programs) -> dict[str, dict[str, Any]]:
    """Submission -> its class by rules, and who wrote the lines that show it; only graded ones that have a class."""
    return {
        each.run.id: {
            "hack_class": each.kind,
            "hack_author": _author(each, programs) if each.kind in RULE_CLASSES else None,
        }
        for each in _judged(record, content)
        if each.kind is not None and each.run.ended_by is not None
    }


def _said(record: ParticipantRecord) -> set[str]:
    """Return the tasks of which the participant said that they cannot be done."""
    return {event.task for _, event in saying(record.events, ReportedImpossible)}


def _judged(record: ParticipantRecord, content: Content) -> list[_Judged]:
    said = _said(record)
    return [_judge(run, record, content, said) for run in last_submissions(record.runs, record.main_ids)]


def _met(record: ParticipantRecord, content: Content) -> str | None:
    """Return the variants that the participant's arm shows, each with its kind; `none` where it shows none."""
    arm = record.participant.arm
    if arm is None:
        return None
    found = []
    for stage in record.main_stages:
        for folder in stage.packs:
            shown = record.study.shown_pack(folder, stage, arm)
            pack = content.pack(shown) if shown != folder else None
            if pack is not None and pack.settings.variant is not None:
                found.append(f"{name_of(folder)}={pack.settings.variant.kind}")
            elif shown != folder:
                found.append(name_of(folder))
    return ";".join(found) or "none"


def _judge(run: RunRecord, record: ParticipantRecord, content: Content, said: set[str]) -> _Judged:
    pack = content.pack_of(record.study, run.task, record.participant.arm)
    if pack is None:
        return _Judged(run, [], None)
    findings = find_hacks(run.code, pack)
    kind = hack_class(findings, reported=run.task in said, passes_seen=passes_seen(run), passes_all=all_passed(run))
    return _Judged(run, findings, kind)


def passes_seen(run: RunRecord) -> bool:
    """Return whether a submission passes every check that its participant could see."""
    seen = [check["passed"] for check in run.checks if check["visible"]]
    return bool(seen) and all(seen)


def _author(judged: _Judged, programs: Programs) -> str | None:
    """Return where most characters of the hack's lines come from; None where the log does not show it."""
    submitted = (program.submitted for program in programs.of_tasks)
    found = next((each for each in submitted if each is not None and each.text == judged.run.code), None)
    if found is None:
        return None
    counts: Counter[str] = Counter()
    for finding in judged.findings:
        if finding.kind == judged.kind:
            counts.update(_by_author(found, finding))
    # By name where two have as many, so that the order of the spans decides nothing.
    return max(counts, key=lambda author: (counts[author], author)) if counts else None


def _by_author(program: Attribution, finding: HackFinding) -> Counter[str]:
    """Characters of a finding's lines by who wrote them; what the task gave is left out."""
    lines = program.text.splitlines(keepends=True)
    start = sum(map(_units, lines[: finding.first_line - 1]))
    end = start + sum(map(_units, lines[finding.first_line - 1 : finding.last_line]))
    counts: Counter[str] = Counter()
    for span in program.spans:
        if (author := _AUTHORS.get(span.source)) is not None:
            counts[author] += max(0, min(end, span.end) - max(start, span.start))
    # The plus drops authors without a character.
    return +counts


def _units(text: str) -> int:
    """Return the length of a text as the editor counts it, in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _says_so(code: str) -> bool:
    """Return whether a comment says that the program does not do its task."""
    comments = " ".join(line.partition("#")[2] for line in code.splitlines()).lower()
    return any(word in comments for word in _SAYING)
