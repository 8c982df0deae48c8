"""The manifest against itself: its shape, the trial's state, and what must accompany it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

from study_app.dataset.border.folders import text_in
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.schema import SCHEMA, moment, parsed_json
from study_app.domain.trial_state import State


def check_manifest(opened: UntrustedDataset) -> None:
    """Check that the manifest has the shape of an export's and agrees with itself."""
    report, manifest = opened.report, opened.manifest
    if not opened.own:
        return
    for key, what in _misshapen(manifest):
        report.add("manifest_unreadable", "manifest.json", None, f"{key}: {what}")
    if opened.state not in get_args(State):
        report.add("state_incoherent", "manifest.json", None, f"'{opened.state}' is not a state of a trial")
    revealed = manifest.get("revealed_seed")
    if bool(revealed) != (opened.state == "unsealed"):
        what = "the seed is missing" if opened.state == "unsealed" else f"the seed is shown in a {opened.state} study"
        report.add("state_incoherent", "manifest.json", None, what)
    if opened.state == "draft":
        for key in ("commitment", "launched_at", "signature"):
            if manifest.get(key):
                report.add("state_incoherent", "manifest.json", None, f"a draft has a {key}")
    _check_audit(opened)
    _check_description(opened)


LAUNCH = "launch"
"""The reason of a study's first version."""
ONE_ACT = timedelta(minutes=2)
"""Between what one act writes, on a machine that is busy."""


def _check_audit(opened: UntrustedDataset) -> None:
    report, audit = opened.report, opened.manifest.get("audit")
    # Without the log it counts as broken from its beginning: to take it out must not pass for an older version.
    broken = audit.get("broken_at") if isinstance(audit, dict) else 0
    if broken is not None:
        report.add("audit_broken", "manifest.json", None, f"entry {broken} of the audit log is not what was chained")
        return
    if opened.acts("reimports"):
        what = "the audit log began anew when a dataset was put into this database: acts before are not in it"
        report.note(what)
        return
    acts = audit if isinstance(audit, dict) else {}
    for name, act, states in _STEPS:
        if opened.state in states and not acts.get(name):
            what = f"the study is {opened.state}, and no {act} is in the audit log"
            report.add("audit_broken", "manifest.json", None, what)
    _check_locked(opened)
    report.note("the audit log's chain, as found at export")


def _check_locked(opened: UntrustedDataset) -> None:
    """Every version was locked by the launch or by an amendment, when and why that was recorded."""
    amended = {(a.get("to"), a.get("why")): a.get("at") for a in opened.acts("amendments")}
    locked = [entry for entry in opened.listed("versions") if entry.get("locked_at")]
    for place, entry in enumerate(locked):
        named, reason = str(entry.get("study_hash"))[:12], entry.get("reason")
        act = (entry.get("study_hash"), reason)
        if (place == 0 and reason != LAUNCH) or (place > 0 and act not in amended):
            what = f"no amendment to version {named} for its reason is in the audit log"
            opened.report.add("audit_broken", "manifest.json", None, what)
            continue
        # The first version was locked by the launch, which has another name in the log.
        at = amended[act] if place else opened.manifest.get("launched_at")
        if not _at_once(entry.get("locked_at"), at):
            what = f"version {named} is said to be locked at {entry.get('locked_at')}, and was at {at}"
            opened.report.add("audit_broken", "manifest.json", None, what)


def _at_once(one: Any, other: Any) -> bool:
    """Return whether two moments belong to one act; what cannot be read belongs to none."""
    try:
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) <= ONE_ACT
    except (TypeError, ValueError):
        return False


def _check_description(opened: UntrustedDataset) -> None:
    path = opened.path / "dataset_description.json"
    try:
        measured = {entry["name"] for entry in parsed_json(text_in(opened.path, path.name))["variableMeasured"]}
    except (OSError, ValueError, KeyError, TypeError):
        opened.report.add("description_unreadable", path.name, None, "is missing, or lists no measured variables")
        return
    lacking = sorted({name for table in opened.files for name in _header(opened, table)} - measured)
    if lacking:
        opened.report.add("description_incomplete", path.name, None, f"does not explain {', '.join(lacking)}")


def _header(opened: UntrustedDataset, table: str) -> list[str]:
    try:
        return opened.header(table)
    except ValueError:
        return []


# -- shape -------------------------------------------------------------------------------------------------------------

_Test = Callable[[Any], bool]


def _misshapen(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys that do not hold what an export writes there."""
    if manifest.get("schema") != SCHEMA:
        yield "schema", f"is not {SCHEMA}"
    if "allocation" in manifest:
        yield "allocation", "an export of study-app has allocations"
    for key, (fits, what) in _SHAPES.items():
        if not fits(manifest.get(key)):
            yield key, f"is not {what}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    # In Python True is an int; as a count of rows it would pass for 1.
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_moment(value: Any) -> bool:
    try:
        moment(value)
    except (ValueError, TypeError):
        return False
    return True


def _each(**members: _Test) -> _Test:
    """Return a list of objects with such members."""

    def fits(value: Any) -> bool:
        return isinstance(value, list) and all(_object(entry, members) for entry in value)

    return fits


def _object(value: Any, members: dict[str, _Test]) -> bool:
    return isinstance(value, dict) and all(fits(value.get(name)) for name, fits in members.items())


def _ledgers(value: Any) -> bool:
    members: dict[str, _Test] = {"genesis": _is_text, "rows": _count, "head": _text_or_none}
    return isinstance(value, dict) and all(_object(entry, members) for entry in value.values())


_FILE: dict[str, _Test] = {"path": _is_text, "sha256": _is_text}
_STEPS = (
    ("launches", "launch", ("launched", "closed", "unsealed")),
    ("closings", "close", ("closed", "unsealed")),
    ("unsealings", "unseal", ("unsealed",)),
)
"""Acts without which the trial cannot be in these states."""
_CLOSINGS = _each(allocated=_count, ledger_head=_text_or_none)
_SHAPES: dict[str, tuple[_Test, str]] = {
    "files": (_each(**_FILE, rows=_count), "a list of paths, hashes and counts"),
    "other_files": (_each(**_FILE), "a list of paths and hashes"),
    "versions": (_each(study_hash=_is_text, file=_is_text), "a list of the study's versions"),
    "kinds": (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of kinds"),
    "ledgers": (_ledgers, "each ledger's genesis, length and head"),
    "audit": (lambda value: isinstance(value, dict) and _CLOSINGS(value.get("closings", [])), "the audit log's acts"),
    "exported_at": (_is_moment, "a moment"),
    "events_lost": (_each(), "a list"),
    "events_ahead": (_each(), "a list"),
}
