"""What must hold before a study starts: its database, the machine's clock, the content that was locked."""

from __future__ import annotations

import hashlib
from pathlib import Path

from study_app.clock import SystemClock
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext, draft_key, keep_codes, stored_values
from study_app.services.operation.head_signing import open_head_key
from study_app.settings import Settings


def check_start(context: StudyContext, settings: Settings, changed_ok: bool) -> None:
    """Whether database and clock fit the study; then heads are signed where it is launched."""
    _check_database(context, settings, changed_ok)
    _check_clock(context)
    open_head_key(context)


def _check_clock(context: StudyContext) -> None:
    """Let time go on from the newest event where the machine's clock was set back before the start."""
    if isinstance(context.clock, SystemClock):
        with context.registry.begin(write=False) as unit:
            latest = unit.latest_moment()
        if latest is not None:
            context.clock.not_before(latest)


def _check_database(context: StudyContext, settings: Settings, changed_ok: bool) -> None:
    with context.registry.begin() as unit:
        known = unit.meta("study_id")
        if known is None:
            unit.set_meta("study_id", context.study.id)
        elif known != context.study.id:
            raise ProblemsFound(
                [
                    Problem(
                        str(settings.study_file),
                        "id",
                        f"this is the study '{context.study.id}', but the database holds the study '{known}'",
                        "use a separate database for each study (--database)",
                    )
                ]
            )
        if context.state(unit) == "draft":
            keep_draft(context, unit)
        if context.state(unit) == "draft" or changed_ok:
            return
        locked = unit.versions()[-1]
        if locked.study_hash != context.study_hash:
            changed = _what_changed(
                context, stored_values(locked), dict(locked.materials), Path(settings.study_file).parent
            )
            raise NotAllowed(
                f"{settings.study_file}: the study was launched with another content ({changed}); undo the change, or "
                "record it with study amend --reason TEXT"
            )


def keep_draft(context: StudyContext, unit: UnitOfWork) -> None:
    """Previews keep the draft they started with, and their ledger can be recomputed after the file changed."""
    unit.set_meta(draft_key(context.study_hash), context.study.canonical())
    keep_codes(unit, context.study, context.study_hash)


def _what_changed(context: StudyContext, locked: dict[str, object], materials: dict[str, str], folder: Path) -> str:
    now = context.study.published()
    keys = sorted(key for key in {*locked, *now} if locked.get(key) != now.get(key))
    files = dict(context.content.materials())
    for path in sorted(path for path in {*materials, *files} if materials.get(path) != files.get(path)):
        only = _only_line_ends_differ(folder / path, materials.get(path))
        keys.append(f"{path}: only its line ends differ; let git leave them alone" if only else path)
    return ", ".join(keys[:5]) + (" and more" if len(keys) > 5 else "")


def _only_line_ends_differ(path: Path, locked: str | None) -> bool:
    """Whether the file is the locked one but for line ends, as git or an editor on another system rewrites them."""
    try:
        unix = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return False
    return locked in {hashlib.sha256(text).hexdigest() for text in (unix, unix.replace(b"\n", b"\r\n"))}
