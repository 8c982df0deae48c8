"""A server's memory comes to rest: few arenas for many threads, and what is free goes back to the system."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from support.clock import HandClock
from support.server import StudyServer
from support.trials.export_world import open_app

from study_app.web.app import background
from study_app.web.operating import heap

HEAP = 64 * 1024 * 1024
"""Bytes of address space that glibc sets aside for each arena but the first, at a multiple of so many."""

MANY_THREADS = """
import ctypes, sys, threading
from study_app.web.operating import heap
if sys.argv[1] == "few":
    heap.keep_few_arenas()
together = threading.Barrier(40)
def work():
    together.wait()
    held = [bytes(2000) for _ in range(200)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(40)]
for each in threads: each.start()
for each in threads: each.join()
ctypes.CDLL(None).malloc_stats()
"""


def arenas(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", MANY_THREADS, how], capture_output=True, text=True, check=True)
    return done.stderr.count("Arena ")


def test_forty_threads_share_few_arenas_where_glibc_would_make_many():
    assert arenas("as it is") > heap.ARENAS
    assert arenas("few") <= heap.ARENAS


FREED = """
from pathlib import Path
from study_app.web.operating import heap
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
small = [bytes(60_000) for _ in range(1500)]
# What is freed lies between blocks that are still held.
kept = small[::10]
del small
before = resident()
heap.trim()
print(before - resident(), len(kept))
"""


def test_pages_between_blocks_that_are_held_go_back():
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    pages, _kept = map(int, done.stdout.split())
    assert pages * 4096 > 1350 * 60_000 / 2


def test_a_server_trims_again_and_again(tmp_path, monkeypatch):
    app, trimmed = open_app(tmp_path, HandClock()), []
    monkeypatch.setattr(heap, "TRIMMED_SECONDS", 0.02)
    monkeypatch.setattr(heap, "trim", lambda: trimmed.append(threading.get_ident()))

    async def serve() -> None:
        async with background(app):
            while len(trimmed) < 3:
                await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(serve(), 60))
    app.close()
    # Beside the loop, which answers people meanwhile.
    assert threading.get_ident() not in trimmed


def heaps(pid: int) -> int:
    """Pieces of address space that a process has set aside for arenas besides the first, nearly all of each unused."""
    found = 0
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        place, rights, *rest = line.split()
        low, high = (int(part, 16) for part in place.split("-"))
        found += rights == "---p" and len(rest) == 3 and high % HEAP == 0 and HEAP / 2 < high - low < HEAP
    return found


@pytest.mark.slow
def test_a_real_server_that_is_asked_by_many_at_once_has_no_arena_more(tmp_path):
    server = StudyServer(tmp_path, forked=False).start()
    try:
        together = threading.Barrier(60)

        def ask() -> None:
            together.wait(60)
            for _ in range(3):
                assert httpx.post(f"{server.url}/enter", timeout=120).status_code in {303, 429}

        threads = [threading.Thread(target=ask) for _ in range(60)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert server.process is not None
        assert heaps(server.process.pid) <= heap.ARENAS - 1
    finally:
        server.stop()
