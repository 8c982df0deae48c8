"""`study doctor`: can this machine serve the study, and what must be done about each problem?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from study_app.bootstrap import library_versions, open_library
from study_app.cli.checks.replay_checks import replay_coverage, replay_problems
from study_app.cli.checks.study_checks import start_serving, versions_listed
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
from study_app.content.library import FolderLibrary
from study_app.content.requirements import requirements_problems
from study_app.content.study_file import read_study
from study_app.dask_cluster import leaves_this_machine_in_the_clear
from study_app.domain.errors import StudyError
from study_app.notifications import AlertSender
from study_app.private_files import files_of, open_to_others
from study_app.sandbox import open_sandbox
from study_app.secrets import sealing_key as sealing
from study_app.secrets.secrets_file import secrets_files, secrets_problems
from study_app.services.grading.authoring import taught_problems
from study_app.services.operation.models.replacing import replaced_now
from study_app.services.operation.package_watch import changed_packages
from study_app.services.replicas import GONE_AFTER
from study_app.services.researcher.ledger_check import recompute
from study_app.settings import Settings


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
    note("runner", lambda: _runner(settings.runner))
    note("packages", lambda: _packages(settings))
    note("study and database", lambda: _database(settings))
    note("serving", lambda: _serving(settings))
    note("ledgers", lambda: _ledgers(settings))
    note("assistant", lambda: _assistant(settings))
    if read_study(settings.study_file).assistant_policy.on_retirement == "replay":
        note("recordings", lambda: _recordings(settings))
    note("browser asset", _asset)
    note("clock", _clock)
    note("disk", lambda: _disk(settings.var))
    note("sealing key", lambda: _key(settings))
    note("sign-in", _sign_in)
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
    from study_app.cli.checks.attack import attack
    from study_app.services.operation.self_attack import attacker

    running = start(settings, changed_ok=True, new_database=False)
    try:
        with attacker(running.context) as token:
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


def _runner(runner: str) -> tuple[bool, str]:
    """Return whether programs stay on this machine, or travel with TLS."""
    if leaves_this_machine_in_the_clear(runner):
        return False, (
            f"STUDY_RUNNER: {runner} is a Dask scheduler without TLS: programs travel in the clear, and everybody who"
            " reaches it can run programs on its workers; set up certificates and give tls:// (docs/how-to/deploy.md)"
        )
    return True, "programs run on this machine" if runner == "local" else f"programs run by {runner}"


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
        changed = changed_packages(running.context)
    finally:
        running.close()
    return not changed, "; ".join(changed) or versions_listed(library_versions(library)).replace(
        "no pack", "none; no pack"
    )


def _database(settings: Any) -> tuple[bool, str]:
    running = start(settings, changed_ok=True)
    try:
        with running.context.registry.begin(write=False) as unit:
            count = len(unit.participants())
            return True, f"{running.context.registry.describe()}: {running.context.state(unit)}, {count} participants"
    finally:
        running.close()


def _serving(settings: Settings) -> tuple[bool, str]:
    """Return whether `serve` would start; what it refuses is raised."""
    start_serving(settings, str(settings.study_file)).close()
    return True, "study serve can start it"


def _ledgers(settings: Any) -> tuple[bool, str]:
    running = start(settings, changed_ok=True)
    try:
        found = recompute(running.context)
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
    return _of_provider(settings, named)


def _of_provider(settings: Any, named: str) -> tuple[bool, str]:
    """Return what the provider says about the models, in one sentence each."""
    running = start(settings, changed_ok=True)
    try:
        asked = running.ask_provider(str(settings.study_file))
    finally:
        running.close()
    models = [f"{name}: {facts.summary}" for name, facts in asked.models.items()]
    bad = [*map(str, asked.problems), *asked.unreachable]
    return not bad, "; ".join([*(bad or [named]), *models, *asked.warnings])


def _recordings(settings: Settings) -> tuple[bool, str]:
    """Return whether recordings can take the place of models, and which have."""
    running = start(settings, changed_ok=True)
    try:
        problems = list(replay_problems(running.library))
        with running.context.registry.begin(write=False) as unit:
            done = replaced_now(running.context, unit)
        if problems:
            return False, "; ".join(map(str, problems))
        said = [f"{each.treatment}: {each.summary}" for each in done]
        return not done, "; ".join([*said, *replay_coverage(running.library)])
    finally:
        running.close()


def _asset() -> tuple[bool, str]:
    from study_app.ui.components import ASSET_DIR

    sizes = {path.name: path.stat().st_size for path in sorted(ASSET_DIR.glob("*.js"))}
    missing = {"workspace.js", "countdown.js"} - set(sizes)
    if missing:
        return False, f"{', '.join(sorted(missing))} is not built; run make assets"
    return True, ", ".join(f"{name} {size // 1000} kB" for name, size in sizes.items())


def _private(settings: Any) -> tuple[bool, str]:
    files = [*files_of(settings.database, settings.var), *secrets_files()]
    loose = open_to_others(files)
    if loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        return False, f"other accounts of this machine can read {loose[0]}{more}; chmod go= {loose[0]}, as its owner"
    return True, f"{len(files)} files and folders, each for its owner only"


def _sign_in() -> tuple[bool, str]:
    found = secrets_problems()
    return not found, "; ".join(map(str, found)) or f"{len(secrets_files())} file(s) of secrets"


def _proxies(settings: Settings) -> tuple[bool, str]:
    """Whose word on a browser's address is believed."""
    from study_app.web.operating.proxies import trusted_networks

    named = ", ".join(map(str, trusted_networks(settings.environment)))
    return True, f"headers of {named} are believed" if named else "no proxy's headers are believed"


def _servers(settings: Settings) -> tuple[bool, str]:
    """Which servers of the study gave a sign of life; two on SQLite would share a file that only one may write."""
    running = start(settings, changed_ok=True)
    try:
        with running.context.registry.begin(write=False) as unit:
            others = running.context.replicas.others(unit)
            # Silence is measured from when it is first seen, so that to this process, which looks once, no server that
            # was killed seems gone; the age of its last sign of life tells.
            fresh = running.context.now() - 3 * GONE_AFTER
            there = [replica for replica, gone in others if not gone and replica.beat_at > fresh]
    finally:
        running.close()
    named = ", ".join(f"process {one.process} on {one.machine.partition(' ')[0]}" for one in there)
    if len(there) > 1 and settings.database.startswith("sqlite"):
        return False, f"{named}: several servers need Postgres; stop all but one"
    return True, named or "none that is running"


def _alerts(settings: Settings) -> tuple[bool, str]:
    """Return whether what the study file asks to be informed of can be sent from here."""
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
    """Return whether there is one, and whether it is the one that this study was launched with."""
    running = start(settings, changed_ok=True)
    try:
        with running.context.registry.begin(write=False) as unit:
            sealed = unit.meta("sealed_seed")
        if sealed is not None:
            running.context.seal.open(sealed)
        key = sealing.find_key(settings.var, settings.environment)
    except StudyError as lost:
        return sealed is None, "none yet; study launch makes one" if sealed is None else str(lost)
    finally:
        running.close()
    return key.weakness is None, key.weakness or f"from {key.source}"
