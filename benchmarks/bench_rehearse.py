"""Time of rehearsed trials at either level, beside the bare primary rows of the plan.

python benchmarks/bench_rehearse.py [OUTCOMES] [SERVICES] [WORKERS]

Prints JSON: for each level the seconds waited and the processor seconds of all workers, which hold on a busy machine
too, and by how much a drawn trial costs more than its analysis alone.
"""

from __future__ import annotations

import json
import resource
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


def processor() -> float:
    """Processor seconds so far of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def taken(level: str, trials: int, workers: str) -> dict[str, float]:
    """Seconds for that many trials; those without effects are all that is played."""
    began, before = time.perf_counter(), processor()
    rehearse(STUDY, trials=trials, level=level, participants=PEOPLE, scenarios=[NULL], workers=workers)
    spent = processor() - before
    return {
        "trials": trials,
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(spent, 1),
        "processor_seconds_a_trial": round(spent / max(trials, 1), 3),
    }


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
        "outcomes": taken("outcomes", outcomes, workers),
        "services": taken("services", services, workers),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 100, int(given[1]) if len(given) > 1 else 2, given[2] if len(given) > 2 else "2")
