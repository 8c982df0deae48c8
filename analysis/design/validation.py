"""Does the analysis keep its promises? Simulated trials of known truth, with the Monte Carlo error of each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from analysis.design.multiplicity import adjust
from analysis.design.power import t_test_power
from analysis.design.simulated_trials import CAP, SCHEMES, TrialSetting, analysed, batch, location
from analysis.estimators.methods import METHODS


@dataclass(frozen=True)
class ValidationFinding:
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


def share(name: str, hits: ArrayLike, expected: float, rule: str = "equal") -> ValidationFinding:
    """Return a finding from yes-or-no outcomes; trials without a value (NaN) are left out."""
    known = np.asarray(hits, dtype=float)
    known = known[~np.isnan(known)]
    # At the expected share and not at the one found, which would make a share of 0 certain.
    error = float(np.sqrt(expected * (1 - expected) / max(1, len(known))))
    return ValidationFinding(name, len(known), float(known.mean()), expected, error, rule)


TOGETHER = 25
"""Trials that are made from one seed."""
_PRIMARY = {
    "lin": "quiz, Lin, re-randomisation",
    "ancova": "quiz, ANCOVA (first step down), re-randomisation",
    "mean": "minutes, restricted at the cap, re-randomisation",
}
_BESIDE = {"hc3": "quiz, Lin HC3 by t", "rmst": "minutes, RMST by Greenwood"}


def repeated(
    function: Callable[[np.random.SeedSequence], list[dict[str, float]]], seeds: int, seed: int, workers: int
) -> pd.DataFrame:
    """Return one row for each trial of each seed; the same for any number of workers."""
    # A stream for each trial, so that the result does not depend on how many workers share them.
    spawned = np.random.SeedSequence(seed).spawn(seeds)
    chunks = [spawned[i : i + 40] for i in range(0, seeds, 40)]
    if workers == 1:
        found = [_chunk(function, chunk) for chunk in chunks]
    else:
        found = Parallel(n_jobs=workers)(delayed(_chunk)(function, chunk) for chunk in chunks)
    return pd.DataFrame([row for rows in found for row in rows])


def _chunk(
    function: Callable[[np.random.SeedSequence], list[dict[str, float]]], seeds: Sequence[np.random.SeedSequence]
) -> list[dict[str, float]]:
    # Many small problems at once: threads of the linear algebra would only wait for each other.
    with threadpool_limits(1):
        return [row for seed in seeds for row in function(seed)]


def _some(setting: TrialSetting, interval: bool, seed: np.random.SeedSequence) -> list[dict[str, float]]:
    return [analysed(made, interval) for made in batch(setting, np.random.default_rng(seed), TOGETHER)]


def _trials(setting: TrialSetting, interval: bool, trials: int, seed: int, workers: int) -> pd.DataFrame:
    return repeated(partial(_some, setting, interval), -(-trials // TOGETHER), seed, workers)[:trials]


def null_trials(scheme: str, trials: int = 10_000, seed: int = 1, workers: int = 1) -> list[ValidationFinding]:
    """Trials without any effect under one allocation method: how often each test rejects at 5%.

    The deciding tests are exact under every scheme; the normal-theory rows are shown next to them. The last row is the
    family of both primary outcomes under Holm.
    """
    own = seed + 100 * list(SCHEMES).index(scheme)  # trials of one scheme say nothing about another's
    table = _trials(TrialSetting(scheme=scheme), False, trials, own, workers)
    both = [any(adjust([a, b], "holm") <= 0.05) for a, b in zip(table.lin_p, table.mean_p, strict=True)]
    return [
        *(share(f"{scheme}: {text}", table[f"{name}_p"] <= 0.05, 0.05) for name, text in _PRIMARY.items()),
        *(share(f"{scheme}: {text}", table[f"{name}_p"] <= 0.05, 0.05, "shown") for name, text in _BESIDE.items()),
        share(f"{scheme}: either primary after Holm", both, 0.05, "at_most"),
    ]


def one_true_null(trials: int = 10_000, seed: int = 6, workers: int = 1) -> list[ValidationFinding]:
    """Family-wise error where the quiz has a large effect and the minutes none: false rejections of the minutes."""
    table = _trials(TrialSetting(quiz_effect=-8.0), False, trials, seed, workers)
    wrong = [adjust([a, b], "holm")[1] <= 0.05 for a, b in zip(table.lin_p, table.mean_p, strict=True)]
    return [share("effect on the quiz alone: minutes rejected after Holm", wrong, 0.05, "at_most")]


def coverage(
    incomplete: float, trials: int = 10_000, seed: int = 2, workers: int = 1, scheme: str = "permuted_blocks"
) -> list[ValidationFinding]:
    """Return how often the inverted intervals hold the true differences, with that share of controls beyond the cap."""
    setting = TrialSetting(scheme=scheme, quiz_effect=-4.0, minutes_effect=-3.0, incomplete=incomplete)
    own = seed + 100 * list(SCHEMES).index(scheme) + round(1000 * incomplete) * 10_000
    table = _trials(setting, True, trials, own, workers)
    minutes = true_minutes(setting)
    found = []
    for name, text in (_PRIMARY | _BESIDE).items():
        truth = setting.quiz_effect if text.startswith("quiz") else minutes
        hits = (table[f"{name}_low"] <= truth) & (truth <= table[f"{name}_high"])
        rule = "shown" if name in _BESIDE else "equal"
        found.append(share(f"{scheme}, {incomplete:.0%} not completing: {text}", hits, 0.95, rule))
    return found


def true_minutes(setting: TrialSetting, size: int = 2_000_000) -> float:
    """Return the true difference in mean minutes restricted at the cap, by simulation of both potential outcomes."""
    # A fixed seed: the truth is a constant of the page, with an error of 1e-3 minutes at this size.
    rng = np.random.default_rng(20)
    ability = rng.normal(size=size) + 0.4 * (rng.integers(1, 4, size) - 2)
    minutes = location(setting.incomplete) - 3.0 * ability + rng.normal(0, 6, size)
    shifted = np.clip(minutes + setting.minutes_effect, 3, CAP)
    return float((shifted - np.clip(minutes, 3, CAP)).mean())


def _published(effect: float, seed: np.random.SeedSequence) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=52) + effect * np.repeat([0.0, 1.0], 26)
    data = pd.DataFrame({"arm": np.repeat(["control", "treated"], 26), "y": y})
    row: Any = METHODS["student_t"](data, outcome="y", arm="arm", control="control")
    return [{"p": float(row.p_value)}]


def published_power(trials: int = 10_000, seed: int = 3, workers: int = 1) -> list[ValidationFinding]:
    """Power of the t test at the published effect (d = 0.738, 26 in each arm) against the exact value."""
    expected = float(t_test_power(0.738, 26))
    table = repeated(partial(_published, 0.738), trials, seed, workers)
    return [share("power at d = 0.738, 26 in each arm", table.p <= 0.05, expected)]


def _contaminated(contamination: float, effect: float, seed: np.random.SeedSequence) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    treated = rng.permutation(np.repeat([0, 1], 26))
    always = rng.random(52) < contamination
    received = np.where(treated == 1, 1, always)
    y = 15 + rng.normal(0, 5, 52) + 1.5 * always + effect * received
    data = pd.DataFrame({"arm": np.where(treated, "treated", "control"), "received": received.astype(float), "y": y})
    row: Any = METHODS["wald_iv"](data, outcome="y", arm="arm", control="control", received="received")
    return [{"hit": float(row.ci_low <= effect <= row.ci_high) if row.ci_low is not None else np.nan}]


def complier_coverage(
    contamination: float = 0.35, trials: int = 10_000, seed: int = 4, workers: int = 1
) -> list[ValidationFinding]:
    """Coverage of the complier effect where this share of the control arm gets hold of the treatment."""
    table = repeated(partial(_contaminated, contamination, -4.0), trials, seed, workers)
    return [share(f"complier effect, {contamination:.0%} contamination", table.hit, 0.95, "at_least")]


def _selective(seed: np.random.SeedSequence) -> list[dict[str, float]]:
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
    inside, naive_inside = (float(entry.ci_low <= effect <= entry.ci_high) for entry in (row, naive))
    return [{"inside": inside, "naive": naive_inside}]


def selective_dropout(trials: int = 2_000, seed: int = 5, workers: int = 1) -> list[ValidationFinding]:
    """How often Lee bounds hold the effect on the always-observed under selective dropout, against complete cases."""
    table = repeated(_selective, trials, seed, workers)
    return [
        share("Lee bounds under selective dropout", table.inside, 0.95, "at_least"),
        share("complete cases under selective dropout", table.naive, 0.95, "shown"),
    ]


def parts(trials: int, workers: int = 1) -> Iterator[tuple[str, Callable[[], list[ValidationFinding]]]]:
    """Name of each part of the page and what computes it, in the order of the page.

    The intervals under schemes but the usual one come from fewer trials.
    """
    for scheme in SCHEMES:
        yield f"null_{scheme}", partial(null_trials, scheme, trials, workers=workers)
    yield "one_true_null", partial(one_true_null, trials, workers=workers)
    for incomplete in (0.1, 0.2):
        yield f"coverage_{incomplete:g}", partial(coverage, incomplete, trials, workers=workers)
    yield "published_power", partial(published_power, trials, workers=workers)
    yield "complier_coverage", partial(complier_coverage, trials=trials, workers=workers)
    yield "selective_dropout", partial(selective_dropout, min(trials, 2_000), workers=workers)
    for scheme in SCHEMES:
        if scheme != TrialSetting().scheme:
            fewer = max(trials // 5, TOGETHER)
            yield f"coverage_{scheme}", partial(coverage, 0.2, fewer, workers=workers, scheme=scheme)


def page(findings: Sequence[ValidationFinding], before: str = "") -> str:
    """Return the findings as Markdown.

    Args:
        findings: of the parts that were run.
        before: the page so far; its rows stay, but those of the same figures.
    """
    lines = [
        "# Validation by simulation",
        "",
        "Written by `make validate`, which goes on where it was stopped. Trials have 52 people unless the figure says",
        "otherwise (Lee bounds: 400), 199 re-randomisations each, with which a test at 5% has exactly that level.",
        "Assignments come from the real allocation schemes; each primary test is the plan's: the studentised",
        "re-randomisation test, its interval by inversion. Under `cluster` classes of four are allocated together;",
        "under `sequence` the orders of the arms are compared.",
        "",
        "*Kept* means within three Monte Carlo errors of the promise. Rows marked *shown* decide nothing in the plan:",
        "normal theory at this size, and complete cases where dropout is selective.",
        "",
        "| figure | trials | found | promised | error | verdict |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    kept = {line.split(" | ")[0]: line for line in before.splitlines() if line.startswith("| ")}
    kept = {name: line for name, line in kept.items() if name not in ("| figure", "| ---")}
    rows = kept | {f"| {entry.name}": _finding_line(entry) for entry in findings}
    return "\n".join([*lines, *rows.values()]) + "\n"


def _finding_line(entry: ValidationFinding) -> str:
    verdicts = {"shown": "shown", "equal": "", "at_most": "at most: ", "at_least": "at least: "}
    verdict = verdicts[entry.rule] + ("" if entry.rule == "shown" else "kept" if entry.kept else "**broken**")
    figures = f"{entry.trials:,} | {entry.found:.4f} | {entry.expected:.4f} | {entry.error:.4f}"
    return f"| {entry.name} | {figures} | {verdict} |"
