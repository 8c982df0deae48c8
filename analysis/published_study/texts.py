"""README.md and CHANGES.md of an imported dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.published_study.repairs import Repair

_README = """# The published annotated transcripts, imported

{people} participants ({arms}). Tables are under `data/`, each with a sidecar that explains its columns; `CHANGES.md`
and the table `repairs` list every irregularity of the files and what became of it.

- Times count from the start of the main tasks; the date 1970-01-01 stands for that start and is not real.
- Empty columns: the transcripts hold no quiz, survey, edits, runs or replies.
- Arms are the published conditions. Allocation does not apply: there is no ledger to recompute, nothing is masked.
- `completion_minutes` are the recorded minutes of all; whether the participant finished is in `completion_event`.
- `interaction_pattern` is assigned by the shipped rule set; the study's own assignment of persons was not published.
- All published recordings are kept; the one that the study disqualified is not marked in them.
"""


def readme(arms: Mapping[str, int]) -> str:
    """Return the dataset's README for these numbers per arm."""
    listed = ", ".join(f"{count} in `{arm}`" for arm, count in arms.items())
    return _README.format(people=sum(arms.values()), arms=listed)


def changes(repairs: Sequence[Repair]) -> str:
    """Return every repair, then everything that was left, as two tables."""
    return "# Changes against the files as published\n\n" + "\n".join(
        [
            *_table("Repaired", [entry for entry in repairs if entry.action == "repaired"]),
            "",
            *_table("Left as recorded", [entry for entry in repairs if entry.action == "left"]),
            "",
        ]
    )


def _table(title: str, entries: Sequence[Repair]) -> list[str]:
    if not entries:
        return [f"## {title}", "", "None."]
    rows = [
        f"| {entry.participant_id} | {'' if entry.event is None else entry.event} | {entry.field} "
        f"| {_cell(entry.found)} | {_cell(entry.now)} | {entry.reason} |"
        for entry in entries
    ]
    head = [
        "| participant | event | field | in the file | in the dataset | reason |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return [f"## {title} ({len(entries)})", "", *head, *rows]


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else ""
