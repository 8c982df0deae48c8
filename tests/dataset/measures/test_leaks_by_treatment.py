"""Replies that give code away are counted by treatment, of those treatments that must not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from study_app.dataset.measures import fidelity
from study_app.dataset.measures.fidelity import leaks_by_treatment
from study_app.domain.assistants.fidelity import LEAK_THRESHOLD, LeakShare

SPECS = {
    "hints": SimpleNamespace(id="hints", gives_code=False),
    "asks": SimpleNamespace(id="asks", gives_code=False),
    "full": SimpleNamespace(id="full", gives_code=True),
}
PACK = SimpleNamespace(starter="", brief="", solution="")
CONTENT = SimpleNamespace(pack_of=lambda _study, task: PACK if task == "sort" else None)


@pytest.fixture(autouse=True)
def shares(monkeypatch):
    """A reply that is a number holds that share of the solution."""
    monkeypatch.setattr(fidelity, "leak_score", lambda reply, _solution, *, given: float(reply))


def leaks(*turns: tuple[str, str, str]) -> dict[str, tuple[int, int]]:
    asked = [SimpleNamespace(treatment=treatment, reply=reply, task=task) for treatment, reply, task in turns]
    found = leaks_by_treatment(asked, SPECS, SimpleNamespace(), CONTENT)  # type: ignore[arg-type]
    assert all(isinstance(each, LeakShare) for each in found.values())
    return {name: (each.replies, each.leaked) for name, each in found.items()}


@pytest.mark.parametrize(("share", "leaked"), [("0", 0), ("0.59", 0), ("0.6", 1), ("0.61", 1), ("1", 1)])
def test_a_reply_leaks_from_the_threshold_on(share, leaked):
    assert LEAK_THRESHOLD == 0.6
    assert leaks(("hints", share, "sort")) == {"hints": (1, leaked)}


def test_each_treatment_that_must_not_give_code_is_counted_by_itself():
    turns = [("hints", "1", "sort"), ("asks", "0", "sort"), ("hints", "0", "sort"), ("full", "1", "sort")]
    assert leaks(*turns) == {"hints": (2, 1), "asks": (1, 0)}


def test_what_is_no_reply_or_of_no_known_task_or_treatment_is_not_counted():
    assert leaks(("hints", "", "sort"), ("hints", "1", "gone"), ("old", "1", "sort")) == {}
