"""Time of rehearsed trials at either level, beside the bare primary rows of the plan.

python benchmarks/bench_rehearse.py [OUTCOMES] [SERVICES] [WORKERS]

Prints JSON: seconds waited for each level, and by how much a drawn trial costs more than its analysis alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.power.trial_power import simulated_plan
from analysis.pipeline.prepare import prepare
from study_app.domain.study.rehearsal.section import NULL, Scenario
from study_app.rehearsal import rehearse
from study_app.rehearsal.drawn_people import draw_people
from study_app.rehearsal.trials import TrialJob, drawn_dataset, play
from study_app.settings import Settings
from study_app.simulation import open_for_simulation
from study_app.simulation.cached_sandbox import Memory

STUDY = Path(__file__).parents[1] / "study.toml"
PEOPLE = 52
BESIDE = 10
"""Trials for the ratio."""


def waited(level: str, trials: int, workers: str) -> float:
    """Seconds for that many trials; those without effects are all that is played."""
    began = time.perf_counter()
    rehearse(STUDY, trials=trials, level=level, participants=PEOPLE, scenarios=[NULL], workers=workers)
    return time.perf_counter() - began


def ratio() -> float:
    """Processor time of a drawn trial over that of its analysis, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_for_simulation(Settings(STUDY, f"sqlite:///{folder}/s.db", Path(folder), environment={}), 1)
        people = draw_people(app, Scenario(id=NULL), PEOPLE, "bench")
        for number, person in enumerate(people):
            person.allocate("ai" if number % 2 else "no_ai")
        dataset, plan = drawn_dataset(app.study, people), simulated_plan(app.study.analysis)
        began = time.process_time()
        for seed in range(BESIDE):
            primary_rows(prepare(dataset, plan, include_simulated=True), seed=seed)
        bare = time.process_time() - began
        app.close()
    memory = Memory()
    began = time.process_time()
    for number in range(1, BESIDE + 1):
        play(TrialJob(str(STUDY), "outcomes", Scenario(id=NULL), PEOPLE, number, 1), memory)
    return (time.process_time() - began) / bare


def main(outcomes: int, services: int, workers: str) -> None:
    found = {
        "participants": PEOPLE,
        "workers": workers,
        "drawn_over_analysis_alone": round(ratio(), 2),
        "outcomes": {"trials": outcomes, "seconds": round(waited("outcomes", outcomes, workers), 1)},
        "services": {"trials": services, "seconds": round(waited("services", services, workers), 1)},
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 100, int(given[1]) if len(given) > 1 else 2, given[2] if len(given) > 2 else "2")
