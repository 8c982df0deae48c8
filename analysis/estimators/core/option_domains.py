"""What each option of a method can be: words, or numbers within bounds; calls and plans are held against it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """An option that takes one of a few words."""

    words: tuple[str, ...]
    in_clusters: tuple[str, ...] | None = None
    """Those that it takes where people were allocated in clusters; None: the same."""
    also: tuple[str, ...] = ()
    """Other names of the same, which other packages use."""
    also_in_clusters: tuple[str, ...] = ()
    """Likewise of those in clusters."""
    any_case: bool = False
    """Whether capitals do not matter."""

    def problem(self, value: object, clustered: bool) -> tuple[str, str] | None:
        """Return what is wrong with a text, and what to write in its place."""
        words = self.in_clusters if clustered and self.in_clusters is not None else self.words
        also = self.also_in_clusters if clustered and self.in_clusters is not None else self.also
        if not isinstance(value, str) or self._is_among(value, (*words, *also)):
            return None
        elsewhere = clustered and self._is_among(value, (*self.words, *self.also))
        what = f"{value!r} takes no account of clusters" if elsewhere else f"{value!r} is not known"
        return what, f"use {' or '.join(filter(None, (', '.join(words[:-1]), words[-1])))}"

    def _is_among(self, value: str, words: tuple[str, ...]) -> bool:
        return value in words or (self.any_case and value.lower() in map(str.lower, words))


@dataclass(frozen=True)
class Numbers:
    """An option that takes a finite number within bounds."""

    above: float | None = None
    least: float | None = None
    most: float | None = None
    below: float | None = None

    def problem(self, value: object, clustered: bool) -> tuple[str, str] | None:
        """Return what is wrong with a number, and what to write in its place."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        bounds = {"above": self.above, "at least": self.least, "at most": self.most, "below": self.below}
        listed = " and ".join(f"{how} {bound:g}" for how, bound in bounds.items() if bound is not None)
        inside = (
            math.isfinite(value)
            and (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )
        return None if inside else (f"{value:g} is not {listed or 'finite'}", f"give a number {listed}".rstrip())


_LINEAR = ("classical", "HC0", "HC1", "HC2", "HC3")
_LINEAR_ALSO = ("nonrobust", "const", "ols", "iid")
_CLUSTERED = ("CR2", "CR1", "CR0")
_CLUSTERED_ALSO = ("stata", "CR1S")
_BY_LEAST_SQUARES = Words(_LINEAR, _CLUSTERED, _LINEAR_ALSO, _CLUSTERED_ALSO, any_case=True)
_BY_LIKELIHOOD = Words(("HC0", "HC1", "quasi", "classical"), also=("nonrobust", "model", "robust"), any_case=True)
_BY_INSTRUMENT = Words(("robust", "HC0", "HC1", "classical"), also=("unadjusted", "nonrobust"), any_case=True)
_BY_DRAWS = Words(("classical", "HC0", "HC2", "HC3"), also=_LINEAR_ALSO, any_case=True)
_SIDES = Words(("two-sided", "greater", "less"))
_STATISTICS = Words(("lin", "ancova", "mean", "rmst"))
_DRAWN = {"vcov": _BY_DRAWS, "alternative": _SIDES, "statistic": _STATISTICS}
_MARGIN = Numbers(above=0)
_IMPUTATIONS = Numbers(least=2, most=10_000)
DOMAINS: Mapping[str, Mapping[str, Words | Numbers]] = {
    **{key: {"vcov": _BY_LEAST_SQUARES} for key in ("ols", "ancova", "lin", "factorial")},
    **{key: {"vcov": _BY_LIKELIHOOD} for key in ("poisson", "fractional_logit")},
    **{key: {"vcov": _BY_INSTRUMENT} for key in ("tsls", "wald_iv")},
    **dict.fromkeys(("rerandomization", "permutation", "factorial_rerandomization"), _DRAWN),
    **{key: {"alternative": _SIDES} for key in ("fisher", "brunner_munzel")},
    **{key: {"rho": Numbers(least=0)} for key in ("logrank", "stratified_logrank")},
    "interaction": {"vcov": Words(_LINEAR, ("CR2",), _LINEAR_ALSO, any_case=True)},
    "cluster_robust": {"vcov": Words(_CLUSTERED, also=_CLUSTERED_ALSO, any_case=True)},
    "crossover": {"vcov": Words(("classical", "CR2"))},
    "beta_regression": {"vcov": Words(("expected", "observed"))},
    "mann_whitney": {"alternative": _SIDES, "method": Words(("auto", "exact", "asymptotic"))},
    "cox": {"ties": Words(("efron", "breslow", "exact")), "transform": Words(("rank", "km", "identity", "log"))},
    "lee_bounds": {"trim": Words(("floor", "fractional"))},
    "noninferiority": {"margin": _MARGIN, "better": Words(("higher", "lower"))},
    "tost": {"margin": _MARGIN},
    "bayes_factor": {"prior_scale": Numbers(above=0)},
    "multiple_imputation": {"imputations": _IMPUTATIONS, "delta": Numbers()},
    "tipping_point": {"imputations": _IMPUTATIONS, "reach": Numbers(above=0), "steps": Numbers(least=3, most=1_001)},
    "worst_case": {"outcome_min": Numbers(), "outcome_max": Numbers()},
    "mixed_logit": {"nodes": Numbers(least=2, most=500)},
}
"""Method -> option -> what it can be. Yes or no, and columns, are judged elsewhere."""
SCALES = Words(("medium", "wide", "ultrawide"))
"""Words of a prior's scale, in place of a number."""
