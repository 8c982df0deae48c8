"""`study password`: the console's password."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from study_app.cli.common import STUDY, app, command, say, settings_of
from study_app.domain.errors import UserError


@app.command()
@command
def password(
    role: Annotated[
        str | None,
        typer.Option(
            "--role", help="monitor, grader or full; without it the role stays as it is.", envvar="STUDY_ROLE"
        ),
    ] = None,
) -> None:
    """Set the console's password, entered at a prompt or read from standard input."""
    settings = settings_of(STUDY)
    if sys.stdin.isatty():
        given = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != given:
            raise UserError("the two are not the same; run study password again")
    else:
        given = sys.stdin.readline().rstrip("\n")
    from study_app.secrets.console_accounts import Account

    Account(settings.var).set(given, role=role)  # type: ignore[arg-type]
    say("The console's password is set.")
