"""Cells that follow from others of a person's rows: what breaks compliance, and how attention checks add up."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.reading.records import evidence_in
from study_app.domain.study.analysis_plan import Compliance
from study_app.domain.study.compliance import UNITS, Evidence, EvidenceKind, broken, threshold

ROUNDING = 0.01
"""In the unit of an amount."""


def check_verdicts(opened: UntrustedDataset, rows: Sequence[UntrustedRow], rule: Compliance) -> None:
    """Check unit and verdict of each piece of evidence of a person.

    Args:
        opened: the dataset.
        rows: of the table `compliance`, all of one person.
        rule: of the plan in the version that the person met.
    """
    listed = evidence_in(rows)
    over = broken(listed, rule)
    for row in rows:
        kind = row["kind"]
        if kind not in UNITS:
            continue
        due_of = {"unit": UNITS[kind]} | ({} if _at_the_limit(kind, listed, rule) else {"breaks": kind in over})
        for name, due in due_of.items():
            if row[name] != due:
                what = f"{row['participant_id']}: {name} of {kind} is {row[name]}, kind and amounts give {due}"
                opened.report.add("derived_differs", opened.relative("compliance"), row.number, what)


def _at_the_limit(kind: EvidenceKind, listed: Sequence[Evidence], rule: Compliance) -> bool:
    """Return whether amounts add up so nearly to the rule's limit that their rounding in the table can decide."""
    limit = threshold(kind, rule)
    total = sum(piece.amount for piece in listed if piece.kind == kind)
    return bool(limit) and abs(total - (limit or 0.0)) < ROUNDING


def check_attention(opened: UntrustedDataset, person: UntrustedRow) -> None:
    """Check that no one passed more attention checks than they met."""
    passed, met = person.values.get("attention_passed"), person.values.get("attention_total")
    if passed is not None and (met is None or passed > met):
        what = f"{person['participant_id']}: {passed} attention checks passed of {met or 0}"
        opened.report.add("out_of_range", opened.relative("participants"), person.number, what)
