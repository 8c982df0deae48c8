"""`study models`: what the provider says of the models, and whether they still answer as they did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from study_app.cli.checks.probing import asked_round
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    err,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.domain.assistants.drift import occasion_due
from study_app.domain.errors import UserError
from study_app.services.operation.models.asking import watched
from study_app.services.operation.models.board import model_board
from study_app.services.operation.models.interviewing import interview_models, transcripts_page
from study_app.services.operation.models.kept import rounds


@app.command("interview-model")
@command
def interview_model(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    treatment: Annotated[
        str,
        typer.Option("--treatment", help="Only this one, by its name in the study file.", envvar="STUDY_TREATMENT"),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Ask each model of the study eight fixed questions about its treatment, and keep the transcript as documentation.

    Ask at the launch and before a model retires. A key is paid for, within the study's cost limit. The export has the
    transcripts in documentation/, as outputs of a model and no testimony, and in no table.

    Example: study interview-model --treatment full
    """
    running = start(settings_of(study, database), changed_ok=True)
    try:
        answering = running.model_watch.assistants()
        made = interview_models(running.context, answering, "cli", treatment, lambda name: err.print(f"{name} ..."))
    finally:
        running.close()
    say_json([asdict(each) for each in made]) if as_json else say(transcripts_page(made).rstrip())


@app.command()
@command
def models(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Put the fixed questions to each treatment now, and compare the replies with those at the launch.",
            envvar="STUDY_ASK",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the provider about each treatment's model, and show days left and every round of fixed questions.

    A running server looks each day of a launched study and asks at launch, weekly and at the close; with --ask a key is
    paid for as there. Exits with 1 where the newest round differs from the launch, or a model retires too early.

    Example: study models --ask --json
    """
    running = start(settings_of(study, database), changed_ok=True)
    try:
        if ask and not watched(running.context):
            raise UserError("stages: no assistant answers on a task; say assistant = true on a stage of tasks")
        running.model_watch.end_left("cli")
        running.model_watch.look("cli")
        if ask:
            with running.context.registry.begin(write=False) as unit:
                known = [(each.occasion, each.began) for each in rounds(unit)]
                due = occasion_due(running.context.state(unit), known, running.context.now())
            asked_round(running, due or "probe")
        with running.context.registry.begin(write=False) as unit:
            board = model_board(running.context, unit)
        ends_on = running.study.recruitment.ends_on
    finally:
        running.close()
    warnings = [line for each in board.looks if (line := each.warning(board.now, ends_on))]
    if as_json:
        say_json(board.to_json() | {"warnings": warnings})
    else:
        for line in [*board.lines(), *(f"warning: {each}" for each in warnings)]:
            say(line)
    last = max((each.number for each in board.rounds if each.ended_at), default=0)
    drifted = any(each.drifts for each in board.compared if each.round == last) or last in board.otherwise
    if warnings or drifted:
        raise typer.Exit(1)
