"""A small conformance checker for Psych-DS 1.5.0, written from its rules: errors and warnings by name."""

from __future__ import annotations

import csv
import json
import re
from fnmatch import fnmatch
from pathlib import Path

NAME = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv")
KEYWORDS = set("study site subject session task condition trial stimulus description".split())


def errors(dataset: Path) -> list[str]:
    found = []
    description = dataset / "dataset_description.json"
    if not description.is_file():
        return ["MISSING_DATASET_DESCRIPTION"]
    content = json.loads(description.read_text(encoding="utf-8"))
    if content.get("@context") != "https://schema.org/" or content.get("@type") != "Dataset":
        found.append("INVALID_JSONLD_FORMATTING")
    found += [f"JSON_KEY_REQUIRED {key}" for key in ("name", "description", "variableMeasured") if not content.get(key)]
    measured = [entry if isinstance(entry, str) else entry["name"] for entry in content.get("variableMeasured", [])]
    if len(measured) != len(set(measured)):
        found.append("DUPLICATE_VARIABLE")
    tables = sorted((dataset / "data").rglob("*_data.csv"))
    if not tables:
        found.append("MISSING_DATAFILE")
    seen: set[str] = set()
    for table in tables:
        if not NAME.fullmatch(table.name):
            found.append(f"FILENAME_KEYWORD_FORMATTING_ERROR {table.name}")
        with table.open(encoding="utf-8", newline="") as handle:
            header, *rows = csv.reader(handle, strict=True)
        if len(header) != len(set(header)):
            found.append(f"DUPLICATE_HEADER {table.name}")
        if any(len(row) != len(header) for row in rows):
            found.append(f"CSV_HEADER_LENGTH_MISMATCH {table.name}")
        found += [f"CSV_COLUMN_MISSING_FROM_METADATA {name}" for name in header if name not in measured]
        seen |= set(header)
    return found + [f"VARIABLE_MISSING_FROM_CSV_COLUMNS {name}" for name in measured if name not in seen]


def warnings(dataset: Path) -> list[str]:
    found = [
        name for name in ("README.md", "CHANGES.md", "materials", "documentation") if not (dataset / name).exists()
    ]
    for table in sorted((dataset / "data").rglob("*_data.csv")):
        sidecar = table.with_suffix(".json")
        if not sidecar.is_file() or json.loads(sidecar.read_text(encoding="utf-8")).get("@type") != "Dataset":
            found.append(f"sidecar of {table.name}")
        keywords = {part.split("-")[0] for part in table.stem.split("_")[:-1]}
        found += [f"unofficial keyword {keyword}" for keyword in sorted(keywords - KEYWORDS)]
    if not (dataset / "data" / "file_metadata.json").is_file():
        found.append("MISSING_DIRECTORY_METADATA")
    return found + [f"FILE_NOT_CHECKED {name}" for name in _not_checked(dataset)]


def _not_checked(dataset: Path) -> list[str]:
    """Files that neither the layout knows nor .psychds-ignore names."""
    known = ("README.md", "CHANGES.md", "dataset_description.json", "*_data.csv", "*_data.json", "file_metadata.json")
    lines = (dataset / ".psychds-ignore").read_text(encoding="utf-8").split()
    found = []
    for path in (each.relative_to(dataset) for each in sorted(dataset.rglob("*")) if each.is_file()):
        if path.parts[0] in ("materials", "documentation"):
            continue
        # A pattern with a slash within it is found nowhere by the validator.
        names = [line for line in (*lines, *known) if "/" not in line]
        folders = {line[:-1] for line in lines if line.endswith("/") and "/" not in line[:-1]}
        if not folders & set(path.parts[:-1]) and not any(fnmatch(path.name, name) for name in names):
            found.append(str(path))
    return found
