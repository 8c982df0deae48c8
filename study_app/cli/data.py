"""`study simulate, export, verify`: data in and out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from study_app.cli.checks.study_checks import draft_spellings
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    DatasetArgument,
    Out,
    Preview,
    Simulated,
    StudyFile,
    app,
    command,
    complain,
    confirm,
    err,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.dataset.writing.files import Format
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.ledger import Anchor

SecondEffectScore = Annotated[
    float,
    typer.Option(
        "--second-effect-score",
        help="Quiz points, each other second treatment minus the first.",
        envvar="STUDY_SECOND_EFFECT_SCORE",
    ),
]
SecondEffectMinutes = Annotated[
    float,
    typer.Option(
        "--second-effect-minutes",
        help="Minutes, each other second treatment minus the first.",
        envvar="STUDY_SECOND_EFFECT_MINUTES",
    ),
]
Overconfidence = Annotated[
    float,
    typer.Option(
        "--overconfidence",
        min=-1,
        max=1,
        help="Mean confidence beside quiz items minus mean share of their points.",
        envvar="STUDY_OVERCONFIDENCE",
    ),
]


@app.command()
@command
def simulate(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    participants: Annotated[int, typer.Option("--participants", min=1, envvar="STUDY_PARTICIPANTS")] = 52,
    seed: Annotated[
        int,
        typer.Option("--seed", help="Seed of behaviour, ids and clock; never of the allocation.", envvar="STUDY_SEED"),
    ] = 1,
    effect_score: Annotated[
        float, typer.Option("--effect-score", help="Quiz points, treated minus control.", envvar="STUDY_EFFECT_SCORE")
    ] = 0.0,
    effect_minutes: Annotated[
        float, typer.Option("--effect-minutes", help="Minutes, treated minus control.", envvar="STUDY_EFFECT_MINUTES")
    ] = 0.0,
    second_effect_score: SecondEffectScore = 0.0,
    second_effect_minutes: SecondEffectMinutes = 0.0,
    noncompliance: Annotated[
        float, typer.Option("--noncompliance", min=0, max=1, help="Share.", envvar="STUDY_NONCOMPLIANCE")
    ] = 0.0,
    dropout: Annotated[float, typer.Option("--dropout", min=0, max=1, help="Share.", envvar="STUDY_DROPOUT")] = 0.0,
    overconfidence: Overconfidence = 0.0,
    browser: Annotated[
        bool, typer.Option("--browser", help="Use a real browser; slow.", envvar="STUDY_BROWSER")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enrol simulated participants through the real services, in a separate ledger."""
    from study_app.simulation import open_for_simulation
    from study_app.simulation import simulate as run

    settings = settings_of(study, database)
    amounts: dict[str, Any] = {
        "effect_score": effect_score, "effect_minutes": effect_minutes, "second_effect_score": second_effect_score,
        "second_effect_minutes": second_effect_minutes, "noncompliance": noncompliance, "dropout": dropout,
        "overconfidence": overconfidence,
    }  # fmt: skip
    if browser:
        _report(_in_browser(settings, amounts, participants, seed), as_json)
        return
    running = open_for_simulation(settings, seed)
    for problem in draft_spellings(running, str(study)):
        err.print(f"warning: {problem}", markup=False, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("Simulated participants", total=participants)
            summary = run(
                running,
                participants=participants,
                seed=seed,
                progress=lambda done: bar.update(task, completed=done),
                **amounts,
            )
    finally:
        running.close()
    _report(summary, as_json)


def _in_browser(settings: Any, amounts: dict[str, Any], participants: int, seed: int) -> Any:
    """Walk people through the pages; they follow none of the amounts."""
    from study_app.simulation.browser import simulate_in_browser
    from study_app.simulation.population.amounts import refuse_amounts

    refuse_amounts({name.replace("_", "-"): amount for name, amount in amounts.items()})
    return simulate_in_browser(settings, participants=participants, seed=seed)


def _report(summary: Any, as_json: bool) -> None:
    """Say what a command did: JSON, or lines for a person."""
    if as_json:
        say_json(summary.to_json())
        return
    for line in summary.lines():
        say(line)


@app.command()
@command
def export(
    out: Out,
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    fmt: Annotated[
        Format,
        typer.Option(
            "--format",
            help="Of the tables; xlsx, sav (SPSS) and dta (Stata) come beside CSV, with labels.",
            envvar="STUDY_FORMAT",
        ),
    ] = "csv",
    identified: Annotated[
        bool, typer.Option("--identified", help="Include panel ids and labels.", envvar="STUDY_IDENTIFIED")
    ] = False,
    include_simulated: Simulated = False,
    include_preview: Preview = False,
    progsnap2: Annotated[
        Path | None,
        typer.Option(
            "--progsnap2", help="Folder for the programs' history in ProgSnap2 format.", envvar="STUDY_PROGSNAP2"
        ),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="For publication: no text of people, times from each entry on, rare answers coarsened.",
            envvar="STUDY_PUBLIC",
        ),
    ] = False,
    k: Annotated[
        int, typer.Option("--k", help="With --public: how many people share an answer at least.", envvar="STUDY_K")
    ] = 5,
    as_json: AsJson = False,
) -> None:
    """Export the dataset in Psych-DS layout; the state of the trial decides what it shows of the arms."""
    from study_app.services.researcher.exporting.datasets import DatasetRequest

    running = start(settings_of(study, database), changed_ok=True, new_database=False)
    request = DatasetRequest(fmt, identified, include_simulated, include_preview, progsnap2, public, k)
    try:
        summary = running.datasets.write(out, request, who="cli", via="command line")
    finally:
        running.close()
    _report(summary, as_json)


@app.command()
@command
def purge(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say whose data are due; erase nothing.", envvar="STUDY_DRY_RUN")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", envvar="STUDY_YES")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase the data of everybody whose `data.keep_months` are over; it cannot be undone.

    Example: study purge --dry-run
    """
    from study_app.services.attending.purging import Purge

    running = start(settings_of(study, database), changed_ok=True, new_database=False)
    try:
        purging = Purge(running.context, running.session.flow)
        found = purging.due()
        if found.people and not dry_run:
            confirm([*found.lines(), "What is erased cannot be brought back."], "Erase?", yes=yes or as_json)
            found = purging.run("cli")
    finally:
        running.close()
    _report(found, as_json)


@app.command()
@command
def verify(
    dataset: DatasetArgument,
    prereg: Annotated[
        Path | None, typer.Option("--prereg", help="Published prereg.json to compare with.", envvar="STUDY_PREREG")
    ] = None,
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor",
            help="A file of anchors (var/ledger.anchors, or of study witness), or INDEX:HASH of a ledger row.",
            envvar="STUDY_ANCHOR",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a dataset: hashes, ledger, event sequences, replay of edits, arm integrity, registration."""
    from study_app.dataset.verification import read_prereg
    from study_app.dataset.verification import verify as check

    published = read_prereg(prereg) if prereg is not None else None
    anchors, heads, second = _anchors(anchor or ())

    if not dataset.exists():
        remedy = "give the folder that study export wrote"
        raise ProblemsFound([Problem(str(dataset), "", "there is no such folder", remedy)])
    try:
        report = check(dataset, prereg=published, anchors=anchors, heads=heads, second=second)
    except UserError as finding:
        # A dataset that cannot even be read is a finding about it.
        complain(str(finding).splitlines())
        raise typer.Exit(1) from None
    _report(report, as_json)
    if not report.ok:
        raise typer.Exit(1)


def _anchors(given: Iterable[str]) -> tuple[list[Anchor], list[str], list[Anchor]]:
    """Rows of the ledger, heads of the chain of records, and rows of the second ledger that were kept elsewhere."""
    from study_app.storage.anchor_file import read_anchors

    rows: list[Anchor] = []
    heads: list[str] = []
    second: list[Anchor] = []
    for text in given:
        if not Path(text).exists():
            rows.append(_anchor(text))
            continue
        for kept in read_anchors(Path(text)):
            rows += [kept.ledger] if kept.ledger else []
            heads += kept.heads
            second += [kept.second] if kept.second else []
    return list(dict.fromkeys(rows)), list(dict.fromkeys(heads)), list(dict.fromkeys(second))


def _anchor(text: str) -> Anchor:
    index, _, row_hash = text.partition(":")
    if not (index.isascii() and index.isdigit()) or not row_hash:
        raise UserError(f"--anchor: '{text}' is neither a file nor INDEX:HASH; give a file of anchors or 52:9f8e...")
    return Anchor(int(index), row_hash.strip())
