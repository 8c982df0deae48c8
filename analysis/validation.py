"""Does the analysis keep its promises? Simulated trials of known truth, seeded, Monte Carlo error beside each figure.

Assignments come from the real allocation schemes; the first of a batch is the trial, the others are its
re-randomisations, so that every trial has a reference set of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from analysis.methods import METHODS
from analysis.multiplicity import adjust
from analysis.power import t_test_power
from analysis.randomisation import replicate
from study_app.domain.allocation import Factor, Scheme
from study_app.domain.arms import Arm

ARMS = (Arm(id="control"), Arm(id="treated"))
CAP = 35.0
SCHEMES: dict[str, Scheme] = {
    "simple": Scheme(method="simple"),
    "permuted_blocks": Scheme(method="permuted_blocks"),
    "stratified_blocks": Scheme(method="stratified_blocks", strata=(Factor(variable="years"),)),
    "minimisation": Scheme(method="minimisation", factors=(Factor(variable="years"), Factor(variable="daily"))),
    "biased_coin": Scheme(method="biased_coin"),
    "urn": Scheme(method="urn"),
    "big_stick": Scheme(method="big_stick"),
}
"""The allocation methods that are validated, with their usual settings."""

Draw = Callable[[int], dict[str, float]]


@dataclass(frozen=True)
class Finding:
    """One promise and what the simulation found."""

    name: str
    trials: int
    found: float
    expected: float
    error: float
    """Monte Carlo standard error at the expected value."""
    rule: str = "equal"
    """equal: within 3 errors; at_most, at_least: no farther than 3 errors on the wrong side; shown: no promise."""

    @property
    def kept(self) -> bool:
        """Whether the promise holds within three Monte Carlo errors."""
        gap = self.found - self.expected
        if self.rule == "at_most":
            return gap <= 3 * self.error
        if self.rule == "at_least":
            return gap >= -3 * self.error
        return self.rule == "shown" or abs(gap) <= 3 * self.error


def share(name: str, hits: ArrayLike, expected: float, rule: str = "equal") -> Finding:
    """A finding from yes-or-no outcomes; trials without a value (NaN) are left out."""
    known = np.asarray(hits, dtype=float)
    known = known[~np.isnan(known)]
    error = float(np.sqrt(expected * (1 - expected) / max(1, len(known))))
    return Finding(name, len(known), float(known.mean()), expected, error, rule)


@dataclass(frozen=True)
class Setting:
    """How trials are made."""

    scheme: str = "permuted_blocks"
    n: int = 52
    quiz_effect: float = 0.0
    """Points, the same for everybody."""
    minutes_effect: float = 0.0
    """Minutes before the cap."""
    incomplete: float = 0.1
    """Share of the control arm that does not finish before the cap."""
    replicates: int = 199
    """Re-randomisations; with 199 a test at 5% has exactly that level."""


def trial(setting: Setting, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[Any]]:
    """One made-up trial and its re-randomisations, (replicates, n) positions in `ARMS`."""
    n = setting.n
    years, daily = rng.integers(1, 4, n), rng.integers(0, 2, n)
    ability = rng.normal(size=n) + 0.4 * (years - 2)
    profiles = [{"years": int(a), "daily": int(b)} for a, b in zip(years, daily, strict=True)]
    drawn = replicate(SCHEMES[setting.scheme], profiles, setting.replicates + 1, rng, arms=ARMS)
    treated = drawn[0].astype(float)
    quiz = 15 + 3.0 * ability + rng.normal(0, 4.5, n) + setting.quiz_effect * treated
    minutes = _location(setting.incomplete) - 3.0 * ability + rng.normal(0, 6, n) + setting.minutes_effect * treated
    data = pd.DataFrame(
        {
            "arm": np.where(treated == 1, "treated", "control"),
            "warmup": 6 - 1.1 * ability + rng.normal(0, 1.4, n),
            "years": years.astype(float),
            "quiz": quiz,
            "minutes": np.clip(minutes, 3, CAP),
            "event": (minutes < CAP).astype(float),
        }
    )
    return data, drawn[1:]


def _location(incomplete: float) -> float:
    """Where minutes are centred so that this share lies beyond the cap (noise variance from `trial`)."""
    spread = np.sqrt(9 * (1 + 0.16 * 2 / 3) + 36)
    return float(CAP - spread * stats.norm.ppf(1 - incomplete))


def analysed(setting: Setting, interval: bool, seed: np.random.SeedSequence) -> dict[str, float]:
    """Both primary analyses and their companions on one trial; NaN where a method gives none."""
    data, drawn = trial(setting, np.random.default_rng(seed))
    names = tuple(arm.id for arm in ARMS)
    call = partial(METHODS["rerandomization"], data, arm="arm", control="control", scheme=drawn, arms=names)
    quiz: Any = call(outcome="quiz", covariates=("warmup", "years"), interval=interval)
    minutes: Any = call(outcome="minutes", statistic="mean", interval=interval)
    plain = partial(METHODS["rmst"], data, arm="arm", control="control", event="event", horizon=CAP)
    rmst: Any = plain(outcome="minutes")
    rmst = rmst[0] if isinstance(rmst, list) else rmst
    lin: Any = METHODS["lin"](data, outcome="quiz", arm="arm", control="control", covariates=("warmup", "years"))
    found = {}
    for name, row in (("quiz", quiz), ("minutes", minutes), ("rmst", rmst), ("lin", lin)):
        for key in ("p_value", "ci_low", "ci_high", "estimate"):
            value = getattr(row, key)
            found[f"{name}_{key}"] = np.nan if value is None else float(value)
    return found


def _repeated(
    function: Callable[[np.random.SeedSequence], dict[str, float]], trials: int, seed: int, workers: int
) -> pd.DataFrame:
    """One row for each trial; the same for any number of workers."""
    seeds = np.random.SeedSequence(seed).spawn(trials)
    chunks = [seeds[i : i + 100] for i in range(0, trials, 100)]
    found = Parallel(n_jobs=workers)(delayed(_chunk)(function, chunk) for chunk in chunks)
    return pd.DataFrame([row for rows in found for row in rows])


def _chunk(
    function: Callable[[np.random.SeedSequence], dict[str, float]], seeds: Sequence[np.random.SeedSequence]
) -> list[dict[str, float]]:
    with threadpool_limits(1):
        return [function(seed) for seed in seeds]


def null_trials(scheme: str, trials: int = 10_000, seed: int = 1, workers: int = 1) -> list[Finding]:
    """Trials without any effect under one allocation method: how often each test rejects at 5%.

    The two deciding tests are exact under every scheme; the normal-theory rows are shown beside them. The last row is
    the family of both under Holm.
    """
    own = seed + 100 * list(SCHEMES).index(scheme)  # trials of one scheme say nothing about another's
    table = _repeated(partial(analysed, Setting(scheme=scheme), False), trials, own, workers)
    both = [any(adjust([a, b], "holm") <= 0.05) for a, b in zip(table.quiz_p_value, table.minutes_p_value, strict=True)]
    return [
        share(f"{scheme}: quiz, re-randomisation", table.quiz_p_value <= 0.05, 0.05),
        share(f"{scheme}: minutes, re-randomisation", table.minutes_p_value <= 0.05, 0.05),
        share(f"{scheme}: quiz, Lin HC3 (sensitivity)", table.lin_p_value <= 0.05, 0.05, "shown"),
        share(f"{scheme}: minutes, RMST by Greenwood (sensitivity)", table.rmst_p_value <= 0.05, 0.05, "shown"),
        share(f"{scheme}: either primary after Holm", both, 0.05, "at_most"),
    ]


def coverage(incomplete: float, trials: int = 10_000, seed: int = 2, workers: int = 1) -> list[Finding]:
    """How often the inverted intervals hold the true differences, with that share of controls beyond the cap."""
    setting = Setting(quiz_effect=-4.0, minutes_effect=-3.0, incomplete=incomplete)
    table = _repeated(partial(analysed, setting, True), trials, seed, workers)
    truth = {"quiz": setting.quiz_effect, "minutes": true_minutes(setting), "rmst": true_minutes(setting)}
    labels = {"quiz": "quiz, inverted test", "minutes": "minutes, inverted test", "rmst": "minutes, RMST by Greenwood"}
    found = []
    for name, value in truth.items():
        low, high = table[f"{name}_ci_low"], table[f"{name}_ci_high"]
        hits = np.where(low.isna() | high.isna(), np.nan, (low <= value) & (value <= high))
        rule = "shown" if name == "rmst" else "equal"
        found.append(share(f"{incomplete:.0%} not completing: {labels[name]}", list(hits), 0.95, rule))
    return found


def true_minutes(setting: Setting, size: int = 2_000_000) -> float:
    """The true difference in mean minutes restricted at the cap, by simulation of both potential outcomes."""
    rng = np.random.default_rng(20)
    ability = rng.normal(size=size) + 0.4 * (rng.integers(1, 4, size) - 2)
    minutes = _location(setting.incomplete) - 3.0 * ability + rng.normal(0, 6, size)
    shifted = np.clip(minutes + setting.minutes_effect, 3, CAP)
    return float((shifted - np.clip(minutes, 3, CAP)).mean())


def _published(effect: float, seed: np.random.SeedSequence) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=52) + effect * np.repeat([0.0, 1.0], 26)
    data = pd.DataFrame({"arm": np.repeat(["control", "treated"], 26), "y": y})
    row: Any = METHODS["student_t"](data, outcome="y", arm="arm", control="control")
    return {"p": float(row.p_value)}


def published_power(trials: int = 10_000, seed: int = 3, workers: int = 1) -> list[Finding]:
    """Power of the t test at the published effect (d = 0.738, 26 in each arm) against the exact value."""
    expected = float(t_test_power(0.738, 26))
    table = _repeated(partial(_published, 0.738), trials, seed, workers)
    return [share("power at d = 0.738, 26 in each arm", table.p <= 0.05, expected)]


def _contaminated(contamination: float, effect: float, seed: np.random.SeedSequence) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    treated = rng.permutation(np.repeat([0, 1], 26))
    always = rng.random(52) < contamination
    received = np.where(treated == 1, 1, always)
    y = 15 + rng.normal(0, 5, 52) + 1.5 * always + effect * received
    data = pd.DataFrame({"arm": np.where(treated, "treated", "control"), "received": received.astype(float), "y": y})
    row: Any = METHODS["wald_iv"](data, outcome="y", arm="arm", control="control", received="received")
    return {"hit": float(row.ci_low <= effect <= row.ci_high) if row.ci_low is not None else np.nan}


def complier_coverage(
    contamination: float = 0.35, trials: int = 10_000, seed: int = 4, workers: int = 1
) -> list[Finding]:
    """Coverage of the complier effect where this share of the control arm gets hold of the treatment."""
    table = _repeated(partial(_contaminated, contamination, -4.0), trials, seed, workers)
    return [share(f"complier effect, {contamination:.0%} contamination", table.hit, 0.95, "at_least")]


def _selective(seed: np.random.SeedSequence) -> dict[str, float]:
    """Dropout likelier for the less able, more so when treated; the truth is the effect on who would always stay."""
    rng = np.random.default_rng(seed)
    size, effect = 400, -3.0
    ability, luck = rng.normal(size=size), rng.random(size)
    treated = rng.permutation(np.repeat([0, 1], size // 2))
    stays = luck < 1 / (1 + np.exp(-(2.6 + 0.8 * ability - 1.5 * treated)))
    y = np.where(stays, 15 + 3 * ability + rng.normal(0, 2, size) + effect * treated, np.nan)
    data = pd.DataFrame({"arm": np.where(treated, "treated", "control"), "y": y})
    row: Any = METHODS["lee_bounds"](data, outcome="y", arm="arm", control="control")
    naive: Any = METHODS["welch_t"](data.dropna(), outcome="y", arm="arm", control="control")
    return {
        "inside": float(row.ci_low <= effect <= row.ci_high),
        "naive": float(naive.ci_low <= effect <= naive.ci_high),
    }


def selective_dropout(trials: int = 2_000, seed: int = 5, workers: int = 1) -> list[Finding]:
    """How often Lee bounds hold the effect on the always-observed under selective dropout; complete cases beside it."""
    table = _repeated(_selective, trials, seed, workers)
    return [
        share("Lee bounds under selective dropout", table.inside, 0.95, "at_least"),
        share("complete cases under selective dropout", table.naive, 0.95, "shown"),
    ]


def everything(trials: int, workers: int = 1) -> list[Finding]:
    """All findings, in the order of the page."""
    found = [finding for scheme in SCHEMES for finding in null_trials(scheme, trials, workers=workers)]
    for incomplete in (0.1, 0.2):
        found += coverage(incomplete, trials, workers=workers)
    found += published_power(trials, workers=workers) + complier_coverage(trials=trials, workers=workers)
    return found + selective_dropout(min(trials, 2_000), workers=workers)


def page(findings: Sequence[Finding], trials: int) -> str:
    """The findings as Markdown."""
    lines = [
        "# Validation by simulation",
        "",
        f"Written by `analysis/scripts/10_validation.py` with {trials:,} trials for each figure (Lee bounds: at most",
        "2,000, of 400 people). n = 52 elsewhere; assignments come from the real allocation schemes; the tests marked",
        "slow run more.",
        "",
        "*Kept* means within three Monte Carlo errors of the promise. Rows marked *shown* are no decision of the plan:",
        "normal theory at this size, and complete cases where dropout is selective.",
        "",
        "| figure | trials | found | promised | error | verdict |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    verdicts = {"shown": "shown", "equal": "", "at_most": "at most: ", "at_least": "at least: "}
    for entry in findings:
        verdict = verdicts[entry.rule] + ("" if entry.rule == "shown" else "kept" if entry.kept else "**broken**")
        figures = f"{entry.trials:,} | {entry.found:.4f} | {entry.expected:.4f} | {entry.error:.4f}"
        lines.append(f"| {entry.name} | {figures} | {verdict} |")
    return "\n".join(lines) + "\n"
