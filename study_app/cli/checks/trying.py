"""`study try`: run a program as a participant's, and grade it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    app,
    command,
    say,
    say_json,
    settings_of,
)
from study_app.content.library import FolderLibrary
from study_app.content.requirements import requirements_problems
from study_app.content.study_file import read_study
from study_app.content.task_packs import load_pack
from study_app.domain.errors import Problem, ProblemsFound
from study_app.sandbox import open_sandbox
from study_app.services.grading.authoring import try_program

SHIPPED = Path(__file__).parents[3]


@app.command("try")
@command
def try_(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="Folder of a task pack, or its name.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Python program.")],
    run_only: Annotated[
        bool, typer.Option("--run-only", help="Run the program without grading it.", envvar="STUDY_RUN_ONLY")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", envvar="STUDY_SEED")] = None,
    study: Annotated[
        Path | None,
        typer.Option("--study", help="Study whose packages are used (by default the nearest).", envvar="STUDY_FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a file in the sandbox as a participant's program, and grade it."""
    folder = _pack_folder(pack)
    try:
        code = file.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    except OSError as error:
        raise ProblemsFound([Problem(str(file), "", f"cannot be read ({error.strerror})", "name a file")]) from None
    sandbox = open_sandbox(settings_of(STUDY).runner, folders=_folders_for(folder, study))
    try:
        report = try_program(sandbox, load_pack(folder), code, run_only=run_only, seed=seed)
    finally:
        sandbox.close()
    if as_json:
        say_json(report)
        return
    _show_trial(report)


def _folders_for(pack: Path, study: Path | None) -> tuple[str, ...]:
    """Where the packages are of the study that a pack belongs to: the one named, else the nearest above the pack."""
    here = Path().resolve()
    candidates = [study] if study else [folder / STUDY for folder in (*pack.resolve().parents, here)]
    for candidate in candidates:
        if study is None and not candidate.is_file():
            continue
        library = FolderLibrary(read_study(candidate), candidate.resolve().parent, str(candidate))
        problems = requirements_problems(library.requirements, str(candidate))
        if problems:
            raise ProblemsFound(problems)
        return library.package_folders
    return ()


def _pack_folder(pack: str) -> Path:
    for folder in (Path(pack), Path("tasks") / pack, SHIPPED / "tasks" / pack):
        if (folder / "task.toml").is_file():
            return folder
    remedy = "give the folder that holds task.toml, or the name of a folder under tasks/"
    raise ProblemsFound([Problem(pack, "", "there is no task pack of that name", remedy)])


_VERDICTS = {True: "pass", False: "FAIL", None: "open"}
"""Of a check; the last where the machine was too busy to time it."""


def _show_trial(report: dict[str, Any]) -> None:
    say(report["stdout"].rstrip("\n"))
    if report["stderr"]:
        say(report["stderr"].rstrip("\n"))
    say(f"-- ended by {report['ended_by']} after {report['wall_seconds']:.2f} s, isolation {report['isolation']}")
    for entry in report.get("checks", []):
        kind = "example" if entry["visible"] else "hidden"
        say(f"{_VERDICTS[entry['passed']]}   {kind:8}{entry['name']}   {entry['message']}".rstrip())
    if "checks" in report:
        passed = sum(entry["passed"] is True for entry in report["checks"])
        say(f"{passed} of {len(report['checks'])} checks pass")
