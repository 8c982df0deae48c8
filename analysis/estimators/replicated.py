"""Regression statistics under many assignments at once, in closed form.

The design of replicate r is [Z, D_r V]: Z (n, q) are the columns that do not depend on the assignment, V (n, m) what
each treated arm multiplies (a one, and the centred covariates). With Q an orthonormal basis of Z and
T_r = (I - QQ') D_r V, the arm coefficients are (T'T)^-1 T'y, the leverages |Q_i|^2 + T_i (T'T)^-1 T_i', and no
matrix larger than (arms x m) is inverted (Frisch & Waugh 1933; Lovell 1963).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.columns import Bools, Floats, NotEstimable

CHUNK = 20_000
"""Cells of one replicate array that are held at a time: few enough for the processor's cache."""


@dataclass(frozen=True)
class Moments:
    """Per replicate: a coefficient of y, of the shifted column d, and the quadratic form of its variance.

    Under a constant effect tau the outcome is y - tau d; its coefficient is `a - tau b`, its squared standard error
    `yy - 2 tau yd + tau^2 dd`.
    """

    a: Floats
    b: Floats
    yy: Floats
    yd: Floats
    dd: Floats

    def studentised(self, tau: float = 0.0) -> Floats:
        """Coefficient over standard error under the effect tau; NaN where the variance is not positive."""
        variance = self.yy - 2 * tau * self.yd + tau**2 * self.dd
        scale = self.yy + tau**2 * self.dd
        safe = np.where(variance > 1e-13 * scale, variance, np.nan)
        return np.asarray((self.a - tau * self.b) / np.sqrt(safe), dtype=np.float64)


@dataclass(frozen=True)
class Regression:
    """What is common to all replicates of one adjusted difference of means."""

    y: Floats
    fixed: Floats
    """(n, q): intercept, centred covariates, strata."""
    varying: Floats
    """(n, m): a one and the centred covariates, each multiplied by the arm's indicator."""
    vcov: str

    def moments(self, codes: NDArray[np.int8], arm: int, arms: int, shift: Floats | None) -> Moments:
        """Moments of treated arm `arm` against the control over all replicates (R, n), in chunks."""
        step = max(1, CHUNK // len(self.y))
        parts = [self._chunk(codes[i : i + step], arm, arms, shift) for i in range(0, len(codes), step)]
        return Moments(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _chunk(self, codes: NDArray[np.int8], arm: int, arms: int, shift: Floats | None) -> tuple[Floats, ...]:
        basis, _ = np.linalg.qr(self.fixed)
        treated = [(codes == index).astype(np.float64) for index in range(1, arms)]
        columns = self._residual_columns(treated, basis)
        inverse, sound = _inverses(columns, [float(np.abs(v).max()) ** 2 for v in self.varying.T] * len(treated))
        width = self.varying.shape[1]
        weights = sum(inverse[:, (arm - 1) * width, b, None] * column for b, column in enumerate(columns))
        spread = self._spread(columns, inverse, (basis**2).sum(axis=1))
        scaled = weights**2 * spread
        if self.vcov == "classical":
            df = len(self.y) - self.fixed.shape[1] - len(columns)
            scaled = np.broadcast_to(inverse[:, (arm - 1) * width, (arm - 1) * width, None] / df, spread.shape)
        e = self._residuals(columns, inverse, basis, self.y)
        nothing = np.zeros(len(codes))
        found = [weights @ _projected(self.y, basis), nothing, np.einsum("rn,rn->r", scaled, e**2), nothing, nothing]
        if shift is not None:
            f = self._residuals(columns, inverse, basis, shift)
            found[1] = weights @ _projected(shift, basis)
            found[3], found[4] = (np.einsum("rn,rn,rn->r", scaled, f, other) for other in (e, f))
        return tuple(np.where(sound, value, np.nan) for value in found)

    def _residual_columns(self, treated: list[Floats], basis: Floats) -> list[Floats]:
        """Columns of D_r V with the fixed columns projected out, each (R, n)."""
        found: list[Floats] = []
        for indicator in treated:
            for values in self.varying.T:
                column = indicator * values
                found.append(column - (column @ basis) @ basis.T)
        return found

    def _spread(self, columns: list[Floats], inverse: Floats, base: Floats) -> Floats:
        """1 / (1 - h) to the power that the covariance asks for, (R, n); NaN where a row has leverage 1."""
        power = {"classical": 0, "HC0": 0, "HC2": 1, "HC3": 2}[self.vcov]
        if not power:
            return np.ones_like(columns[0])
        rest = np.repeat((1 - base)[None, :], len(columns[0]), axis=0)
        for a, left in enumerate(columns):
            rest -= left * sum(inverse[:, a, b, None] * right for b, right in enumerate(columns))
        rest[rest < 1e-10] = np.nan
        return np.asarray(1 / rest**power, dtype=np.float64)

    @staticmethod
    def _residuals(columns: list[Floats], inverse: Floats, basis: Floats, values: Floats) -> Floats:
        rest = _projected(values, basis)
        products = np.stack([column @ rest for column in columns], axis=1)
        slopes = np.einsum("rab,rb->ra", inverse, products)
        fitted = sum(slopes[:, a, None] * column for a, column in enumerate(columns))
        return np.asarray(rest[None, :] - fitted, dtype=np.float64)


def _projected(values: Floats, basis: Floats) -> Floats:
    return np.asarray(values - basis @ (basis.T @ values), dtype=np.float64)


def _inverses(columns: list[Floats], scales: list[float]) -> tuple[Floats, Bools]:
    """Inverse Gram matrices (R, p, p), and where they exist."""
    size = len(columns)
    gram = np.empty((len(columns[0]), size, size))
    for a in range(size):
        for b in range(a, size):
            gram[:, a, b] = gram[:, b, a] = np.einsum("rn,rn->r", columns[a], columns[b])
    root = np.sqrt(np.einsum("raa->ra", gram))
    sound = (root > 1e-7 * np.sqrt(np.asarray(scales))).all(axis=1)
    root = np.where(sound[:, None], root, 1.0)
    scaled = np.where(sound[:, None, None], gram / (root[:, :, None] * root[:, None, :]), np.eye(size))
    sound &= np.abs(np.linalg.det(scaled)) > 1e-12
    scaled = np.where(sound[:, None, None], scaled, np.eye(size))
    return np.linalg.inv(scaled) / (root[:, :, None] * root[:, None, :]), sound


@dataclass(frozen=True)
class Test:
    """A re-randomisation test with its replicates: p-values of any constant effect, and the interval."""

    observed: Moments
    replicates: Moments
    exact: bool
    alternative: str
    weights: Floats | None = None
    """Probabilities of the assignments of a whole reference set, where they differ."""

    __test__ = False

    @property
    def undefined(self) -> int:
        """Replicates whose statistic does not exist; they count as extreme."""
        return int(np.isnan(self.replicates.studentised()).sum())

    def p_value(self, tau: float = 0.0) -> float:
        """(1 + #{extreme}) / (R + 1), or the share of the whole reference set."""
        seen = float(self.observed.studentised(tau)[0])
        drawn = self.replicates.studentised(tau)
        if np.isnan(seen):
            raise NotEstimable("the statistic does not exist for the observed assignment")
        if self.alternative == "two-sided":
            seen, drawn = abs(seen), np.abs(drawn)
        elif self.alternative == "less":
            seen, drawn = -seen, -drawn
        reached = ~(drawn < seen - 1e-11 * max(1.0, abs(seen)))
        if self.weights is not None:
            return float(min(self.weights[reached].sum(), 1.0))
        extreme = int(reached.sum())
        return extreme / len(drawn) if self.exact else (1 + extreme) / (len(drawn) + 1)

    def interval(self, level: float) -> tuple[float, float]:
        """All constant effects that the test does not reject at 1 - level; infinite where it never rejects."""
        low = -np.inf if self.alternative == "less" else self._limit(-1.0, level)
        high = np.inf if self.alternative == "greater" else self._limit(1.0, level)
        return low, high

    def _limit(self, direction: float, level: float) -> float:
        alpha = 1 - level
        centre, error = float(self.observed.a[0]), float(np.sqrt(self.observed.yy[0]))
        inside, step = centre, 0.5 * error
        outside = centre + direction * step
        while self.p_value(outside) > alpha * (1 + 1e-12):
            inside, step = outside, step * 1.5
            outside = centre + direction * step
            if step > 1e6 * error:
                return direction * np.inf
        while abs(outside - inside) > 1e-11 * max(abs(inside), error):
            middle = (inside + outside) / 2
            if self.p_value(middle) > alpha * (1 + 1e-12):
                inside = middle
            else:
                outside = middle
        return inside
