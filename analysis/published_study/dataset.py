"""Writing a dataset directory in the contract's layout (Psych-DS)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.published_study.columns import column
from study_app.dataset.schema.cells import guard
from study_app.dataset.schema.columns import IMPORTED
from study_app.dataset.writing.documents import PSYCH_DS
from study_app.domain.errors import UserError
from study_app.domain.interaction.codebook import VERSION as CODEBOOK
from study_app.domain.interaction.patterns import PUBLISHED

STUDY_ID = "shentamkin"
_JSON_COLUMNS = {"payload"}


@dataclass(frozen=True)
class WrittenFile:
    """One line of the manifest."""

    path: str
    sha256: str
    rows: int


def guarded(text: Any) -> Any:
    """Return a text cell that a spreadsheet will not run: one ' before a leading = + - @ TAB CR or '."""
    return guard(text) if isinstance(text, str) else text


def write_dataset(
    out: Path, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str], study_hash: str, exported_at: str | None
) -> tuple[WrittenFile, ...]:
    """Write tables with sidecars, the given texts (path -> content), the description and the manifest.

    Raises:
        UserError: the folder exists and holds something, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: --out: exists and is not empty; name a new folder or empty this one")
    try:
        (out / "data").mkdir(parents=True, exist_ok=True)
        files = [_write_table(out, name, table) for name, table in tables.items()]
        for path, content in {**texts, "dataset_description.json": _description(tables)}.items():
            (out / path).write_text(content, encoding="utf-8")
        (out / "manifest.json").write_text(_manifest(files, study_hash, exported_at), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: --out: cannot be written ({error.strerror}); choose another place") from error
    return tuple(files)


def _write_table(out: Path, name: str, table: pd.DataFrame) -> WrittenFile:
    stem = f"data/study-{STUDY_ID}_description-{name}_data"
    text_columns = [each for each in table if table[each].dtype == object or pd.api.types.is_string_dtype(table[each])]
    safe = table.assign(**{str(each): table[each].map(guarded) for each in text_columns if each not in _JSON_COLUMNS})
    content = safe.to_csv(index=False, lineterminator="\r\n").encode()
    (out / f"{stem}.csv").write_bytes(content)
    (out / f"{stem}.json").write_text(_sidecar(name, table), encoding="utf-8")
    return WrittenFile(f"{stem}.csv", hashlib.sha256(content).hexdigest(), len(table))


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _sidecar(name: str, table: pd.DataFrame) -> str:
    variables = [
        {"@type": "PropertyValue", "name": each, "description": meaning.caption, "valueType": meaning.type}
        | ({"unitText": meaning.unit} if meaning.unit else {})
        for each in table
        for meaning in [column(name, str(each))]
    ]
    note = "missing = empty cell; in text cells a leading = + - @ TAB CR or ' has one ' before it"
    return _json({"@type": "Dataset", "name": name, "description": note, "variableMeasured": variables})


def _description(tables: Mapping[str, pd.DataFrame]) -> str:
    variables = sorted({str(each) for table in tables.values() for each in table})
    return _json(
        {
            "@context": "https://schema.org/",
            "@type": "Dataset",
            "name": f"study-{STUDY_ID}",
            "description": "The published annotated transcripts on AI assistance and skill formation, imported",
            "schemaVersion": PSYCH_DS,
            "variableMeasured": variables,
        }
    )


def _manifest(files: list[WrittenFile], study_hash: str, exported_at: str | None) -> str:
    return _json(
        {
            "study_id": STUDY_ID,
            "study_hash": study_hash,
            "state": "unsealed",
            "masked": False,
            "source": "published annotated transcripts",
            "allocation": IMPORTED,
            "coding": {"coder": "human", "codebook": CODEBOOK, "patterns": PUBLISHED.version},
            "package_version": version("study-app"),
            "exported_at": exported_at,
            "files": [vars(file) for file in files],
        }
    )
