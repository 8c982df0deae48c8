"""Many arrivals at once, from several processes on one database: one ledger, as if they had queued."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import SQLITE_IS_SLOW
from support.trials.small_study import write_study
from support.warm_processes import start_warm, warm_context

from study_app.bootstrap import start
from study_app.domain.allocation import Allocator, draws, preview_seed
from study_app.domain.ledger import LedgerRow, Version, genesis, verify_ledger
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

PROCESSES = 4


def settings_for(study: Path, url: str) -> Settings:
    return Settings(study, url, study.parent, environment={})


def enrol_many(study: Path, url: str, each: int, barrier) -> None:
    """In a separate process: everybody is enrolled first, then all consent at the same time as the others do."""
    app = start(settings_for(study, url))
    people = [app.enrol.enter(EntryRequest()).participant.id for _ in range(each)]
    barrier.wait(60)
    for person in people:
        app.session.where(person)
        app.session.consent(person, True)
        app.session.consent(person, True)  # a second click
    app.close()


@pytest.fixture
def ledger(tmp_path, database_url, each):
    study = write_study(tmp_path)
    app = start(settings_for(study, database_url))
    barrier = warm_context().Barrier(PROCESSES)
    workers = [start_warm(enrol_many, study, database_url, each, barrier) for _ in range(PROCESSES)]
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    with app.context.registry.begin(write=False) as unit:
        rows = [LedgerRow.parse(row) for row in unit.allocations("preview")]
        people = unit.participants()
    yield app, rows, people
    app.close()


@SQLITE_IS_SLOW
@pytest.mark.parametrize("each", [8, pytest.param(25, marks=pytest.mark.slow)])
def test_simultaneous_arrivals_get_the_sequence_of_the_algorithm(ledger, each):
    app, rows, people = ledger
    assert [row.allocation_index for row in rows] == list(range(1, PROCESSES * each + 1))
    allocator = Allocator(app.study.allocation, app.study.arms)
    seed = preview_seed(app.context.study_hash)
    expected = [allocator.allocate({}, draws(seed, row.allocation_index)).arm for row in rows]
    assert [row.arm for row in rows] == expected

    # No one has two slots, no slot has two people, and each person has the arm of their row.
    held = {person.id: (person.allocation_index, person.arm) for person in people}
    assert held == {row.participant_id: (row.allocation_index, row.arm) for row in rows}

    version = Version(app.context.study_hash, app.study.allocation, app.study.arms, seed)
    assert verify_ledger(rows, [version], genesis_hash=genesis("preview")) == []
