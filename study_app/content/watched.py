"""The files that make a study, and when each was written: what tells that an author has changed something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from study_app.content.content_files import content_files
from study_app.content.requirements import stamps_beside
from study_app.domain.errors import ProblemsFound
from study_app.domain.text_files import decode_text, parse_toml

BESIDE = ("texts",)
"""What belongs to a study although its file need not name it."""
Written = tuple[int, int]
"""Nanoseconds since the epoch, and bytes."""


def named_paths(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Packs, banks, plans and assistants' files that a parsed study file names: kind, key of the file, path.

    Args:
        raw: the tables as TOML has them; whatever has another form than it should is passed over.
    """
    stages = raw.get("stages")
    for number, stage in enumerate(stages if isinstance(stages, list) else [], start=1):
        if not isinstance(stage, dict):
            continue
        packs = stage.get("packs")
        key = f"stages.{stage.get('id', number)}"
        for folder in [*(packs if isinstance(packs, list) else []), stage.get("bank")]:
            if isinstance(folder, str) and folder:
                yield "folder", key, folder
        plan = stage.get("plan")
        if isinstance(plan, str) and plan:
            yield "file", f"{key}.plan", plan
    arms = raw.get("arms")
    for arm in arms if isinstance(arms, list) else []:
        variants = arm.get("variants") if isinstance(arm, dict) else None
        for task, folder in variants.items() if isinstance(variants, dict) else []:
            if isinstance(folder, str) and folder:
                yield "folder", f"arms.{arm.get('id')}.variants.{task}", folder
    for table in ("assistants", "personas"):
        entries = raw.get(table)
        for name, entry in entries.items() if isinstance(entries, dict) else []:
            file = entry.get("file") if isinstance(entry, dict) else None
            if isinstance(file, str) and file:
                yield "file", f"{table}.{name}.file", file


def written(study_file: Path) -> dict[Path, Written]:
    """Return every file that belongs to the study now, also of one that cannot be read as a study.

    With what `study setup` leaves behind: a study goes on once its packages are there.
    """
    root = study_file.resolve().parent
    raw = _tables(study_file)
    named = [path for _, _, path in named_paths(raw)]
    paths = [root / name for name in (*named, *_recordings(root, raw), *BESIDE)]
    requirements = raw.get("requirements")
    if isinstance(requirements, str) and requirements:
        paths += [root / requirements, *stamps_beside(root / requirements)]
    files = [study_file.resolve(), *(file for path in paths for file in _below(path))]
    return {file: stamp for file in files if (stamp := _stamp(file)) is not None}


def _tables(file: Path) -> dict[str, Any]:
    """Return what a file says; empty where it cannot be read."""
    try:
        return parse_toml(decode_text(file.read_bytes(), str(file)))
    except (OSError, ValueError, ProblemsFound):
        return {}


def _recordings(root: Path, raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the recordings that the assistants of a study name in their files."""
    assistants = raw.get("assistants")
    for entry in assistants.values() if isinstance(assistants, dict) else []:
        file = entry.get("file") if isinstance(entry, dict) else None
        recording = _tables(root / file).get("recording") if isinstance(file, str) and file else None
        if isinstance(recording, str) and recording:
            yield recording


def _below(path: Path) -> list[Path]:
    return content_files(path) if path.is_dir() else [path]


def _stamp(file: Path) -> Written | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
