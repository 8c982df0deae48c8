"""`study power` and `study rehearse`: what the registered plan would find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from study_app.cli.checks.assumed import refuse_unused, spreads
from study_app.cli.checks.judging import require_plannable
from study_app.cli.common import STUDY, AsJson, StudyFile, app, command, err, say, say_json
from study_app.content.study_file import read_study
from study_app.domain.study.rehearsal.section import RehearsalLevel, Scenario
from study_app.domain.study.study import Study


def _assumed(name: str, what: str, kind: Any = float) -> Any:
    """Return an option whose default stands in `Assumptions`."""
    option = typer.Option(f"--{name}", help=what, envvar=f"STUDY_{name.upper().replace('-', '_')}")
    return Annotated[kind | None, option]


Sizes = Annotated[
    list[int] | None,
    typer.Option("--n", min=4, help="Participants allocated in total; may be repeated.", envvar="STUDY_N"),
]
Effects = Annotated[
    list[float] | None,
    typer.Option(
        "--effect",
        help="Each other arm minus control in standard deviations, before any cap or bound; may be repeated.",
        envvar="STUDY_EFFECT",
    ),
]
Spreads = Annotated[
    list[str] | None,
    typer.Option(
        "--sd",
        metavar="OUTCOME=SD",
        help="Standard deviation of a primary outcome in its unit, such as score=12; may be repeated.",
        envvar="STUDY_SD",
    ),
]
Sims = Annotated[
    int, typer.Option("--sims", min=10, max=100_000, help="Number of simulated trials.", envvar="STUDY_SIMS")
]
Workers = Annotated[
    str,
    typer.Option(
        "--workers", help="Number of processes, or tls://ADDRESS of a Dask scheduler.", envvar="STUDY_WORKERS"
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Of the simulation.", envvar="STUDY_SEED")]
FigureFile = Annotated[
    Path | None,
    typer.Option("--figure", help="Draw power over n into this svg, png or pdf file.", envvar="STUDY_FIGURE"),
]


@app.command()
@command
def power(
    study: StudyFile = STUDY,
    n: Sizes = None,
    effect: Effects = None,
    sims: Sims = 500,
    r2: _assumed("r2", "Share of the variance that the covariates explain.") = None,  # type: ignore[valid-type]
    dropout: _assumed("dropout", "Share of either arm that leaves after allocation.") = None,  # type: ignore[valid-type]
    incomplete: _assumed("incomplete", "Share of the control arm beyond the cap of a time.") = None,  # type: ignore[valid-type]
    share: _assumed("share", "Share of the control arm with a binary outcome.") = None,  # type: ignore[valid-type]
    correlation: _assumed("correlation", "Between two outcomes of a person.") = None,  # type: ignore[valid-type]
    icc: _assumed("icc", "Share of the variance between clusters.") = None,  # type: ignore[valid-type]
    cluster_size: _assumed("cluster-size", "People in a cluster.", int) = None,  # type: ignore[valid-type]
    periods: _assumed("periods", "Correlation between two periods of a person.") = None,  # type: ignore[valid-type]
    responders: _assumed("responders", "Share that responds, before a second decision.") = None,  # type: ignore[valid-type]
    second_effect: _assumed("second-effect", "Each other second treatment minus the first.") = None,  # type: ignore[valid-type]
    sd: Spreads = None,
    seed: Seed = 1,
    workers: Workers = "2",
    figure: FigureFile = None,
    as_json: AsJson = False,
) -> None:
    """Simulate the registered plan's primary rows, with formulas beside and the allocation scheme's properties.

    Example: study power --n 52 --n 80 --n 120 --effect 0.5 --r2 0.3 --dropout 0.1 --figure power.svg
    """
    from analysis.pipeline.power.assumptions import Assumptions
    from analysis.pipeline.power.trial_power import trial_power

    trial = read_study(study)
    require_plannable(trial, study)
    given = {"r2": r2, "dropout": dropout, "incomplete": incomplete, "share": share}
    given |= {"correlation": correlation, "icc": icc, "cluster_size": cluster_size, "periods": periods}
    given |= {"responders": responders, "second_effect": second_effect}
    refuse_unused(trial, given)
    given |= {"sd": spreads(sd or ())}
    assumed = Assumptions(**{name: value for name, value in given.items() if value is not None})
    with _counting("simulated trials", hidden=as_json) as progress:
        table = trial_power(
            trial, sizes=n, effects=effect, sims=sims, workers=workers, seed=seed, given=assumed, progress=progress
        )
    if figure is not None:
        _draw(table, figure, trial)
    if as_json:
        say_json(table)
        return
    _say(table, figure)


def _draw(table: Mapping[str, Any], figure: Path, trial: Study) -> None:
    from analysis.report.power_curve import write_power_curve

    titles = {outcome.id: outcome.title for outcome in trial.analysis.outcomes}
    write_power_curve(table, figure, titles, {arm.id: arm.label or arm.id for arm in trial.arms})


@contextmanager
def _counting(what: str, *, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    """Provide a progress bar on stderr, to be called with done and total."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(table: Mapping[str, Any], figure: Path | None) -> None:
    """Print the table for a person: each row with its formulas, and what all of it rests on."""
    from analysis.pipeline.power.assumptions import as_text

    tests = "test" if table["family"] == 1 else "tests"
    say(f"Rule: {table['multiplicity']} over {table['family']} primary {tests} at {table['alpha']:g}")
    say(f"Assumed: {as_text(table['assumptions'])}")
    for entry in table["power"]:
        say()
        say(f"n = {entry['n']}, effect d = {entry['effect']:g}, {entry['sims']} simulated trials")
        _say_rows(entry["rows"])
        if looks := entry.get("looks"):
            said = ", ".join(
                f"{share:.3f} at {size}" for share, size in zip(looks["stopped"], looks["sizes"], strict=True)
            )
            say(f"  stopped: {said}; expected people {looks['expected_n']:.1f} +- {looks['mc_error']:.1f}")
        for name, words in (("any", "at least one of them"), ("all", "all of them")):
            say(f"  {words}: {_power(entry[name]['power'], entry[name]['mc_error'])}")
        if secondary := entry.get("secondary"):
            say(f"  Secondary, each at {table['alpha']:g} without adjustment:")
            _say_rows(secondary)
    say()
    say(f"{'scheme':24} {'mean |difference|':>18} {'largest 95 %':>13} {'guessed right':>14}")
    for row in table["schemes"]:
        say(
            f"{row['method']:24} {row['mean_imbalance']:>18.2f} {row['imbalance_95']:>13.0f} "
            f"{row['predictability']:>14.3f}" + ("  <- chosen" if row["chosen"] else "")
        )
    if figure is not None:
        say(f"{figure}")


def _say_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the power of each row, with its formulas below."""
    for row in rows:
        true = f", true d = {row['difference']:g}" if "difference" in row else ""
        contrast = " - ".join(row["contrast"]) + _within(row)
        say(f"  {row['outcome']} ({contrast}), {row['sides']}{true}: {_power(row['simulated'], row['mc_error'])}")
        for formula in row["formulas"]:
            people = " + ".join(f"{count:g}" for count in formula["n"].values())
            say(f"    {formula['power']:.3f}  {formula['formula']}, {people} people, alpha {formula['alpha']:g}")
        if row["not_estimable"]:
            say(f"    not estimable in {row['not_estimable']} trials, which count as not rejected")


def _within(row: Mapping[str, Any]) -> str:
    """Say in which arm second treatments are compared; empty for all arms together and for other rows."""
    from analysis.pipeline.regimes.rows import arm_of_row

    arm = arm_of_row(str(row["id"]))
    return f" in {arm}" if arm else ""


RehearsedLevel = Annotated[
    RehearsalLevel,
    typer.Option(
        "--level",
        help="outcomes: each person's outcomes are drawn; services: everybody lives through the real services.",
        envvar="STUDY_LEVEL",
    ),
]
Trials = Annotated[
    int, typer.Option("--trials", min=1, max=100_000, help="Trials of each scenario.", envvar="STUDY_TRIALS")
]
People = Annotated[
    int | None,
    typer.Option("--participants", min=4, help="People who enter each trial.", envvar="STUDY_PARTICIPANTS"),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", help="A scenario of the study file; may be repeated.", envvar="STUDY_SCENARIO"),
]
Points = Annotated[
    float | None,
    typer.Option("--effect-score", help="Quiz points, each other arm minus control.", envvar="STUDY_EFFECT_SCORE"),
]
Minutes = Annotated[
    float | None,
    typer.Option("--effect-minutes", help="Minutes, each other arm minus control.", envvar="STUDY_EFFECT_MINUTES"),
]
SecondPoints = Annotated[
    float | None,
    typer.Option(
        "--second-effect-score",
        help="Quiz points, each other second treatment minus the first.",
        envvar="STUDY_SECOND_EFFECT_SCORE",
    ),
]
SecondMinutes = Annotated[
    float | None,
    typer.Option(
        "--second-effect-minutes",
        help="Minutes, each other second treatment minus the first.",
        envvar="STUDY_SECOND_EFFECT_MINUTES",
    ),
]
Noncompliance = Annotated[
    float | None, typer.Option("--noncompliance", min=0, max=1, help="Share.", envvar="STUDY_NONCOMPLIANCE")
]
Dropout = Annotated[float | None, typer.Option("--dropout", min=0, max=1, help="Share.", envvar="STUDY_DROPOUT")]
TrialsFile = Annotated[
    Path | None,
    typer.Option("--out", help="Finished trials, one JSON object a line; taken up again.", envvar="STUDY_OUT"),
]


@app.command()
@command
def rehearse(
    study: StudyFile = STUDY,
    trials: Trials = 200,
    level: RehearsedLevel = "outcomes",
    participants: People = None,
    scenario: Scenarios = None,
    effect_score: Points = None,
    effect_minutes: Minutes = None,
    second_effect_score: SecondPoints = None,
    second_effect_minutes: SecondMinutes = None,
    noncompliance: Noncompliance = None,
    dropout: Dropout = None,
    seed: Seed = 1,
    workers: Workers = "2",
    out: TrialsFile = None,
    as_json: AsJson = False,
) -> None:
    """Play whole simulated trials of the planned design: power, type I error, coverage, costs and time.

    Example: study rehearse --trials 1000 --effect-score -4 --dropout 0.1 --out rehearsal.jsonl
    """
    from study_app.rehearsal import rehearse as play
    from study_app.rehearsal.wording import rehearsal_lines

    require_plannable(read_study(study), study)
    given = {
        "effect_score": effect_score, "effect_minutes": effect_minutes,
        "second_effect_score": second_effect_score, "second_effect_minutes": second_effect_minutes,
        "noncompliance": noncompliance, "dropout": dropout,
    }  # fmt: skip
    said = {name: value for name, value in given.items() if value is not None}
    extra = Scenario(id="given", **said) if said else None
    with _counting("rehearsed trials", hidden=as_json) as progress:
        table = play(
            study, trials=trials, level=level, participants=participants, scenarios=scenario or (), extra=extra,
            seed=seed, workers=workers, out=out, progress=progress,
        )  # fmt: skip
    if as_json:
        say_json(table)
        return
    for line in rehearsal_lines(table):
        say(line)


def _power(value: float, error: float) -> str:
    return f"{value:.3f} +- {error:.3f}"


__all__ = ["STUDY", "power", "rehearse"]
