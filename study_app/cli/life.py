"""`study launch, amend, close, unseal, reopen`: steps of a trial's life."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from study_app.assistant.provider import ProviderCheck
from study_app.cli.checks.judging import unused_warnings
from study_app.cli.checks.study_checks import check_packages, file_problems, fresh_problems, in_file
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    Reason,
    StudyFile,
    app,
    command,
    confirm,
    err,
    require_writable_folder,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.content.languages.language_checks import review_warnings
from study_app.domain.assistants.treatments import API_KEY_VARIABLE
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.study.amending.frozen import frozen_lines
from study_app.domain.study.consent import consent_warnings
from study_app.private_files import files_of, open_to_others
from study_app.services.reasons import require_reason
from study_app.services.researcher.fitness import launch_problems

if TYPE_CHECKING:
    from study_app.bootstrap import App


@app.command()
@command
def launch(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for prereg.md and prereg.json.", envvar="STUDY_OUT")
    ] = Path(),
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be frozen and refused; change nothing.", envvar="STUDY_DRY_RUN"),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Do not ask; launch even if the assistant's provider cannot be reached.", envvar="STUDY_YES"
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Lock the protocol, seal the allocation seed, and write the preregistration.

    Example: study launch --dry-run
    """
    running = start(settings_of(study, database))
    try:
        if not dry_run:
            # Before anything is locked: a launch cannot be undone, and its registration needs a place.
            require_writable_folder(out, "--out")
        running.lifecycle.check_draft()
        _check_fit(running, str(study))
        frozen = frozen_lines(running.study, len(running.library.materials()))
        if dry_run:
            _rehearse_launch(running, frozen, as_json)
            return
        confirm([*frozen, "A launch cannot be undone."], "Launch?", yes=yes or as_json)
        asked = running.ask_provider(str(study))
        asked.refuse_problems()
        if asked.unreachable and not yes:
            raise NotAllowed(f"{'; '.join(asked.unreachable)}; try again, or launch with --yes, which is recorded")
        launched = running.lifecycle.launch()
        record_provider(running, asked)
        (out / "prereg.json").write_text(json.dumps(launched.prereg, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (out / "prereg.md").write_text(launched.prereg_text, "utf-8")
        warnings = [*_warnings(running), *asked.warnings]
    finally:
        running.close()
    if as_json:
        files = {"prereg_json": str(out / "prereg.json"), "prereg_md": str(out / "prereg.md")}
        say_json({"state": "launched", "study_hash": launched.study_hash, "commitment": launched.commitment, **files,
                  "warnings": warnings})  # fmt: skip
        # Not in the JSON, which is kept and passed on: the recovery copy opens the sealed seed.
        err.print(launched.recovery_copy, markup=False)
        return
    say(f"Launched. Study {launched.study_hash}")
    say(f"Commitment to the sealed seed: {launched.commitment}")
    say(f"Preregistration: {out / 'prereg.md'} and {out / 'prereg.json'}")
    say("Complete the marked items and publish both now.")
    for warning in warnings:
        say(f"warning: {warning}")
    say()
    say(launched.recovery_copy)


def _rehearse_launch(running: App, frozen: list[str], as_json: bool) -> None:
    """Say what a launch would freeze, and refuse what it would refuse.

    Raises:
        ProblemsFound: what it would refuse.
    """
    problems = launch_problems(running.context)
    if problems:
        raise ProblemsFound(problems)
    warnings = _warnings(running)
    if as_json:
        fixed = {"study_hash": running.context.study_hash, "frozen": frozen, "warnings": warnings}
        say_json({"dry_run": True, **fixed})
        return
    for line in [*frozen, *(f"warning: {warning}" for warning in warnings)]:
        say(line)
    say(f"Dry run: nothing was changed. Study {running.context.study_hash}")


def _warnings(running: App) -> list[str]:
    """Return what a launch warns of: the rehearsal says all of it, for afterwards it is too late."""
    return [
        *consent_warnings(running.study),
        *unused_warnings(running.study),
        *review_warnings(running.library),
        *public_content(running),
    ]


def _check_fit(running: App, file: str) -> None:
    """Refuse to launch what participants could not be shown, an assistant that could not answer, or an unusable plan.

    Raises:
        ProblemsFound: every problem.
    """
    problems = file_problems(running, file, running.settings.environment)
    problems += in_file(launch_problems(running.context), file)
    problems += _readable_by_others(running)
    check_packages(running, file)
    if problems:
        raise ProblemsFound(list(dict.fromkeys(problems)))


def _readable_by_others(running: App) -> list[Problem]:
    """Return what another account of this machine could read: arms and identities lie in it."""
    settings = running.settings
    loose = open_to_others(files_of(settings.database, settings.var))
    what = "other accounts of this machine could read it"
    return [Problem(str(path), "", what, f"chmod go= {path}, as its owner") for path in loose]


def record_provider(running: App, asked: ProviderCheck) -> None:
    """Write into the audit log what the provider said at the launch, or that it could not be asked."""
    if asked.models or asked.unreachable:
        models = {name: facts.summary for name, facts in asked.models.items()}
        what = "provider_not_asked" if asked.unreachable else "provider_asked"
        running.lifecycle.audit("cli", what, "; ".join(asked.unreachable), {"models": models})


def public_content(running: App) -> list[str]:
    """Warn where participants could find keys and checks on the net: content that comes with study-app."""
    shipped = Path(__file__).parents[2]
    folders = (*running.library.pack_folders, *running.library.bank_folders)
    public = [folder for folder in folders if (running.library.root / folder).resolve().is_relative_to(shipped)]
    known = {"tasks", "quizzes"}
    public = [f for f in public if (running.library.root / f).resolve().relative_to(shipped).parts[0] in known]
    if not public:
        return []
    return [
        f"{', '.join(public)} come with study-app: their keys and checks are public; use your own for a study whose "
        "participants might search for them"
    ]


@app.command()
@command
def amend(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    reason: Reason = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what differs; change nothing.", envvar="STUDY_DRY_RUN")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", envvar="STUDY_YES")] = False,
    as_json: AsJson = False,
) -> None:
    """Record a change of the study file; participants who consent from now on get the new version.

    A running server takes it over at once. What the launch fixed for ever is refused.

    Example: study amend --dry-run
    """
    if not dry_run:
        require_reason(reason)
    running = start(settings_of(study, database), changed_ok=True, new_database=False)
    try:
        changes, problems = running.lifecycle.amendment()
        lines = [line for change in changes for line in change.lines()]
        found = {"study_hash": running.context.study_hash, "changes": [asdict(change) for change in changes]}
        if not as_json and (changes or dry_run):
            for line in lines or ["Nothing differs from the locked version."]:
                say(line)
        # Whatever changed, a plan, a stage or an arm: the whole is judged as a launch would. Whether there is a key is
        # the server's business, which may run under another account.
        environment = {API_KEY_VARIABLE: "given"} | dict(running.settings.environment)
        problems += fresh_problems(running, file_problems(running, str(study), environment), str(study))
        problems = in_file(problems, str(study))
        if changes:
            check_packages(running, str(study))
        if problems:
            raise ProblemsFound(list(dict.fromkeys(problems)))
        if dry_run:
            say_json({"dry_run": True, **found}) if as_json else say("Dry run: nothing was changed.")
            return
        confirm([], "Record this amendment?", yes=yes or as_json or not changes)
        running.lifecycle.amend(reason)
    finally:
        running.close()
    say_json(found) if as_json else say(f"Amended. Study {found['study_hash']}")


@app.command()
@command
def close(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    reason: Reason = "",
    wave: Annotated[
        int | None,
        typer.Option("--wave", min=1, help="Lock this session and those before it, too.", envvar="STUDY_WAVE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End enrolment; participants in progress may finish. With --wave the sessions up to it are locked for analysis.

    Example: study close --wave 1 --reason "all have taken part in the first session"
    """
    running = start(settings_of(study, database), new_database=False)
    try:
        if wave is not None:
            later = len(running.study.sessions) - wave
            _say_closed_wave(running.lifecycle.close_wave(wave, reason), wave, later, as_json)
            return
        end = running.lifecycle.close(reason)
        to_come = running.lifecycle.not_allocated_yet()
    finally:
        running.close()
    anchor = f"{end.index}:{end.row_hash}" if end else None
    if as_json:
        say_json({"state": "closed", "anchor": anchor, "not_allocated_yet": to_come})
        return
    say("Closed: no more enrolment. Arms stay masked until study unseal.")
    if to_come:
        say(f"{to_come} participant(s) are not allocated yet and may continue; a masked export before then could help")
        say("someone who knows one participant's arm to guess theirs.")
    if anchor:
        say(f"The ledger ends with {anchor}")
        say("It reveals no arm. Write it down or publish it; study verify DATASET --anchor checks it.")


def _say_closed_wave(left: int, wave: int, later: int, as_json: bool) -> None:
    if as_json:
        say_json({"state": "closed", "closed_wave": wave, "abandoned": left})
        return
    locked = f"session {wave} or one before it" if wave > 1 else "session 1"
    if later < 1:
        say(f"Closed: no more enrolment, and no change to {locked}; none follows. Arms stay masked until study unseal.")
        _say_left(left)
        return
    say(f"Closed: no more enrolment, and no change to {locked}. Later sessions go on.")
    say("study export and study analyze leave the outcomes of later sessions out until they are closed, too.")
    _say_left(left)


def _say_left(left: int) -> None:
    if left:
        say(f"{left} participant(s) who had fallen silent have left: what they gave is kept, and they cannot go on.")


@app.command()
@command
def unseal(
    study: StudyFile = STUDY, database: DatabaseOption = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Reveal arms and seed of a closed study that no participant is still taking part in."""
    running = start(settings_of(study, database), new_database=False)
    try:
        left = running.lifecycle.unseal(reason)
    finally:
        running.close()
    if as_json:
        say_json({"state": "unsealed", "abandoned": left})
        return
    say("Unsealed. Export again, then study verify and study analyze.")
    _say_left(left)


@app.command()
@command
def reopen(
    participant: Annotated[str, typer.Argument(metavar="PARTICIPANT", help="Participant id.")],
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="Stage that ended at its deadline.")],
    study: Annotated[Path, typer.Option("--study", help="Study file.", envvar="STUDY_FILE")] = STUDY,
    database: DatabaseOption = None,
    minutes: Annotated[
        float, typer.Option("--minutes", help="Minutes to give the participant on the stage.", envvar="STUDY_MINUTES")
    ] = 0.0,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Reopen a stage that ended wrongly because of a clock or server failure."""
    running = start(settings_of(study, database), new_database=False)
    try:
        running.reopening.reopen(participant, stage, minutes, reason, "cli")
    finally:
        running.close()
    if as_json:
        say_json({"participant_id": participant, "stage": stage, "minutes": minutes})
        return
    say(f"Reopened: {participant} has {minutes:g} minutes on '{stage}', from now on.")
