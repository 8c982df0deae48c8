"""What every command shares: settings, reports, and that no mistake of a user ends in a traceback."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from study_app import __version__
from study_app.domain.errors import InfrastructureError, NotAllowed, Problem, ProblemsFound, StudyError, UserError
from study_app.settings import Settings, read_settings

if TYPE_CHECKING:
    from study_app.bootstrap import App

app = typer.Typer(
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Randomised controlled trials of AI-assisted learning.",
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file.", envvar="STUDY_FILE")]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="sqlite:///FILE or postgresql://...", envvar="STUDY_DATABASE_URL")
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.", envvar="STUDY_JSON")]
Reason = Annotated[str, typer.Option("--reason", help="Reason, recorded in the audit log.", envvar="STUDY_REASON")]
DatasetArgument = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of an exported dataset.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write.", envvar="STUDY_OUT")]
Simulated = Annotated[
    bool, typer.Option("--include-simulated", help="Include simulated participants.", envvar="STUDY_INCLUDE_SIMULATED")
]
Preview = Annotated[
    bool, typer.Option("--include-preview", help="Include preview participants.", envvar="STUDY_INCLUDE_PREVIEW")
]
STUDY = Path("study.toml")


def say(text: str = "") -> None:
    """Print a line of the report."""
    out.print(text, markup=False)


def say_json(value: Any) -> None:
    """Print the whole report as JSON."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False, default=str), markup=False)


def say_facts(found: Mapping[str, Any], as_json: bool) -> None:
    """Print what a command found or did: as JSON, or as one line for a person."""
    if as_json:
        say_json(found)
    else:
        say("; ".join(f"{key.replace('_', ' ')}: {_in_words(value)}" for key, value in found.items()))


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value)


def complain(lines: Iterable[str]) -> None:
    """One line each, on stderr."""
    for line in lines:
        err.print(f"error: {line}", markup=False)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what a command raises into lines and the contract's exit codes; no mistake of a user ends in a traceback."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except ProblemsFound as found:
            complain(str(problem) for problem in found.problems)
            raise typer.Exit(2) from None
        except UserError as mistake:
            complain(str(mistake).splitlines())
            raise typer.Exit(2) from None
        except InfrastructureError as failure:
            complain(str(failure).splitlines())
            raise typer.Exit(1) from None
        except StudyError as failure:
            complain(str(failure).splitlines())
            raise typer.Exit(2) from None
        except OSError as failure:
            where = f"{failure.filename}: " if failure.filename else ""
            complain([f"{where}{failure.strerror or failure}"])
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return guarded


def settings_of(study: Path, database: str | None = None, **more: Any) -> Settings:
    """Return settings for a command."""
    return read_settings(study_file=study, database=database, **more)


def _version(value: bool) -> None:
    if value:
        say(f"study-app {__version__}")
        raise typer.Exit


@app.callback()
def callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run, export, analyse and prove randomised controlled trials of AI-assisted learning."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # This library sets its own level to DEBUG when it is imported, so the handler has to hold it back.
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: record.levelno >= logging.WARNING)


def start(settings: Settings, **options: Any) -> App:
    """`bootstrap.start`, imported when it is needed: `study --help` shall not wait for a database's library."""
    from study_app.bootstrap import start as begin
    from study_app.claude_codes import code_by_claude

    return begin(settings, code_queries=code_by_claude, **options)


def confirm(lines: list[str], question: str, *, yes: bool) -> None:
    """Show what is about to happen and ask; a script, which has no terminal, has decided already.

    Raises:
        NotAllowed: the answer was no.
    """
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    for line in lines:
        say(line)
    if not typer.confirm(question):
        raise NotAllowed("nothing was changed")


def require_writable_folder(folder: Path, option: str) -> None:
    """Make a folder and try to write there, before a command does what cannot be done again.

    Raises:
        ProblemsFound: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".study-write-probe"):
            pass
    except OSError as error:
        what = f"nothing can be written there ({error.strerror})"
        raise ProblemsFound([Problem(str(folder), "", what, f"choose another folder with {option}")]) from None


def require_writable_file(path: Path, option: str) -> None:
    """Try to write beside a file, before a command does what cannot be done again.

    Raises:
        ProblemsFound: the path is a folder, or nothing can be written there.
    """
    if path.is_dir():
        raise ProblemsFound([Problem(str(path), "", "is a folder", f"name a file with {option}")])
    require_writable_folder(path.parent, option)
