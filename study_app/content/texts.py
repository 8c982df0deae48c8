"""Reading the texts that participants meet: one TOML file a language, never a sentence in the code."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import decode_text

FOLDER = Path(__file__).parents[1] / "texts"


class Catalogue:
    """The texts of one language by dotted key."""

    def __init__(self, language: str, tables: dict[str, Any]) -> None:
        self.language = language
        self.tables = tables
        self._flat = dict(_flatten(tables))

    def __getitem__(self, key: str) -> str:
        return self._flat[key]

    def table(self, name: str) -> dict[str, str]:
        """All texts of one table, by their key in it."""
        return {key.removeprefix(f"{name}."): text for key, text in self._flat.items() if key.startswith(f"{name}.")}

    def keys(self) -> set[str]:
        """All dotted keys."""
        return set(self._flat)


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language.

    Raises:
        ProblemsFound: there is none.
    """
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ProblemsFound([Problem("study file", "language", f"there are no texts in '{language}'", f"use {known}")])
    return Catalogue(language, tomllib.loads(decode_text(path.read_bytes(), str(path))))


def _flatten(tables: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in tables.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return flat
