"""Participants in the workspace, all at once: events, runs and chat over real HTTP, beside oTree's page submit.

    python benchmarks/bench_load.py --participants 200 --seconds 300          the target of the study
    python benchmarks/bench_load.py --participants 100 200 --seconds 60 --peer

One server process, the client on the same machine. Each participant sends a batch of 10 edits every 2 s (1-3), runs a
program every 30 s and asks the embedded assistant every 30 s. A run is timed from the press to its last example, and
once more as a whole without the seconds that the program itself took. With the part `agent` the assistant acts: each
participant asks it every 30 s and approves each of its steps after 1-4 s, typing nothing meanwhile. A phase with events
alone comes first: it gives the server's computing time for one batch (`--parts runs`, `--parts chat` or `--parts
agent`: for one of those). `sync_ms` is what one write to the disk takes before and after: replies and runs wait for it,
so that figures compare only where it is alike. `--peer` measures oTree (from PyPI, in a separate environment) by the
same client with the same think time. Prints JSON; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from load_otree import otree  # noqa: E402
from load_people import PARTS, Person, Tally, enrolled, stored  # noqa: E402
from support.server import StudyServer  # noqa: E402
from support.trials.agent_study import agent_study  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process, without its children."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pid: int) -> float:
    """Computing time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_cpu_seconds(pid: int) -> float:
    """Computing time of the fork servers of a process and of the programs they have run."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def sync_ms(folder: Path, writes: int = 50) -> float:
    """Median milliseconds until 4 KiB are on the disk."""
    taken = []
    with open(folder / "sync", "wb", buffering=0) as file:
        for _ in range(writes):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(taken), 2)


def quantiles(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {"n": len(seconds)}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    names = {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98], "max_ms": max(seconds)}
    return {"n": len(seconds), **{name: round(value * 1000, 1) for name, value in names.items()}}


def phase(server: StudyServer, people: dict[str, str], seconds: float, parts: tuple[str, ...]) -> tuple[Tally, dict]:
    """Everybody at work for a while, and what it took of the server."""
    pid = server.process.pid
    before, children, began = cpu_seconds(pid), children_cpu_seconds(pid), time.monotonic()
    client = time.process_time()
    tally = Tally()

    async def all_of_them() -> None:
        await asyncio.gather(
            *(Person(server.url, cookie, who, tally).work(seconds, parts) for who, cookie in people.items())
        )

    asyncio.run(all_of_them())
    elapsed = time.monotonic() - began
    used = {
        "server_cpu_percent": round(100 * (cpu_seconds(pid) - before) / elapsed, 1),
        "programs_cpu_percent": round(100 * (children_cpu_seconds(pid) - children) / elapsed, 1),
        "client_cpu_percent": round(100 * (time.process_time() - client) / elapsed, 1),
        "batches_per_second": round(len(tally.latency["events"]) / elapsed, 1),
    }
    if len(parts) == 1:
        acts = max(len(tally.latency[parts[0]]), 1)
        used[f"server_cpu_ms_each_of_{parts[0]}"] = round(1000 * (cpu_seconds(pid) - before) / acts, 2)
    if runs := len(tally.latency["runs"]):
        used["programs_cpu_ms_each_run"] = round(1000 * (children_cpu_seconds(pid) - children) / runs, 1)
    return tally, used


def ours(count: int, seconds: float, parts: tuple[str, ...]) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="study-load-"))
    study = (agent_study(folder, "each"),) if "agent" in parts else ()
    synced = [sync_ms(folder)]
    server = StudyServer(folder, *study, forked=False).start()
    try:
        people = asyncio.run(enrolled(server.url, server.database, count))
        before = memory_mb(server.process.pid)
        events_only, used_by_events = phase(server, people, min(15.0, seconds / 2), ("events",))
        print(f"{count} participants: events alone {used_by_events}", file=sys.stderr)
        tally, used = phase(server, people, seconds, parts)
        growth = (memory_mb(server.process.pid) - before) / count
        checked = stored(server.database, tally)
        synced.append(sync_ms(folder))
        tally.errors += events_only.errors
        return {
            "participants": count,
            "seconds": seconds,
            "parts": list(parts),
            "latency": {name: quantiles(values) for name, values in tally.latency.items()},
            "errors": len(tally.errors),
            "first_errors": tally.errors[:3],
            **checked,
            **({"agent_changes_applied": tally.applied} if "agent" in parts else {}),
            "memory_growth_mb_per_participant": round(growth, 3),
            "sync_ms": synced,
            **used,
            "events_alone": used_by_events | {"latency": quantiles(events_only.latency["events"])},
        }
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, nargs="+", default=[50])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["events", "runs", "chat"])
    parser.add_argument("--peer", action="store_true", help="measure oTree too")
    parser.add_argument("--peer-seconds", type=float, default=60, help="at most this long")
    given = parser.parse_args()
    report = []
    for count in given.participants:
        row = {"ours": ours(count, given.seconds, tuple(given.parts))}
        if given.peer:
            row["otree"] = otree(count, min(given.seconds, given.peer_seconds), quantiles)
            peer, mine = row["otree"].get("page_submit"), row["ours"]["latency"]["events"]
            if peer:
                row["ratio_p50"] = round(mine["p50_ms"] / peer["p50_ms"], 3)
                row["ratio_p95"] = round(mine["p95_ms"] / peer["p95_ms"], 3)
        report.append(row)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
