"""Simulate, export and analyse trials over many seeds: does the chain find what was put in?

    python scripts/simulate_seeds.py --seeds 1-200 --effect-score -4 --effect-minutes -3 --out effect.jsonl
    python scripts/simulate_seeds.py --seeds 201-400 --out null.jsonl

Each trial goes through the real commands' code: simulated participants, dataset on disk, the plan's primary rows. A
trial is a line of `--out` as soon as it is done; seeds that are there already are not done again. Prints the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUTCOMES = {"quiz_points": "score", "completion_minutes": "minutes"}
"""Primary outcomes, and what the simulation's summary calls the realised effect on them."""
KEPT = ("estimate", "std_error", "p_value", "p_adjusted", "ci_low", "ci_high", "n", "note")


@cache
def _memory() -> Any:
    """Return what programs did, kept over all trials of this process."""
    from study_app.simulation.cached_sandbox import Memory

    return Memory()


def one_trial(seed: int, participants: int, effect_score: float, effect_minutes: float) -> dict[str, Any]:
    """Return one seed's primary rows beside the simulator's realised effects."""
    from analysis.data.load import load
    from analysis.pipeline.analyse import primary_rows
    from analysis.pipeline.prepare import prepare
    from study_app.services.researcher.exporting.export import export
    from study_app.settings import read_settings
    from study_app.simulation import open_for_simulation, simulate

    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix=f"trial{seed}-") as name:
        here = Path(name)
        study = study_of_its_own(here, seed)
        settings = read_settings({}, study_file=study, database=f"sqlite:///{here}/study.db", var=here / "var")
        app = open_for_simulation(settings, seed)
        try:
            effects = {"effect_score": effect_score, "effect_minutes": effect_minutes}
            summary = simulate(app, participants=participants, seed=seed, memory=_memory(), **effects)
            export(app.context, here / "dataset", include_simulated=True)
        finally:
            app.close()
        rows = primary_rows(prepare(load(here / "dataset"), include_simulated=True))
    return {
        "seed": seed,
        "participants": participants,
        **effects,
        "realised": summary.to_json()["realised"],
        "cpu_seconds": round(time.process_time() - began, 2),
        "rows": {row["outcome"]: {key: row[key] for key in KEPT} for row in rows},
    }


def study_of_its_own(folder: Path, seed: int) -> Path:
    """The shipped study under another hash: the simulated ledger's seed follows from it, so each trial has its own."""
    text = (ROOT / "study.toml").read_text().replace('contact = "', f'contact = "trial {seed}: ', 1)
    for name in ("tasks/", "quizzes/", "assistants/"):
        text = text.replace(f'"{name}', f'"{ROOT}/{name}')
    path = folder / "study.toml"
    path.write_text(text)
    return path


def run_trials(
    out: Path,
    seeds: Iterable[int],
    *,
    participants: int = 52,
    effect_score: float = 0.0,
    effect_minutes: float = 0.0,
    workers: int = 2,
    nice: int = 0,
) -> list[dict[str, Any]]:
    """Do the trials that `out` does not hold yet, each written down when it is done; returns all of them by seed."""
    wanted = list(seeds)
    done = {trial["seed"]: trial for trial in read_trials(out)}
    with ProcessPoolExecutor(workers, initializer=os.nice, initargs=(nice,)) as pool, out.open("a") as file:
        left = [seed for seed in wanted if seed not in done]
        futures = [pool.submit(one_trial, seed, participants, effect_score, effect_minutes) for seed in left]
        for future in as_completed(futures):
            trial = future.result()
            done[trial["seed"]] = trial
            file.write(json.dumps(trial) + "\n")
            file.flush()
    return [done[seed] for seed in sorted(wanted)]


def read_trials(path: Path) -> list[dict[str, Any]]:
    """Trials as `run_trials` wrote them down."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def figures(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Shares over the trials, each with its Monte Carlo error: sign, coverage, rejections at 5 %; and the bias."""
    found: dict[str, Any] = {"trials": len(trials)}
    for outcome, name in OUTCOMES.items():
        rows = [trial["rows"][outcome] for trial in trials]
        true = [float(next(iter(trial["realised"].values()))[name]) for trial in trials]
        both = list(zip(rows, true, strict=True))
        errors = [row["estimate"] - effect for row, effect in both]
        found[outcome] = {
            "mean_realised": statistics.fmean(true),
            "mean_estimate": statistics.fmean(row["estimate"] for row in rows),
            "mean_error": [statistics.fmean(errors), statistics.stdev(errors) / math.sqrt(len(errors))],
            "sd_of_error": statistics.stdev(errors),
            "mean_width": statistics.fmean(row["ci_high"] - row["ci_low"] for row in rows),
            "right_sign": share([row["estimate"] * effect > 0 for row, effect in both]),
            "coverage": share([row["ci_low"] <= effect <= row["ci_high"] for row, effect in both]),
            "rejected": share([row["p_value"] <= 0.05 for row in rows]),
            "rejected_adjusted": share([row["p_adjusted"] <= 0.05 for row in rows]),
        }
    found["any_rejected_adjusted"] = share(
        [any(trial["rows"][outcome]["p_adjusted"] <= 0.05 for outcome in OUTCOMES) for trial in trials]
    )
    return found


def share(hits: Sequence[bool]) -> list[float]:
    """Return the share and its Monte Carlo standard error."""
    found = sum(hits) / len(hits)
    return [found, math.sqrt(found * (1 - found) / len(hits))]


def main() -> None:
    """Do the trials and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-200", help="FIRST-LAST")
    parser.add_argument("--participants", type=int, default=52)
    parser.add_argument("--effect-score", type=float, default=0.0)
    parser.add_argument("--effect-minutes", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0, help="how far the trials stand back behind other programs")
    parser.add_argument("--out", type=Path, required=True, help="file of the trials, one JSON object a line")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    trials = run_trials(
        given.out,
        range(int(first), int(last or first) + 1),
        participants=given.participants,
        effect_score=given.effect_score,
        effect_minutes=given.effect_minutes,
        workers=given.workers,
        nice=given.nice,
    )
    sys.stdout.write(json.dumps(figures(trials), indent=2) + "\n")


if __name__ == "__main__":
    main()
