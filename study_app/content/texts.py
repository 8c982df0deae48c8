"""Reading the texts that participants meet: one TOML file a language, never a sentence in the code.

A file holds the tables of the pages (`[welcome]`, `[form]`, ...) and, beside a study, the study's own texts in that
language under `[content]`. Those that are shipped lie in `study_app/texts`; a study's own lie in `texts/` next to its
file, and replace or complete the shipped ones key by key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from study_app.domain.assistants.embedded_sentences import AGENT, FAULTS
from study_app.domain.assistants.recording import RECORDED
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.localisation.figures import FIGURES, Figures
from study_app.domain.sentences import REFUSALS
from study_app.domain.tasks.sentences import VERDICTS
from study_app.domain.text_files import decode_text, parse_toml

FOLDER = Path(__file__).parents[1] / "texts"
BESIDE = "texts"
"""The folder beside a study file."""
SOURCE = "en"
"""The language from which the pages' texts are translated."""
_HEAD = ("name", "reviewed_by")
_MADE = (VERDICTS, REFUSALS, FAULTS, AGENT, RECORDED)
"""Sentences whose English stands where they are made."""


@dataclass(frozen=True)
class TextFile:
    """One file of texts."""

    file: str
    """As messages name it."""
    name: str = ""
    """The language's own name for itself, as the choice at the entry shows it."""
    reviewed_by: str = ""
    """Who speaks the language and has read every text; only people fill it in."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> text of the pages."""
    content: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> text of the study."""


class Catalogue:
    """The texts of one language by dotted key."""

    def __init__(self, language: str, texts: Mapping[str, str], name: str = "", reviewed_by: str = "") -> None:
        self.language = language
        self.name = name or language
        self.reviewed_by = reviewed_by
        self._flat = dict(texts)

    def __getitem__(self, key: str) -> str:
        return self._flat[key]

    def table(self, name: str) -> dict[str, str]:
        """Return all texts of one table, by their key in it."""
        return {key.removeprefix(f"{name}."): text for key, text in self._flat.items() if key.startswith(f"{name}.")}

    @property
    def texts(self) -> Mapping[str, str]:
        """All texts by their dotted key."""
        return self._flat

    def keys(self) -> set[str]:
        """Return all dotted keys."""
        return set(self._flat)

    def filled(self, key: str, **values: object) -> str:
        """Return a text with its placeholders filled in."""
        found = self._flat[key]
        for name, value in values.items():
            found = found.replace("{" + name + "}", str(value))
        return found

    @property
    def figures(self) -> Figures:
        """How numbers and dates are written."""
        return Figures(self.table(FIGURES))


class TextShelf:
    """The catalogues of a study: what is shipped, with the study's own texts over it.

    Args:
        own: language -> the study's own file.
    """

    def __init__(self, own: Mapping[str, TextFile]) -> None:
        self._own = dict(own)
        self._made: dict[str, Catalogue] = {}

    def __getitem__(self, language: str) -> Catalogue:
        if language not in self._made:
            self._made[language] = merged(language, self._own.get(language))
        return self._made[language]


def merged(language: str, own: TextFile | None) -> Catalogue:
    """Return the shipped texts of a language with a study's own over them.

    Raises:
        ProblemsFound: there are neither.
    """
    base = shipped(language)
    if base is None and own is None:
        known = " or ".join(map(repr, shipped_languages()))
        what = f"found {language!r}, but there are no texts for participants in this language"
        remedy = f"use {known}, or add {BESIDE}/{language}.toml beside the study file (study translate {language})"
        raise ProblemsFound([Problem("study file", "language", what, remedy)])
    layers = [each for each in (base, own) if each is not None]
    pages = {key: text for layer in layers for key, text in layer.pages.items()}
    name = next((layer.name for layer in reversed(layers) if layer.name), "")
    return Catalogue(language, pages, name, own.reviewed_by if own else (base.reviewed_by if base else ""))


def shipped_languages() -> list[str]:
    """Languages whose texts are shipped."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def shipped(language: str) -> TextFile | None:
    """Return the shipped texts of a language, or None. Sentences that code makes are in English where they are made."""
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        return None
    found = read_texts(path, f"study_app/texts/{language}.toml")
    made = {key: text for each in _MADE for key, text in each.texts().items()} if language == SOURCE else {}
    return TextFile(found.file, found.name, found.reviewed_by, {**found.pages, **made})


@cache
def catalogue(language: str) -> Catalogue:
    """Return the shipped catalogue of a language.

    Raises:
        ProblemsFound: there is none.
    """
    return merged(language, None)


def own_texts(folder: Path, languages: Iterable[str]) -> dict[str, TextFile]:
    """Return a study's own files for these languages, by language; those that are not there are left out.

    Raises:
        ProblemsFound: every problem of every file.
    """
    found: dict[str, TextFile] = {}
    problems: list[Problem] = []
    for language in dict.fromkeys(languages):
        path = folder / BESIDE / f"{language}.toml"
        if not path.is_file():
            continue
        try:
            found[language] = read_texts(path, f"{BESIDE}/{language}.toml")
        except ProblemsFound as error:
            problems += error.problems
    if problems:
        raise ProblemsFound(problems)
    return found


def read_texts(path: Path, file: str) -> TextFile:
    """Return a file of texts.

    Raises:
        ProblemsFound: it cannot be read, is not TOML, or holds something else than texts.
    """
    try:
        tables = parse_toml(decode_text(path.read_bytes(), file))
    except OSError as error:
        remedy = "make it a readable file"
        raise ProblemsFound([Problem(file, "", f"cannot be read ({error.strerror})", remedy)]) from None
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(file, "", f"is not valid TOML: {error}", "correct it at that place")]) from None
    flat = dict(_flatten(tables))
    wrong = [
        Problem(file, key, f"found {value!r}, which is not a text", "write it in quotation marks")
        for key, value in flat.items()
        if not isinstance(value, str)
    ]
    if wrong:
        raise ProblemsFound(wrong)
    content = {key.removeprefix("content."): text for key, text in flat.items() if key.startswith("content.")}
    pages = {key: text for key, text in flat.items() if key not in _HEAD and not key.startswith("content.")}
    return TextFile(file, flat.get("name", ""), flat.get("reviewed_by", "").strip(), pages, content)


def _flatten(tables: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in tables.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return flat
