"""documentation/disclosure.md: what a dataset for everybody still says about people, measured on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study_app.dataset.disclosure.coarsening import Recoding, smallest_cells
from study_app.dataset.disclosure.public import ENTRY, WITHHELD, Found
from study_app.dataset.schema import Column

MOST_COLUMNS = 20
"""Of which groups of three are counted; with more, pairs."""


def disclosure(
    found: Found,
    recodings: Mapping[str, Recoding],
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    k: int,
) -> str:
    """Return the report.

    Args:
        found: what was looked through while the tables were written.
        recodings: what became of answers about people.
        columns: the columns of these, as they are now.
        rows: what stands in them, one row for each person with data.
        k: least number of people who share a value.
    """
    parts = [
        "# What this dataset still says about people",
        _INTRODUCTION,
        "## Direct identifiers found by pattern",
        _identifiers(found),
        "## Texts",
        _texts(found),
        f"## Answers that others may know (k = {k})",
        _coarsened(recodings, columns),
        _groups(rows, [column.name for column in columns], k),
        "## Times and order",
        _TIMES,
        "## What no program can see",
        _LIMITS,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_INTRODUCTION = (
    "`study export --public` wrote this report while it wrote the dataset. It counts; it repeats no text in which "
    "something was found."
)
_TIMES = (
    f"Every moment is as long after {ENTRY:%Y-%m-%d %H:%M} UTC as it was after the person's entry. Days, hours and the "
    "order in which people came are left out: places in the ledger, draws and hashes, moments of ratings, the chain "
    "of records, and the numbers of events, which count anew. Rows stand in the order of random ids. What happened to "
    "several people at one moment, such as an outage of the server or a deadline of the whole study, still has its "
    "distance to each of their entries; who knows that moment can order these people by it."
)
_LIMITS = (
    "**Names need a reader.** No pattern knows names of people, places and employers, nor a story that points to one "
    "person. Text that stays was released line by line by a person. Habits of typing, rare combinations of answers "
    "(above) and knowledge that a person took part can point to a person, too. This report lists what was looked for; "
    "it does not say that the data are anonymous."
)


def _identifiers(found: Found) -> str:
    if not found.identifiers:
        return "None was found in any text."
    lines = ["| place | identifier | texts | in this dataset |", "| --- | --- | --- | --- |"]
    for (place, kind, stays), count in sorted(found.identifiers.items()):
        lines.append(f"| `{place}` | {kind} | {count} | {'**yes: released by a person**' if stays else 'no'} |")
    return "\n".join(lines)


def _texts(found: Found) -> str:
    names = sorted({*found.withheld, *found.released})
    lines = [
        f"A text that was left out is `{WITHHELD}`; of a payload only sizes, places and the platform's words stay."
    ]
    if names:
        lines += ["", "| column | left out | released after review |", "| --- | --- | --- |"]
        lines += [f"| `{t}.{c}` | {found.withheld[t, c]} | {found.released[t, c]} |" for t, c in names]
    return "\n".join(lines)


def _coarsened(recodings: Mapping[str, Recoding], columns: Sequence[Column]) -> str:
    lines = ["| column | what was done |", "| --- | --- |"]
    lines += [f"| `{c.name}` | {recodings[c.name].method or 'nothing was rare'} |" for c in columns]
    return "\n".join(lines) if columns else "The study asks nothing of the kind."


def _groups(rows: Sequence[Mapping[str, Any]], names: Sequence[str], k: int) -> str:
    if not names or not rows:
        return ""
    few = len(names) <= MOST_COLUMNS
    known = smallest_cells(rows, names, (1, 2, 3) if few else (1, 2))
    lines = [
        f"{len(rows)} people with data. To know several of these answers of a person narrows them down further "
        f"than to {k}; a missing answer counts as a value:",
        "",
        "| known together | least people who share them | people who are alone with theirs | least for |",
        "| --- | --- | --- | --- |",
    ]
    for size, least, alone, which in known:
        shown = ", ".join(f"`{name}`" for name in which) if size < len(names) else "all of them"
        lines.append(f"| {size} | {least} | {alone} | {shown} |")
    if not few:
        lines += ["", f"With more than {MOST_COLUMNS} columns, three known together are not counted."]
    return "\n".join(lines)
