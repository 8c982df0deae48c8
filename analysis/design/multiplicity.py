"""Several hypotheses at once: adjusted p-values, and graphical gatekeeping.

Adjusted p-values are statsmodels'; the graphs are written here because no library has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.estimators.core.argument_kinds import fits, numbers_of, share
from analysis.estimators.core.validation import AnalysisError, Floats, installed

_ALIASES = {
    "bonferroni": "bonferroni", "holm": "holm", "hochberg": "simes-hochberg", "simes-hochberg": "simes-hochberg",
    "hommel": "hommel", "bh": "fdr_bh", "fdr": "fdr_bh", "fdr_bh": "fdr_bh", "benjamini-hochberg": "fdr_bh",
    "by": "fdr_by", "fdr_by": "fdr_by", "benjamini-yekutieli": "fdr_by", "sidak": "sidak", "holm-sidak": "holm-sidak",
    "none": "none",
}  # fmt: skip
"""Names that are understood, and those of statsmodels."""


def adjust(p: ArrayLike, method: str = "holm") -> Floats:
    """Return adjusted p-values, in the order given; a missing p (NaN or None) stays missing and does not count.

    Args:
        p: Raw p-values.
        method: holm, hochberg, hommel, bonferroni, BH (fdr), BY, sidak, holm-sidak or none; case does not matter.

    Returns:
        One adjusted p-value for each p.

    Reference: Holm (1979); Hochberg (1988); Hommel (1988); Benjamini & Hochberg (1995); Benjamini & Yekutieli (2001);
    the same numbers as R's p.adjust.

    >>> adjust([0.01, 0.02, 0.03], "holm").tolist()
    [0.03, 0.04, 0.04]
    """
    raw = _p_values(p)
    name = _ALIASES.get(method.lower().replace(" ", "-")) if isinstance(method, str) else None
    if name is None:
        raise AnalysisError.of("method", f"{method!r} is not known", f"use one of {', '.join(sorted(set(_ALIASES)))}")
    known = ~np.isnan(raw)
    found = raw.copy()
    if name == "holm":
        found[known] = _holm(raw[known])
    elif known.any() and name != "none":
        with installed("multiplicity"):
            from statsmodels.stats.multitest import multipletests  # takes a second to import

        found[known] = np.minimum(multipletests(raw[known], method=name)[1], 1.0)
    return found


def _p_values(p: Any) -> Floats:
    """Return p-values, NaN where one is missing."""
    raw = numbers_of("p", p)
    if fits(p, bool) or ((raw < 0) | (raw > 1)).any():
        raise AnalysisError.of("p", "holds values outside 0 to 1", "give p-values")
    return raw


def _holm(p: Floats) -> Floats:
    """Holm's step down.

    Our own, since statsmodels collects all garbage at each call: a simulation of thousands of trials spent most of its
    time on that.
    """
    order = np.argsort(p, kind="stable")
    # The running maximum keeps the order of adjusted p-values that of the raw ones.
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty_like(p)
    found[order] = np.minimum(stepped, 1.0)
    return found


@dataclass(frozen=True)
class Graphical:
    """The outcome of a graphical procedure; iterates over the adjusted p-values."""

    adjusted: Floats
    """Adjusted p-values, in the order given: rejected at alpha exactly when at most alpha."""
    order: tuple[int, ...]
    """Hypotheses rejected at alpha, in the order of rejection."""
    rejected: NDArray[np.bool_]
    """Which are rejected at alpha."""
    alpha: float

    @property
    def p_adjusted(self) -> Floats:
        """The adjusted p-values."""
        return self.adjusted

    def __iter__(self) -> Iterator[float]:
        return iter(self.adjusted.tolist())

    def __len__(self) -> int:
        return len(self.adjusted)

    def __getitem__(self, index: int) -> float:
        return float(self.adjusted[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.adjusted, dtype=dtype)


def graphical(
    p: Sequence[float] | ArrayLike, weights: ArrayLike, transitions: ArrayLike, alpha: float = 0.05
) -> Graphical:
    """Sequentially rejective graphical procedure: a rejected hypothesis passes its weight along its edges.

    Args:
        p: Raw p-values; a missing one (NaN or None) is never rejected and keeps its weight.
        weights: Share of alpha that each hypothesis starts with; non-negative, at most 1 in sum.
        transitions: (m, m); row i is how hypothesis i's weight is passed on when it is rejected; zero diagonal, rows
            at most 1 in sum.
        alpha: Family-wise level at which `order` and `rejected` are read.

    Raises:
        AnalysisError: weights or transitions that do not form such a graph.

    Reference: Bretz, Maurer, Brannath & Posch (2009), Stat. Med. 28:586-604, algorithm 2 for adjusted p.

    >>> graphical([0.01, 0.02, 0.03], [1 / 3] * 3, [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]).adjusted.round(12)
    array([0.03, 0.04, 0.04])
    """
    raw, alpha = _p_values(p), share("alpha", alpha)
    known = ~np.isnan(raw)
    w, g = numbers_of("weights", weights), numbers_of("transitions", transitions, 2)
    _check_graph(raw, w, g)
    left = list(range(len(raw)))
    adjusted = np.ones(len(raw))
    order: list[int] = []
    highest = 0.0
    while left:
        # The one that is rejected at the smallest alpha comes first (Bretz et al. 2009, algorithm 2): p_i <= w_i alpha.
        ratios = [raw[i] / w[i] if w[i] > 0 and known[i] else np.inf for i in left]
        chosen = left[int(np.argmin(ratios))]
        if not np.isfinite(min(ratios)):
            break
        # A later hypothesis is rejected only together with those before it, so adjusted p-values never fall.
        highest = max(highest, min(float(min(ratios)), 1.0))
        adjusted[chosen] = highest
        order.append(chosen)
        left.remove(chosen)
        w, g = _passed_on(w, g, chosen, left)
    adjusted[~known] = np.nan
    # 0.05 is not 1 - 0.95 in floating point, and a p that equals its level must count as rejected.
    rejected = adjusted <= alpha * (1 + 1e-12)
    return Graphical(adjusted, tuple(i for i in order if rejected[i]), rejected, alpha)


def _check_graph(p: Floats, w: Floats, g: Floats) -> None:
    m = len(p)
    if w.shape != (m,) or g.shape != (m, m):
        raise AnalysisError.of("weights", f"shapes {w.shape} and {g.shape}", f"give ({m},) and ({m}, {m})")
    if not (w >= 0).all() or w.sum() > 1 + 1e-9:
        raise AnalysisError.of("weights", f"{w.tolist()}", "give non-negative weights of at most 1 in sum")
    if not (g >= 0).all() or (g.sum(axis=1) > 1 + 1e-9).any() or np.diag(g).any():
        raise AnalysisError.of(
            "transitions", "do not form such a graph", "rows non-negative, at most 1 in sum, zero diagonal"
        )


def _passed_on(w: Floats, g: Floats, gone: int, left: list[int]) -> tuple[Floats, Floats]:
    """Weights and edges after one hypothesis is rejected."""
    weights, edges = w.copy(), np.zeros_like(g)
    weights[gone] = 0.0
    for i in left:
        weights[i] = w[i] + w[gone] * g[gone, i]
        # The weight that would come back from the hypothesis that is gone: 1 minus it keeps rows of edges within 1
        # (Bretz et al. 2009).
        stay = 1 - g[i, gone] * g[gone, i]
        for k in left:
            if k != i and stay > 1e-14:
                edges[i, k] = (g[i, k] + g[i, gone] * g[gone, k]) / stay
    return weights, edges
