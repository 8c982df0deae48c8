"""`study interim`: a planned look at the data before the end."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    say,
    say_json,
    settings_of,
    start,
)


@app.command()
@command
def interim(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    look: Annotated[
        int | None,
        typer.Option("--look", min=1, help="Look that is meant; by default the one that is due.", envvar="STUDY_LOOK"),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Rehearse it on simulated participants.", envvar="STUDY_SIMULATED")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the planned interim look that is due: boundary, z, repeated interval and decision, once and recorded.

    Needs the sealing key. Show what it prints to the monitoring committee only: it tells how the arms compare.

    Example: study interim --simulated
    """
    from analysis.pipeline.looks.one_look import take_look

    running = start(settings_of(study, database), new_database=False)
    try:
        due = running.interim.due("simulated" if simulated else "real", look)
        with tempfile.TemporaryDirectory(prefix="study-interim-") as folder:
            dataset = running.interim.dataset(due, Path(folder))
            result = take_look(dataset, look=due.look, n=due.n, target=due.target)
        recorded = running.interim.record(due, result)
    finally:
        running.close()
    if as_json:
        say_json({**recorded, **result})
        return
    for line in lines({**recorded, **result}):
        say(line)


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return a look as lines for a person."""
    from analysis.pipeline.looks.rows import WORDS

    people = "simulated people" if found["kind"] == "simulated" else "people"
    said = [
        f"Look {found['look']}: {found['n']} of {found['target']} {people}, information {found['information']:.3f}",
        f"Boundary |z| {found['boundary']:.4f} (p {found['nominal_p']:.5f}); error spent {found['alpha_spent']:.5f}",
    ]
    for row in found["rows"]:
        contrast = " - ".join(row["contrast"] or ())
        if row["p_value"] is None:
            said.append(f"{row['outcome']} ({contrast}): not estimable")
            continue
        interval = f"[{row['ci_low']:.3g}, {row['ci_high']:.3g}]" if row["ci_low"] is not None else "no interval"
        said.append(
            f"{row['outcome']} ({contrast}): {row['estimate']:.3g} {row['unit']}, repeated interval {interval}, "
            f"z {row['z']:.3f}, {'crossed' if row['crossed'] else 'not crossed'}; sequential p "
            f"{row['sequential_p']:.4f}, adjusted {row['p_adjusted']:.4f}"
        )
    return [*said, f"Decision: {found['decision']} ({WORDS[found['decision']]})", f"Recorded: {found['digest']}"]


__all__ = ["interim"]
