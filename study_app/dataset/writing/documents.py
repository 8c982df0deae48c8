"""What accompanies the tables: description, sidecars, README, CHANGES."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study_app import __version__
from study_app.dataset.schema import GUARD_NOTE, Column, TableName, TableSchema, timestamp
from study_app.dataset.writing.citation import Cited, schema_org
from study_app.dataset.writing.copied_rows import LONG_CELLS
from study_app.dataset.writing.files import Format
from study_app.dataset.writing.readme_parts import citing, reading
from study_app.domain.records import AuditEntry, ProtocolVersion
from study_app.domain.trial_state import State

_STATES = {
    "draft": "The study was not launched when this was exported: every participant is a preview or a simulation.",
    "launched": "The study was running. Of real participants, whatever could tell their arm is withheld.",
    "closed": "The study was closed and still sealed. Arms of real participants are masked as arm_a, arm_b, ...",
    "unsealed": "The study was unsealed: arms are visible, and the allocation seed is in manifest.json.",
}


PSYCH_DS = "Psych-DS 1.5.0"
"""The layout that a dataset with CSV tables follows."""
_BESIDE_PSYCH_DS = (
    *(".psychds-ignore", "CITATION.cff", "croissant.json", "datapackage.json", "manifest.json", "read.py", "read.R"),
    *("*.xlsx", "*.sav", "*.dta", f"{LONG_CELLS.rpartition('/')[2]}/"),
)
"""Files that this layout does not know. Its validator finds patterns with a folder before them nowhere."""


def psychds_ignore(*more: str) -> str:
    """.psychds-ignore: the files of a dataset that the validator of the layout is to leave alone.

    Args:
        more: further patterns, such as a folder with `/` at its end.
    """
    return "".join(f"{name}\n" for name in (*_BESIDE_PSYCH_DS, *more))


def directory_metadata(cited: Cited) -> dict[str, Any]:
    """data/file_metadata.json: what holds of every table; a sidecar says what holds of one."""
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": f"{cited.study.title}: tables",
        "description": f"One CSV file for each table, described by the JSON file of its name. {GUARD_NOTE}",
        "inLanguage": cited.study.language,
    }


def description(cited: Cited, tables: Mapping[TableName, TableSchema], *, csv: bool = True) -> dict[str, Any]:
    """dataset_description.json by the rules of Psych-DS, which it claims where tables are CSV."""
    study = cited.study
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": study.title,
        "description": cited.description,
        "keywords": [*KEYWORDS, *cited.release.keywords],
        **({"schemaVersion": PSYCH_DS} if csv else {}),
        "inLanguage": study.language,
        "dateCreated": cited.exported_on,
        **schema_org(cited),
        "variableMeasured": variables(tables),
    }


KEYWORDS = ("randomised controlled trial", "AI assistance", "learning", "programming")


def variables(tables: Mapping[TableName, TableSchema]) -> list[dict[str, Any]]:
    """Return every column by its name; one that several tables have says what it is in each, where that differs."""
    found: dict[str, list[tuple[TableName, Column]]] = {}
    for name, table in tables.items():
        for column in table.columns:
            found.setdefault(column.name, []).append((name, column))
    return [_variable(columns) for columns in found.values()]


def _variable(columns: Sequence[tuple[TableName, Column]]) -> dict[str, Any]:
    values = [column.property_value() for _name, column in columns]
    first = values[0]
    if all(value == first for value in values):
        return first
    captions = {name: column.caption for name, column in columns}
    same = len(set(captions.values())) == 1
    caption = first["description"] if same else "; ".join(f"in {name}: {what}" for name, what in captions.items())
    # What only one of the tables says of its cells would be wrong for the others: their sidecars say it.
    shared = {key: value for key, value in first.items() if all(other.get(key) == value for other in values)}
    return shared | {"description": caption}


def sidecar(table: TableSchema, path: str, withheld: Sequence[str], guarded: bool) -> dict[str, Any]:
    """Return what one table's columns mean."""
    note = GUARD_NOTE if guarded else "Missing is null; text stands as it is."
    omitted = f" Withheld: {', '.join(withheld)}." if withheld else ""
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": table.name,
        "description": f"{table.caption}. {note}{omitted}",
        "distribution": path.rsplit("/", 1)[-1],
        "variableMeasured": [column.property_value() for column in table.columns],
    }


@dataclass(frozen=True)
class Contents:
    """What a dataset holds, for its README."""

    state: State
    tables: Sequence[TableSchema]
    withheld: Mapping[str, Any]
    statuses: Mapping[str, int]
    """Participants by status."""
    fmt: Format
    renamed: Mapping[str, Mapping[str, str]]
    """Table -> column -> its name in a copy for another program, where that is another."""
    identified: bool
    public: bool = False


def readme(cited: Cited, held: Contents) -> str:
    """README.md of a dataset: what it is, who is in it, how to cite, where to start, how to read it."""
    study = cited.study
    parts = [
        f"# {study.title}",
        study.description.strip(),
        _STATES[held.state],
        "## Who is in it",
        _people(cited, held),
        "## What it still says about people",
        _IDENTIFIED if held.identified else _PUBLIC if held.public else _NOT_PUBLIC,
        "## Where to start",
        "`documentation/codebook.md` explains every column and what its values mean. One row of `participants` is one "
        "person; `participant_id` ties the tables together. What participants met, with their questions and tasks, is "
        "in `materials/` (texts of the pages, notes, versions of the libraries and, once arms may be shown, each "
        "assistant with prompt, model and parameters); `documentation/derivations.md` says how columns are derived, "
        "`documentation/events.md` what each kind of event holds, and `documentation/coding.md` how queries are coded "
        "and patterns named.",
        _beside(held),
        "## Tables",
        _list(held.tables),
    ]
    if held.withheld:
        parts += ["## Withheld", _withheld(held.withheld)]
    parts += ["## Reading it", reading(held.fmt, held.renamed), "## Citing it", citing(cited)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _beside(held: Contents) -> str:
    chained = not (held.public or held.withheld)
    chain = ", `documentation/chain.csv` the chain that seals them" if chained else ""
    return (
        "`CITATION.cff`, `dataset_description.json` and `documentation/datacite.json` say the same of the whole for "
        "reference managers and archives, and `CHANGES.md` which versions of the study and of this dataset there "
        "were. `manifest.json` has the hash of every file, versions and counts, `documentation/records.json` a hash "
        f"of each person's rows{chain}."
    )


_IDENTIFIED = (
    "**This copy names people**: it holds labels and Prolific ids beside arms and answers. Keep it where only those "
    "who need the names can read it, and never publish it."
)
_PUBLIC = (
    "This copy was made to be published. What people and their programs wrote is left out, but for lines that a person "
    "read and released; moments count from each person's entry, which is 2000-01-01T00:00:00Z for everybody; answers "
    "that others may know of a person are shared by several. `documentation/disclosure.md` says what was found and "
    "done, and what can still point to a person. `study verify` checks of this copy what can be checked without what "
    "is left out."
)
_NOT_PUBLIC = (
    "Labels and panel ids are left out. Still there are free text as people wrote it (answers, messages, programs, "
    "pastes, logged events), the exact moments of every act, and answers about the person that can be rare together: "
    "anyone with the panel's list of submissions can find people again by the times. Do not publish this copy: "
    "`study export --public` makes one for that."
)


def _people(cited: Cited, held: Contents) -> str:
    total = sum(held.statuses.values())
    statuses = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(held.statuses.items()))
    when = f" They took part between {cited.collected[0]} and {cited.collected[1]}." if cited.collected else ""
    lines = [f"{total} participants{f' ({statuses})' if statuses else ''}.{when}", ""]
    lines += [f"- arm `{arm.id}`: {arm.label or arm.id}" for arm in cited.study.arms]
    known = {"Contact": cited.study.contact, "Ethics": cited.study.ethics, "Registration": cited.release.registration}
    return "\n".join(
        [*lines, "", *(f"{name}: {what.strip()}  " for name, what in known.items() if what.strip())]
    ).strip()


def _list(tables: Iterable[TableSchema]) -> str:
    return "\n".join(f"- `{table.name}`: {table.caption[0].lower()}{table.caption[1:]}" for table in tables)


def _withheld(withheld: Mapping[str, Any]) -> str:
    lines = [f"- table `{name}`" for name in withheld["tables"]]
    lines += [f"- `{table}`: {', '.join(names)}" for table, names in withheld["columns"].items()]
    lines += [f"- {what}" for what in withheld["also"]]
    return f"Of {withheld['of']}, until the study is unsealed:\n\n" + "\n".join(lines)


def changes(
    versions: Sequence[ProtocolVersion], audit: Sequence[AuditEntry], exported_at: str, draft: bool, erased: int = 0
) -> str:
    """CHANGES.md: the versions of the study and the steps of its life, newest first."""
    lines = [f"- {exported_at}: exported by study-app {__version__}"]
    steps = [] if draft else [(v.locked_at, f"version {v.study_hash[:12]} locked: {v.reason}") for v in versions]
    steps += [(entry.at, f"{entry.what}: {entry.why}") for entry in audit if entry.what in ("close", "unseal")]
    for at, what in sorted(steps, reverse=True):
        lines.append(f"- {timestamp(at)}: {' '.join(what.split())}")
    if erased:
        lines += [
            "",
            f"The data of {erased} participant(s) have been erased. A copy that was exported before the last of "
            "these erasures is to be deleted; its holder replaces it by this one.",
        ]
    return "# Changes\n\n" + "\n".join(lines) + "\n"


def yaml(value: Any, depth: int = 0) -> str:
    """Return simple values as YAML: texts are quoted as JSON has them, which YAML reads alike."""
    pad = "  " * depth
    lines = []
    for key, entry in value.items():
        if isinstance(entry, list):
            lines.append(f"{pad}{key}:")
            for each in entry:
                block = yaml(each, depth + 2) if isinstance(each, dict) else f"{pad}    {_scalar(each)}"
                lines.append(f"{pad}  - {block.strip()}")
        else:
            lines.append(f"{pad}{key}: {_scalar(entry)}")
    return "\n".join(lines)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


CODEBOOK_INTRODUCTION = (
    "Every column of every table: its type, unit, the values it may have and what it means. Types: text; integer; "
    "number; boolean (0 or 1); time (ISO 8601, UTC, milliseconds); json (a JSON value in one cell). " + GUARD_NOTE
)
