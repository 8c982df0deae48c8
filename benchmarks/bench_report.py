"""Time and memory of the analysis: whole report at two sizes, null trials with their re-randomisations, minimisation.

Each figure comes with the bare operation measured in the same run. Run: python benchmarks/bench_report.py [--large]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.analysis.synthetic_trial import Trial, write  # noqa: E402

from analysis.cli import analyze  # noqa: E402
from analysis.design.simulated_trials import ARMS, SCHEMES, TrialSetting, batch  # noqa: E402
from analysis.estimators.methods import METHODS  # noqa: E402
from study_app.rerandomisation import replicate  # noqa: E402


def seconds(function) -> dict[str, float]:
    """By the clock on the wall, and of this process's processors: the second does not grow with others' work."""
    start, processor = time.perf_counter(), time.process_time()
    function()
    return {
        "seconds": round(time.perf_counter() - start, 3),
        "processor_seconds": round(time.process_time() - processor, 3),
    }


def report(n: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        plan = {"replicates": 9999}
        data = write(base / "data", Trial(n=n, plan=plan, dropout=0.05, noncompliance=0.1))
        took = seconds(lambda: analyze(data, base / "out"))
    return {"n": n, "replicates": 9999, **took}


def _some(setting: TrialSetting, seeds: list[np.random.SeedSequence]) -> list[float]:
    with threadpool_limits(1):
        return [_one(setting, seed) for seed in seeds]


def _one(setting: TrialSetting, seed: np.random.SeedSequence) -> float:
    (made,) = batch(setting, np.random.default_rng(seed))
    row = METHODS["rerandomization"](
        made.table(), outcome="quiz", arm="arm", control="control", covariates=("warmup", "years"), stratum="stratum",
        scheme=made.drawn, arms=("control", "treated"),
    )  # fmt: skip
    return float(row.p_value)


def trials(count: int, workers: int) -> dict[str, float]:
    setting = TrialSetting(scheme="stratified_blocks", replicates=1999)
    seeds = np.random.SeedSequence(1).spawn(count)
    chunks = [seeds[i : i + 50] for i in range(0, count, 50)]
    Parallel(n_jobs=workers)(delayed(_some)(setting, chunk[:1]) for chunk in chunks[:2])
    took = seconds(lambda: Parallel(n_jobs=workers)(delayed(_some)(setting, chunk) for chunk in chunks))
    own = seconds(lambda: _some(setting, seeds[:50]))["processor_seconds"] / 50
    return {
        "trials": count, "replicates": 1999, "workers": workers, "seconds": took["seconds"],
        "processor_seconds_per_trial": round(own, 5), "processor_seconds_for_2000_on_2_cores": round(own * 1000, 2),
    }  # fmt: skip


def minimisation() -> dict[str, float]:
    rng = np.random.default_rng(1)
    profiles = [{"years": int(y), "daily": int(d)} for y, d in rng.integers(0, 3, (52, 2))]
    scheme = SCHEMES["minimisation"]
    took = seconds(lambda: replicate(scheme, profiles, 9999, rng, arms=ARMS))
    bare = seconds(lambda: rng.random((9999, 52, 2)))
    return {"n": 52, "replicates": 9999, **took, "drawing the uniforms alone": bare}


def main() -> None:
    figures = {
        "report": report(52),
        "null trials under stratified blocks": trials(2000 if "--large" in sys.argv else 200, 2),
        "minimisation": minimisation(),
    }
    if "--large" in sys.argv:
        figures["large report"] = report(10_000)
    figures["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
