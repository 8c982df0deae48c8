"""Programs of the main tasks: whether the log shows how each that was submitted came about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.measures.provenance import programs
from study_app.domain.events import Event

WORK = SimpleNamespace(id="work", packs=("tasks/sort", "tasks/merge"))
NO_PACKS = SimpleNamespace(pack_of=lambda *_: None)
PACKS = SimpleNamespace(
    pack_of=lambda *_: SimpleNamespace(beginning=lambda _: "", brief="", reference="", settings=None)
)


def submission(task: str, stage: str = "work") -> SimpleNamespace:
    return SimpleNamespace(id=task, kind="submission", task=task, stage=stage, code="", page="p", seq=1)


def load(task: str) -> Event:
    return Event("p1", "p", 1, "load", "work", None, payload={"task": task, "text": ""})  # type: ignore[arg-type]


def followed(runs: list[Any], events: list[Event], content: Any) -> tuple[int, bool]:
    record = SimpleNamespace(
        runs=runs, events=events, turns=[], study=None, participant=SimpleNamespace(id="p1", arm="full"),
        main_ids={"work"}, main_stages=[WORK],
    )  # fmt: skip
    found = programs(record, content)  # type: ignore[arg-type]
    return len(found.of_tasks), found.complete


@pytest.mark.parametrize(
    ("runs", "events", "content", "found"),
    [
        ([], [], NO_PACKS, (0, True)),
        # Submitted, and the log has no edit of it, or its pack is gone.
        ([submission("sort")], [], PACKS, (0, False)),
        ([submission("sort")], [load("sort")], NO_PACKS, (0, False)),
        ([submission("sort")], [load("merge")], PACKS, (1, False)),
        ([submission("merge")], [load("sort")], PACKS, (1, False)),
        # Nothing of a warm-up counts.
        ([submission("sort", "warmup")], [], PACKS, (0, True)),
        ([], [load("sort"), load("merge")], PACKS, (2, True)),
    ],
)
def test_it_is_known_whether_the_log_shows_every_program_that_was_submitted(runs, events, content, found):
    assert followed(runs, events, content) == found
