"""Settings from the environment and the command line; secrets never show in their text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from study_app.domain.errors import Problem, ProblemsFound

DEFAULT_DATABASE = "sqlite:///var/study.db"


@dataclass(frozen=True)
class Settings:
    """How one process runs a study."""

    study_file: Path = Path("study.toml")
    database: str = DEFAULT_DATABASE
    var: Path = Path("var")
    """Where keys, the console password's hash and logs live."""
    host: str = "127.0.0.1"
    port: int = 8501
    console_host: str = "127.0.0.1"
    console_port: int = 8502
    runner: str = "local"
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)


def read_settings(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Return settings from `STUDY_...` variables, overridden by what was given on the command line.

    Raises:
        ProblemsFound: a variable holds what cannot be used.
    """
    environment = dict(os.environ if environment is None else environment)
    values: dict[str, object] = {"environment": environment}
    names = {"STUDY_FILE": "study_file", "STUDY_DATABASE_URL": "database", "STUDY_VAR": "var", "STUDY_HOST": "host"}
    names |= {"STUDY_PORT": "port", "STUDY_CONSOLE_HOST": "console_host", "STUDY_CONSOLE_PORT": "console_port"}
    names |= {"STUDY_RUNNER": "runner"}
    problems = []
    for variable, name in names.items():
        text = environment.get(variable, "").strip()
        if text:
            values[name] = text
    values |= {name: value for name, value in given.items() if value is not None}
    for name in ("port", "console_port"):
        if name in values and not _is_port(values[name]):
            problems.append(Problem(name, "", f"{values[name]!r} is not a port", "give a number from 1 to 65535"))
    if problems:
        raise ProblemsFound(problems)
    for name in ("port", "console_port"):
        if name in values:
            values[name] = int(str(values[name]))
    for name in ("study_file", "var"):
        if name in values:
            values[name] = Path(str(values[name]))
    return Settings(**values)  # type: ignore[arg-type]


def _is_port(value: object) -> bool:
    return str(value).isdigit() and 1 <= int(str(value)) <= 65535
