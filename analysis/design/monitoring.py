"""Looking before the end: group-sequential boundaries by recursive integration.

Written here because no library kept up has it; as R's rpact and gsDesign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from analysis.estimators.core.argument_kinds import fits, number, numbers_of, sample_of, unused, whole
from analysis.estimators.core.option_domains import Numbers
from analysis.estimators.core.validation import AnalysisError, Floats

_KINDS = {
    "obf": "obf", "of": "obf", "obrien_fleming": "obf", "o_brien_fleming": "obf", "pocock": "pocock", "p": "pocock",
    "wang_tsiatis": "wang_tsiatis", "wt": "wang_tsiatis", "haybittle_peto": "haybittle_peto", "hp": "haybittle_peto",
    "lan_demets_obf": "spend_obf", "ld_obf": "spend_obf", "asof": "spend_obf", "obf_spending": "spend_obf",
    "spending_obf": "spend_obf", "lan_demets": "spend_obf", "sfldof": "spend_obf", "lan_demets_of": "spend_obf",
    "lan_demets_obrien_fleming": "spend_obf", "spending": "spend_obf",
    "lan_demets_pocock": "spend_pocock", "ld_pocock": "spend_pocock", "asp": "spend_pocock",
    "pocock_spending": "spend_pocock", "spending_pocock": "spend_pocock", "sfldpocock": "spend_pocock",
    "kim_demets": "spend_power", "power": "spend_power", "askd": "spend_power", "hsd": "spend_hsd",
    "hwang_shih_decani": "spend_hsd", "ashsd": "spend_hsd",
}  # fmt: skip


_EXPONENTS = {"spend_power": Numbers(above=0), "spend_hsd": Numbers(least=-40, most=40)}
_SHAPED = {"wang_tsiatis": Numbers(least=-1, most=1)}
_SIDES = Numbers(least=1, most=2)


@dataclass(frozen=True)
class Boundaries(Sequence[float]):
    """Critical values of z, one a look; a sequence of them, with what is spent beside."""

    critical: tuple[float, ...]
    info: tuple[float, ...]
    alpha: float
    sides: int
    kind: str
    alpha_spent: tuple[float, ...]
    """Cumulative type I error after each look (both sides, for two)."""

    @property
    def crit(self) -> tuple[float, ...]:
        """The critical values."""
        return self.critical

    @property
    def nominal(self) -> tuple[float, ...]:
        """One-sided p-value at which each look stops."""
        return tuple(float(value) for value in stats.norm.sf(self.critical))

    @property
    def constant(self) -> float:
        """The last look's critical value (O'Brien and Fleming's C, Pocock's C)."""
        return self.critical[-1]

    @overload
    def __getitem__(self, index: int) -> float: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...

    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        return self.critical[index]

    def __len__(self) -> int:
        return len(self.critical)

    def __iter__(self) -> Iterator[float]:
        return iter(self.critical)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.critical, dtype=dtype)


def boundaries(
    info: int | Sequence[float],
    alpha: float = 0.05,
    kind: str = "obf",
    *,
    sides: int | None = None,
    delta: float | None = None,
    gamma: float | None = None,
) -> Boundaries:
    """Critical values of the z statistic at each look.

    Args:
        info: Information at the looks, rising (fractions or counts; scaled by the last), or how many equal looks.
        alpha: Type I error over all looks: of both sides for a two-sided design, of the one side otherwise.
        kind: "obf" (O'Brien-Fleming), "pocock", "wang_tsiatis" (with `delta`), "haybittle_peto": two-sided unless
            `sides=1`. "lan_demets_obf", "lan_demets_pocock", "kim_demets" and "hsd" (with `gamma`): error spending,
            one-sided unless `sides=2` (then alpha / 2 is spent on each side).
        sides: 1 or 2, where the default is not meant.
        delta: Shape of Wang and Tsiatis, c_k proportional to t^(delta - 1/2); 0.25 where it is not given. Other kinds
            refuse it.
        gamma: Exponent of Kim and DeMets, or parameter of Hwang, Shih and DeCani; 1 where it is not given. Other kinds
            refuse it.

    Returns:
        The critical values as a sequence, with the error spent.

    Reference: Armitage, McPherson & Rowe (1969); O'Brien & Fleming (1979); Pocock (1977); Lan & DeMets (1983);
    Jennison & Turnbull (2000), table 2.3 and section 7.2, 19.2 for the integration.

    >>> [round(value, 6) for value in boundaries([0.5, 1], 0.05, "obf")]
    [2.79651, 1.977431]
    >>> [round(value, 6) for value in boundaries([0.5, 1], 0.025, "lan_demets_obf")]
    [2.962588, 1.968596]
    """
    fractions = _fractions(info)
    name = _KINDS.get(str(kind).lower().replace("'", "_").replace("-", "_").replace(" ", "_").replace("__", "_"))
    if name is None:
        raise AnalysisError.of("kind", f"{kind!r} is not known", f"use one of {', '.join(sorted(set(_KINDS)))}")
    alpha = number("alpha", alpha, Numbers(above=0, below=0.5))
    spending = name.startswith("spend")
    sides = (1 if spending else 2) if sides is None else whole("sides", sides, _SIDES)
    if name not in _SHAPED:
        unused("delta", delta, f"kind {kind!r}")
    if name not in _EXPONENTS:
        unused("gamma", gamma, f"kind {kind!r}")
    if spending:
        exponent = number("gamma", 1.0 if gamma is None else gamma, _EXPONENTS.get(name))
        critical = _spent_boundaries(fractions, alpha, sides, _spending(name, alpha / sides, exponent))
    else:
        shape = number("delta", 0.25 if delta is None else delta, _SHAPED.get(name))
        critical = _shaped_boundaries(fractions, alpha, sides, _shape(name, fractions, shape))
    # From the boundaries found and not from the target: what is reported is what these critical values spend.
    spent = np.cumsum(crossing_probabilities(fractions, critical, sides))
    return Boundaries(tuple(map(float, critical)), tuple(fractions), alpha, sides, kind, tuple(map(float, spent)))


def _fractions(info: int | Sequence[float]) -> Floats:
    remedy = "give the number of looks, or the information at each"
    if np.ndim(info) == 0:
        if not fits(info, int):
            raise AnalysisError.of("info", f"{info!r} is not a whole number of looks", remedy)
        info = list(range(1, int(number("info", info, Numbers(least=1, most=1000))) + 1))
    values = numbers_of("info", info)
    if not len(values) or not values[0] > 0 or not (np.diff(values) > 0).all() or not np.isfinite(values).all():
        raise AnalysisError.of("info", f"{info!r} is not positive and rising", remedy)
    # Fractions up to less than 1 are those of a trial under way, and must not be stretched to the whole.
    scale = 1.0 if values[-1] <= 1 else values[-1]
    return np.asarray(values / scale, dtype=np.float64)


def _shape(name: str, t: Floats, delta: float) -> Floats:
    """Relative size of the critical values; NaN at a look whose value is fixed at 3 (Haybittle and Peto)."""
    if name == "haybittle_peto":
        # Haybittle (1971), Peto et al. (1976): 3 at each look before the end, and what is left of the error at the end.
        return np.append(np.full(len(t) - 1, np.nan), 1.0)
    # Wang & Tsiatis (1987): c_k = C t_k^(delta - 1/2), of which O'Brien-Fleming (0) and Pocock (1/2) are the ends.
    power = {"obf": 0.0, "pocock": 0.5, "wang_tsiatis": delta}[name]
    return np.asarray((t / t[-1]) ** (power - 0.5), dtype=np.float64)


def _shaped_boundaries(t: Floats, alpha: float, sides: int, shape: Floats) -> Floats:
    def at(constant: float) -> Floats:
        return np.where(np.isnan(shape), 3.0, constant * shape)

    def gap(constant: float) -> float:
        return float(crossing_probabilities(t, at(constant), sides).sum()) - alpha

    return at(float(optimize.brentq(gap, 1e-9, 12.0, xtol=1e-13, rtol=1e-13)))


def planned_spending(kind: str, planned: Sequence[float], alpha: float, gamma: float = 1.0) -> Callable[[float], float]:
    """Return the two-sided error that a design may spend by a fraction of the planned information.

    A design with fixed boundaries spends at its planned looks what those boundaries spend there, in straight lines
    between; so a look that comes later than planned changes its boundary and not the error of the whole.

    Args:
        kind: as `boundaries` takes it.
        planned: information fractions of the looks, the last 1.
        alpha: two-sided error of the whole.
        gamma: of Kim and DeMets, or Hwang, Shih and DeCani.
    """
    name = _KINDS[kind]
    if name.startswith("spend"):
        one_side = _spending(name, alpha / 2, gamma)
        return lambda t: 2 * one_side(min(t, 1.0))
    spent = _spent_as_planned(name, tuple(planned), alpha)
    return lambda t: float(np.interp(t, [0.0, *planned], spent))


@lru_cache(maxsize=4096)
def _spent_as_planned(name: str, planned: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Error that fixed boundaries have spent before the first of the planned looks and after each."""
    # Kept, for thousands of simulated trials, and each sequential p, ask for the same design.
    fractions = np.asarray(planned, dtype=np.float64)
    critical = _shaped_boundaries(fractions, alpha, 2, _shape(name, fractions, 0.25))
    return (0.0, *np.cumsum(crossing_probabilities(fractions, critical, 2)))


def _spending(name: str, alpha: float, gamma: float) -> Callable[[float], float]:
    """Error of one side that may be spent by information fraction t."""
    if name == "spend_obf":
        # Lan & DeMets (1983): 2 - 2 Phi(z_{alpha/2} / sqrt(t)).
        edge = float(stats.norm.isf(alpha / 2))
        return lambda t: float(2 * stats.norm.sf(edge / np.sqrt(t)))
    if name == "spend_pocock":
        # Lan & DeMets (1983): alpha ln(1 + (e - 1) t).
        return lambda t: float(alpha * np.log1p((math.e - 1) * t))
    if name == "spend_power":
        return lambda t: float(alpha * t**gamma)
    # The limit of the formula below, which is 0/0 there.
    if gamma == 0:
        return lambda t: alpha * t
    return lambda t: float(alpha * np.expm1(-gamma * t) / np.expm1(-gamma))


def _spent_boundaries(t: Floats, alpha: float, sides: int, spending: Callable[[float], float]) -> Floats:
    targets = [sides * min(spending(min(float(now), 1.0)), alpha / sides) for now in t]
    return spent_critical(t, targets, sides)


def spent_critical(info: Floats, spent: Sequence[float], sides: int, inner: Sequence[float] = ()) -> Floats:
    """Critical values with which the error after each look is what may have been spent by then.

    Args:
        info: information at the looks, in any unit.
        spent: cumulative error of all sides after each look.
        sides: 1 (upper only) or 2.
        inner: z below which (in absolute value) the trial ends at a look without rejecting; empty: it never does.
    """
    t = np.asarray(info, dtype=np.float64) / info[-1]
    path = Continuation(sides)
    critical: list[float] = []
    before = 0.0
    for look, now in enumerate(t):
        target = spent[look] - before

        def gap(value: float, now: float = float(now), target: float = target) -> float:
            return sum(path.tails(now, value)) - target

        # One-sided, a boundary may lie below 0 where much of the error is left at the end.
        low = -5.0 if sides == 1 else 1e-9
        # Beyond 38 a normal tail underflows: a look at which next to nothing may be spent cannot be crossed.
        if target <= 1e-300 or gap(38.0) > 0:
            critical.append(38.0)
        else:
            critical.append(low if gap(low) < 0 else float(optimize.brentq(gap, low, 38.0, xtol=1e-13, rtol=1e-13)))
            before += sum(path.tails(float(now), critical[-1]))
        if look + 1 < len(t):
            path.go_on(float(now), critical[-1], inner[look] if look < len(inner) else 0.0)
    return np.asarray(critical)


def crossing_probabilities(info: Floats, critical: Floats, sides: int, drift: float = 0.0) -> Floats:
    """Chance of crossing first at each look, by recursive integration of the density of the score process.

    Args:
        info: Information fractions of the looks.
        critical: Critical values of z.
        sides: 1 (upper only) or 2.
        drift: Mean of z at full information.

    Returns:
        One probability a look; their sum is the type I error (drift 0) or the power.
    """
    t, edges = sample_of("info", info), sample_of("critical", critical, endless=True)
    if not (t > 0).all() or (np.diff(t) <= 0).any() or len(t) != len(edges):
        what = f"{list(map(float, t))} beside {len(edges)} critical values"
        raise AnalysisError.of("info", what, "give the information at each look, rising, and as many critical values")
    path = Continuation(whole("sides", sides, _SIDES), number("drift", drift))
    found = np.empty(len(t))
    for look, now in enumerate(t):
        found[look] = sum(path.tails(float(now), float(edges[look])))
        if look + 1 < len(t):
            path.go_on(float(now), float(edges[look]))
    return found


class Continuation:
    """The score process of a trial that has not stopped: z times the root of information, and its density.

    Args:
        sides: 1 (upper only) or 2.
        drift: mean of z at full information.
    """

    def __init__(self, sides: int, drift: float = 0.0) -> None:
        self.sides, self.drift = sides, drift
        self._nodes, self._density, self._before = np.zeros(1), np.ones(1), 0.0

    def tails(self, now: float, critical: float) -> tuple[float, float]:
        """Return the chance of z beyond the critical value, above and (with two sides) below, at the next look."""
        spread, centre = math.sqrt(now - self._before), self._nodes + self.drift * (now - self._before)
        edge = critical * math.sqrt(now)
        # By the normal integral and not by nodes: the tails are what is small, and quadrature would lose their digits.
        up = float(self._density @ special.ndtr((centre - edge) / spread))
        down = float(self._density @ special.ndtr((-edge - centre) / spread)) if self.sides == 2 else 0.0
        return up, down

    def go_on(self, now: float, critical: float, inner: float = 0.0) -> None:
        """Pass a look: z within the critical values, and outside of `inner` where the trial ends there for futility."""
        spread, centre = math.sqrt(now - self._before), self._nodes + self.drift * (now - self._before)
        # Beyond 9.5 standard deviations lies less than 1e-20: the range of integration ends there.
        edge, wide = critical * math.sqrt(now), 9.5 * math.sqrt(now)
        floor = -edge if self.sides == 2 else min(-wide, self.drift * now - wide)
        low, high = max(floor, self.drift * now - wide), min(edge, self.drift * now + wide)
        gap = inner * math.sqrt(now)
        parts = [(low, high)] if gap <= 0 else [(low, min(-gap, high)), (max(gap, low), high)]
        pieces = [_nodes(start, end) for start, end in parts if end > start]
        pieces = pieces or [(np.zeros(1), np.zeros(1))]  # every trial has stopped
        fresh, weights = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        # The increments of the score are independent normals, so that each look is one convolution (Armitage, McPherson
        # & Rowe 1969).
        kernel = np.exp(-(((fresh[:, None] - centre[None, :]) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
        self._density = weights * (kernel @ self._density)
        self._nodes, self._before = fresh, now


def _nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Composite Gauss-Legendre nodes and weights."""
    half = (high - low) / 2
    return (low + high) / 2 + half * _UNIT_NODES, half * _UNIT_WEIGHTS


def _composite(panels: int = 24, order: int = 12) -> tuple[Floats, Floats]:
    """Nodes and weights on -1 to 1: made once, for a median by root finding integrates hundreds of times."""
    points, weights = np.polynomial.legendre.leggauss(order)
    middles = (2 * np.arange(panels) + 1) / panels - 1
    return (middles[:, None] + points / panels).ravel(), np.tile(weights / panels, panels)


_UNIT_NODES, _UNIT_WEIGHTS = _composite()
