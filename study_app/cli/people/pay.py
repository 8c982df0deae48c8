"""`study pay`: who is paid for what, as a file, and by Prolific's API."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    Reason,
    StudyFile,
    app,
    command,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.dataset.schema.cells import guard
from study_app.domain.errors import NotAllowed
from study_app.private_files import write_private
from study_app.prolific import prolific_of

if TYPE_CHECKING:
    from study_app.services.attending.panel_acts import PanelAct, PanelActs
    from study_app.services.attending.paying import Payment


@app.command()
@command
def pay(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    out: Annotated[Path, typer.Option("--out", help="CSV file of the payments.", envvar="STUDY_OUT")] = Path(
        "payments.csv"
    ),
    approve: Annotated[bool, typer.Option("--approve", help="Approve at Prolific.", envvar="STUDY_APPROVE")] = False,
    bonus: Annotated[bool, typer.Option("--bonus", help="Pay bonuses at Prolific.", envvar="STUDY_BONUS")] = False,
    message: Annotated[str, typer.Option("--message", help="Write this on Prolific.", envvar="STUDY_MESSAGE")] = "",
    group: Annotated[str, typer.Option("--group", help="Add to this Prolific group.", envvar="STUDY_GROUP")] = "",
    status: Annotated[
        list[str] | None,
        typer.Option("--status", help="Whom message and group concern; `completed` by default.", envvar="STUDY_STATUS"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only say what.", envvar="STUDY_YES")] = False,
    settle: Annotated[
        str, typer.Option("--settle", help="Name an act whose answer never came.", envvar="STUDY_SETTLE")
    ] = "",
    done: Annotated[
        bool, typer.Option("--done/--not-done", help="What Prolific shows of it.", envvar="STUDY_DONE")
    ] = True,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Write a file of payments; approve, pay bonuses, write and add to groups on Prolific, each once.

    Prolific is asked only with STUDY_PROLIFIC_TOKEN set, and nothing is done there without --yes.

    Example: study pay --approve --bonus
    """
    from study_app.services.attending.open_acts import OpenActs
    from study_app.services.attending.panel_acts import PanelActs
    from study_app.services.attending.paying import payments

    settings = settings_of(study, database)
    running = start(settings, new_database=False)
    try:
        if not (approve or bonus or message or group or settle):
            with running.context.registry.begin(write=False) as unit:
                found = payments(running.context, unit)
            write_private(out, _table(found).encode())
            _say_payments(found, out, as_json)
            return
        if settle:
            # Without Prolific, too: a database that was put back asks about mailed reminders as well.
            OpenActs(running.context).settle(settle, done=done, reason=reason, who="cli")
            say(f"Settled: {settle}")
            return
        with prolific_of(settings.environment) as panel:
            acts = PanelActs(running.context, panel)
            wanted = [name for name, asked in (("approve", approve), ("bonus", bonus)) if asked]
            _carry_out(acts, wanted, message, group, status or ["completed"], yes=yes, as_json=as_json)
    finally:
        running.close()


def _carry_out(
    acts: PanelActs, wanted: Sequence[str], message: str, group: str, status: list[str], *, yes: bool, as_json: bool
) -> None:
    found: list[PanelAct] = []
    if "approve" in wanted:
        planned = acts.approvals()
        found += acts.approve(planned, "cli") if yes else planned
    if "bonus" in wanted:
        planned = acts.bonuses()
        found += acts.pay(planned, "cli") if yes else planned
    if message:
        planned = acts.messages(message, status)
        found += acts.send(planned, message, "cli") if yes else planned
    if group:
        planned = acts.group(group, status)
        found += acts.add(planned, group, "cli") if yes else planned
    _report(found, acts.uncertain(), yes=yes, as_json=as_json)
    failed = [one for one in found if one.state in ("refused", "uncertain")]
    if failed:
        raise NotAllowed(f"{len(failed)} act(s) were not done or may not be: {failed[0].note}")


def _table(found: Sequence[Payment]) -> str:
    from study_app.services.attending.paying import COLUMNS

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS)
    table.writerows([guard(cell) for cell in each.cells()] for each in found)
    return text.getvalue()


def _say_payments(found: Sequence[Payment], out: Path, as_json: bool) -> None:
    if as_json:
        say_json([asdict(each) for each in found])
        return
    total = sum(each.bonus or 0.0 for each in found)
    waiting = sum(each.bonus is None for each in found)
    say(f"{len(found)} payment(s), bonuses of {total:.2f} in all, written to {out}")
    if waiting:
        say(f"{waiting} of them wait until answers and programs are scored")


def _report(found: Sequence[PanelAct], uncertain: Sequence[str], *, yes: bool, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [asdict(one) for one in found]
        say_json({"dry_run": not yes, "acts": rows, "uncertain": list(uncertain)})
        return
    for one in found:
        amount = f" {one.amount:.2f}" if one.amount is not None else ""
        say(f"{one.state:10} {one.act:8} {one.prolific_pid} session '{one.session}'{amount} {one.note}".rstrip())
    total = sum(one.amount or 0.0 for one in found)
    say(f"{len(found)} act(s), {total:.2f} in all" + ("" if yes else "; nothing was done: repeat with --yes"))
    for name in uncertain:
        say(f"open: {name}: was it done? Look at Prolific, then study pay --settle {name} --done or --not-done")
