"""Acts after an unblinding by the manifest are those after the same person's first look, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.verification.blinding import check_blinding


def at(minute: int) -> str:
    return f"2026-01-05T09:{minute:02}:00.000Z"


def excluded(minute: int, after: bool | None, by: str = "eva") -> dict[str, Any]:
    said = {} if after is None else {"after_unblinding": after}
    return {"by": by, "at": at(minute), "participant_id": "p1"} | said


def looked(minute: int, by: str = "eva") -> dict[str, Any]:
    return {"by": by, "at": at(minute)}


def found(*, own: bool = True, counts: dict[str, int] | None = None, **acts: list[dict[str, Any]]) -> int:
    """How many findings there are, all by one name."""
    names: list[str] = []
    opened = SimpleNamespace(
        own=own, public=counts is not None, manifest={"audit": {"counts": counts}},
        acts=lambda name: acts.get(name, []), report=SimpleNamespace(add=lambda name, *_: names.append(name)),
    )  # fmt: skip
    check_blinding(opened)  # type: ignore[arg-type]
    assert set(names) <= {"unblinding_differs"}
    return len(names)


@pytest.mark.parametrize(
    ("looks", "unblindings", "exclusion", "wrong"),
    [
        ([], [], excluded(5, False), False),
        ([], [], excluded(5, True), True),
        ([looked(4)], [], excluded(5, True), False),
        ([looked(4)], [], excluded(5, False), True),
        ([], [looked(4)], excluded(5, True), False),
        ([], [looked(4)], excluded(5, False), True),
        ([looked(6)], [], excluded(5, False), False),
        ([looked(6)], [], excluded(5, True), True),
        # The first of several counts, whichever kind it is.
        ([looked(6)], [looked(4)], excluded(5, True), False),
        ([looked(4), looked(6)], [looked(7)], excluded(5, False), True),
        # Another's look is none of one's own.
        ([looked(4, "finn")], [], excluded(5, False), False),
        ([looked(4, "finn")], [], excluded(5, True), True),
        # Of one moment it is not known which came first.
        ([looked(5)], [], excluded(5, True), False),
        ([looked(5)], [], excluded(5, False), False),
        # Earlier versions do not say who excluded after what.
        ([looked(4)], [], excluded(5, None), False),
    ],
)
def test_an_exclusion_is_after_an_unblinding_if_the_same_person_had_looked_before(looks, unblindings, exclusion, wrong):
    acts = {"looks": looks, "unblindings": unblindings, "exclusions": [exclusion]}
    assert found(**acts) == wrong
    assert found(own=False, **acts) == 0


def test_who_judged_after_an_unblinding_had_one():
    judged = [{"by": "eva", "n": 3}]
    assert found(judgements_after_unblinding=judged, looks=[looked(4)]) == 0
    assert found(judgements_after_unblinding=judged, looks=[looked(4, "finn")]) == 1


@pytest.mark.parametrize(
    ("counts", "wrong"),
    [
        ({"looks": 0}, False),
        ({"looks": 0, "exclusions": 2}, False),
        ({"looks": 1, "exclusions": 2, "exclusions_after_unblinding": 2}, False),
        ({"looks": 1, "exclusions": 2, "exclusions_after_unblinding": 3}, True),
        ({"looks": 0, "exclusions": 2, "exclusions_after_unblinding": 1}, True),
        ({"looks": 0, "unblindings": 1, "exclusions": 2, "exclusions_after_unblinding": 1}, False),
        ({"looks": 0, "judgements_after_unblinding": 1}, True),
        ({"looks": 0, "unblindings": 1, "judgements_after_unblinding": 1}, False),
        ({"exclusions_after_unblinding": 1}, False),
    ],
)
def test_of_a_dataset_for_everybody_nothing_follows_an_unblinding_that_was_not(counts, wrong):
    assert found(counts=counts) == wrong
    assert found(own=False, counts=counts) == 0
