"""Regression statistics under many assignments at once, in closed form.

The design of replicate r is [Z, D_r V]: Z (n, q) are the columns that do not depend on the assignment, V, the first m
of them, what each treated arm multiplies (a one, and the centred covariates). Q is an orthonormal basis of Z, Q_V its
first m columns, which span V, and T_r = (I - QQ') D_r Q_V. Then the arm coefficients are A T'y with A = (T'T)^-1, the
residuals (I - QQ') y - T A T'y, the leverages |Q_i|^2 + T_i A T_i' (Frisch & Waugh 1933; Lovell 1963). T is never
formed: all that a replicate needs of the people are the sums Q' D_r Q_V and Q_V' D_r (I - QQ') y, and what is wanted of
each person is linear in products of Q's columns. So a handful of matrix products fills all replicates, and no matrix
larger than (arms x m) is inverted.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.core.validation import AnalysisError, Bools, Floats, Ints, NotEstimable
from analysis.estimators.numerics.linear import vcov_name

CHUNK = 150_000
"""Cells of one array of replicates times people that are held at a time."""
BLOCK = 8_192
"""People that are looked at together, so that such arrays stay in the processor's cache."""
SHARED = 50_000_000
"""Replicates times people from which on threads share the work; smaller tables are done before they have begun."""
THREADS = 2
"""Each needs a core: numpy works on arrays of one block without holding the interpreter."""
AT_ONCE = 6_000
"""Cells of effects times replicates that a search for a limit looks at in one step."""
_POWERS = {"HC0": 0.0, "HC2": 0.5, "HC3": 1.0}
"""Of 1 / (1 - leverage) beside each residual."""


def vcov_of_draws(kind: str) -> str:
    """Return the canonical spelling of a covariance estimator that is computed for every draw at once."""
    name = vcov_name(kind)
    if name != "classical" and name not in _POWERS:
        raise AnalysisError.of("vcov", f"{kind!r} is not known to re-randomisation", "use classical, HC0, HC2 or HC3")
    return name


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

    @property
    def columns(self) -> tuple[Floats, ...]:
        """All five."""
        return self.a, self.b, self.yy, self.yd, self.dd

    def studentised(self, tau: float | Floats = 0.0) -> Floats:
        """Coefficient over standard error under the effect tau; infinite where nothing varies about it."""
        scale = self.yy + tau**2 * self.dd
        variance = scale - tau * (2 * self.yd)
        # The quadratic form cancels where tau explains the outcome: what is left is rounding, of either sign, and its
        # root would be noise or NaN.
        variance[variance <= 1e-13 * scale] = 0.0
        found = self.a - tau * self.b
        with np.errstate(divide="ignore", invalid="ignore"):
            found /= np.sqrt(variance, out=variance)
        return np.asarray(found, dtype=np.float64)

    def unstudentised(self, variance: float) -> Moments:
        """Return the same coefficients, all over one variance."""
        nothing = np.zeros(len(self.a))
        return Moments(self.a, self.b, np.full(len(self.a), variance), nothing, nothing)


@dataclass(frozen=True)
class Regression:
    """What is common to all replicates of one adjusted difference of means."""

    y: Floats
    fixed: Floats
    """(n, q): intercept, centred covariates, strata; of full column rank."""
    interacted: int
    """How many of them, the intercept first, have their own effect in each treated arm."""
    vcov: str

    def moments(
        self, observed: Ints, codes: NDArray[np.int8], arm: int, arms: int, shift: Floats | None
    ) -> tuple[Moments, Moments]:
        """Moments of treated arm `arm` against the control under the observed assignment (n) and the others (R, n)."""
        # The observed assignment goes through the same arithmetic as the replicates, so that an equal one gives an
        # equal statistic.
        step = max(1, CHUNK // min(len(self.y), BLOCK))
        chunk = _Chunk(self, arm, arms, shift, min(step, len(codes) + 1))
        first = np.concatenate([observed.astype(np.int8)[None, :], codes[: step - 1]])
        rest = [codes[start : start + step] for start in range(step - 1, len(codes), step)]
        found = [np.concatenate(column) for column in zip(*chunk.each([first, *rest]), strict=True)]
        return Moments(*(values[:1] for values in found)), Moments(*(values[1:] for values in found))


class _Chunk:
    """What all chunks of replicates share: Q, products of its columns, room for arrays of replicates times people."""

    def __init__(self, model: Regression, arm: int, arms: int, shift: Floats | None, size: int) -> None:
        q, triangle = np.linalg.qr(model.fixed)
        self.width, self.arms = model.interacted, arms
        self.own = slice((arm - 1) * self.width, arm * self.width)
        self.row = np.linalg.inv(triangle[: self.width, : self.width])[0]
        """The arm's effect from its coefficients on Q_V."""
        self.vcov = model.vcov
        self.df = len(model.y) - q.shape[1] - self.width * (arms - 1)
        self.q, self.v = q.T.copy(), q.T[: self.width].copy()
        self.rests = [_projected(values, q) for values in (model.y, shift) if values is not None]
        sums = [*(row * self.q for row in self.v), *(rest * self.v for rest in self.rests)]
        self.sums = np.concatenate(sums)
        self.pairs = [(a, b) for a in range(len(self.q)) for b in range(a, len(self.q))]
        # Pairs off the diagonal occur twice in a quadratic form; doubling them here halves the products to be summed.
        self.products = np.stack([self.q[a] * self.q[b] * (1 if a == b else 2) for a, b in self.pairs])
        self.inner = [i for i, (a, _) in enumerate(self.pairs) if a < self.width]
        """Products that a treated arm changes."""
        self.changed, self.unexplained = self.products[self.inner], 1 - (self.q**2).sum(axis=0)
        self.blocks = [slice(start, start + BLOCK) for start in range(0, len(model.y), BLOCK)]
        # Allocated once: arrays of replicates times people dominate the run time where each chunk makes its own.
        self.room = np.empty((4, size * min(len(model.y), BLOCK)))

    def each(self, chunks: list[NDArray[np.int8]]) -> list[tuple[Floats, ...]]:
        """Return the moments of these chunks, which are the same by how many threads they come."""
        if sum(chunk.size for chunk in chunks) < SHARED:
            return [self.moments(chunk) for chunk in chunks]
        threads = min(os.cpu_count() or 1, THREADS)
        bounds = np.linspace(0, len(chunks), threads + 1).astype(int)

        def some(part: int) -> list[tuple[Floats, ...]]:
            own = copy(self)
            own.room = np.empty_like(self.room)
            return [own.moments(chunk) for chunk in chunks[bounds[part] : bounds[part + 1]]]

        with ThreadPoolExecutor(threads) as pool:
            return [moments for found in pool.map(some, range(threads)) for moments in found]

    def moments(self, codes: NDArray[np.int8]) -> tuple[Floats, ...]:
        """Return the five moments of each of these assignments (R, n); NaN where the statistic does not exist."""
        member = [(codes == arm).astype(np.float64) for arm in range(1, self.arms)]
        p, targets = self._collected(member)
        inverse, sound = _inverses(_gram(p, self.width))
        slopes = [np.einsum("abr,br->ar", inverse, target) for target in targets]
        weights = np.einsum("abr,b->ar", inverse[:, self.own], self.row)
        squares = np.zeros((3, len(codes)))
        for people in self.blocks:
            inside = [indicator[:, people] for indicator in member]
            scaled = self._scaled(people, inside, p, inverse, weights)
            parts = [self._residuals(place, people, inside, p, slope, scaled) for place, slope in enumerate(slopes)]
            for place, (i, j) in enumerate(((0, 0), (0, -1), (-1, -1))[: 1 if len(parts) == 1 else 3]):
                squares[place] += np.einsum("rn,rn->r", parts[i], parts[j])
        ends = [self.row @ slope[self.own] for slope in slopes]
        found = [ends[0], ends[1] if len(ends) > 1 else np.zeros(len(codes)), *squares]
        return tuple(np.where(sound, value, np.nan) for value in found)

    def _space(self, place: int, like: Floats) -> Floats:
        """Room for an array of this shape."""
        return self.room[place, : like.size].reshape(like.shape)

    def _collected(self, member: list[Floats]) -> tuple[Floats, list[Floats]]:
        """Q' D Q_V as (q, p, R), and T' of each outcome as (p, R), p columns arm by arm."""
        size, width = len(self.q), self.width
        sums = [self.sums @ indicator.T for indicator in member]
        p = np.concatenate([rows[: size * width].reshape(width, size, -1) for rows in sums]).swapaxes(0, 1)
        starts = range(size * width, len(self.sums), width)
        return p, [np.concatenate([rows[start : start + width] for rows in sums]) for start in starts]

    def _line(self, place: int, people: slice, member: list[Floats], p: Floats, coefficients: Floats) -> Floats:
        """T times coefficients (p, R) for these people, (R, people), in that room."""
        out, inside = self._space(place, member[0]), self._space(3, member[0])
        np.matmul(np.einsum("qpr,pr->rq", p, -coefficients), self.q[:, people], out=out)
        for arm, indicator in enumerate(member):
            np.matmul(coefficients[arm * self.width : (arm + 1) * self.width].T, self.v[:, people], out=inside)
            inside *= indicator
            out += inside
        return out

    def _residuals(
        self, place: int, people: slice, member: list[Floats], p: Floats, slopes: Floats, scaled: Floats
    ) -> Floats:
        line = self._line(place, people, member, p, -slopes)
        line += self.rests[place][people]
        line *= scaled
        return line

    def _scaled(self, people: slice, member: list[Floats], p: Floats, inverse: Floats, weights: Floats) -> Floats:
        """Root of each squared residual's weight in the variance: (R, people), or (R, 1) where it is common."""
        if self.vcov == "classical":
            # The same for every person, so that squaring and summing the residuals gives the classical variance without
            # an array.
            errors: Floats = np.sqrt(np.einsum("a,ar->r", self.row, weights[self.own]) / self.df)[:, None]
            return errors
        line = self._line(2, people, member, p, weights)
        power = _POWERS[self.vcov]
        if power:
            rest = self._one_less_leverage(people, member, p, inverse)
            # Leverage 1 in a replicate: the statistic does not exist there, and it is counted as extreme.
            if not rest.min() >= 1e-8:  # NaN, too, must not hide the others
                rest[rest < 1e-8] = np.nan
            line /= rest if power == 1 else np.sqrt(rest, out=rest)
        return line

    def _one_less_leverage(self, people: slice, member: list[Floats], p: Floats, inverse: Floats) -> Floats:
        """1 - h, (R, people)."""
        half = np.einsum("qar,abr->qbr", p, inverse)
        base = np.stack([np.einsum("br,br->r", half[a], p[b]) for a, b in self.pairs])
        out, inside = self._space(0, member[0]), self._space(3, member[0])
        np.matmul(-base.T, self.products[:, people], out=out)
        out += self.unexplained[people]
        for arm, indicator in enumerate(member):
            start = arm * self.width
            change = np.zeros((len(self.inner), p.shape[2]))
            for place, index in enumerate(self.inner):
                a, b = self.pairs[index]
                change[place] = half[b, start + a]
                if b < self.width:
                    change[place] += half[a, start + b] - inverse[start + a, start + b]
            np.matmul(change.T, self.changed[:, people], out=inside)
            inside *= indicator
            out += inside
        return out


def _projected(values: Floats, basis: Floats) -> Floats:
    return np.asarray(values - basis @ (basis.T @ values), dtype=np.float64)


def _gram(p: Floats, width: int) -> Floats:
    """T'T as (p, p, R): an arm's own Q_V' D Q_V, less what Q explains."""
    size = p.shape[1]
    gram = np.empty((size, size, p.shape[2]))
    for a in range(size):
        for b in range(a, size):
            own = p[b % width, a] if a // width == b // width else 0.0
            gram[a, b] = gram[b, a] = own - np.einsum("qr,qr->r", p[:, a], p[:, b])
    return gram


def _inverses(gram: Floats) -> tuple[Floats, Bools]:
    """Inverses of matrices (p, p, R) by Cholesky in step, and where they exist; the identity elsewhere."""
    size = len(gram)
    # Scaled to a unit diagonal: the tolerances below then mean the same whatever a covariate's unit is.
    root = np.sqrt(np.einsum("aar->ar", gram))
    sound: Bools = (root > 1e-7).all(axis=0)
    root[:, ~sound] = 1.0
    lower = np.where(sound, gram, np.eye(size)[:, :, None]) / (root[:, None] * root[None, :])
    left = np.zeros_like(lower)  # inverse of the lower triangle
    determinant = np.ones(gram.shape[2])
    for k in range(size):
        pivot = lower[k, k] - np.einsum("jr,jr->r", lower[k, :k], lower[k, :k])
        # With a unit diagonal the determinant is 1 for orthogonal columns and 0 for collinear ones: it also tells where
        # several columns are nearly collinear and no single pivot is small enough.
        determinant *= pivot
        usable = pivot > 1e-14
        sound &= usable
        lower[k, k] = np.sqrt(np.where(usable, pivot, 1.0))
        for i in range(k + 1, size):
            lower[i, k] = (lower[i, k] - np.einsum("jr,jr->r", lower[i, :k], lower[k, :k])) / lower[k, k]
        left[k, k] = 1 / lower[k, k]
        for j in range(k):
            left[k, j] = -np.einsum("ir,ir->r", lower[k, j:k], left[j:k, j]) / lower[k, k]
    sound &= determinant > 1e-12
    inverse = np.einsum("kar,kbr->abr", left, left) / (root[:, None] * root[None, :])
    return np.where(sound, inverse, np.eye(size)[:, :, None]), sound


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
        reached = self.reached(np.array([tau]), self.replicates)[0]
        if self.weights is not None:
            return float(min(self.weights[reached].sum(), 1.0))
        # A drawn set needs the observed assignment counted once more, or the test would be too large (Phipson & Smyth
        # 2010); a whole reference set holds it already.
        extreme = int(reached.sum())
        return extreme / len(reached) if self.exact else (1 + extreme) / (len(reached) + 1)

    def interval(self, level: float) -> tuple[float, float]:
        """Return all constant effects that the test does not reject at 1 - level; infinite where it never rejects."""
        low = -np.inf if self.alternative == "less" else self._limit(-1.0, level)
        high = np.inf if self.alternative == "greater" else self._limit(1.0, level)
        return low, high

    def reached(self, taus: Floats, replicates: Moments) -> Bools:
        """Return which replicates are at least as extreme as what was observed, under each effect; (effects, R)."""
        seen = self.observed.studentised(taus[:, None])
        drawn = replicates.studentised(taus[:, None])
        if np.isnan(seen).any():
            raise NotEstimable("the statistic does not exist for the observed assignment")
        if self.alternative == "two-sided":
            seen, drawn = np.abs(seen), np.abs(drawn)
        elif self.alternative == "less":
            seen, drawn = -seen, -drawn
        # Ties count as extreme, and sums in another order may differ in the last bits. Negated, so that NaN, a
        # statistic that does not exist, counts as extreme: p can only become larger.
        # No slack where the observed one is infinite, for infinity less infinity is none: only infinite ones reach it.
        slack = np.where(np.isinf(seen), 0.0, 1e-11 * np.maximum(1.0, np.abs(seen)))
        return np.asarray(~(drawn < seen - slack), dtype=bool)

    @cached_property
    def _masses(self) -> Floats:
        """What each replicate adds to p, the observed assignment among them where it counts."""
        count = len(self.replicates.a)
        if self.weights is not None:
            return self.weights
        return np.full(count, 1 / count if self.exact else 1 / (count + 1))

    def _limit(self, direction: float, level: float) -> float:
        """Return the nearest effect to the estimate, on this side, where p falls to 1 - level."""
        # 0.05 is not 1 - 0.95 in floating point, and p takes values as 50/1000 that must count as equal.
        alpha = (1 - level) * (1 + 1e-12)
        centre, error = float(self.observed.a[0]), float(np.sqrt(self.observed.yy[0]))
        first = 0.0 if self.exact or self.weights is not None else 1 / (len(self._masses) + 1)
        # From the estimate outwards and not from far away inwards: p need not fall steadily, and the interval ends
        # where it first falls to alpha.
        inside, step = centre, 0.5 * error
        while self.p_value(centre + direction * step) > alpha:
            inside, step = centre + direction * step, step * 1.5
            # Farther out the studentised statistics differ by less than they are rounded.
            if step > 1e4 * error:
                return direction * np.inf
        near = _Section(self, self.replicates, self._masses, first, alpha)
        inside, outside = near.narrowed(inside, centre + direction * step, 1e-3 * error)
        # Within a thousandth of a standard error hardly any replicate changes sides; the others need no second look.
        one, other = self.reached(np.array([inside, outside]), self.replicates)
        moving = Moments(*(values[one != other] for values in self.replicates.columns))
        fixed = first + float(self._masses[one & other].sum())
        last = _Section(self, moving, self._masses[one != other], fixed, alpha)
        return last.narrowed(inside, outside, 1e-11 * max(abs(inside), error))[0]


@dataclass(frozen=True)
class _Section:
    """A search for where p falls to alpha."""

    test: Test
    replicates: Moments
    masses: Floats
    first: float
    """p without these replicates."""
    alpha: float

    def narrowed(self, inside: float, outside: float, width: float) -> tuple[float, float]:
        """Return the bracket of the first fall as seen from inside, no wider than this."""
        # Several effects at once, for one step over many replicates costs little more than over one effect; fewer the
        # more replicates there are, so that the array stays in the cache.
        parts = int(np.clip(AT_ONCE // (len(self.masses) + 1), 1, 31)) + 1
        while abs(outside - inside) > width:
            taus = inside + (outside - inside) * np.arange(1, parts) / parts
            p = self.first + self.test.reached(taus, self.replicates) @ self.masses
            fallen = int(np.argmax(p <= self.alpha)) if (p <= self.alpha).any() else parts - 1
            outside = float(taus[fallen]) if fallen < parts - 1 else outside
            inside = float(taus[fallen - 1]) if fallen else inside
        return inside, outside
