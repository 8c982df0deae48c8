"""What no power cut may undo waits for the disk; keystrokes do not."""

from __future__ import annotations

import os
import threading

import pytest

from study_app.domain.events import BrowserEvent
from study_app.domain.records import Participant, RunRecord
from study_app.storage import open_registry
from study_app.storage.engine import ERASES


@pytest.fixture
def flushed(monkeypatch):
    """Names of the files that were waited for."""
    seen: list[str] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        seen.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return seen


@pytest.fixture
def registry(tmp_path):
    registry = open_registry(f"sqlite:///{tmp_path}/study.db")
    yield registry
    registry.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="names of open files come from /proc")
def test_steps_allocations_and_submissions_wait_for_the_disk_and_keystrokes_do_not(registry, clock, flushed):
    person = Participant("p1", "real", "hash", "in_progress", "consent", 0, clock.now(), clock.now())
    run = RunRecord("r1", "p1", "t", "tasks", "run", "x", clock.now())
    with registry.begin() as unit:
        unit.add_participant(person)
        unit.store_batch("p1", "page", "tasks", clock.now(), [BrowserEvent(seq=1, kind="focus", client_time_ms=1)])
        unit.add_run(run)
    registry.submit(lambda unit: unit.touch("p1", page="page")).result(10)
    assert flushed == []
    with registry.begin() as unit:
        assert unit.move(person, stage="tasks")
    assert flushed == ["study.db-wal"]
    with registry.begin() as unit:
        unit.add_run(RunRecord("r2", "p1", "t", "tasks", "submission", "x", clock.now()))
    row = {"participant_id": "p1", "ledger": "real", "allocation_index": 1}
    with registry.begin() as unit:
        unit.append_allocation(row)
    assert flushed == ["study.db-wal"] * 3


def test_while_one_transaction_waits_for_the_disk_others_are_stored(registry, clock, monkeypatch):
    person = Participant("p1", "real", "hash", "in_progress", "consent", 0, clock.now(), clock.now())
    with registry.begin() as unit:
        unit.add_participant(person)
    syncing, disk = threading.Event(), threading.Event()

    def slow(_handle: int) -> None:
        syncing.set()
        assert disk.wait(60)

    monkeypatch.setattr(os, "fsync", slow)

    def lasting() -> None:
        with registry.begin() as unit:
            unit.move(person, stage="tasks")

    waiting = threading.Thread(target=lasting)
    waiting.start()
    try:
        assert syncing.wait(60)
        registry.submit(lambda unit: unit.touch("p1", page="page")).result(60)
        # Acknowledged only once it is on the disk.
        assert waiting.is_alive()
    finally:
        disk.set()
        waiting.join(60)
    assert not waiting.is_alive()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="names of open files come from /proc")
def test_a_transaction_that_is_undone_waits_for_nothing_and_leaves_no_mark(registry, clock, flushed):
    person = Participant("p1", "real", "hash", "in_progress", "consent", 0, clock.now(), clock.now())

    def undone() -> None:
        with registry.begin() as unit:
            unit.add_participant(person)
            unit.move(person, stage="tasks")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    with registry.begin() as unit:
        unit.add_participant(person)
    assert flushed == []


class Relay:
    """A writer's lock that another writer has been waiting for: it erases as soon as the lock is let go."""

    def __init__(self, lock, erase):
        self.acquire, self.release, self._erase = lock.acquire, lock.release, erase

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()
        if erase := self._erase:
            self._erase = None
            erase()


def test_an_erasure_right_after_the_log_was_emptied_is_emptied_the_next_time(registry, tmp_path, monkeypatch):
    def erase():
        with registry.database.begin(write=True) as connection:
            connection.info[ERASES] = True
            connection.exec_driver_sql("INSERT INTO locks (name) VALUES ('something to log')")

    monkeypatch.setattr(registry.database, "_writer", Relay(registry.database._writer, erase))
    assert registry.forget_erased()
    log = tmp_path / "study.db-wal"
    assert log.stat().st_size > 0
    assert registry.forget_erased()
    assert log.stat().st_size == 0
