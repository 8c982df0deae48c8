"""Made-up trials of known truth, and the plan's primary analyses of each: what `analysis.design.validation` counts.

Assignments come from the real allocation schemes; the first of a set is the trial, the others are its
re-randomisations, so that every trial has its own reference set. The analyses run on the numbers that the methods
of `analysis.METHODS` compute from a table, without making the table; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.estimators.core.validation import Floats, Ints
from analysis.estimators.numerics.replicated_regression import Moments, Regression, Test
from analysis.estimators.numerics.restricted_mean import restricted_mean
from study_app.domain.allocation import Factor, Scheme
from study_app.domain.allocation.arms import Arm
from study_app.rerandomisation import replicate

ARMS = (Arm(id="control"), Arm(id="treated"))
CAP = 35.0
CLASS_SIZE = 4
SCHEMES: dict[str, Scheme] = {
    "simple": Scheme(method="simple"),
    "permuted_blocks": Scheme(method="permuted_blocks"),
    "stratified_blocks": Scheme(method="stratified_blocks", strata=(Factor(variable="years"),)),
    "minimisation": Scheme(method="minimisation", factors=(Factor(variable="years"), Factor(variable="daily"))),
    "biased_coin": Scheme(method="biased_coin"),
    "urn": Scheme(method="urn"),
    "big_stick": Scheme(method="big_stick"),
    "cluster": Scheme(method="cluster", cluster="class"),
    "sequence": Scheme(method="sequence"),
}
"""The allocation methods that are validated, with their usual settings. Under `sequence` the two orders of the arms are
compared, as between those who begin with either arm."""


@dataclass(frozen=True)
class TrialSetting:
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


@dataclass(frozen=True)
class Made:
    """One made-up trial; arrays have one cell a person."""

    treated: Ints
    drawn: NDArray[np.int8]
    """Its re-randomisations, (replicates, n): 1 treated."""
    years: Ints
    warmup: Floats
    quiz: Floats
    minutes: Floats
    event: NDArray[np.bool_]
    stratified: bool
    """Whether allocation ran apart within `years`, whose levels then enter as main effects."""

    def table(self) -> pd.DataFrame:
        """Return the trial as the methods take it; `drawn` goes with it as their scheme."""
        return pd.DataFrame(
            {
                "arm": np.where(self.treated == 1, "treated", "control"),
                "warmup": self.warmup,
                "years": self.years.astype(float),
                "stratum": self.years.astype(str),
                "quiz": self.quiz,
                "minutes": self.minutes,
                "event": self.event.astype(float),
            }
        )


def batch(setting: TrialSetting, rng: np.random.Generator, count: int = 1) -> Iterator[Made]:
    """Trials that share the categories which allocation balances, and nothing else.

    Given those categories they are independent, and a test that is exact is so whatever the categories.
    """
    n = setting.n
    scheme = SCHEMES[setting.scheme]
    years, daily = rng.integers(1, 4, n), rng.integers(0, 2, n)
    classes = np.arange(n) // CLASS_SIZE
    profiles = [
        {"years": int(a), "daily": int(b), "class": f"c{c}"} for a, b, c in zip(years, daily, classes, strict=True)
    ]
    each = setting.replicates + 1
    drawn = replicate(scheme, profiles, each * count, rng, arms=ARMS)
    for start in range(0, len(drawn), each):
        yield _made(setting, rng, drawn[start : start + each], years, classes)


def _made(setting: TrialSetting, rng: np.random.Generator, drawn: NDArray[np.int8], years: Ints, classes: Ints) -> Made:
    n = setting.n
    # The first of the drawn set, which is exchangeable with the others: so the test is exact whatever the scheme.
    treated = drawn[0].astype(np.int64)
    ability = rng.normal(size=n) + 0.4 * (years - 2)
    if SCHEMES[setting.scheme].cluster:
        ability += 0.5 * rng.normal(size=classes[-1] + 1)[classes]
    minutes = location(setting.incomplete) - 3.0 * ability + rng.normal(0, 6, n) + setting.minutes_effect * treated
    return Made(
        treated=treated,
        drawn=drawn[1:],
        years=years,
        warmup=6 - 1.1 * ability + rng.normal(0, 1.4, n),
        quiz=15 + 3.0 * ability + rng.normal(0, 4.5, n) + setting.quiz_effect * treated,
        minutes=np.clip(minutes, 3, CAP),
        event=minutes < CAP,
        stratified=bool(SCHEMES[setting.scheme].strata),
    )


def location(incomplete: float) -> float:
    """Where minutes are centred so that this share lies beyond the cap (noise variance as the trials have it)."""
    # Variance of 3 ability + noise: ability has 1 and 0.4^2 times that of a number from 1 to 3, which is 2/3; noise has
    # 36.
    spread = np.sqrt(9 * (1 + 0.16 * 2 / 3) + 36)
    return float(CAP - spread * special.ndtri(1 - incomplete))


def analysed(made: Made, interval: bool) -> dict[str, float]:
    """Each step of the primary analyses on one trial, and the normal-theory rows beside; NaN where there is none.

    Keys: `lin`, `ancova` (the quiz, by the plan's model and by its first step down), `mean` (the minutes), each with
    `_p` and, on request, `_low` and `_high`; `hc3` and `rmst` by normal theory.
    """
    ones = np.ones(len(made.treated))
    x = np.column_stack([made.warmup, made.years.astype(float)])
    centred = np.column_stack([ones, x - x.mean(axis=0)])
    middle = (made.years == 2).astype(float)
    strata = [middle[:, None]] if made.stratified and 0 < middle.sum() < len(middle) else []
    lin = Regression(made.quiz, np.column_stack([centred, *strata]), 3, "HC3")
    found, observed = _tested(made, lin, "lin", interval)
    df = len(ones) - lin.fixed.shape[1] - 3
    found |= _normal("hc3", float(observed.a[0]), float(np.sqrt(observed.yy[0])), df)
    found |= _tested(made, Regression(made.quiz, centred, 1, "HC2"), "ancova", interval)[0]
    found |= _tested(made, Regression(made.minutes, ones[:, None], 1, "HC2"), "mean", interval)[0]
    one, zero = (
        restricted_mean(made.minutes[made.treated == arm], made.event[made.treated == arm], CAP) for arm in (1, 0)
    )
    return found | _normal("rmst", one[0] - zero[0], float(np.sqrt(one[1] + zero[1])))


def _tested(made: Made, model: Regression, name: str, interval: bool) -> tuple[dict[str, float], Moments]:
    shift = made.treated.astype(np.float64) if interval else None
    observed, others = model.moments(made.treated, made.drawn, 1, 2, shift)
    test = Test(observed, others, False, "two-sided")
    found = {f"{name}_p": test.p_value()}
    if interval:
        found |= dict(zip((f"{name}_low", f"{name}_high"), test.interval(0.95), strict=True))
    return found, observed


def _normal(name: str, estimate: float, error: float, df: float | None = None) -> dict[str, float]:
    """Return the p-value and interval by Student's t, by the normal distribution without `df`."""
    below = special.ndtr if df is None else partial(special.stdtr, df)
    half = float(special.ndtri(0.975) if df is None else special.stdtrit(df, 0.975)) * error
    return {
        f"{name}_p": float(2 * below(-abs(estimate / error))),
        f"{name}_low": estimate - half,
        f"{name}_high": estimate + half,
    }
