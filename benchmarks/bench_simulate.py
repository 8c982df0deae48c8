"""Time of a simulation, and what of it is the database, programs and everything else.

python benchmarks/bench_simulate.py [PARTICIPANTS]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from study_app.settings import Settings
from study_app.simulation import open_for_simulation, simulate

ROOT = Path(__file__).parents[1]


def cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main(participants: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(ROOT / "study.toml", f"sqlite:///{folder}/study.db", Path(folder), environment={})
        app = open_for_simulation(settings, 7)
        sandbox = app.context.sandbox
        began = time.perf_counter()
        sandbox.isolation()
        warm = time.perf_counter() - began
        before = cpu(resource.RUSAGE_SELF)
        summary = simulate(app, participants=participants, seed=7, effect_score=-4.0)
        own = cpu(resource.RUSAGE_SELF) - before
        with app.context.registry.begin(write=False) as unit:
            events, runs, turns = sum(1 for _ in unit.events()), len(unit.runs()), len(unit.turns())
        app.close()
        figures = {
            "participants": participants,
            "seconds": round(summary.seconds, 2),
            "seconds_per_participant": round(summary.seconds / participants, 3),
            "sandbox_start_seconds": round(warm, 2),
            "cpu_seconds_here": round(own, 2),
            "cpu_seconds_programs": round(cpu(resource.RUSAGE_CHILDREN), 2),
            "events": events,
            "runs": runs,
            "turns": turns,
            "realised_score_effect": summary.realised["ai"].score,
        }
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 52)
