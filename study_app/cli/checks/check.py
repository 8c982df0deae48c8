"""`study check`: is every part of a study sound, and does each proof of its authors hold?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import typer

from study_app.bootstrap import library_versions
from study_app.cli.checks.judging import trial_problems, trial_warnings
from study_app.cli.checks.replay_checks import replay_coverage
from study_app.cli.checks.study_checks import (
    assistant_problems,
    minutes_problems,
    style_problems,
    versions_listed,
)
from study_app.cli.common import (
    STUDY,
    AsJson,
    StudyFile,
    app,
    command,
    complain,
    say,
    say_json,
)
from study_app.content.item_banks import check_bank, load_bank
from study_app.content.languages.language_checks import (
    coder_warnings,
    language_problems,
    review_problems,
    review_warnings,
)
from study_app.content.library import FolderLibrary
from study_app.content.requirements import other_files_problems, requirements_problems
from study_app.content.spellings import spelling_problems
from study_app.content.study_file import read_study
from study_app.content.task_packs import load_pack
from study_app.domain.assistants.personas import assistant_of
from study_app.domain.errors import Problem, ProblemsFound, SandboxUnavailable
from study_app.domain.study.consent import consent_problems, consent_warnings
from study_app.domain.study.contradictions.everything import contradictions
from study_app.domain.study.designs import design_problems, design_warnings, used_by
from study_app.ports import Sandbox
from study_app.sandbox import open_sandbox
from study_app.services.grading.authoring import check_pack, package_problems
from study_app.services.grading.output import output_of, quiz_program
from study_app.services.researcher.fitness import fitness_problems


@app.command()
@command
def check(study: StudyFile = STUDY, as_json: AsJson = False) -> None:
    """Check study file, task packs, item banks and assistants; run every solution, starter and keyed output."""
    if not study.exists():
        remedy = "name a study file, or run from the folder that holds study.toml"
        raise ProblemsFound([Problem(str(study), "", "there is no such file", remedy)])
    checked: list[str] = []
    problems = _study_problems(study, checked)
    warnings = [] if problems else _warnings(study)
    if as_json:
        found = {"ok": not problems, "problems": [asdict(problem) for problem in problems], "checked": checked}
        say_json(found | {"warnings": warnings})
    else:
        for line in checked:
            say(f"ok     {line}")
        for warning in warnings:
            say(f"warning: {study}: {warning}")
        complain(str(problem) for problem in problems)
        say("No problems found." if not problems else f"{len(problems)} problem(s) found.")
    if problems:
        raise typer.Exit(1)


def _warnings(path: Path) -> list[str]:
    """Return what is valid and yet refused by other commands, unfit for real participants, or bound to this machine."""
    study = read_study(path)
    library = FolderLibrary(study, path.resolve().parent, str(path))
    consent = [f"{gap.key}: {gap.what}; {gap.remedy}; launch refuses it" for gap in consent_problems(study, "")]
    absolute = map(_of_absolute_path, library.absolute_paths())
    unpinned = library.requirements.unpinned if library.requirements else []
    open_versions = [
        f"requirements: {study.requirements}: '{line}' leaves the version open; name it by ==, or run study setup --pin"
        for line in unpinned
    ]
    local = library.requirements.local_files if library.requirements else []
    open_versions += [
        f"requirements: {study.requirements}: '{line}' is a file of this machine, and not a part of the study's hash; "
        "keep it with the study, and its name with its content"
        for line in local
    ]
    unread = [f"{gap.file}: {gap.key}: {gap.what}; {gap.remedy}; launch refuses it" for gap in review_problems(library)]
    return [
        *open_versions,
        *design_warnings(used_by(study)),
        *trial_warnings(study),
        *consent,
        *consent_warnings(study),
        *absolute,
        *_other_languages(library),
        *review_warnings(library),
        *coder_warnings(library),
        *unread,
    ]


def _other_languages(library: FolderLibrary) -> Iterator[str]:
    """Item banks in another language than the study's."""
    for folder in library.bank_folders:
        language = library.bank(folder).language
        if language != library.study.language:
            yield (
                f"{folder}/bank.toml: language: found '{language}', but the study's pages are in "
                f"'{library.study.language}'; participants meet both"
            )


def _of_absolute_path(found: tuple[str, str]) -> str:
    key, path = found
    return (
        f"{key}: {path} is an absolute path, and paths are part of the study's hash: in another folder it is another "
        "study, and its preview and simulated participants are allocated otherwise; write it relative to the study file"
    )


def _study_problems(path: Path, checked: list[str]) -> list[Problem]:
    try:
        study = read_study(path)
    except ProblemsFound as found:
        return sorted(set(found.problems))
    checked.append(f"{path}: the study file")
    library = FolderLibrary(study, path.resolve().parent, str(path))
    file = str(path)
    problems = [*style_problems(study.styles, file), *language_problems(library), *minutes_problems(study, file)]
    problems += [*contradictions(study, file), *spelling_problems(library)]
    try:
        problems += other_files_problems(library.requirements, file)
        uninstalled = requirements_problems(library.requirements, file)
    except ProblemsFound as found:
        uninstalled = list(found.problems)
    if uninstalled:
        # Without its packages every program of the study would fail alike.
        return sorted({*problems, *uninstalled})
    if library.requirements is not None:
        checked.append(f"{study.requirements}: {versions_listed(library_versions(library))}")
    sandbox = open_sandbox(folders=library.package_folders)
    try:
        for folder in library.pack_folders:
            problems += _folder_problems(library, folder, checked, lambda there: check_pack(sandbox, there, load_pack))
        for folder in library.bank_folders:
            problems += _folder_problems(
                library, folder, checked, lambda there: _bank_problems(sandbox, library, there)
            )
        try:
            found_in_assistants = assistant_problems(library, os.environ)
            problems += found_in_assistants
            if not found_in_assistants:
                checked += [
                    f"{study.assistants[assistant_of(name)].file}: the assistant '{name}', version {spec.version}"
                    for name, spec in library.specs.items()
                ]
                checked += replay_coverage(library)
        except ProblemsFound as found:
            problems += found.problems
    finally:
        sandbox.close()
    problems += _of_interviews(library, checked)
    unreadable = _of_banks(library)
    # Which columns there will be follows from the banks, so without one of them the plan is not judged.
    problems += unreadable or trial_problems(library, file)
    problems += design_problems(used_by(study), "check", str(path))
    if not problems:
        # These open every pack and bank, whose own problems come first.
        problems += fitness_problems(study, library, str(path))
    return sorted(set(problems))


def _of_interviews(library: FolderLibrary, checked: list[str]) -> list[Problem]:
    """Return what keeps plans of interviews from being read, or from fitting the study."""
    found: list[Problem] = []
    for file in library.plan_files:
        try:
            plan = library.plan(file)
        except ProblemsFound as problems:
            found += problems.problems
        else:
            checked.append(f"{file}: the interview '{plan.id}', version {plan.version}")
    return found


def _of_banks(library: FolderLibrary) -> list[Problem]:
    """Return what keeps banks from being read: the columns of quizzes follow from them."""
    found: list[Problem] = []
    for folder in library.bank_folders:
        try:
            library.bank(folder)
        except ProblemsFound as problems:
            found += problems.problems
    return found


def _bank_problems(sandbox: Sandbox, library: FolderLibrary, folder: Path) -> list[Problem]:
    """Problems of a bank; its programs run only where its packages can be imported."""
    try:
        packages = load_bank(folder).packages
    except ProblemsFound:
        packages = ()
    absent = package_problems(sandbox, packages, str(folder / "bank.toml"))
    try:
        return absent + check_bank(folder, None if absent else _program_runner(sandbox, packages))
    except SandboxUnavailable as error:
        return [Problem(str(folder), "", f"its programs could not be run ({error})", "see study doctor")]


def _folder_problems(
    library: FolderLibrary, folder: str, checked: list[str], look: Callable[[Path], Iterable[Problem]]
) -> list[Problem]:
    there = library.root / folder
    if not there.is_dir():
        what = f"there is no folder {folder} beside the study file"
        remedy = "correct the path, or add the folder"
        return [Problem(library.file, library.study.names_folder(folder), what, remedy)]
    problems = list(look(there))
    if not problems:
        checked.append(f"{folder}")
    return problems


def _program_runner(sandbox: Sandbox, packages: tuple[str, ...]) -> Callable[[str], str]:
    def run(program: str) -> str:
        output = output_of(sandbox, quiz_program(program, packages))
        if output.open is not None:
            raise SandboxUnavailable(f"{output.open}; check again when it is less busy")
        return output.text

    return run
