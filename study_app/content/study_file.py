"""Reading a study file: every problem of it at once, each with file, key, finding and remedy."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study_app.content.texts import own_texts
from study_app.content.watched import named_paths
from study_app.domain.allocation import scheme_problems
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.factorial.cells import with_cells
from study_app.domain.study.quiz_roles import role_problems
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text, parse_toml

CONTENT = ("banks.", "tasks.", "assistants.")
"""Beginnings of keys of texts that belong to packs, banks and assistants, not to the study file."""
_CODE = re.compile(r"[A-Za-z-]{2,12}")
DOCS = "docs/reference/study_file.md lists the keys"


def read_study(path: Path) -> Study:
    """Return the study that a file describes.

    Raises:
        ProblemsFound: the file is missing or not TOML, or every problem of its keys.
    """
    name = str(path)
    try:
        text = decode_text(path.read_bytes(), name)
    except OSError as error:
        raise ProblemsFound([Problem(name, "", f"cannot be read ({error.strerror})", _remedy(error))]) from None
    try:
        raw = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(name, "", f"is not valid TOML: {error}", "correct it at that place")]) from None
    try:
        return validate_study(with_translations(raw, path), name)
    except ProblemsFound as found:
        # A study that cannot be made yet still shows which folders and files it will miss.
        raise ProblemsFound(_unique([*found.problems, *_missing_paths(raw, path)])) from None


def _remedy(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "let the account that runs this read the file and the folders above it (chown, chmod g+rX)"
    return "name a study file, or run from the folder that holds study.toml"


def with_translations(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the tables of a study file with the study's own texts in the other languages that it offers.

    Raises:
        ProblemsFound: a file of texts is broken, or the study file itself holds translations.
    """
    if "translations" in raw:
        what, remedy = "this key is not known", "write translations into texts/LANGUAGE.toml (study translate)"
        raise ProblemsFound([Problem(str(path), "translations", what, remedy)])
    offered = raw.get("languages")
    others = [each for each in offered if isinstance(each, str)] if isinstance(offered, list) else []
    found = own_texts(path.resolve().parent, [each for each in others if _CODE.fullmatch(each)])
    translations = {
        name: {key: text for key, text in file.content.items() if not key.startswith(CONTENT)}
        for name, file in found.items()
        if name != raw.get("language", "en")
    }
    return {**raw, "translations": translations} if translations else dict(raw)


def _missing_paths(raw: Mapping[str, Any], study_file: Path) -> list[Problem]:
    """Packs, banks and assistants' files that a study names and that are not there, whatever else is wrong with it."""
    root, missing = study_file.resolve().parent, []
    for kind, key, path in named_paths(raw):
        there = (root / path).is_dir() if kind == "folder" else (root / path).is_file()
        if not there:
            remedy = "correct the path, or add the folder" if kind == "folder" else "correct the path"
            missing.append(Problem(str(study_file), key, f"there is no {kind} {path} beside the study file", remedy))
    return missing


def validate_study(raw: Mapping[str, Any], file: str) -> Study:
    """Return the study in a parsed file.

    Raises:
        ProblemsFound: every problem at once.
    """
    raw = with_cells(raw)
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        within = [p for entry in error.errors() for p in _problems(entry, raw, file)]
        raise ProblemsFound(_unique([*within, *_between(raw, error, file)])) from None
    problems = scheme_problems(study.allocation, study.arms, baseline_variables(study), file=file)
    roles = role_problems(study.quizzes, study.stages, study.allocation_stage)
    problems += [_own(line, "", file) for line in roles]
    if problems:
        raise ProblemsFound(problems)
    return study


def _between(raw: Mapping[str, Any], error: ValidationError, file: str) -> list[Problem]:
    """Problems between tables, which pydantic only looks for once each table is right in itself.

    Each wrong value is exchanged for one that is right in itself, and the file is read once more.
    """
    fixed = copy.deepcopy(dict(raw))
    for entry in error.errors():
        if not _repair(fixed, entry):
            return []
    try:
        Study.model_validate(fixed)
    except ValidationError as second:
        return [p for entry in second.errors() if entry["type"] == "value_error" for p in _problems(entry, raw, file)]
    return []


def _repair(tables: Any, entry: Any) -> bool:
    """Make one value acceptable in place; False if there is no telling how."""
    *path, last = entry["loc"] or [None]
    here = tables
    try:
        for part in path:
            here = here[part]
        if entry["type"] == "extra_forbidden":
            del here[last]
        else:
            here[last] = _stand_in(entry)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _stand_in(entry: Any) -> Any:
    kind = entry["type"]
    if kind == "literal_error":
        return entry["ctx"]["expected"].split(",")[0].split(" or ")[0].strip("' ")
    if kind.startswith(("int", "float", "greater", "less", "finite", "number")):
        return 1
    if kind.startswith("string"):
        return "x"
    if kind.startswith("bool"):
        return False
    raise KeyError(kind)


def baseline_variables(study: Study) -> set[str]:
    """Return what is known of a participant before allocation.

    Answers, derived scores, warm-up, baseline quizzes, label.
    """
    known = {"label"}
    for stage in study.before_allocation:
        known |= {question.id for question in stage.asked} | {score.id for score in stage.scores}
        if stage.kind == "tasks":
            known |= {"warmup_minutes", "warmup_passed"}
    for quiz in study.quizzes:
        if quiz.role == "baseline":
            known |= {f"{quiz.stage.id}_points", f"{quiz.stage.id}_score"}
    return known


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _problems(entry: Any, raw: Mapping[str, Any], file: str) -> list[Problem]:
    key = _key(entry["loc"], raw)
    kind = entry["type"]
    if kind == "value_error":
        return [_own(line, key, file) for line in str(entry["ctx"]["error"]).splitlines() if line.strip()]
    if kind == "extra_forbidden":
        return [Problem(file, key, "this key is not known", f"remove it or correct its spelling; {DOCS}")]
    if kind == "missing":
        return [Problem(file, key, "this key is missing", "add it")]
    if kind == "literal_error":
        return [Problem(file, key, f"{entry['input']!r} is not one of the choices", f"use {entry['ctx']['expected']}")]
    if kind.startswith("string_pattern"):
        return [Problem(file, key, f"{entry['input']!r} has a form that is not allowed", _pattern(entry))]
    found = repr(entry.get("input"))
    found = found if len(found) <= 60 else found[:57] + "..."
    return [Problem(file, key, f"found {found}", entry["msg"][:1].lower() + entry["msg"][1:])]


def _pattern(entry: Any) -> str:
    pattern = entry["ctx"]["pattern"]
    known = {
        r"^[a-z][a-z0-9_]*$": "use lower-case letters, digits and underscores, beginning with a letter",
        r"^[A-Za-z0-9]+$": "use letters and digits only",
    }
    return known.get(pattern, f"it must match {pattern}")


def _own(line: str, key: str, file: str) -> Problem:
    """Return one of our validators' lines: `key: what; remedy` or `what; remedy`."""
    what, _, remedy = line.partition("; ")
    head, colon, rest = what.partition(": ")
    if colon and " " not in head:
        key, what = (f"{key}.{head}" if key else head), rest
    return Problem(file, key, what, remedy or DOCS)


def _key(location: Sequence[str | int], raw: Any) -> str:
    """`stages.quiz.minutes` rather than `stages.8.minutes`, where the table has an id."""
    parts: list[str] = []
    here = raw
    for part in location:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        named = isinstance(part, int) and isinstance(here, dict) and isinstance(here.get("id"), str)
        parts.append(here["id"] if named and here is not None else str(part + 1 if isinstance(part, int) else part))
    return ".".join(parts)
