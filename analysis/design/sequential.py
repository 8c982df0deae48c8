"""Group-sequential tests as they were carried out: boundaries at the looks taken, p values and estimates at the end.

All tests are two-sided. Information is counted in people. Each look's boundary spends what the design allows by then,
with the correlation of the looks that were taken; so a look that came late, or was left out, keeps the error.

Reference: Lan & DeMets (1983); Jennison & Turnbull (2000), chapters 7 to 9; Tsiatis, Rosner & Mehta (1984) for the
stage-wise ordering; Liu & Anderson (2008), Maurer & Bretz (2013) for sequential p values under a multiplicity rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from analysis.design.monitoring import Continuation, crossing_probabilities, planned_spending, spent_critical
from analysis.estimators.core.validation import Floats
from study_app.domain.study.plan_sections import Stopping

KINDS = {
    "obrien_fleming": "obf", "pocock": "pocock",
    "spending_obrien_fleming": "lan_demets_obf", "spending_pocock": "lan_demets_pocock",
    "spending_kim_demets": "kim_demets", "spending_hwang_shih_decani": "hsd",
}  # fmt: skip
"""`kind` of the plan's stopping rule, with its spending function -> name in `analysis.design.monitoring`."""


@dataclass(frozen=True)
class TakenLook:
    """One look at the data."""

    number: int
    """Its place among the planned looks, from 1."""
    n: int
    """People whose outcomes were known."""
    information: float
    """Fraction of the planned information by which the error was spent; 1 at the end."""
    passed_over: bool = False
    """Whether the trial went on though it was below a bound for futility: later boundaries cannot count on that one."""


@dataclass(frozen=True)
class StageWise:
    """Inference after a group-sequential test, by the stage-wise ordering of its results, on the scale of z."""

    p_value: float
    """Two-sided."""
    median: float
    """Median-unbiased mean of z at the information of the last look."""
    low: float
    high: float


@dataclass(frozen=True)
class SequentialTest:
    """A stopping rule, and the looks that were taken so far.

    Looks are in order, the present one last.
    """

    rule: Stopping
    looks: tuple[TakenLook, ...]

    def critical(self, alpha: float) -> tuple[float, ...]:
        """Critical value of |z| at each look, for a two-sided error over all looks."""
        return _critical(self.rule, self.looks, alpha)

    def spent(self, alpha: float) -> tuple[float, ...]:
        """Cumulative two-sided error after each look."""
        return tuple(_spent(self.rule, self.looks, alpha))

    def sequential_p(self, z: Sequence[float]) -> float:
        """Return the smallest error over all looks with which one of the looks so far would have stopped the trial.

        Valid at every look, however the trial then goes on, so that any multiplicity rule may be applied to it.

        Args:
            z: at each look.
        """
        sizes = np.abs(np.asarray(z, dtype=np.float64))

        def gap(logit: float) -> float:
            # Boundaries fall as the error rises, at every look: the gap has one root.
            return float(np.max(sizes - np.asarray(self.critical(_error(logit)))))

        if gap(_LOWEST) >= 0:
            return _error(_LOWEST)
        if gap(_HIGHEST) <= 0:
            return 1.0
        return _error(float(optimize.brentq(gap, _LOWEST, _HIGHEST, xtol=1e-10, rtol=1e-12)))

    def table(self, levels: Sequence[float] = ()) -> Callable[[Sequence[float]], float]:
        """Return `sequential_p` from a table, for many simulated trials; exact as to whether p is below a level.

        Args:
            levels: at which decisions are taken.
        """
        # The levels themselves are in the table, so that interpolation never decides about one.
        errors = np.unique([*map(_error, np.linspace(_LOWEST, _HIGHEST, 120)), *levels])
        critical = np.array([self.critical(float(error)) for error in errors])

        def looked_up(z: Sequence[float]) -> float:
            found = [
                np.interp(-abs(value), -critical[:, look], errors, left=errors[0], right=1.0)
                for look, value in enumerate(z)
            ]
            return float(min(found))

        return looked_up


_LOWEST, _HIGHEST = -27.0, 9.0
"""Errors on the logit scale between which a sequential p is looked for: 2e-12 to 0.9999."""


def _error(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _spent(rule: Stopping, looks: Sequence[TakenLook], alpha: float) -> list[float]:
    kind = KINDS[f"spending_{rule.spending}" if rule.kind == "spending" else rule.kind]
    allowed = planned_spending(kind, rule.looks, alpha, rule.gamma)
    # The last look spends all that is left, whatever the fraction that was reached: there is none after it.
    return [alpha if look.information >= 1 else allowed(look.information) for look in looks]


@lru_cache(maxsize=4096)
def _critical(rule: Stopping, looks: tuple[TakenLook, ...], alpha: float) -> tuple[float, ...]:
    inner = [
        rule.futility[look.number - 1] if look.number <= len(rule.futility) and not look.passed_over else 0.0
        for look in looks
    ]
    found = spent_critical(
        np.array([float(look.n) for look in looks]), _spent(rule, looks, alpha), 2, inner if rule.binding else ()
    )
    return tuple(map(float, found))


def stage_wise(
    info: Sequence[float], critical: Sequence[float], z: float, level: float = 0.95, sides: int = 2
) -> StageWise:
    """Inference by the stage-wise ordering: a look that stops earlier for a difference is further from none.

    Futility bounds do not enter, so that it holds whether they were followed or not.

    Args:
        info: information at the looks up to the last, in any unit.
        critical: critical values of the looks before the last.
        z: at the last look.
        level: of the interval.
        sides: 2; with 1 only the upper boundary stopped the trial.
    """
    t = np.asarray(info, dtype=np.float64) / info[-1]

    def above(drift: float) -> float:
        path, total = Continuation(sides, drift), 0.0
        for now, edge in zip(t[:-1], critical, strict=False):
            total += path.tails(float(now), edge)[0]
            path.go_on(float(now), edge)
        # Results are ordered by the look that stopped, then by z (Tsiatis, Rosner & Mehta 1984): the chance of one at
        # least as far up.
        return total + path.tails(1.0, z)[0]

    def at(share: float) -> float:
        low, high = z - 3.0, z + 3.0
        while above(low) > share:
            low -= 3.0
        while above(high) < share:
            high += 3.0
        return float(optimize.brentq(lambda drift: above(drift) - share, low, high, xtol=1e-12, rtol=1e-12))

    upper, tail = above(0.0), (1 - level) / 2
    p = min(upper, 1 - upper)
    return StageWise(2 * p if sides == 2 else upper, at(0.5), at(tail), at(1 - tail))


def sequential_power(
    rule: Stopping, sizes: Sequence[int], alpha: float, fixed_power: float
) -> tuple[float, float, tuple[float, ...]]:
    """Power and expected number of people of a design with looks, by its boundaries alone.

    Args:
        rule: the stopping rule.
        sizes: people at each look, the last at the end.
        alpha: two-sided error over all looks.
        fixed_power: power of the same test without looks, at the last number of people.

    Returns:
        power, expected number of people, chance of stopping at each look but the last.
    """
    planned = tuple(
        TakenLook(place, n, share) for place, (n, share) in enumerate(zip(sizes, rule.looks, strict=True), start=1)
    )
    # The drift with which the fixed test has its power: information carries over, whatever the test's own distribution.
    drift = float(stats.norm.isf(alpha / 2) + stats.norm.ppf(min(max(fixed_power, alpha), 1 - 1e-12)))
    t: Floats = np.asarray(sizes, dtype=np.float64) / sizes[-1]
    critical = np.asarray(_critical(rule, planned, alpha))
    crossed = crossing_probabilities(t, critical, 2, drift)
    early = tuple(float(value) for value in crossed[:-1])
    expected = sum(n * chance for n, chance in zip(sizes, early, strict=False)) + sizes[-1] * (1 - sum(early))
    return float(crossed.sum()), float(expected), early
