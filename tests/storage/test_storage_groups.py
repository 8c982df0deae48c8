"""Group commit: what many requests bring is stored together, and nothing one of them does hurts another."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait

import pytest

from study_app.dataset.integrity import chain
from study_app.domain.errors import InfrastructureError
from study_app.domain.events import BrowserEvent
from study_app.storage import open_registry
from study_app.storage.database import SqlDatabase
from study_app.storage.sealed.differing import EVENT_ENTRIES


@pytest.fixture
def registry(database_url):
    registry = open_registry(database_url)
    yield registry
    registry.close()


def batch(clock, page: str, *numbers: int):
    """Work that stores a page's events and says up to where."""
    events = [BrowserEvent(seq=n, kind="focus", client_time_ms=1000.0 + n) for n in numbers]
    return lambda unit: unit.store_batch("p1", page, "tasks", clock.now(), events).ack


class Held:
    """Keeps the writer busy with one piece of work, so that what is submitted meanwhile forms one group."""

    def __init__(self, registry: SqlDatabase) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.first = registry.submit(self._wait)
        assert self.begun.wait(10)

    def _wait(self, unit) -> None:
        self.begun.set()
        assert self.go_on.wait(10)

    def release(self, *futures: Future) -> None:
        self.go_on.set()
        wait(futures, 10)


def pages(registry: SqlDatabase) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with registry.begin(write=False) as unit:
        for event in unit.events("p1"):
            found.setdefault(event.page, []).append(event.seq)
    return found


def test_what_came_while_the_writer_was_busy_is_one_transaction(registry):
    held = Held(registry)
    futures = [registry.submit(id) for _ in range(5)]
    held.release(*futures)
    assert len({future.result() for future in futures}) == 1


def test_one_piece_that_fails_undoes_itself_alone(registry, clock):
    def half_done(unit):
        batch(clock, "b", 1, 2)(unit)
        raise KeyError("no")

    held = Held(registry)
    futures = [registry.submit(work) for work in (batch(clock, "a", 1), half_done, batch(clock, "c", 1, 2, 3))]
    held.release(*futures)
    assert futures[0].result() == 1
    assert isinstance(futures[1].exception(), KeyError)
    assert futures[2].result() == 3
    assert pages(registry) == {"a": [1], "c": [1, 2, 3]}
    with registry.begin(write=False) as unit:
        head, chained = chain.GENESIS, list(unit.chained(unit.driver.stream(EVENT_ENTRIES)))
        for entry in chained:
            head = chain.link(head, entry.digest)
        assert [(one.position, one.head) for one in unit.chain_heads()] == [(len(chained), head.hex())]


def test_a_statement_that_the_database_refuses_hurts_no_other(registry, clock):
    held = Held(registry)
    futures = [
        registry.submit(work)
        for work in (batch(clock, "a", 1), lambda unit: unit.driver.run("INSERT INTO nowhere VALUES (1)"))
    ]
    futures.append(registry.submit(batch(clock, "c", 1)))
    held.release(*futures)
    assert isinstance(futures[1].exception(), InfrastructureError)
    assert pages(registry) == {"a": [1], "c": [1]}


def test_nobody_is_answered_before_the_commit(registry, database_url, clock):
    other = open_registry(database_url)
    held = Held(registry)
    seen: list[dict] = []
    future = registry.submit(batch(clock, "a", 1))
    future.add_done_callback(lambda _: seen.append(pages(other)))
    slow = registry.submit(lambda unit: threading.Event().wait(0.2))
    held.release(future, slow)
    assert seen == [{"a": [1]}]
    other.close()


def test_a_transaction_that_cannot_be_committed_fails_all_of_its_group(registry, clock, monkeypatch):
    from contextlib import contextmanager

    begin = registry.database.begin

    @contextmanager
    def full(*, write):
        with begin(write=write) as connection:
            yield connection
            raise InfrastructureError("disk is full")

    held = Held(registry)
    monkeypatch.setattr(registry.database, "begin", full)
    futures = [registry.submit(batch(clock, page, 1)) for page in "ab"]
    held.release(*futures)
    assert all(isinstance(future.exception(), InfrastructureError) for future in futures)
    monkeypatch.undo()
    assert pages(registry) == {}
    assert registry.submit(batch(clock, "a", 1)).result(10) == 1


def test_what_is_given_up_before_its_turn_is_not_stored(registry, clock):
    held = Held(registry)
    given_up, other = registry.submit(batch(clock, "a", 1)), registry.submit(batch(clock, "b", 1))
    assert given_up.cancel()
    held.release(other)
    assert pages(registry) == {"b": [1]}


def test_batches_of_many_threads_are_stored_once_each(registry, clock):
    def send(page: str) -> None:
        for start in range(1, 40, 4):
            for _ in range(2):
                registry.submit(batch(clock, page, *range(start, start + 4))).result(20)

    threads = [threading.Thread(target=send, args=(f"page{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages(registry) == {f"page{n}": list(range(1, 41)) for n in range(8)}


def test_closing_stores_what_is_queued_and_takes_no_more(database_url, clock):
    registry = open_registry(database_url)
    held = Held(registry)
    last = registry.submit(batch(clock, "a", 1))
    held.go_on.set()
    registry.close()
    assert last.result(0) == 1
    with pytest.raises(InfrastructureError):
        registry.submit(batch(clock, "a", 2))


def test_events_beyond_a_gap_are_applied_as_they_were_stored(registry, clock):
    first = BrowserEvent(seq=2, kind="focus", client_time_ms=1.0, payload={"as": "stored"})
    again = BrowserEvent(seq=2, kind="focus", client_time_ms=1.0, payload={"as": "resent"})
    missing = BrowserEvent(seq=1, kind="focus", client_time_ms=0.0)
    with registry.begin() as unit:
        assert unit.store_batch("p1", "a", "tasks", clock.now(), [first]).fresh == ()
        stored = unit.store_batch("p1", "a", "tasks", clock.now(), [missing, again])
    assert stored.ack == 2
    assert [event.payload for event in stored.fresh] == [{}, {"as": "stored"}]
