"""The replay kept between allocations: failed transactions, other processes, amendments, people who took their data."""

from __future__ import annotations

import pytest
from support.trials.small_study import BLOCKS, write_study

from study_app.bootstrap import start
from study_app.domain.allocation import Allocator, draws, preview_seed
from study_app.domain.ledger import LedgerRow
from study_app.services.context import draft_key
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

RETURNING = 'method = "big_stick"\nbound = 2\nreplacement = "return_slot"'


def open_app(study, tmp_path):
    return start(Settings(study, f"sqlite:///{tmp_path}/study.db", tmp_path, environment={}))


def newcomer(app) -> str:
    person = app.enrol.enter(EntryRequest()).participant.id
    app.session.where(person)
    app.session.consent(person, True)
    return person


def allocate_and_fail(app, person: str) -> None:
    with app.context.registry.begin() as unit:
        place = app.session.flow.arrive(unit, unit.participant(person))
        assert app.session.flow.advance(unit, place)
        1 / 0  # noqa: B018  (the disk is full, say)


def ledger(app) -> list[LedgerRow]:
    with app.context.registry.begin(write=False) as unit:
        return [LedgerRow.parse(row) for row in unit.allocations("preview")]


def arms_of(app, count) -> list[str]:
    allocator, seed = Allocator(app.study.allocation, app.study.arms), preview_seed(app.context.study_hash)
    return [allocator.allocate({}, draws(seed, index)).arm for index in range(1, count + 1)]


def test_a_transaction_that_fails_after_allocation_leaves_no_trace_in_the_next(tmp_path):
    app = open_app(write_study(tmp_path), tmp_path)
    for _ in range(3):
        newcomer(app)
    waiting = app.enrol.enter(EntryRequest()).participant.id
    with pytest.raises(ZeroDivisionError):
        allocate_and_fail(app, waiting)
    for _ in range(10):
        newcomer(app)
    assert [row.arm for row in ledger(app)] == arms_of(app, 13)


def test_two_processes_take_turns_on_one_ledger(tmp_path):
    study = write_study(tmp_path)
    apps = [open_app(study, tmp_path), open_app(study, tmp_path)]
    for turn in (0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0):
        newcomer(apps[turn])
    assert [row.arm for row in ledger(apps[0])] == arms_of(apps[0], 11)


def test_who_takes_their_data_along_before_the_next_allocation_still_gives_the_slot_back(tmp_path):
    app = open_app(write_study(tmp_path, RETURNING), tmp_path)
    people = [newcomer(app) for _ in range(4)]
    app.session.withdraw(people[1], withdraw_data=True)
    app.session.withdraw(people[2], withdraw_data=False)
    newcomer(app)
    newcomer(app)
    rows = ledger(app)
    assert rows[1].erased
    assert [row.returned for row in rows] == [(), (), (), (), (2, 3), ()]


def test_a_draft_that_changed_goes_on_with_its_own_sequence(tmp_path):
    study = write_study(tmp_path)
    app = open_app(study, tmp_path)
    newcomer(app)
    app.close()
    write_study(tmp_path, BLOCKS.replace("[2, 4, 6]", "[4]"))
    changed = open_app(study, tmp_path)
    newcomer(changed)
    newcomer(changed)
    assert [row.allocation_index for row in ledger(changed)] == [1, 2, 3]
    assert len({row.study_hash for row in ledger(changed)}) == 2
    with changed.context.registry.begin(write=False) as unit:
        assert unit.meta(draft_key(ledger(changed)[0].study_hash))
