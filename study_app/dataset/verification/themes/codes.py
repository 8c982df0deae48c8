"""Coding of interviews: every code is younger than the freeze of its codebook, and a codebook is what its name says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.schema import timestamp
from study_app.dataset.verification.themes.coding import check_coding
from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import Codebook, codebook_of, split
from study_app.domain.themes.marks import (
    AUDIT,
    CODEBOOK,
    CODEBOOK_OBJECT,
    GOLD,
    HALF,
    INDUCE,
    QUOTE,
    REASON,
    REPLY,
    interview_of,
)

_Frozen = tuple[Codebook, datetime | None]
"""A codebook, and when it was frozen."""
_OTHER = frozenset({HALF, GOLD, QUOTE, REASON, REPLY})


def check_themes(opened: UntrustedDataset) -> None:
    """Hold codes of interviews against the freeze, the sealed half, and the codebook."""
    rows = sorted(opened.rows("ratings"), key=lambda row: str(row["rated_at"]))
    frozen: dict[str, _Frozen] = {}
    file = opened.relative("ratings") if "ratings" in opened.files else ""
    for row in rows:
        if row["rubric"] == CODEBOOK:
            _take(opened, file, row, frozen)
    sealed = {key[0] for row in rows if row["rubric"] == HALF and row["value"] == INDUCE and (key := _key(row))}
    coded = 0
    for row in rows:
        key, rubric = _key(row), str(row["rubric"])
        if key is None or rubric in _OTHER or rubric.startswith(AUDIT):
            continue
        coded += 1
        _check(opened, file, row, frozen.get(rubric), sealed)
    if opened.own and not opened.public:
        check_coding(opened, rows, {name: book for name, (book, _) in frozen.items()})
        _check_freeze(opened, file, rows)
    if coded:
        opened.report.note(f"{coded} codes of interviews against the freeze of their codebook")


def _check_freeze(opened: UntrustedDataset, file: str, rows: Sequence[UntrustedRow]) -> None:
    """Hold the moment of each freeze against the audit log; a later moment there leaves codes older than it."""
    audit = opened.manifest.get("audit")
    # Older exports do not tell freezes, and a database that was put back begins its audit log anew.
    if not isinstance(audit, dict) or "codebooks" not in audit or opened.acts("reimports"):
        return
    stated = {str(act.get("version")): str(act.get("at")) for act in opened.acts("codebooks")}
    for row in rows:
        name = str(row["object"]).removeprefix(CODEBOOK_OBJECT)
        if row["rubric"] != CODEBOOK:
            continue
        when = _moment_or_none(row["rated_at"])
        if when is None or stated.get(name) != timestamp(when):
            what = f"{name} was frozen at {stated.get(name, 'no time')} by the audit log, and the row has {when}"
            opened.report.add("codebook_differs", file, row.number, what)


def _key(row: UntrustedRow) -> tuple[str, str] | None:
    return interview_of(str(row["object"]))


def _take(opened: UntrustedDataset, file: str, row: UntrustedRow, frozen: dict[str, _Frozen]) -> None:
    name = str(row["object"]).removeprefix(CODEBOOK_OBJECT)
    try:
        book = codebook_of(json.loads(str(row["value"])))
    except (ValueError, ProblemsFound):
        # A dataset for everybody may leave the text out.
        if not opened.public:
            opened.report.add("codebook_differs", file, row.number, f"{name}: its content is not a codebook")
        return
    if book.version != name:
        what = f"the content of {name} has the version {book.version}"
        opened.report.add("codebook_differs", file, row.number, what)
        return
    # Frozen twice, the earlier time counts: from then on its content was fixed.
    frozen.setdefault(name, (book, _moment_or_none(row["rated_at"])))


def _check(
    opened: UntrustedDataset,
    file: str,
    row: UntrustedRow,
    known: _Frozen | None,
    sealed: set[str],
) -> None:
    name, rubric = str(row["object"]), str(row["rubric"])
    if known is None:
        if not opened.public:
            what = f"{name} is coded by {rubric}, which was never frozen"
            opened.report.add("coded_before_freeze", file, row.number, what)
        return
    book, at = known
    when = _moment_or_none(row["rated_at"])
    if at is not None and when is not None and when < at:
        what = f"{name} was coded by {row['rater']} at {when.isoformat()}, {rubric} was frozen at {at.isoformat()}"
        opened.report.add("coded_before_freeze", file, row.number, what)
    key = _key(row)
    if book.induced and key is not None and key[0] in sealed:
        what = f"{name} is of the half that the codebook was drawn from"
        opened.report.add("coded_in_sealed_half", file, row.number, what)
    if strange := sorted(split(row["value"]) - set(book.labels)):
        opened.report.add("code_unknown", file, row.number, f"{name}: {strange[0]} is not a code of {rubric}")


def _moment_or_none(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None
