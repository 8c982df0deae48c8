"""What stands beside the tables: description, sidecars, README, CHANGES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from study_app import __version__
from study_app.dataset.schema import GUARD_NOTE, TableName, TableSchema, timestamp
from study_app.domain.records import AuditEntry, ProtocolVersion
from study_app.domain.study.study import Study

_STATES = {
    "draft": "The study was not launched when this was exported: every participant is a preview or a simulation.",
    "launched": "The study was running. Of real participants, whatever could tell their arm is withheld.",
    "closed": "The study was closed and still sealed. Arms of real participants are masked as arm_a, arm_b, ...",
    "unsealed": "The study was unsealed: arms are visible, and the allocation seed is in manifest.json.",
}


def description(study: Study, tables: Mapping[TableName, TableSchema]) -> dict[str, Any]:
    """dataset_description.json by the rules of Psych-DS: every column of every table is a measured variable."""
    variables: dict[str, dict[str, Any]] = {}
    for table in tables.values():
        for column in table.columns:
            variables.setdefault(column.name, column.property_value())
    entry: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": study.title,
        "description": " ".join((study.description or study.title).split()),
        "identifier": f"study-{study.id}",
        "keywords": ["randomised controlled trial", "AI assistance", "learning", "programming"],
        "schemaVersion": "Psych-DS 1.5.0",
        "inLanguage": study.language,
        "variableMeasured": list(variables.values()),
    }
    if study.researchers:
        # Not at commas: they are within a name with its affiliation.
        names = [name.strip() for name in re.split(r"[;\n]", study.researchers)]
        entry["author"] = [{"@type": "Person", "name": name} for name in names if name]
    return entry


def sidecar(table: TableSchema, path: str, withheld: Sequence[str], guarded: bool) -> dict[str, Any]:
    """What one table's columns mean."""
    note = GUARD_NOTE if guarded else "Missing is null; text stands as it is."
    entry: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": table.name,
        "description": f"{table.caption}. {note}",
        "distribution": path.rsplit("/", 1)[-1],
        "variableMeasured": [column.property_value() for column in table.columns],
    }
    if withheld:
        entry["withheld"] = list(withheld)
    return entry


def readme(study: Study, state: str, tables: Iterable[TableSchema], withheld: Mapping[str, Any]) -> str:
    """README.md of a dataset."""
    parts = [f"# {study.title}", study.description.strip(), _STATES[state], "## Tables", _list(tables)]
    if withheld:
        parts += ["## Withheld", _withheld(withheld)]
    parts += [
        "## Reading it",
        "Tables are in `data/`, UTF-8, comma-separated (RFC 4180), one JSON file of the same name beside each. Columns "
        "are explained in `documentation/codebook.md`; what participants met is in `materials/`. " + GUARD_NOTE,
        "Times are ISO 8601 in UTC. Durations are minutes in `participants` and seconds elsewhere. `participant_id` is "
        "random and ties the tables together.",
        "`study verify` checks this folder against its hashes, its allocation ledger and its log of edits; "
        "`study analyze` computes the results.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(tables: Iterable[TableSchema]) -> str:
    return "\n".join(f"- `{table.name}`: {table.caption[0].lower()}{table.caption[1:]}" for table in tables)


def _withheld(withheld: Mapping[str, Any]) -> str:
    lines = [f"- table `{name}`" for name in withheld["tables"]]
    lines += [f"- `{table}`: {', '.join(names)}" for table, names in withheld["columns"].items()]
    lines += [f"- {what}" for what in withheld["also"]]
    return f"Of {withheld['of']}, until the study is unsealed:\n\n" + "\n".join(lines)


def changes(versions: Sequence[ProtocolVersion], audit: Sequence[AuditEntry], exported_at: str, draft: bool) -> str:
    """CHANGES.md: the versions of the study and the steps of its life, newest first."""
    lines = [f"- {exported_at}: exported by study-app {__version__}"]
    steps = [] if draft else [(v.locked_at, f"version {v.study_hash[:12]} locked: {v.reason}") for v in versions]
    steps += [(entry.at, f"{entry.what}: {entry.why}") for entry in audit if entry.what in ("close", "unseal")]
    for at, what in sorted(steps, reverse=True):
        lines.append(f"- {timestamp(at)}: {' '.join(what.split())}")
    return "# Changes\n\n" + "\n".join(lines) + "\n"


CODEBOOK_INTRODUCTION = (
    "Every column of every table: its type, unit, the values it may have and what it means. Types: text; integer; "
    "number; boolean (0 or 1); time (ISO 8601, UTC, milliseconds); json (a JSON value in one cell). " + GUARD_NOTE
)
