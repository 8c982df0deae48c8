"""Opens item banks. The public half comes without asking; the keys only through `load_keys` and `check_bank`.

quizzes/<bank>/bank.toml         id, title, points, concepts, tasks, forms with pages
quizzes/<bank>/items/<item>.toml what participants see
quizzes/<bank>/keys/<item>.toml  what is right, never sent
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from study_app.content.content_files import content_named
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.quiz.items import Bank, BankHead, Item, form_problems, item_problems
from study_app.domain.quiz.keys import KEY_TYPES, AnyKey, CodeKey, Keys, key_problems, key_version
from study_app.domain.quiz.scoring import RunProgram, response_from_output, score, verifying_program
from study_app.domain.text_files import decode_text, parse_toml

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class _Reading:
    """What could be read of a bank, and everything wrong with it."""

    head: BankHead | None
    items: dict[str, Item]
    problems: list[Problem]


def load_bank(folder: Path) -> Bank:
    """Read the public half of a bank; key files are not opened.

    Raises:
        ProblemsFound: every problem of bank.toml and the item files.
    """
    reading = _read_public(folder)
    if reading.problems or reading.head is None:
        raise ProblemsFound(sorted(reading.problems))
    return _bank(reading.head, reading.items)


def load_keys(folder: Path, bank: Bank) -> Keys:
    """Read the keys of a bank.

    Raises:
        ProblemsFound: every problem of the key files; an item without a key is one.
    """
    keys, problems = _read_keys(folder, {item.id: item for item in bank.items}, complete=True)
    if problems:
        raise ProblemsFound(sorted(problems))
    versions = {item.id: key_version(item, keys[item.id]) for item in bank.items}
    return Keys(bank.id, keys, versions)


def check_bank(folder: Path, run: RunProgram | None = None) -> list[Problem]:
    """Return every problem of a bank, both halves; with `run` also every keyed output against a real run.

    Args:
        folder: of the bank.
        run: runs a program with the bank's packages and returns its standard output.

    Returns:
        Problems in a fixed order; empty for a sound bank.
    """
    reading = _read_public(folder)
    keys, problems = _read_keys(folder, reading.items, complete=not reading.problems)
    problems += reading.problems
    if run is not None and not problems:
        for item_id, item in reading.items.items():
            problems += _run_problems(item, keys[item_id], str(_key_file(folder, item_id)), run)
    return sorted(problems)


def public_json(bank: Bank) -> str:
    """Return the bank as an export may show it: item texts without keys, as JSON with a final newline."""
    public = bank.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(public, indent=2, ensure_ascii=False) + "\n"


def _bank(head: BankHead, items: dict[str, Item]) -> Bank:
    order = {item_id: place for place, item_id in enumerate(i for form in head.forms for i in form.item_ids)}
    return Bank(**dict(head), items=tuple(sorted(items.values(), key=lambda item: order[item.id])))


def _read_public(folder: Path) -> _Reading:
    bank_file = folder / "bank.toml"
    problems: list[Problem] = []
    head = _read(bank_file, BankHead, problems)
    items: dict[str, Item] = {}
    broken = False
    for path in content_named(folder / "items", "*.toml"):
        item = _read(path, Item, problems)
        if item is None:
            broken = True
            continue
        if item.id != path.stem:
            twice = (path.parent / f"{item.id}.toml").exists()
            what = f"'{item.id}' is there twice" if twice else f"'{item.id}' is not the file's name"
            problems.append(Problem(str(path), "id", what, f'set id = "{path.stem}" or rename the file'))
        items[path.stem] = item
    if head is not None:
        for name, item in items.items():
            problems += item_problems(item, head, str(folder / "items" / f"{name}.toml"), str(bank_file))
        # An item that cannot be read is a finding already; the forms that list it would name it once more, as missing.
        if not broken:
            problems += form_problems(head, items, str(bank_file))
        if head.id != folder.name and folder.name:
            what = f"'{head.id}' is not the folder's name"
            problems.append(Problem(str(bank_file), "id", what, f'set id = "{folder.name}" or rename the folder'))
    return _Reading(head, items, problems)


def _read_keys(folder: Path, items: dict[str, Item], *, complete: bool) -> tuple[dict[str, AnyKey], list[Problem]]:
    """Keys by item id; `complete` says that `items` are all there are, so that a key of no item is one too many."""
    keys: dict[str, AnyKey] = {}
    problems: list[Problem] = []
    for item_id, item in items.items():
        path = _key_file(folder, item_id)
        key = _read(path, KEY_TYPES[item.kind], problems)
        if key is not None:
            keys[item_id] = key
            problems += key_problems(item, key, str(path))
    for path in content_named(folder / "keys", "*.toml") if complete else ():
        if path.stem not in items:
            problems.append(Problem(str(path), "", f"there is no item '{path.stem}'", "delete it or add the item"))
    return keys, problems


def _key_file(folder: Path, item_id: str) -> Path:
    return folder / "keys" / f"{item_id}.toml"


def _read(path: Path, model: type[Model], problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(parse_toml(decode_text(path.read_bytes(), str(path))))
    except FileNotFoundError:
        problems.append(Problem(str(path), "", "is missing", "add it"))
    except OSError as error:
        problems.append(Problem(str(path), "", f"cannot be read ({error.strerror})", "make it a readable file"))
    except ProblemsFound as found:
        problems += found.problems
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(str(path), "", f"is not TOML ({error})", "correct it at that place"))
    except ValidationError as error:
        problems += [_problem(str(path), details, model) for details in error.errors()]
    return None


def _problem(file: str, details: ErrorDetails, model: type[BaseModel]) -> Problem:
    key = ".".join(str(part + 1 if isinstance(part, int) else part) for part in details["loc"])
    if details["type"] == "missing":
        return Problem(file, key, "is missing", "add it")
    if details["type"] == "extra_forbidden":
        known = f"; known here: {', '.join(model.model_fields)}" if len(details["loc"]) == 1 else ""
        return Problem(file, key, "is not a known key", f"remove it or correct its name{known}")
    found = (
        details["input"] if isinstance(details["input"], str | int | float | bool) else type(details["input"]).__name__
    )
    message = details["msg"][0].lower() + details["msg"][1:]
    return Problem(file, key, f"found {_short(found)}", message)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _run_problems(item: Item, key: AnyKey, file: str, run: RunProgram) -> Iterable[Problem]:
    program = verifying_program(item, key)
    if program is not None:
        stdout = run(program)
        if not score(item, key, response_from_output(item, stdout), run).correct:
            what = f"the real run gives {_short(stdout.strip())}, which the key does not score as right"
            yield Problem(file, "run", what, "correct the key or the program")
    if not isinstance(key, CodeKey) or not key.checks:
        return
    solved = score(item, key, key.solution, run)
    if not solved.correct:
        yield Problem(file, "solution", f"does not earn all points ({solved.detail})", "correct it or the checks")
    if item.starter and score(item, key, item.starter, run).points != 0:
        yield Problem(file, "checks", "the unchanged starter earns points", "make the checks ask for the change")
    for number, wrong in enumerate(key.wrong, start=1):
        if score(item, key, wrong, run).correct:
            yield Problem(file, f"wrong.{number}", "earns all points", "make the checks tell it from the solution")
