"""`study VERB`: every command is thin; what it does is in the services and the analysis.

The only package that may import both study_app and analysis.
"""

from __future__ import annotations

import sys

import typer

from study_app.cli import (
    analysing,
    authoring,
    data,
    life,
    looking,
    planning,
    serve,
    translating,
    witness,
)
from study_app.cli.checks import check, doctor, models, probing, trying
from study_app.cli.codes import coding, hacks, tones
from study_app.cli.common import app, complain
from study_app.cli.operating import archive, backup, password, recording
from study_app.cli.people import links, pay, recruit, remind
from study_app.private_files import be_private

__all__ = [
    "analysing", "app", "archive", "authoring", "backup", "check", "coding", "data", "doctor", "hacks", "life",
    "links", "looking", "main", "models", "password", "pay", "planning", "probing", "recording", "recruit", "remind",
    "serve", "tones", "translating", "trying", "witness",
]  # fmt: skip

_KINDS: tuple[type, ...] = typer.BadParameter.__mro__
_CommandLineError: type[Exception] = next(kind for kind in _KINDS if kind.__name__ == "ClickException")


def main() -> None:
    """Run the command `study`: a wrong argument is one line, too."""
    be_private()
    try:
        code = app(standalone_mode=False)
    except _CommandLineError as mistake:
        context = getattr(mistake, "ctx", None)
        where = context.command_path if context is not None else "study"
        message = " ".join(mistake.format_message().split()) or "the verb is missing"  # type: ignore[attr-defined]
        complain([f"{message}; see {where} --help"])
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
