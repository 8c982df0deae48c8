"""`study new, schema, setup`: what a study's author does before the first check."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated

import typer
from packaging.utils import canonicalize_name

from study_app.cli.common import STUDY, AsJson, StudyFile, app, command, err, say, say_json
from study_app.content import schemas
from study_app.content.library import FolderLibrary
from study_app.content.requirements import FOLDER, Requirements, pinned, requirements_of, set_up
from study_app.content.scaffold.files import write
from study_app.content.scaffold.lessons import DEFAULT_LIBRARY
from study_app.content.scaffold.new_study import HELP, Design, NewStudy, languages
from study_app.content.study_file import read_study
from study_app.domain.errors import InfrastructureError, UserError, present
from study_app.sandbox.packages import installation


@app.command()
@command
def setup(
    study: StudyFile = STUDY,
    pin: Annotated[
        bool,
        typer.Option("--pin", help="Write the installed versions into the requirements file.", envvar="STUDY_PIN"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install the packages that the study brings, into a folder next to it that no upgrade of study-app touches.

    Example: study setup my_trial/study.toml
    """
    requirements = _installed(study, pin=pin)
    if as_json:
        found = {"folder": str(requirements.folder), "versions": requirements.versions()}
        say_json(found | {"unpinned": requirements.unpinned})
        return
    say(_packages(requirements))
    for line in requirements.unpinned:
        say(f"warning: {requirements.file}: '{line}' leaves the version open; name it by ==, or run study setup --pin")


def _installed(study: Path, *, pin: bool) -> Requirements:
    """Install what a study requires; with `pin` write the installed versions into its file.

    Raises:
        UserError: the study requires nothing.
        InfrastructureError: it cannot be installed.
    """
    library = FolderLibrary(read_study(study), study.resolve().parent, str(study))
    requirements = library.requirements
    if requirements is None:
        raise UserError(f'{study}: requirements: the study names none; add requirements = "requirements.txt"')
    if not requirements.installed:
        err.print(f"Installing {requirements.file} ...", markup=False)
    set_up(requirements)
    if pin and requirements.unpinned:
        requirements.file.write_text(pinned(requirements), encoding="utf-8")
        # The file's text is part of the folder's name.
        pinned_library = FolderLibrary(library.study, library.root, library.file)
        requirements = present(pinned_library.requirements, f"{study}: requirements")
        set_up(requirements)
    return requirements


def _packages(requirements: Requirements) -> str:
    return f"{requirements.folder}: {', '.join(f'{name} {number}' for name, number in requirements.versions().items())}"


@app.command()
@command
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the study, and of the folder that is made.")],
    arms: Annotated[
        int, typer.Option("--arms", help="Arms: one without an assistant, the others with one.", envvar="STUDY_ARMS")
    ] = 2,
    library: Annotated[
        str,
        typer.Option(
            "--library", help="What is taught, as pip names it: networkx, numpy==2.4.", envvar="STUDY_LIBRARY"
        ),
    ] = DEFAULT_LIBRARY,
    language: Annotated[
        str, typer.Option("--language", help="Of what participants read.", envvar="STUDY_LANGUAGE")
    ] = "en",
    design: Annotated[
        str, typer.Option("--design", help="parallel, crossover, cluster or waves.", envvar="STUDY_DESIGN")
    ] = "parallel",
    as_json: AsJson = False,
) -> None:
    """Write a study that passes check at once: study file, task pack, quiz, assistants, schemas for editors.

    Example: study new graphs --arms 3 --library networkx --language de
    """
    asked = _asked(name, arms, library, language, design)
    folder = Path(name)
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise UserError(f"{folder}: is there already; choose another name, or remove it")
    study, there = folder / "study.toml", folder.is_dir()
    try:
        written = write(asked, folder, schemas.texts)
        packages = _install(study, asked) if asked.version else ""
    except BaseException:
        # Whole or not at all: a folder with a part of a study would stand in the way of the next try.
        _clear(folder, there)
        raise
    if as_json:
        say_json({"study": str(study), "files": [str(path) for path in written]})
        return
    if packages:
        say(packages)
    say(f"{study}: {len(written)} files written")
    say(f"Next: study check {study}; study serve {study} --author; then change one thing after another.")


def _asked(name: str, arms: int, library: str, language: str, design: str) -> NewStudy:
    """Return the arguments of `new`, or every problem of them."""
    problems = []
    if not re.sub(r"[^A-Za-z0-9]", "", Path(name).name):
        problems.append("NAME: has neither a letter nor a digit; a study's id is made of these")
    if not 2 <= arms <= 1 + len(HELP):
        problems.append(f"--arms: found {arms}; give a number from 2 to {1 + len(HELP)}")
    if language not in languages():
        problems.append(f"--language: found '{language}'; use one of {', '.join(languages())}")
    known = Design.__args__  # type: ignore[attr-defined]
    if design not in known:
        problems.append(f"--design: found '{design}'; use one of {', '.join(known)}")
    distribution, _, wanted = library.partition("==")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", distribution):
        problems.append(f"--library: found '{library}'; give a name as pip takes it, such as networkx or networkx==3.6")
    if distribution in sys.stdlib_module_names:
        what = f"--library: found '{distribution}', which is part of Python and needs no installing"
        problems.append(
            f"{what}; leave --library out, and import {distribution} in the programs of the new study's task"
        )
    if problems:
        raise UserError("\n".join(problems))
    beside = "" if distribution == DEFAULT_LIBRARY else wanted or _version_here(distribution) or "*"
    return NewStudy(Path(name).name, arms, distribution, beside, language, design)  # type: ignore[arg-type]


def _version_here(distribution: str) -> str:
    """Return the version that is installed beside study-app; empty where none is."""
    found = installation().distributions.get(canonicalize_name(distribution))
    return found.version if found else ""


def _install(study: Path, asked: NewStudy) -> str:
    """Install what the study teaches, with the version that was found where none was named; returns what there is.

    Raises:
        InfrastructureError: it cannot be installed; says what the installer said.
    """
    file = study.parent / "requirements.txt"
    if asked.version == "*":
        file.write_text(f"{asked.library}\n", encoding="utf-8")
    err.print(f"Installing {asked.library} into {study.parent}/{FOLDER} ...", markup=False)
    try:
        requirements = _installed(study, pin=True)
    except InfrastructureError as failure:
        said = str(failure).partition("\n")[2]
        what = f"--library: {asked.library} cannot be installed, so nothing was written"
        raise InfrastructureError(f"{what}; correct the name or its version, or try again later\n{said}") from None
    module = _module(study, asked)
    if module != asked.imported:
        versions = file.read_text(encoding="utf-8")
        write(replace(asked, module=module), study.parent, schemas.texts)
        file.write_text(versions, encoding="utf-8")
    return _packages(requirements)


def _clear(folder: Path, there: bool) -> None:
    """Remove what a new study has in its folder, and the folder unless it was there before."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if not there and folder.is_dir():
        folder.rmdir()


def _module(study: Path, asked: NewStudy) -> str:
    """Return what programs import of the library that is installed now, such as `docx` of python-docx."""
    required = present(
        requirements_of(read_study(study), study.resolve().parent, str(study)), "the requirements of a new study"
    )
    installed = installation((str(required.folder),)).distributions.get(canonicalize_name(asked.library))
    offered = sorted(name for name in installed.modules if not name.startswith("_")) if installed else []
    if asked.imported in offered or not offered:
        return asked.imported
    return max(offered, key=lambda name: SequenceMatcher(None, name, asked.library.lower()).ratio())


@app.command()
@command
def schema(
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help=f"One of: {', '.join(schemas.KINDS)}.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write all of them into.", envvar="STUDY_OUT")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, or write those of all kinds: editors then complete and explain keys.

    Example: study schema --out schemas
    """
    if kind and kind not in schemas.KINDS:
        raise UserError(f"KIND: found '{kind}'; use one of {', '.join(schemas.KINDS)}")
    if out is None:
        say_json(schemas.schema_of(kind) if kind else {name: schemas.schema_of(name) for name in schemas.KINDS})
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in schemas.texts().items():
        if kind in ("", name):
            (out / f"{name}.json").write_text(text, encoding="utf-8")
            say(f'{out / f"{name}.json"}: put "#:schema PATH" into the first line of a file of this kind')
