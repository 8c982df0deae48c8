"""Programs that were run or sent along are held against what the edits of their page make at that moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.reading.dataset import UntrustedRow
from study_app.dataset.verification.event_log import check_log

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def event(seq: int, kind: str, payload: dict[str, Any], page: str = "p", second: float | None = None) -> UntrustedRow:
    stored = START + timedelta(seconds=seq if second is None else second)
    cells = {
        "participant_id": "p1", "page": page, "seq": seq, "event_id": None, "kind": kind, "stage": "work",
        "server_time": stored, "mono_ms": None, "payload": payload,
    }  # fmt: skip
    return UntrustedRow(seq, cells)


def load(seq: int, text: str, task: str = "sort") -> UntrustedRow:
    return event(seq, "load", {"task": task, "text": text})


def typed(seq: int, at: int, insert: str, task: str = "sort", second: float | None = None) -> UntrustedRow:
    change = {"from": at, "to": at, "insert": insert, "deleted": ""}
    return event(seq, "edit", {"task": task, "kind": "typed", "changes": [change]}, second=second)


def run(code: str, seq: int | None = None, second: float = 100, **changed: Any) -> UntrustedRow:
    cells = {
        "participant_id": "p1", "run_id": "r1", "task": "sort", "page": "p", "seq": seq, "kind": "run", "code": code,
        "started_at": START + timedelta(seconds=second),
    }  # fmt: skip
    return UntrustedRow(1, cells | changed)


def checked(events: list[UntrustedRow], *runs: UntrustedRow, **given: Any) -> tuple[list[str], str]:
    """(names of findings, the note)."""
    found: list[str] = []
    notes: list[str] = []
    tables = {"runs": list(runs), "participants": []}
    opened = SimpleNamespace(
        rows=tables.__getitem__, by_participant=lambda _: {}, stream=lambda _: events, listed=lambda _: [], manifest={},
        whole_to=lambda *_: None, relative=str, **{"own": False, "public": False} | given,
        report=SimpleNamespace(add=lambda name, *_: found.append(name), note=notes.append),
    )  # fmt: skip
    check_log(opened, lambda *_: None)  # type: ignore[arg-type]
    return found, notes[0].partition("; ")[2].partition(" ")[0]


LOG = [load(1, "a"), typed(2, 1, "b"), typed(3, 2, "c")]
FITS_NOT = typed(4, 9, "x")


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (run("abc"), []),
        (run("ab"), ["code_differs_from_edits"]),
        (run("ab", 2), []),
        (run("abc", 2), ["code_differs_from_edits"]),
        (run("", 2), ["code_differs_from_edits"]),
        # A run that names its moment alone may hold what was the text half a minute before it or later.
        (run("ab", None, 32.9), []),
        (run("ab", None, 33), ["code_differs_from_edits"]),
        (run("a", None, 31.9), []),
        (run("a", None, 32), ["code_differs_from_edits"]),
        (run("abc", None, 0), []),
    ],
)
def test_a_program_is_what_the_edits_of_its_page_give(program, found):
    assert checked(LOG, program) == (found, "1")


@pytest.mark.parametrize("program", [run("abc", page=None), run("abc", page="")])
def test_a_program_without_a_page_is_compared_with_nothing(program):
    assert checked(LOG, program) == ([], "0")


def test_a_program_whose_page_has_no_edits_is_a_finding():
    assert checked(LOG, run("abc", page="q")) == (["code_differs_from_edits"], "1")
    assert checked([], run("abc")) == (["code_differs_from_edits"], "1")


@pytest.mark.parametrize(
    ("events", "found"),
    [
        # An edit that does not fit is the finding, once, and no program after it is another.
        ([*LOG, FITS_NOT], ["replay_mismatch"]),
        ([*LOG, FITS_NOT, typed(5, 8, "y"), typed(6, 7, "z")], ["replay_mismatch"]),
        # Nor is one behind a gap.
        ([*LOG, typed(5, 3, "y")], ["sequence_gap"]),
    ],
)
def test_what_is_not_known_after_a_finding_is_not_compared(events, found):
    assert checked(events, run("other")) == (found, "0")
    # Before it everything is.
    assert checked(events, run("other", 2))[1] == ("0" if "sequence_gap" in found else "1")


def test_a_whole_text_after_edits_that_do_not_fit_is_compared_again():
    events = [*LOG, FITS_NOT, load(5, "new"), typed(6, 3, "!")]
    assert checked(events, run("new!")) == (["replay_mismatch"], "1")
    assert checked(events, run("old", 6)) == (["replay_mismatch", "code_differs_from_edits"], "1")
    assert checked([*events, typed(7, 9, "x")], run("new!")) == (["replay_mismatch", "replay_mismatch"], "0")


def test_edits_of_one_task_say_nothing_of_another():
    events = [*LOG, load(4, "m", "merge"), typed(5, 9, "x", "merge"), typed(6, 3, "d")]
    assert checked(events, run("abcd")) == (["replay_mismatch"], "1")


def test_of_a_dataset_for_everybody_no_program_is_compared():
    assert checked(LOG, run("other"), public=True) == ([], "0")
