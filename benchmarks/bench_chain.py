"""What the chain of records costs where pages send their events: the same batches with and without it, in turn.

    python benchmarks/bench_chain.py --batches 400 --rounds 7
    python benchmarks/bench_chain.py --database postgresql+psycopg://user@localhost/empty

In process (one transaction a batch) and over the route (JSON, cookie, shapes, group commit), on a fresh SQLite database
each, or with --database one after the other in an empty database that may be thrown away. Of Postgres it is the
processor time of this process, which waits for the server; the server's own is not in it. A round stores as many
batches with the chain as without; the ratio is of processor time, which other programs on the machine disturb least,
and the median of all rounds. Prints JSON; the limit is 1.20.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from study_app.bootstrap import App, install, start
from study_app.domain.events import Batch
from study_app.domain.records import Visit
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings
from study_app.storage import event_log
from study_app.web.admission.gateway import ParticipantGateway
from study_app.web.admission.limits import RequestLimits

ROOT = Path(__file__).parents[1]
TASK, EDITS, LIMIT = "trio_timer", 10, 1.20
Log = event_log.SqlEventLog


def rows_without_chain(log: Any, events: Any) -> list[tuple[Any, ...]]:
    """The rows of events as they would be without the four columns of the chain."""
    return [
        (
            e.participant_id,
            e.page,
            e.seq,
            e.kind,
            e.stage,
            event_log._moment(e.server_time),
            e.client_time_ms,
            e.mono_ms,
            event_log._json(e.payload),
            e.arrived_late,
            None,
            None,
            None,
            None,
        )
        for e in events
    ]


@contextmanager
def chain(on: bool) -> Iterator[None]:
    """Whether records are joined to the chain."""
    before = Log._chained
    if not on:
        Log._chained = rows_without_chain  # type: ignore[method-assign]
    try:
        yield
    finally:
        Log._chained = before  # type: ignore[method-assign]


class Typist:
    """One participant who types, batch after batch."""

    def __init__(self, app: App) -> None:
        now = datetime.now(UTC)  # noqa: TID251
        admitted = app.enrol.enter(EntryRequest())
        self.id, self.cookie, self.page = admitted.participant.id, admitted.token, "bench"
        with app.context.registry.begin() as unit:
            unit.touch(self.id, stage="tasks", arm="ai")
            unit.open_visit(Visit(self.id, "tasks", now, now + timedelta(hours=9)))
        app.session.take_over(self.id, self.page)
        self.seq, self.length = 0, 0
        self.first = {"kind": "load", "payload": {"task": TASK, "text": "", "source": "starter"}}

    def batch(self) -> dict[str, Any]:
        """The next few edits."""
        events = [] if self.seq else [self._numbered(self.first)]
        for _ in range(EDITS):
            change = {"from": self.length, "to": self.length, "insert": "x"}
            self.length += 1
            payload = {"task": TASK, "kind": "typed", "changes": [change], "length": self.length}
            events.append(self._numbered({"kind": "edit", "payload": payload}))
        return {"page": self.page, "events": events}

    def _numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        self.seq += 1
        return {"seq": self.seq, "client_time_ms": 1.7e12, "mono_ms": 1000.0 * self.seq} | event


def in_process(app: App, typist: Typist) -> Callable[[], None]:
    def store() -> None:
        app.session.ingest(typist.id, Batch.model_validate(typist.batch()))

    return store


def over_the_route(app: App, typist: Typist, runner: asyncio.Runner) -> Callable[[], None]:
    class Unlimited(RequestLimits):
        def participant(self, *_: Any) -> float:
            return 0.0

        def stranger(self, *_: Any, **__: Any) -> float:
            return 0.0

    door = ParticipantGateway(nowhere, app, frozenset(), Unlimited())
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(door), base_url="http://bench")
    client.cookies.set("study_participant", typist.cookie)

    async def send() -> None:
        answer = await client.post("/api/events", json=typist.batch())
        assert answer.status_code == 200, answer.text

    return lambda: runner.run(send())


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("only the door is asked")


def seconds(store: Callable[[], None], batches: int, *, on: bool) -> float:
    """Processor seconds of all threads for so many batches."""
    with chain(on):
        began = time.process_time()
        for _ in range(batches):
            store()
        return time.process_time() - began


def ratios(store: Callable[[], None], batches: int, rounds: int) -> dict[str, Any]:
    """With the chain against without, each round in the other order."""
    seconds(store, batches // 4 + 1, on=True)
    found = []
    for number in range(rounds):
        order = (True, False) if number % 2 else (False, True)
        taken = {on: seconds(store, batches, on=on) for on in order}
        found.append(taken)
    ratio = statistics.median(taken[True] / taken[False] for taken in found)
    per_batch = {on: 1000 * statistics.median(taken[on] for taken in found) / batches for on in (True, False)}
    return {
        "ratio": round(ratio, 3),
        "with_chain_cpu_ms_per_batch": round(per_batch[True], 3),
        "without_cpu_ms_per_batch": round(per_batch[False], 3),
    }


def measured(way: str, batches: int, rounds: int, database: str | None) -> dict[str, Any]:
    """On its own SQLite database, or the one given."""
    with tempfile.TemporaryDirectory(prefix="study-chain-") as folder, asyncio.Runner() as runner:
        url = database or f"sqlite:///{folder}/study.db"
        settings = Settings(ROOT / "study.toml", url, Path(folder) / "var", environment={})
        app = start(settings)
        install(app)
        try:
            typist = Typist(app)
            store = in_process(app, typist) if way == "in_process" else over_the_route(app, typist, runner)
            return ratios(store, batches, rounds)
        finally:
            app.close()


def main() -> int:
    """Measure both ways; 1 where the chain costs more than the limit on the route."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--database", metavar="URL", help="an empty database in place of fresh SQLite ones")
    given = parser.parse_args()
    report = {
        way: measured(way, given.batches, given.rounds, given.database) for way in ("in_process", "over_the_route")
    }
    sys.stdout.write(json.dumps(report | {"edits_per_batch": EDITS, "limit": LIMIT}, indent=2) + "\n")
    return 0 if report["over_the_route"]["ratio"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
