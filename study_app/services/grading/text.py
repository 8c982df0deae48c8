"""What a program's text says: looked at in a child under the limits of a run, never parsed by the server at length."""

from __future__ import annotations

import ast
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from study_app.domain.syntax import UNREADABLE, parse
from study_app.domain.tasks.checks import Case, Check, Uses
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.reports import ReportedCall
from study_app.domain.tasks.sentences import sentence
from study_app.ports import Sandbox
from study_app.services.grading.observation import How, ended_before_calls, reported_call, run_call

_REVIEWED = {"os", "sys", "ctypes", "gc", "inspect", "importlib", "builtins", "signal", "socket", "_thread", "atexit"}
LONGEST_PARSED = 16_000
"""Characters of a program that an author's own source check is given; parsing them takes a tenth of a second."""


def inspect_text(sandbox: Sandbox, pack: TaskPack, code: str, seed: int) -> ReportedCall:
    """Return what a child that only reads the text reports of it.

    Raises:
        SandboxUnavailable: no child could be run.
    """
    call = {"nonce": secrets.token_hex(8), "inspect": True}
    found = reported_call(run_call(sandbox, pack, code, call, How(seed, "real")))
    return found or ReportedCall(nonce="", valid=False)


def suspicious_imports(found: ReportedCall) -> tuple[str, ...]:
    """Return what of a program a person may want to look at: imports that honest solutions do not need."""
    return tuple(sorted(set(found.imports) & _REVIEWED))


def called_names(
    sandbox: Sandbox, pack: TaskPack, code: str, wanted: Sequence[str], cases: Iterable[Case], how: How
) -> frozenset[str]:
    """Return which of the names the program calls while its graded calls run.

    By the virtual clock all calls are made in one process; one by one where that process does not come to its end.

    Raises:
        SandboxUnavailable: the program could not be run.
    """
    asked = [case.as_call("", pack.settings.runner) | {"seed": how.seed} for case in cases]
    if not asked:
        return frozenset()
    if how.clock != "virtual":
        return _called_one_by_one(sandbox, pack, code, wanted, asked, how)
    call = {"nonce": secrets.token_hex(8), "series": asked, "uses": list(wanted)}
    result = run_call(sandbox, pack, code, call, how)
    if (found := reported_call(result)) is not None:
        return found.used
    # What a limit ended before its first call would be ended there again.
    return frozenset() if ended_before_calls(result) else _called_one_by_one(sandbox, pack, code, wanted, asked, how)


def _called_one_by_one(
    sandbox: Sandbox, pack: TaskPack, code: str, wanted: Sequence[str], asked: Sequence[dict[str, Any]], how: How
) -> frozenset[str]:
    """Return the same by a process for each call; no more calls are made than it takes."""
    called: frozenset[str] = frozenset()
    for one in asked:
        if called >= set(wanted):
            break
        result = run_call(sandbox, pack, code, one | {"nonce": secrets.token_hex(8), "uses": list(wanted)}, how)
        found = reported_call(result)
        called |= found.used if found is not None else frozenset()
        if result.ended_by != "exit":
            break  # The next would take its whole time, too.
    return called


def names_wanted(checks: Sequence[Check]) -> tuple[str, ...]:
    """Return the names that source checks ask for."""
    asked = [name for check in checks if isinstance(check.source, Uses) for name in check.source.names]
    return tuple(dict.fromkeys(asked))


def judge_source(check: Uses | Callable[[ast.Module], str | None], code: str, called: frozenset[str]) -> str | None:
    """Return what is wrong by a source check, None where nothing is."""
    return check.judge(called) if isinstance(check, Uses) else _by_tree(check, code)


def _by_tree(look: Callable[[ast.Module], str | None], code: str) -> str | None:
    # An author's check parses here, in the server's own process and without limits.
    if len(code) > LONGEST_PARSED:
        return sentence("too_long", limit=f"{LONGEST_PARSED:,}")
    try:
        return look(parse(code.removeprefix("\ufeff")))
    except UNREADABLE:
        return sentence("not_python")
