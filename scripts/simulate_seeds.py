"""Simulate, export and analyse trials over many seeds: does the chain find what was put in?

    python scripts/simulate_seeds.py --seeds 200 --effect-score -4

Each trial goes through the real commands' code: simulated participants, dataset on disk, results.json. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PRIMARY = ("quiz_points", "completion_minutes")


def one_trial(folder: Path, seed: int, participants: int, effect_score: float) -> dict[str, Any]:
    """One seed's primary rows beside the simulator's realised effect."""
    from analysis.cli import analyze
    from study_app.bots import open_for_simulation, simulate
    from study_app.services.export import export
    from study_app.settings import read_settings

    here = folder / f"seed{seed}"
    here.mkdir(parents=True, exist_ok=True)
    # The simulated ledger's public seed follows from the study's hash: something of its own gives each trial its own.
    text = (ROOT / "study.toml").read_text().replace('contact = "', f'contact = "trial {seed}: ', 1)
    for name in ("tasks/", "quizzes/", "assistants/"):
        text = text.replace(f'"{name}', f'"{ROOT}/{name}')
    (here / "study.toml").write_text(text)
    settings = read_settings(
        {}, study_file=here / "study.toml", database=f"sqlite:///{here}/study.db", var=here / "var"
    )
    app = open_for_simulation(settings, seed)
    try:
        summary = simulate(app, participants=participants, seed=seed, effect_score=effect_score)
        app.grading.grade_pending()
        app.answers.score_pending()
        export(app.world, here / "dataset", include_simulated=True)
    finally:
        app.close()
    report = analyze(here / "dataset", here / "report", include_simulated=True)
    rows = {row["outcome"]: row for row in report.primary}
    return {"seed": seed, "realised": summary.to_json(), "rows": rows}


def over_seeds(
    folder: Path, seeds: Iterable[int], *, participants: int = 52, effect_score: float = 0.0, workers: int = 2
) -> dict[str, Any]:
    """Shares over all seeds: right sign, coverage of the realised effect, rejections at 5 %."""
    seeds = list(seeds)
    with ProcessPoolExecutor(workers) as pool:
        args = ([folder] * len(seeds), seeds, [participants] * len(seeds), [effect_score] * len(seeds))
        trials = list(pool.map(one_trial, *args))
    quiz = [trial["rows"]["quiz_points"] for trial in trials]
    realised = [_realised(trial["realised"]) for trial in trials]
    pairs = list(zip(quiz, realised, strict=True))
    return {
        "seeds": len(seeds),
        "participants": participants,
        "effect_score": effect_score,
        "mean_realised": sum(realised) / len(realised),
        "mean_estimate": sum(row["estimate"] for row in quiz) / len(quiz),
        "right_sign": sum((row["estimate"] < 0) == (effect_score < 0) for row in quiz) / len(quiz),
        "coverage": sum(row["ci_low"] <= true <= row["ci_high"] for row, true in pairs) / len(quiz),
        "rejected": {
            name: sum(trial["rows"][name]["p_value"] <= 0.05 for trial in trials) / len(trials) for name in PRIMARY
        },
    }


def _realised(summary: dict[str, Any]) -> float:
    """The realised effect on the quiz, in points."""
    effects = summary["realised"]
    return float(next(iter(effects.values()))["score"])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--participants", type=int, default=52)
    parser.add_argument("--effect-score", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = over_seeds(
            Path(folder),
            range(1, given.seeds + 1),
            participants=given.participants,
            effect_score=given.effect_score,
            workers=given.workers,
        )
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
