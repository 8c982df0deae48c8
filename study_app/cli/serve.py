"""`study serve`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from study_app.cli.checks.study_checks import draft_spellings, start_serving
from study_app.cli.common import STUDY, DatabaseOption, StudyFile, app, command, say, settings_of
from study_app.notifications import AlertSender
from study_app.secrets.secrets_file import secrets_problems
from study_app.services.operation.package_watch import note_changed_packages


@app.command()
@command
def serve(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    port: Annotated[int | None, typer.Option(help="Participants.", envvar="STUDY_PORT")] = None,
    console_port: Annotated[int | None, typer.Option(help="Researchers.", envvar="STUDY_CONSOLE_PORT")] = None,
    host: Annotated[str | None, typer.Option(help="Address of the participants' app.", envvar="STUDY_HOST")] = None,
    console_host: Annotated[
        str | None,
        typer.Option(help="Address of the console; loopback unless given.", envvar="STUDY_CONSOLE_HOST"),
    ] = None,
    no_console: Annotated[
        bool, typer.Option("--no-console", help="Do not start the console.", envvar="STUDY_NO_CONSOLE")
    ] = False,
    author: Annotated[
        bool,
        typer.Option(
            "--author",
            help="Follow the study's files while you write them; previews only, in a database apart.",
            envvar="STUDY_AUTHOR",
        ),
    ] = False,
) -> None:
    """Serve the participants' app and, on another port, the researchers' console.

    Example: study serve --author
    """
    from study_app.bootstrap import follow_files
    from study_app.web import serving
    from study_app.web.operating import heap
    from study_app.web.operating.logs import FORMAT, begin_logging

    heap.keep_few_arenas()
    settings = settings_of(study, database, port=port, console_port=console_port, host=host, console_host=console_host)
    serving.check_port(settings.host, settings.port, "--port")
    if not no_console:
        serving.check_apart(settings)
        serving.check_port(settings.console_host, settings.console_port, "--console-port")
    if author:
        settings = serving.author_settings(settings)
    console = nullcontext(_no_console) if no_console else serving.console_process(settings, author=author)
    with console as begin_console:
        running = start_serving(settings, str(study))
        try:
            begin_logging(settings.environment.get(FORMAT, ""), _counting(running))
            if author:
                follow_files(running)
            warnings = [*running.anchoring.check(), *note_changed_packages(running.context)]
            warnings += map(str, AlertSender(settings.environment, running.study.alerts).problems())
            warnings += map(str, () if no_console else secrets_problems())
            warnings += map(str, draft_spellings(running, str(study)))
            lines = [*_greeting(running, not no_console), *(f"Warning      {problem}" for problem in warnings)]
            begin_console()
            serving.serve_participants(running, lambda: say("\n".join(lines)))
        finally:
            running.close()


def _greeting(running: Any, console: bool) -> list[str]:
    settings = running.settings
    isolation = running.context.sandbox.isolation()
    names = {assistant.id for assistant in running.context.assistants.values()}
    with running.context.registry.begin(write=False) as unit:
        state = running.context.state(unit)
    lines = [f"Study        {running.study.title} ({running.study.id}, {state})"]
    lines.append(f"Participants http://{settings.host}:{settings.port}")
    if console:
        lines.append(f"Console      http://{settings.console_host}:{settings.console_port}")
    lines.append(f"Database     {running.context.registry.describe()}")
    if running.author is not None:
        lines.append("Author       follows the study's files; previews only, made anew at each start")
    lines.append(f"Isolation    {isolation.level}: {isolation.message}")
    labels = {"notes": "embedded (set ANTHROPIC_API_KEY for Claude)", "claude": "Claude", "recorded": "recorded"}
    lines.append(f"Assistant    {', '.join(labels.get(name, name) for name in sorted(names)) or 'none'}")
    if console:
        from study_app.secrets.console_accounts import Account

        password = Account(settings.var).first_password()
        if password is not None and sys.stdout.isatty():
            lines.append(f"Password     {password}   (of the console; shown this once; change it with study password)")
        elif password is not None:
            lines.append("Password     set one for the console with: study password")
    return lines


def _counting(running: Any) -> Callable[[str], None]:
    return lambda part: running.metrics.count("study_errors_total", part=part)


def _no_console() -> None:
    """Begin nothing: there is no console to wait for."""
