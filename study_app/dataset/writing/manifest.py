"""manifest.json: what the dataset consists of, and what `verify` needs to check it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.schema import timestamp
from study_app.dataset.writing.blinding import Blinding
from study_app.domain.events import SERVER_PAGE
from study_app.domain.records import AuditEntry, Kind, ProtocolVersion, Rating
from study_app.domain.study.study import canonical_json

_ACTS = {
    "launches": "launch",
    "amendments": "amend",
    "closings": "close",
    "unsealings": "unseal",
    "exports": "export",
    "exclusions": "exclude",
    "unblindings": "unblind",
    "erasures": "erase",
    "ledger_gaps": "ledger gap",
    "interim_looks": "interim look",
    "waves": "close wave",
    "model_rounds": "model round",
    "model_replacements": "model replaced",
    "reimports": "reimport",
    "codebooks": "freeze codebook",
    "gold_draws": "draw gold sample",
    "settled_codes": "adjudicate",
}
_OF_ACTS = {
    "freeze codebook": ("version", "sha256"),
    "draw gold sample": ("seed", "drawn", "considered"),
    "adjudicate": ("interview_id", "topic", "codes"),
    "model replaced": ("treatment", "assistant", "model", "recording", "sha256"),
}
"""Act -> what it alone says."""


@dataclass
class Seen:
    """What is counted while the tables are written."""

    isolation: Counter[str] = field(default_factory=Counter)
    turn_seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    unscored: int = 0
    """Quiz answers without points."""
    ungraded: int = 0
    """Submissions without a verdict."""
    put_aside: int = 0
    """Submissions and answers whose grading came to no verdict, until a person lets them be tried again."""
    unknown_versions: set[str] = field(default_factory=set)
    lost: list[dict[str, Any]] = field(default_factory=list)
    """Pages of which fewer events are in the log than were stored."""
    ahead: list[dict[str, Any]] = field(default_factory=list)
    """Pages that sent events beyond a gap, and how far the log is whole."""
    turns: dict[str, str] = field(default_factory=dict)
    """Turn -> participant, of the exported ones."""
    runs: dict[str, str] = field(default_factory=dict)
    """Run or submission -> participant, of the exported ones."""
    interviews: dict[str, str] = field(default_factory=dict)
    """Interview -> participant, of the exported ones."""
    moments: list[datetime] = field(default_factory=list)
    """First entry and last end among them."""

    def whose(self, judged: str) -> str | None:
        """Return whose turn, run, interview or answer was judged; None of a turn, run or interview not exported."""
        kind, _, name = judged.partition(":")
        name = re.split("[:#]", name)[0]
        known = {"turn": self.turns, "run": self.runs, "interview": self.interviews}.get(kind)
        return name if known is None else known.get(name)

    def note_times(self, record: ParticipantRecord) -> None:
        """Take a participant's entry and end into account."""
        person = record.participant
        moments = [*self.moments, person.enrolled_at, person.finished_at or person.enrolled_at]
        self.moments = [min(moments), max(moments)]

    @property
    def collected(self) -> tuple[str, str] | None:
        """ISO dates of the first entry and the last end; None without participants."""
        if not self.moments:
            return None
        first, last = self.moments
        return timestamp(first)[:10], timestamp(last)[:10]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the person who exports."""
        found = []
        if self.ungraded:
            found.append(f"{self.ungraded} submission(s) are not graded yet; their outcomes are missing")
        if self.put_aside:
            found.append(
                f"{self.put_aside} submission(s) or quiz answer(s) were put aside without a verdict; the console's "
                "board Verdicts says why and lets each be tried again; then export again"
            )
        if self.unscored:
            found.append(f"{self.unscored} quiz answer(s) are not scored yet; the quiz totals they enter are missing")
        if self.lost:
            found.append(f"{len(self.lost)} page(s) lack events that were stored; study verify names them")
        for study_hash in sorted(self.unknown_versions):
            found.append(
                f"version {study_hash[:12]} of the study, which preview or simulated participants started with, was "
                "not kept; their columns are read by the version in force"
            )
        return tuple(found)


def lost_events(record: ParticipantRecord, acknowledged: Mapping[str, int]) -> list[dict[str, Any]]:
    """Pages whose last stored events are not in the log any more; gaps before them show in the numbers."""
    if record.participant.data_withdrawn:
        return []
    last = record.last_of_pages
    who = record.participant.id
    return [
        {"participant_id": who, "page": page, "stored": count, "found": last[page]}
        for page, count in sorted(acknowledged.items())
        if last[page] < count
    ]


def events_ahead(record: ParticipantRecord, acknowledged: Mapping[str, int]) -> list[dict[str, Any]]:
    """Pages whose browser sent events with a gap before them: the server keeps them and does not apply them."""
    last = record.last_of_pages
    who = record.participant.id
    return [
        {"participant_id": who, "page": page, "whole_to": count, "last": last[page]}
        for page, count in sorted(acknowledged.items())
        if page != SERVER_PAGE and last[page] > count
    ]


def quantiles(values: Sequence[float]) -> dict[str, float | int | None]:
    """Count, median and upper quantiles, linear between order statistics (Hyndman and Fan's type 7)."""
    levels = {"median": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
    return {"n": len(values)} | {name: _quantile(sorted(values), level) for name, level in levels.items()}


def _quantile(ordered: Sequence[float], level: float) -> float | None:
    if not ordered:
        return None
    place = level * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def version_entries(
    locked: Sequence[ProtocolVersion], drafts: Sequence[ProtocolVersion], draft: bool
) -> list[dict[str, Any]]:
    """Return each version with what its hash is made of, the one in force last; of past drafts that is not known."""
    return [
        *({"study_hash": old.study_hash, "file": version_path(old.study_hash), "materials": None} for old in drafts),
        *(
            {
                "study_hash": version.study_hash,
                "file": version_path(version.study_hash),
                "materials": dict(sorted(version.materials.items())),
                "from_index": version.from_index,
                "locked_at": None if draft else timestamp(version.locked_at),
                "reason": version.reason,
            }
            for version in locked
        ),
    ]


def version_path(study_hash: str) -> str:
    """Return where a dataset holds a version of the study file."""
    return f"materials/versions/study_{study_hash[:12]}.json"


def audit_summary(
    entries: Sequence[AuditEntry],
    readable: Sequence[AuditEntry],
    interviews: Collection[str],
    kinds: Mapping[str, Kind],
    ratings: Sequence[Rating] = (),
) -> dict[str, Any]:
    """Head of the audit log and the acts that readers of the results need to know.

    Args:
        entries: the audit log, as it is stored.
        readable: the same with the words that are kept beside the log.
        interviews: ids of those in the dataset; how another one was settled stays out.
        kinds: participant -> kind, of all.
        ratings: of real participants, of which the dataset tells.
    """
    blinding = Blinding.of(entries, kinds)
    summary: dict[str, Any] = {
        "entries": len(entries),
        "head": entries[-1].row_hash if entries else None,
        "broken_at": broken_at(entries),
    }
    for name, act in _ACTS.items():
        summary[name] = [
            {"at": timestamp(entry.at), "why": entry.why, **_public(entry), **blinding.of_act(entry)}
            for entry in readable
            if entry.what == act
            and (name != "settled_codes" or entry.detail.get("interview_id") in interviews)
            and (name != "unblindings" or blinding.unblinds(entry))
        ]
    return summary | {
        "looks": blinding.looks(entries),
        "judgements_after_unblinding": blinding.judgements(ratings),
        "judgements_after_unsealing": blinding.late_judgements(ratings),
    }


_OF_THE_STUDY = ("launches", "amendments", "closings", "unsealings", "interim_looks", "waves", "model_rounds",
                 "model_replacements")  # fmt: skip


def public_audit(summary: Mapping[str, Any], reason: Callable[[str], str]) -> dict[str, Any]:
    """Return the summary for everybody: acts that concern single people are counted, not listed.

    Args:
        summary: of all acts.
        reason: makes of a reason what everybody may read.
    """
    summary = dict(summary) | {
        name: [act | {"why": reason(act["why"])} for act in summary[name]] for name in _OF_THE_STUDY
    }
    acts = {name: len(summary[name]) for name in (*_ACTS, "looks") if name not in _OF_THE_STUDY}
    # A person can be unblinded twice, by different people.
    acts["unblindings"] = len({act.get("participant_id") for act in summary["unblindings"]})
    acts["exclusions_after_unblinding"] = sum(bool(act.get("after_unblinding")) for act in summary["exclusions"])
    for name in ("judgements_after_unblinding", "judgements_after_unsealing"):
        acts[name] = sum(row["n"] for row in summary[name])
    return {name: value for name, value in summary.items() if name not in acts} | {"counts": acts}


def _public(entry: AuditEntry) -> dict[str, Any]:
    names = ("participant_id", "from", "to", "ledger_head", "allocated", "manifest_sha256",
             "look", "n", "decision", "digest", "kind", "wave", "round",
             *_OF_ACTS.get(entry.what, ()))  # fmt: skip
    return {name: entry.detail[name] for name in names if name in entry.detail}


def broken_at(entries: Sequence[AuditEntry]) -> int | None:
    """Return the first entry, from 1, that is not what was chained; None where the chain holds."""
    previous = ""
    for place, entry in enumerate(entries, start=1):
        body = asdict(replace(entry, row_hash=""))
        body |= {"at": entry.at.isoformat(timespec="milliseconds"), "detail": dict(entry.detail)}
        digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        if entry.previous_hash != previous or entry.row_hash != digest:
            return place
        previous = entry.row_hash
    return None


def measured(seen: Seen, masked: bool) -> dict[str, Any]:
    """Figures of the export as a whole; how long replies took only where it tells nothing."""
    figures: dict[str, Any] = {
        "isolation": dict(sorted(seen.isolation.items())),
        "statuses": dict(sorted(seen.statuses.items())),
        "events_lost": seen.lost,
        "events_ahead": seen.ahead,
    }
    return figures if masked else figures | {"turn_seconds": quantiles(seen.turn_seconds)}


def file_entries(paths: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the manifest's lists of files, in order of their names."""
    return [{"path": path, **facts} for path, facts in sorted(paths.items())]
