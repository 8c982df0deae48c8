"""`study check, try, doctor`: is everything as it should be?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from study_app.bootstrap import library_versions, open_library
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    complain,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.cli.study_checks import assistant_problems, start_serving
from study_app.content.item_banks import check_bank, load_bank
from study_app.content.language_checks import coder_warnings, language_problems, review_problems, review_warnings
from study_app.content.library import FolderLibrary
from study_app.content.requirements import requirements_problems
from study_app.content.study_file import read_study
from study_app.content.task_packs import load_pack
from study_app.domain.errors import Problem, ProblemsFound, SandboxUnavailable, StudyError
from study_app.domain.interaction.patterns import rule_set
from study_app.domain.study.consent import consent_problems, consent_warnings
from study_app.domain.study.designs import design_problems, design_warnings, used_by
from study_app.domain.study.durations import whole, wrong_minutes
from study_app.domain.study.study import Study
from study_app.notifications import AlertSender
from study_app.ports import Sandbox
from study_app.private_files import files_of, open_to_others
from study_app.sandbox import open_sandbox
from study_app.secrets import sealing_key as sealing
from study_app.services.grading.authoring import check_pack, package_problems, taught_problems, try_program
from study_app.services.grading.output import output_of, quiz_program
from study_app.services.operation.package_watch import changed_packages
from study_app.services.replicas import GONE_AFTER
from study_app.services.researcher.fitness import fitness_problems
from study_app.services.researcher.ledger_check import recompute
from study_app.settings import Settings

SHIPPED = Path(__file__).parents[2]


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
    unread = [f"{gap.file}: {gap.key}: {gap.what}; {gap.remedy}; launch refuses it" for gap in review_problems(library)]
    return [
        *open_versions,
        *design_warnings(used_by(study)),
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
    from analysis.pipeline.planning.plan_check import study_plan_problems

    file = str(path)
    problems = [*_style_problems(study.styles, file), *language_problems(library), *_minutes_problems(study, file)]
    try:
        uninstalled = requirements_problems(library.requirements, file)
    except ProblemsFound as found:
        uninstalled = list(found.problems)
    if uninstalled:
        # Without its packages every program of the study would fail alike.
        return sorted({*problems, *uninstalled})
    if library.requirements is not None:
        checked.append(f"{study.requirements}: {_listed(library_versions(library))}")
    sandbox = open_sandbox(folders=library.package_folders)
    try:
        for folder in library.pack_folders:
            problems += _folder(library, folder, checked, lambda there: check_pack(sandbox, there, load_pack))
        for folder in library.bank_folders:
            problems += _folder(library, folder, checked, lambda there: _bank_problems(sandbox, library, there))
        try:
            found_in_assistants = assistant_problems(library, os.environ)
            problems += found_in_assistants
            if not found_in_assistants:
                checked += [
                    f"{study.assistants[name].file}: the assistant '{name}', version {spec.version}"
                    for name, spec in library.specs.items()
                ]
        except ProblemsFound as found:
            problems += found.problems
    finally:
        sandbox.close()
    if not problems:
        problems += fitness_problems(study, library, str(path)) + study_plan_problems(study, library.bank, str(path))
        problems += design_problems(used_by(study), "check", str(path))
    return sorted(set(problems))


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "no pack names a package of it"


def _bank_problems(sandbox: Sandbox, library: FolderLibrary, folder: Path) -> list[Problem]:
    """Problems of a bank; its programs run only where its packages can be imported."""
    try:
        packages = load_bank(folder).packages
    except ProblemsFound:
        packages = ()
    absent = package_problems(sandbox, packages, str(folder / "bank.toml"))
    try:
        return absent + check_bank(folder, None if absent else _runner(sandbox, packages))
    except SandboxUnavailable as error:
        return [Problem(str(folder), "", f"its programs could not be run ({error})", "see study doctor")]


def _minutes_problems(study: Study, file: str) -> list[Problem]:
    """Texts that tell participants another limit than the one that is kept."""
    return [
        Problem(
            file,
            wrong.key,
            f"the text says '{wrong.stated}', the limit is {whole(wrong.limit)} minutes",
            "write {minutes} in its place ({total_minutes} for the whole session), or correct one of the two",
        )
        for wrong in wrong_minutes(study)
    ]


def _style_problems(styles: dict[str, Any], file: str) -> list[Problem]:
    """Return what is wrong with the study's own patterns of use."""
    if not styles:
        return []
    try:
        rule_set(styles, file)
    except ProblemsFound as found:
        return list(found.problems)
    return []


def _folder(
    library: FolderLibrary, folder: str, checked: list[str], look: Callable[[Path], Iterable[Problem]]
) -> list[Problem]:
    there = library.root / folder
    if not there.is_dir():
        stage = next(s for s in library.study.stages if folder in s.packs or folder == s.bank)
        what = f"there is no folder {folder} beside the study file"
        return [Problem(library.file, f"stages.{stage.id}", what, "correct the path, or add the folder")]
    problems = list(look(there))
    if not problems:
        checked.append(f"{folder}")
    return problems


def _runner(sandbox: Sandbox, packages: tuple[str, ...]) -> Callable[[str], str]:
    def run(program: str) -> str:
        output = output_of(sandbox, quiz_program(program, packages))
        if output.open is not None:
            raise SandboxUnavailable(f"{output.open}; check again when it is less busy")
        return output.text

    return run


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


@app.command()
@command
def doctor(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    attack: Annotated[
        str | None,
        typer.Option(
            "--attack",
            help="Address of the running participants' app; tries harmless forms of known attacks on it.",
            envvar="STUDY_ATTACK",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check isolation, database, assistant, browser assets, clock and disk; say what to do about each problem.

    Example: study doctor --attack http://127.0.0.1:8501
    """
    settings = settings_of(study, database)
    findings: list[dict[str, Any]] = []

    def note(name: str, look: Callable[[], tuple[bool, str]]) -> None:
        try:
            ok, text = look()
        except StudyError as problem:
            ok, text = False, str(problem)
        findings.append({"name": name, "ok": ok, "finding": text})

    note("isolation", lambda: _isolation(settings.runner, findings))
    note("packages", lambda: _packages(settings))
    note("study and database", lambda: _database(settings))
    note("serving", lambda: _serving(settings))
    note("ledgers", lambda: _ledgers(settings))
    note("assistant", lambda: _assistant(settings))
    note("browser asset", _asset)
    note("clock", _clock)
    note("disk", lambda: _disk(settings.var))
    note("sealing key", lambda: _key(settings))
    note("private files", lambda: _private(settings))
    note("alerts", lambda: _alerts(settings))
    note("proxies", lambda: _proxies(settings))
    note("other servers", lambda: _servers(settings))
    if attack is not None:
        findings += _attacked(settings, attack)
    if as_json:
        say_json({"ok": all(entry["ok"] for entry in findings), "findings": findings})
    else:
        for entry in findings:
            say(f"{'ok  ' if entry['ok'] else 'LOOK'} {entry['name']:20} {entry['finding']}")
    if not all(entry["ok"] for entry in findings):
        raise typer.Exit(1)


def _attacked(settings: Settings, url: str) -> list[dict[str, Any]]:
    from study_app.cli.attack import attack
    from study_app.services.operation.self_attack import attacker

    running = start(settings, changed_ok=True, new_database=False)
    try:
        with attacker(running.world) as token:
            return attack(url, settings.var, token)
    finally:
        running.close()


def _isolation(runner: str, findings: list[dict[str, Any]]) -> tuple[bool, str]:
    sandbox = open_sandbox(runner)
    try:
        seen = sandbox.isolation()
    finally:
        sandbox.close()
    for name, stopped in seen.canaries.items():
        findings.append({"name": f"canary {name}", "ok": stopped, "finding": "stopped" if stopped else "NOT stopped"})
    for means, what in seen.bounds.items():
        # One that is not in use is not a fault: the others hold.
        findings.append({"name": f"bound {means}", "ok": True, "finding": what})
    return seen.level in ("strong+", "strong", "medium"), f"{seen.level}: {seen.message}"


def _packages(settings: Any) -> tuple[bool, str]:
    """Whether programs can import what each pack and bank names, and whether it is what the study was launched with."""
    library = open_library(settings.study_file)
    problems = requirements_problems(library.requirements, str(settings.study_file))
    if not problems:
        sandbox = open_sandbox(settings.runner, folders=library.package_folders)
        try:
            problems = taught_problems(sandbox, library.taught_packages)
        finally:
            sandbox.close()
    if problems:
        return False, "; ".join(map(str, problems))
    running = start(settings, changed_ok=True)
    try:
        changed = changed_packages(running.world)
    finally:
        running.close()
    return not changed, "; ".join(changed) or _listed(library_versions(library)).replace("no pack", "none; no pack")


def _database(settings: Any) -> tuple[bool, str]:
    running = start(settings, changed_ok=True)
    try:
        with running.world.registry.begin(write=False) as unit:
            count = len(unit.participants())
            return True, f"{running.world.registry.describe()}: {running.world.state(unit)}, {count} participants"
    finally:
        running.close()


def _serving(settings: Settings) -> tuple[bool, str]:
    """Whether `serve` would start; what it refuses is raised."""
    start_serving(settings, str(settings.study_file)).close()
    return True, "study serve can start it"


def _ledgers(settings: Any) -> tuple[bool, str]:
    running = start(settings, changed_ok=True)
    try:
        found = recompute(running.world)
    finally:
        running.close()
    return not any(ledger.breaches for ledger in found), "; ".join(map(str, found)) or "no participant is allocated yet"


def _assistant(settings: Any) -> tuple[bool, str]:
    from study_app.assistant.opening import provider_in_use

    study = read_study(settings.study_file)
    library = FolderLibrary(study, settings.study_file.resolve().parent, str(settings.study_file))
    used = {name: provider_in_use(spec, settings.environment) for name, spec in library.specs.items()}
    named = ", ".join(f"{name}: {provider}" for name, provider in used.items()) or "none"
    if "notes" in used.values() and not study.assistant_policy.allow_embedded:
        return True, f"{named} (embedded; set ANTHROPIC_API_KEY before the launch)"
    return _of_provider(library, settings, named)


def _of_provider(library: FolderLibrary, settings: Any, named: str) -> tuple[bool, str]:
    """Return what the provider says about the models, in one sentence each."""
    from study_app.assistant.provider import check_provider

    ends_on = library.study.recruitment.ends_on
    asked = check_provider(library.specs, settings.environment, ends_on, str(settings.study_file))
    models = [f"{name}: {facts.summary}" for name, facts in asked.models.items()]
    bad = [*map(str, asked.problems), *asked.unreachable]
    return not bad, "; ".join([*(bad or [named]), *models, *asked.warnings])


def _asset() -> tuple[bool, str]:
    from study_app.ui.components import ASSET_DIR

    sizes = {path.name: path.stat().st_size for path in sorted(ASSET_DIR.glob("*.js"))}
    missing = {"workspace.js", "countdown.js"} - set(sizes)
    if missing:
        return False, f"{', '.join(sorted(missing))} is not built; run make assets"
    return True, ", ".join(f"{name} {size // 1000} kB" for name, size in sizes.items())


def _private(settings: Any) -> tuple[bool, str]:
    files = files_of(settings.database, settings.var)
    loose = open_to_others(files)
    if loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        return False, f"other accounts of this machine can read {loose[0]}{more}; chmod go= {loose[0]}, as its owner"
    return True, f"{len(files)} files and folders, each for its owner only"


def _proxies(settings: Settings) -> tuple[bool, str]:
    """Whose word on a browser's address is believed."""
    from study_app.web.operating.proxies import trusted_networks

    named = ", ".join(map(str, trusted_networks(settings.environment)))
    return True, f"headers of {named} are believed" if named else "no proxy's headers are believed"


def _servers(settings: Settings) -> tuple[bool, str]:
    """Which servers of the study gave a sign of life; two on SQLite would share a file that only one may write."""
    running = start(settings, changed_ok=True)
    try:
        with running.world.registry.begin(write=False) as unit:
            others = running.world.replicas.others(unit)
            fresh = running.world.now() - 3 * GONE_AFTER
            there = [replica for replica, gone in others if not gone and replica.beat_at > fresh]
    finally:
        running.close()
    named = ", ".join(f"process {one.process} on {one.machine.partition(' ')[0]}" for one in there)
    if len(there) > 1 and settings.database.startswith("sqlite"):
        return False, f"{named}: several servers need Postgres; stop all but one"
    return True, named or "none that is running"


def _alerts(settings: Settings) -> tuple[bool, str]:
    """Whether what the study file asks to be informed of can be sent from here."""
    alerts = read_study(settings.study_file).alerts
    problems = AlertSender(settings.environment, alerts).problems()
    return not problems, "; ".join(map(str, problems)) or ", ".join(alerts.channels) or "on the console only"


def _clock() -> tuple[bool, str]:
    from study_app.clock import SystemClock

    now = SystemClock().now()
    # No study runs before this software was written: such a clock was never set.
    if now < datetime(2026, 1, 1, tzinfo=UTC):
        return False, f"{now.isoformat(timespec='seconds')} is in the past; set the machine's clock"
    return True, now.isoformat(timespec="seconds")


def _disk(var: Path) -> tuple[bool, str]:
    folder = var if var.exists() else Path()
    free = shutil.disk_usage(folder).free
    return free > 1_000_000_000, f"{free / 1e9:.1f} GB free" + ("" if free > 1_000_000_000 else "; free some space")


def _key(settings: Any) -> tuple[bool, str]:
    """Whether there is one, and whether it is the one that this study was launched with."""
    running = start(settings, changed_ok=True)
    try:
        with running.world.registry.begin(write=False) as unit:
            sealed = unit.meta("sealed_seed")
        if sealed is not None:
            running.world.seal.open(sealed)
        key = sealing.find_key(settings.var, settings.environment)
    except StudyError as lost:
        return sealed is None, "none yet; study launch makes one" if sealed is None else str(lost)
    finally:
        running.close()
    return key.weakness is None, key.weakness or f"from {key.source}"
