"""`study VERB`: every command is thin; what it does is in the services and the analysis."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from study_app import __version__
from study_app.domain.errors import InfrastructureError, ProblemsFound, StudyError, UserError
from study_app.settings import Settings, read_settings

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Randomised controlled trials of AI-assisted learning."
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file.", envvar="STUDY_FILE")]
Database = Annotated[
    str | None, typer.Option("--database", help="sqlite:///FILE or postgresql://...", envvar="STUDY_DATABASE_URL")
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.", envvar="STUDY_JSON")]
Reason = Annotated[str, typer.Option("--reason", help="Why; recorded in the audit log.", envvar="STUDY_REASON")]
Dataset = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of an exported dataset.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write.", envvar="STUDY_OUT")]
Simulated = Annotated[
    bool, typer.Option("--include-simulated", help="Simulated participants too.", envvar="STUDY_INCLUDE_SIMULATED")
]
Preview = Annotated[
    bool, typer.Option("--include-preview", help="Preview participants too.", envvar="STUDY_INCLUDE_PREVIEW")
]
STUDY = Path("study.toml")


def say(text: str = "") -> None:
    """A line of the report."""
    out.print(text, markup=False)


def say_json(value: Any) -> None:
    """The whole report as JSON."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False, default=str), markup=False)


def complain(lines: Iterable[str]) -> None:
    """One line each, on stderr."""
    for line in lines:
        err.print(f"error: {line}", markup=False)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what a command raises into lines and the contract's exit codes; nobody sees a traceback."""

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
    """Settings for a command."""
    return read_settings(study_file=study, database=database, **more)


def _version(value: bool) -> None:
    if value:
        say(f"study-app {__version__}")
        raise typer.Exit


@app.callback()
def callback(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Run, export, analyse and prove randomised controlled trials of AI-assisted learning."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@app.command()
@command
def serve(
    study: StudyFile = STUDY,
    database: Database = None,
    port: Annotated[int | None, typer.Option(help="Participants.", envvar="STUDY_PORT")] = None,
    console_port: Annotated[int | None, typer.Option(help="Researchers.", envvar="STUDY_CONSOLE_PORT")] = None,
    host: Annotated[str | None, typer.Option(help="Address of both.", envvar="STUDY_HOST")] = None,
    no_console: Annotated[
        bool, typer.Option("--no-console", help="Participants only.", envvar="STUDY_NO_CONSOLE")
    ] = False,
) -> None:
    """Serve participants and, on a port of its own, the researchers' console."""
    from contextlib import nullcontext

    from study_app import serving
    from study_app.bootstrap import start

    settings = settings_of(study, database, port=port, console_port=console_port, host=host)
    serving.check_port(settings.host, settings.port, "--port")
    if not no_console:
        serving.check_port(settings.console_host, settings.console_port, "--console-port")
    running = start(settings)
    try:
        lines = _greeting(running, not no_console)
        with nullcontext() if no_console else serving.console_process(settings):
            serving.serve_participants(running, lambda: [say(line) for line in lines])  # type: ignore[func-returns-value]
    finally:
        running.close()


def _greeting(running: Any, console: bool) -> list[str]:
    settings = running.settings
    isolation = running.world.sandbox.isolation()
    names = {assistant.id for assistant in running.world.assistants.values()}
    with running.world.registry.begin(write=False) as unit:
        state = running.world.state(unit)
    lines = [f"Study        {running.study.title} ({running.study.id}, {state})"]
    lines.append(f"Participants http://{settings.host}:{settings.port}")
    if console:
        lines.append(f"Console      http://{settings.console_host}:{settings.console_port}")
    lines.append(f"Database     {running.world.registry.describe()}")
    lines.append(f"Isolation    {isolation.level}: {isolation.message}")
    told = {"notes": "embedded (set ANTHROPIC_API_KEY for Claude)", "claude": "Claude", "recorded": "recorded"}
    lines.append(f"Assistant    {', '.join(told.get(name, name) for name in sorted(names)) or 'none'}")
    if console:
        from study_app.services.account import Account

        password = Account(settings.var).first_password()
        if password is not None and sys.stdout.isatty():
            lines.append(f"Password     {password}   (of the console; shown this once; change it with study password)")
        elif password is not None:
            lines.append("Password     set one for the console with: study password")
    return lines


def main() -> None:
    """The command `study`."""
    app()


if __name__ == "__main__":
    main()
