"""Looks and waves of the manifest are those of the audit log, in both directions."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.verification.registration import check_looks
from study_app.domain.study.study import canonical_json

FOUND = {"estimate": 1.5}


def digest(found: Any) -> str:
    return hashlib.sha256(canonical_json(found).encode()).hexdigest()


def look(number: int, **given: Any) -> dict[str, Any]:
    return {"look": number, "digest": digest(FOUND | {"look": number})} | given


def opened_look(number: int) -> dict[str, Any]:
    """A look whose result is in the dataset."""
    return look(number, opened=FOUND | {"look": number})


def findings(listed: list[Any], recorded: Any, kinds: tuple[str, ...] = ("real",), **manifest: Any) -> list[str]:
    found: list[str] = []
    audit = {"interim_looks": recorded, "waves": manifest.pop("waves", [])}
    opened = SimpleNamespace(
        listed=lambda _: listed, kinds=kinds, manifest={"audit": audit} | manifest,
        report=SimpleNamespace(add=lambda name, *_: found.append(name)),
    )  # fmt: skip
    check_looks(opened)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("listed", "recorded", "found"),
    [
        ([], [], []),
        ([look(1), opened_look(2)], [look(1), look(2)], []),
        ([look(1)], [], ["look_unrecorded"]),
        ([], [look(1)], ["look_removed"]),
        ([], [look(1, kind="preview")], []),
        ([look(1)], [look(2)], ["look_unrecorded", "look_removed"]),
        ([look(1, opened=FOUND)], [look(1)], ["look_differs"]),
        ([look(1, opened={})], [look(1)], ["look_differs"]),
        ([look(1)], [look(1), look(2)], ["look_removed"]),
        ([], "forged", []),
        ([], [3], []),
    ],
)
def test_a_look_is_in_manifest_and_audit_log_and_is_what_its_digest_says(listed, recorded, found):
    assert findings(listed, recorded) == found


def test_a_look_at_previews_is_missed_where_previews_were_exported():
    assert findings([], [look(1, kind="preview")], kinds=("real", "preview")) == ["look_removed"]


@pytest.mark.parametrize(
    ("waves", "closed", "wrong"),
    [
        ([], {}, False),
        ([{"wave": 1}, {"wave": 2}], {"closed_wave": 2}, False),
        ([{"wave": 1}, {"wave": 2}], {"closed_wave": 1}, True),
        ([{"wave": 1}], {}, True),
        ([], {"closed_wave": 1}, True),
        ([{"wave": "one"}], {"closed_wave": 0}, False),
    ],
)
def test_the_last_closed_wave_is_that_of_the_audit_log(waves, closed, wrong):
    assert findings([], [], waves=waves, **closed) == ["wave_differs"] * wrong
