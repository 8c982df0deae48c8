"""Tables of many people: shuffles without an order, and sums over blocks of people."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.analysis.oracle_tables import run

from analysis.estimators.numerics import replicated_regression, shuffles


@pytest.mark.slow
def test_each_arrangement_of_a_large_block_is_equally_likely(monkeypatch):
    monkeypatch.setattr(shuffles, "LARGE", 1)
    codes = np.array([0, 0, 0, 1, 1, 2], dtype=np.int8)
    drawn = shuffles.shuffled(codes, [np.arange(6)], 12_000, np.random.default_rng(5))
    seen = Counter(map(tuple, drawn.tolist()))
    assert len(seen) == 60
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


@pytest.mark.parametrize("gap", [1, 2])
def test_a_large_block_keeps_its_counts_and_touches_no_one_else(gap):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 5_000).astype(np.int8)
    rows = np.arange(100, 4_900, gap)
    rest = np.setdiff1d(np.arange(5_000), rows)
    drawn = shuffles.shuffled(codes, [rows, rest[:900], rest[900:]], 20, rng)
    for part in (rows, rest[:900], rest[900:]):
        wanted = np.bincount(codes[part], minlength=3)
        assert all((np.bincount(line[part], minlength=3) == wanted).all() for line in drawn)
    assert len({line[rows].tobytes() for line in drawn}) == 20


@pytest.mark.parametrize("statistic", ["lin", "ancova", "mean"])
def test_blocks_of_people_add_up_to_the_statistic_of_everybody(monkeypatch, statistic):
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"arm": np.arange(60) % 3, "x": rng.normal(size=60), "y": rng.normal(size=60)})
    options = {"outcome": "y", "arm": "arm", "control": 0, "statistic": statistic, "replicates": 199}
    options |= {} if statistic == "mean" else {"covariates": ("x",)}
    whole = run("rerandomization", table, **options)
    monkeypatch.setattr(replicated_regression, "BLOCK", 7)
    for one, other in zip(whole, run("rerandomization", table, **options), strict=True):
        assert (one.estimate, one.std_error, one.p_value) == pytest.approx(
            (other.estimate, other.std_error, other.p_value), rel=1e-10
        )
        assert (one.ci_low, one.ci_high) == pytest.approx((other.ci_low, other.ci_high), rel=1e-9)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_give_the_same_bytes_as_one_after_the_other(monkeypatch, threads):
    rng = np.random.default_rng(3)
    x, arm = rng.normal(size=300), rng.integers(0, 2, 300)
    model = replicated_regression.Regression(rng.normal(size=300), np.column_stack([np.ones(300), x]), 2, "HC3")
    drawn = shuffles.shuffled(arm.astype(np.int8), [np.arange(300)], 2_000, rng)
    call = (arm, drawn, 1, 2, (arm == 1) * 1.0)
    monkeypatch.setattr(replicated_regression, "CHUNK", 20_000)
    one = model.moments(*call)
    monkeypatch.setattr(replicated_regression, "SHARED", 0)
    monkeypatch.setattr(replicated_regression, "THREADS", threads)
    monkeypatch.setattr(replicated_regression.os, "cpu_count", lambda: threads)
    for wanted, found in zip(one, model.moments(*call), strict=True):
        assert [column.tobytes() for column in found.columns] == [column.tobytes() for column in wanted.columns]
