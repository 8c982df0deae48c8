"""People at work for a long time at constant load, and what grows meanwhile: memory, descriptors, threads, latency.

    python benchmarks/bench_soak.py --people 50 --minutes 60 --out soak.json

One server with SQLite in a new process, the client of `bench_load.py` on the same machine: batches of events every 2 s,
a run and a question every 30 s each. Once a minute the server and its fork servers are looked at, and the latencies of
that minute summed up; the file is written anew each time, so that a run that is cut short leaves what it measured. The
verdict compares the last third with the second, for the first fills caches and pools.
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
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from bench_load import cpu_seconds, memory_mb, quantiles  # noqa: E402
from load_people import Person, Tally, enrolled, stored  # noqa: E402
from support.replicas.chaos import children  # noqa: E402
from support.server import StudyServer  # noqa: E402

PARTS = ("events", "runs", "chat")
GROWTH = 1.10
"""Of the last third over the second, in memory and descriptors: more counts as growth."""
STUDY_PARTS = ("study.toml", "assistants", "interviews", "personas", "quizzes", "tasks")
LIMITS = "turns = 60\noutput_tokens = 40000\ncost_usd = 2.0"


def patient_study(folder: Path) -> Path:
    """Copy the shipped study with an assistant that answers to the end: its own limit is reached after half an hour."""
    folder.mkdir()
    for part in STUDY_PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    assistant = folder / "assistants" / "full.toml"
    text = assistant.read_text(encoding="utf-8")
    if LIMITS not in text:
        sys.exit("assistants/full.toml has other limits than this benchmark replaces")
    assistant.write_text(text.replace(LIMITS, "turns = 100000"), encoding="utf-8")
    return folder / "study.toml"


def looked_at(pid: int) -> dict[str, float]:
    """What a server holds now, with its children."""
    below = children(pid)
    return {
        "memory_mb": round(memory_mb(pid), 1),
        "children_mb": round(sum(_memory(child) for child in below), 1),
        "children": len(below),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "cpu_seconds": round(cpu_seconds(pid), 2),
    }


def _memory(pid: int) -> float:
    try:
        return memory_mb(pid)
    except OSError:
        return 0.0


async def soak(server: StudyServer, people: int, minutes: float, report: dict[str, Any], out: Path) -> Tally:
    """Let people work, and look each minute."""
    cookies = await enrolled(server.url, server.database, people, minutes=minutes + 10)
    tally, pid = Tally(), server.process.pid  # type: ignore[union-attr]
    everyone = [Person(server.url, cookie, who, tally) for who, cookie in cookies.items()]
    began = time.monotonic()
    working = asyncio.gather(*(person.work(60 * minutes, PARTS) for person in everyone))
    taken = dict.fromkeys(tally.latency, 0)
    while not working.done():
        await asyncio.wait({working}, timeout=60)
        sample: dict[str, Any] = {"minute": round((time.monotonic() - began) / 60, 1), **looked_at(pid)}
        sample["database_mb"] = round(sum(path.stat().st_size for path in server.folder.glob("study.db*")) / 1e6, 1)
        sample["load"] = os.getloadavg()[0]
        sample["errors"] = len(tally.errors)
        for name, seconds in tally.latency.items():
            new, taken[name] = seconds[taken.get(name, 0) :], len(seconds)
            if new:
                sample[name] = quantiles(new)
        report["samples"].append(sample)
        out.write_text(json.dumps(report, indent=1))
        print(
            json.dumps({key: sample[key] for key in ("minute", "memory_mb", "descriptors", "threads")}), file=sys.stderr
        )
    await working
    return tally


def thirds(samples: list[dict[str, Any]], name: str) -> list[float]:
    """Medians of the first, second and last third of the samples."""
    values = [sample[name] for sample in samples if sample.get(name) is not None]
    size = max(len(values) // 3, 1)
    parts = (values[:size], values[size : 2 * size], values[2 * size :])
    return [round(statistics.median(part), 2) for part in parts if part]


def verdict(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """What the thirds say; latencies are given and not judged, for they follow the machine's load."""
    found: dict[str, Any] = {
        name: thirds(samples, name) for name in ("memory_mb", "children_mb", "descriptors", "threads", "load")
    }
    for name in ("events", "runs", "chat_first"):
        found[f"{name}_p50_ms"] = thirds([{name: sample.get(name, {}).get("p50_ms")} for sample in samples], name)
    spent = [
        later["cpu_seconds"] - earlier["cpu_seconds"] for earlier, later in zip(samples, samples[1:], strict=False)
    ]
    found["cpu_seconds_a_minute"] = thirds([{"cpu": each} for each in spent[:-1]], "cpu")
    grown = [name for name in ("memory_mb", "descriptors", "threads") if _grew(found[name])]
    return found | {"grown": grown}


def _grew(medians: list[float]) -> bool:
    return len(medians) == 3 and medians[2] > GROWTH * medians[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=Path, default=Path("soak.json"))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="study-soak-"))
    report: dict[str, Any] = {"people": given.people, "minutes": given.minutes, "samples": []}
    server = StudyServer(folder, patient_study(folder / "study"), forked=False).start()
    try:
        tally = asyncio.run(soak(server, given.people, given.minutes, report, given.out))
        report |= stored(server.database, tally)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report |= {"errors": len(tally.errors), "first_errors": tally.errors[:3], "verdict": verdict(report["samples"])}
    given.out.write_text(json.dumps(report, indent=1))
    print(json.dumps({name: value for name, value in report.items() if name != "samples"}, indent=2))
    sys.exit(bool(report["verdict"]["grown"] or report["events_lost"] or report["events_duplicated"]))


if __name__ == "__main__":
    main()
