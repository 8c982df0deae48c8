"""Opens task packs: a folder with task.toml, brief.md, starter.py, solution.py, checks.py, reference.md and notes/."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study_app.content.content_files import content_named
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.tasks.checks import Case, Check
from study_app.domain.tasks.packs import PackSettings, TaskPack
from study_app.domain.text_files import decode_text, parse_toml

_TEXTS = ("brief.md", "starter.py", "solution.py", "reference.md")
_HACK = "hack.py"
_KNOWN = {*_TEXTS, _HACK, "task.toml", "checks.py", "notes", "wrong", "__pycache__"}


def load_pack(folder: Path) -> TaskPack:
    """Read a task pack whole.

    A variant has its twin's starter, solution and reference notes where it brings no such file, and may build on the
    twin's checks, which its `checks.py` finds under the name TWIN.

    Args:
        folder: the pack's folder, as the user named it.

    Raises:
        ProblemsFound: every problem of the pack's files at once.
    """
    if not folder.is_dir():
        raise ProblemsFound([Problem(str(folder), "", "there is no such task pack", "name a folder with a task.toml")])
    problems: list[Problem] = []
    settings = _settings(folder, problems)
    twin = _twin(folder, settings, problems)
    texts = _texts_of(folder, twin, problems)
    checks = _checks(folder, problems, twin)
    hack = _hack(folder, settings, problems)
    wrong = {path.stem: _file_text(path, problems) for path in content_named(folder / "wrong", "*.py")}
    problems += _strangers(folder)
    if problems or settings is None:
        raise ProblemsFound(problems)
    return TaskPack(
        settings=settings,
        folder=str(folder),
        brief=texts["brief.md"],
        starter=texts["starter.py"],
        solution=texts["solution.py"],
        reference=texts["reference.md"],
        checks=checks,
        wrong=wrong,
        hack=hack,
        twin=twin,
    )


def _twin(folder: Path, settings: PackSettings | None, problems: list[Problem]) -> TaskPack | None:
    """Return the pack that a variant is one of; None of any other pack, and where it cannot be read."""
    if settings is None or settings.variant is None:
        return None
    file, key, of = str(folder / "task.toml"), "variant.of", settings.variant.of
    there = folder.parent / of
    if of == settings.id or not there.is_dir():
        what = f"names {of!r}, but there is no such pack in the same folder"
        problems.append(Problem(file, key, what, "name the task that can be done, and keep both in one folder"))
        return None
    try:
        if _is_variant(there):
            what = f"names {of!r}, which is a variant, too"
            problems.append(Problem(file, key, what, "name the task that can be done"))
            return None
        return load_pack(there)
    except ProblemsFound as found:
        # A study names the twin as well, so each of its problems would be said twice.
        what = f"names {of!r}, which cannot be read ({found.problems[0]})"
        problems.append(Problem(file, key, what, "correct that pack first"))
        return None


def _is_variant(folder: Path) -> bool:
    settings = _settings(folder, [])
    return settings is not None and settings.variant is not None


def _texts_of(folder: Path, twin: TaskPack | None, problems: list[Problem]) -> dict[str, str]:
    """Return the pack's texts; of a variant, those of its twin where it has none."""
    inherited = {} if twin is None else {"starter.py": twin.starter, "solution.py": twin.solution}
    inherited |= {} if twin is None else {"reference.md": twin.reference}
    return {
        name: inherited[name]
        if name in inherited and not (folder / name).exists()
        else _file_text(folder / name, problems)
        for name in _TEXTS
    }


def _hack(folder: Path, settings: PackSettings | None, problems: list[Problem]) -> str:
    path = folder / _HACK
    if settings is None or settings.variant is None:
        if path.exists():
            what = "belongs to a variant, and task.toml has no [variant]"
            problems.append(Problem(str(path), "", what, "remove it, or add [variant] of and kind"))
        return ""
    return _file_text(path, problems)


def _file_text(path: Path, problems: list[Problem]) -> str:
    try:
        text = decode_text(path.read_bytes(), str(path))
    except FileNotFoundError:
        problems.append(
            Problem(str(path), "", "the file is missing", "write it; docs/how-to/task_packs.md says what it holds")
        )
        return ""
    except OSError as error:
        problems.append(Problem(str(path), "", f"cannot be read ({error.strerror})", "make it a readable file"))
        return ""
    except ProblemsFound as found:
        problems += found.problems
        return ""
    if not text.strip():
        problems.append(
            Problem(str(path), "", "the file is empty", "write it; docs/how-to/task_packs.md says what it holds")
        )
    return text


def _settings(folder: Path, problems: list[Problem]) -> PackSettings | None:
    path = folder / "task.toml"
    text = _file_text(path, problems)
    if not text.strip():
        return None
    try:
        settings = PackSettings.model_validate(parse_toml(text))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(str(path), "", f"is not TOML ({error})", "correct the line that it names"))
        return None
    except ValidationError as error:
        problems += [_problem(path, detail) for detail in error.errors()]
        return None
    problems += _contradictions(path, folder, settings)
    return settings


def _problem(path: Path, detail: Any) -> Problem:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = ", ".join(PackSettings.model_fields)
        return Problem(str(path), key, "is not a known key", f"remove it or use one of {known}")
    if detail["type"] == "missing":
        return Problem(str(path), key, "is missing", "add it")
    return Problem(str(path), key, f"{detail['msg'].lower()} (found {detail['input']!r})", "change the value")


def _contradictions(path: Path, folder: Path, settings: PackSettings) -> list[Problem]:
    found = []
    if settings.id != folder.resolve().name:
        found.append(
            Problem(str(path), "id", f"is {settings.id!r} in the folder {folder.name!r}", "use one name for both")
        )
    if settings.runner == "trio" and "trio" not in settings.packages:
        found.append(Problem(str(path), "packages", "lacks trio, which the runner needs", 'add "trio"'))
    if settings.clock == "virtual" and settings.runner != "trio":
        found.append(
            Problem(
                str(path), "clock", "is virtual without Trio as the runner", 'set runner = "trio" or clock = "real"'
            )
        )
    return found


def _checks(folder: Path, problems: list[Problem], twin: TaskPack | None = None) -> tuple[Check, ...]:
    path = folder / "checks.py"
    text = _file_text(path, problems)
    if not text.strip():
        return ()
    names: dict[str, Any] = {"__name__": f"checks of {folder.name}", "__file__": str(path)}
    if twin is not None:
        names["TWIN"] = twin.checks
    try:
        exec(compile(text, str(path), "exec"), names)
    except (Exception, SystemExit) as error:
        # A file of checks that leaves must not take the command with it that reads it.
        line = getattr(error, "lineno", None) or _line_of(error, str(path))
        problems.append(Problem(str(path), f"line {line}", f"{type(error).__name__}: {error}", "correct the check"))
        return ()
    checks = names.get("CHECKS")
    if not isinstance(checks, list | tuple) or not all(isinstance(check, Check) for check in checks):
        problems.append(Problem(str(path), "CHECKS", "is not a list of Check", "define CHECKS = [Check(...), ...]"))
        return ()
    problems += [Problem(str(path), key, what, remedy) for key, what, remedy in _faults(checks)]
    return tuple(checks)


def _line_of(error: BaseException, file: str) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == file else line
        trace = trace.tb_next
    return line


def _faults(checks: Iterable[Check]) -> list[tuple[str, str, str]]:
    checks = list(checks)
    found = []
    names = [check.name for check in checks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(("CHECKS", f"two checks are called {name!r}", "give each a different name"))
    if not any(check.visible for check in checks):
        found.append(("CHECKS", "no check is visible", "show participants at least one example"))
    if all(check.visible for check in checks):
        found.append(("CHECKS", "no check is hidden", "hide at least one, drawn from a generator"))
    found += [fault for check in checks for fault in _faults_of(check)]
    return found


def _faults_of(check: Check) -> list[tuple[str, str, str]]:
    key = f"CHECKS: {check.name}"
    if (check.case is None) == (check.source is None):
        return [(key, "has not exactly one of case and source", "give it a call, or a look at the source")]
    try:
        one, again = check.drawn(1), check.drawn(1)
    except (Exception, SystemExit) as error:
        return [(key, f"its draw fails ({type(error).__name__}: {error})", "correct the function")]
    if check.source is None and not isinstance(one, Case):
        return [(key, "its draw gives no Case", "return call(...)")]
    if one != again:
        return [(key, "its draw gives two cases for one seed", "draw from the generator it is given, nothing else")]
    return []


def _strange(name: str) -> bool:
    """Return whether a name is none of a pack's, whose notes may be there in several languages."""
    return name not in _KNOWN and not name.startswith((".", "notes."))


def _strangers(folder: Path) -> list[Problem]:
    extra = sorted(entry.name for entry in folder.iterdir() if _strange(entry.name))
    return [
        Problem(str(folder / name), "", "is not part of a task pack", "remove it or correct its name") for name in extra
    ]
