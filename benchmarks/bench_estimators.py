"""Speed of the methods: the re-randomisation test in trials per second, and each method beside the bare library call.

Run: python benchmarks/bench_estimators.py [--trials 200]. Prints JSON.
"""

import argparse
import json
import platform
import time

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

import analysis


def trial(rng, n=52):
    """One simulated trial in stratified blocks of four, unequal spread, two covariates."""
    stratum = rng.integers(0, 3, n)
    treated = blocked(stratum, 1, rng)[0]
    x = rng.normal(size=(n, 2))
    y = x[:, 0] + rng.normal(size=n) * np.where(treated, 1.5, 1.0)
    return pd.DataFrame({"arm": treated, "score": y, "warmup": x[:, 0], "years": x[:, 1], "stratum": stratum})


def blocked(stratum, replicates, rng):
    """Permuted blocks of four within strata, all replicates in step."""
    drawn = np.empty((replicates, len(stratum)), dtype=np.int8)
    for code in np.unique(stratum):
        rows = np.flatnonzero(stratum == code)
        blocks = -(-len(rows) // 4)
        order = rng.permuted(np.tile(np.array([0, 0, 1, 1], dtype=np.int8), (replicates * blocks, 1)), axis=1)
        drawn[:, rows] = order.reshape(replicates, -1)[:, : len(rows)]
    return drawn


def reject(seed, replicates):
    rng = np.random.default_rng(seed)
    data = trial(rng)
    drawn = blocked(data["stratum"].to_numpy(), replicates, rng)
    row = analysis.METHODS["rerandomization"](
        data, outcome="score", arm="arm", control=0, covariates=("warmup", "years"), stratum="stratum", scheme=drawn,
        interval=False,
    )  # fmt: skip
    return row.p_value <= 0.05


def seconds(call, repeats=5):
    call()
    best = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        best.append(time.perf_counter() - started)
    return min(best)


def simulated(trials, replicates):
    seeds = np.random.SeedSequence(20).spawn(trials)
    began = time.process_time()
    for seed in seeds[:20]:
        reject(seed, replicates)
    each = (time.process_time() - began) / 20
    with Parallel(n_jobs=2) as pool, threadpool_limits(1):
        pool(delayed(reject)(seed, 9) for seed in seeds[:2])
        started = time.perf_counter()
        rejected = np.mean(pool(delayed(reject)(seed, replicates) for seed in seeds))
    spent = time.perf_counter() - started
    return {
        "trials": trials, "replicates": replicates, "workers": 2, "seconds": round(spent, 2),
        "processor_seconds_per_trial": round(each, 5), "share_rejected": round(float(rejected), 4),
        "seconds_for_2000": round(spent * 2000 / trials, 2),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=200)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    small, large = trial(rng), trial(rng, 10_000)
    named = {"outcome": "score", "arm": "arm", "control": 0, "covariates": ("warmup", "years")}
    import statsmodels.formula.api as smf

    def peer():
        smf.ols("score ~ arm * (warmup + years)", small).fit(cov_type="HC3", use_t=True)

    ours, theirs = seconds(lambda: analysis.METHODS["lin"](small, **named)), seconds(peer)

    def test(data, replicates):
        drawn = blocked(data["stratum"].to_numpy(), replicates, np.random.default_rng(0))
        return seconds(
            lambda: analysis.METHODS["rerandomization"](data, **named, stratum="stratum", scheme=drawn), repeats=1
        )

    print(
        json.dumps(
            {
                "python": platform.python_version(),
                "lin_n52_seconds": round(ours, 5),
                "statsmodels_formula_ols_hc3_seconds": round(theirs, 5),
                "lin_over_statsmodels": round(ours / theirs, 3),
                "rerandomization_n52_9999_with_interval_seconds": round(test(small, 9999), 3),
                "rerandomization_n10000_999_with_interval_seconds": round(test(large, 999), 3),
                "simulated_trials": simulated(options.trials, 1999),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
