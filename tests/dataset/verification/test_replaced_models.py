"""Who answered is held against the replacements in the audit log, with a minute for questions on their way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.verification.models.replaced import check_replacements
from study_app.dataset.verification.server_log import log_of

REPLACED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ACT = {
    "assistant": "full", "model": "m", "treatment": "full", "at": "2026-01-05T09:00:00.000Z", "recording": "r.jsonl",
    "sha256": "0f",
}  # fmt: skip
BY_MODEL = {"id": "full", "provider": "claude"}


class Row(dict):
    """A row as `verify` reads it."""

    number = 3


def turn(second: float, assistant: str, **changed: Any) -> Row:
    row = {
        "participant_id": "p1", "turn_id": "t", "treatment": "full", "assistant": assistant, "model": "m",
        "reply": "So.", "asked_at": REPLACED + timedelta(seconds=second), "total_seconds": None,
    }  # fmt: skip
    return Row(row | changed)


def found(folder, *turns: Row, acts: list[dict[str, Any]] | None = None, spec: Any = None, **given: Any) -> int:
    """How many findings there are, all by one name."""
    names: list[str] = []
    if spec is not None:
        (folder / "materials" / "assistants").mkdir(parents=True)
        (folder / "materials" / "assistants" / "full.json").write_text(json.dumps(spec))
    started = Row(page="server", kind="turn_started", stage="work", payload={"turn_id": "t", "task": "s", "model": "m"})
    opened = SimpleNamespace(
        public=given.get("public", False), path=folder, acts=lambda _: [ACT] if acts is None else acts, relative=str,
        rows=lambda _: turns, listed=lambda _: [{"materials": given.get("materials", {"r.jsonl": "0f"})}],
        report=SimpleNamespace(add=lambda name, *_: names.append(name), note=lambda _: None),
    )  # fmt: skip
    check_replacements(opened, {"p1": log_of([started])})  # type: ignore[arg-type]
    assert set(names) <= {"model_differs"}
    return len(names)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (turn(0, "claude"), False),
        (turn(60, "claude"), False),
        (turn(60.001, "claude"), True),
        (turn(-9999, "claude"), False),
        # What brought no reply answered nothing.
        (turn(600, "claude", reply=""), False),
        (turn(600, "recorded"), False),
        (turn(-60, "recorded"), False),
        (turn(-60.001, "recorded"), True),
        # By its end.
        (turn(-70, "recorded", total_seconds=10.0), False),
        (turn(-70, "recorded", total_seconds=9.9), True),
        (turn(600, "notes"), False),
        (turn(600, "claude", asked_at=None), False),
        # Another model of the same treatment, after an amendment, was not replaced.
        (turn(600, "claude", turn_id="other"), False),
        (turn(600, "claude", treatment="hints"), False),
    ],
)
def test_a_model_answers_until_it_is_replaced_and_the_recording_from_then_on(tmp_path, row, wrong):
    assert found(tmp_path, row) == wrong
    assert found(tmp_path, row, public=True) == 0


@pytest.mark.parametrize(
    ("spec", "wrong"), [(BY_MODEL, True), (BY_MODEL | {"provider": "recorded"}, False), ([], False), (None, False)]
)
def test_a_recording_in_a_models_place_is_in_the_audit_log(tmp_path, spec, wrong):
    assert found(tmp_path, turn(0, "recorded"), acts=[], spec=spec) == wrong


def test_the_recording_is_one_that_a_version_was_locked_with(tmp_path):
    assert found(tmp_path, materials={"r.jsonl": "0f"}) == 0
    assert found(tmp_path, materials={"r.jsonl": "ff"}) == 1
    assert found(tmp_path, materials={"other.jsonl": "0f"}) == 1
    assert found(tmp_path, materials=None) == 1
