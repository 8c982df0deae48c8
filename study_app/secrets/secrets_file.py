"""Whether Streamlit's secrets say who may come into the console in a way that is understood.

A file that is not TOML, or a role that there is not, lets no one in, and the sign-in page could not say why.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import decode_text
from study_app.secrets.console_accounts import Role

FILE = Path(".streamlit") / "secrets.toml"


def secrets_files() -> list[Path]:
    """Return the files that Streamlit reads and that are there: in the user's folder, and where the server starts."""
    try:
        places = [Path.home() / FILE, FILE.absolute()]
    except RuntimeError:  # an account without a home, as in some containers
        places = [FILE.absolute()]
    return [path for path in dict.fromkeys(places) if path.is_file()]


def secrets_problems() -> list[Problem]:
    """Return what of those files cannot be used."""
    return [problem for path in secrets_files() for problem in _of_file(path)]


def _of_file(path: Path) -> Iterator[Problem]:
    # Without a word of its content: it holds secrets.
    try:
        found = tomllib.loads(decode_text(path.read_bytes(), str(path)))
    except tomllib.TOMLDecodeError as error:
        what = (
            f"is not TOML ({str(error).rpartition('(')[2].rstrip(')')}), so no identity provider can vouch for anyone"
        )
        yield Problem(str(path), "", what, 'correct it; an address is written in quotes: "anna@example.org" = "full"')
        return
    except ProblemsFound as bytes_of_another_kind:
        yield from bytes_of_another_kind.problems
        return
    except OSError as error:
        yield Problem(str(path), "", f"cannot be read ({error.strerror})", "let this account read it")
        return
    yield from _of_console(str(path), found.get("console", {}))


def _of_console(file: str, console: Any) -> Iterator[Problem]:
    roles = console.get("roles", {}) if isinstance(console, Mapping) else None
    if not isinstance(roles, Mapping):
        yield Problem(file, "console.roles", "is not a table", 'write [console.roles], below it "ADDRESS" = "ROLE"')
        return
    known = ", ".join(get_args(Role))
    for address, role in roles.items():
        if isinstance(role, Mapping):
            what = "is a table: an address without quotes is taken apart at its dots"
            yield Problem(file, f"console.roles.{address}", what, 'write "anna@example.org" = "full"')
        elif role not in get_args(Role):
            yield Problem(file, f"console.roles.{address}", f"{role!r} is not a role", f"use one of: {known}")
    stated = console.get("unstated_addresses", False)
    if not isinstance(stated, bool):
        yield Problem(
            file, "console.unstated_addresses", f"{stated!r} is neither true nor false", "write true or false"
        )
