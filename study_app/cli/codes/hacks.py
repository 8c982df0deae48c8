"""`study code hacks`: programs for people to code blind, out as a sheet and in again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study_app.cli.codes.coding import WHO, Of, Study, code, opened
from study_app.cli.common import STUDY, AsJson, DatabaseOption, command, say, say_facts, say_json
from study_app.private_files import write_private

hacks = typer.Typer(no_args_is_help=True, help="How programs pass what people can see, coded blind by people.")
code.add_typer(hacks, name="hacks")

Coder = Annotated[str, typer.Option("--coder", help="Name of the person who codes.", envvar="STUDY_CODER")]


@hacks.command(name="export")
@command
def export_programs(
    coder: Coder,
    out: Annotated[Path, typer.Option("--out", help="Sheet to write, .csv.", envvar="STUDY_OUT")],
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    as_json: AsJson = False,
) -> None:
    """Write the programs that a person has still to code as a sheet, in the order drawn for them, with an empty class.

    It holds participants' programs: keep it as you keep the database.

    Example: study code hacks export --coder eva --out eva.csv
    """
    from study_app.services.researcher.blind_codes.hack_sheets import HackSheets

    with opened(study, database) as running:
        text, programs = HackSheets(running.context).written(WHO, coder, of)
    write_private(out, text.encode())
    if as_json:
        say_json({"file": str(out), "coder": coder, "programs": programs})
    else:
        say(f"{out}: {programs} programs for {coder}. Fill in the column class, then: study code hacks import {out}")


@hacks.command(name="import")
@command
def import_classes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sheet, filled in, .csv.")],
    coder: Coder,
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    as_json: AsJson = False,
) -> None:
    """Take a person's classes from a sheet; all of them, or none where a row is wrong.

    Example: study code hacks import eva.csv --coder eva
    """
    from study_app.services.researcher.blind_codes.hack_sheets import HackSheets

    with opened(study, database) as running:
        found = HackSheets(running.context).read(WHO, coder, of, file)
    say_facts(found, as_json)
