"""Log-likelihoods with gradient and Hessian, for Newton's method: counts, shares, ordered categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.estimators.core.validation import Floats, Ints


@dataclass(frozen=True)
class Logit:
    """Bernoulli likelihood of shares in [0, 1] with a logit link."""

    x: Floats
    y: Floats

    def __call__(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        eta = self.x @ beta
        mean = special.expit(eta)
        value = float(self.y @ eta - np.logaddexp(0, eta).sum())
        return value, self.x.T @ (self.y - mean), -(self.x.T * (mean * (1 - mean))) @ self.x


@dataclass(frozen=True)
class Poisson:
    """Poisson likelihood with a log link."""

    x: Floats
    y: Floats
    offset: Floats

    def __call__(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        eta = self.x @ beta + self.offset
        mean = np.exp(eta)
        value = float(self.y @ eta - mean.sum() - special.gammaln(self.y + 1).sum())
        return value, self.x.T @ (self.y - mean), -(self.x.T * mean) @ self.x


@dataclass(frozen=True)
class NegativeBinomial:
    """Negative binomial (variance mu + mu^2 / theta); the last parameter is log theta."""

    x: Floats
    y: Floats
    offset: Floats

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        theta = float(np.exp(parameters[-1]))
        eta = self.x @ parameters[:-1] + self.offset
        mean, y = np.exp(eta), self.y
        value = special.gammaln(y + theta) - special.gammaln(theta) - special.gammaln(y + 1)
        value = value + theta * np.log(theta) + y * eta - (y + theta) * np.log(mean + theta)
        first = special.digamma(y + theta) - special.digamma(theta) + np.log(theta) + 1
        first = first - np.log(mean + theta) - (y + theta) / (mean + theta)
        second = special.polygamma(1, y + theta) - special.polygamma(1, theta) + 1 / theta
        second = second - 2 / (mean + theta) + (y + theta) / (mean + theta) ** 2
        slope = theta * (y - mean) / (mean + theta)
        bend = -theta * mean * (y + theta) / (mean + theta) ** 2
        cross = theta * (y - mean) * mean / (mean + theta) ** 2
        gradient = np.append(self.x.T @ slope, theta * first.sum())
        corner = theta * first.sum() + theta**2 * second.sum()
        side = self.x.T @ cross
        hessian = np.block([[(self.x.T * bend) @ self.x, side[:, None]], [side[None, :], np.array([[corner]])]])
        return float(value.sum()), gradient, hessian


@dataclass(frozen=True)
class Beta:
    """Beta likelihood with mean logit(x b) and constant precision; the last parameter is log phi."""

    x: Floats
    y: Floats

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""
        phi = float(np.exp(parameters[-1]))
        mean = special.expit(self.x @ parameters[:-1])
        a, b = mean * phi, (1 - mean) * phi
        log_y, log_rest = np.log(self.y), np.log1p(-self.y)
        value = special.gammaln(phi) - special.gammaln(a) - special.gammaln(b) + (a - 1) * log_y + (b - 1) * log_rest
        gap = log_y - log_rest - special.digamma(a) + special.digamma(b)
        weight = mean * (1 - mean)
        d_phi = (
            special.digamma(phi) + mean * (log_y - special.digamma(a)) + (1 - mean) * (log_rest - special.digamma(b))
        )
        curve_a, curve_b = special.polygamma(1, a), special.polygamma(1, b)
        bend = phi * weight * (gap * (1 - 2 * mean) - phi * weight * (curve_a + curve_b))
        cross = phi * weight * (gap + phi * (-mean * curve_a + (1 - mean) * curve_b))
        d_phi2 = special.polygamma(1, phi) - mean**2 * curve_a - (1 - mean) ** 2 * curve_b
        gradient = np.append(self.x.T @ (phi * weight * gap), phi * d_phi.sum())
        side = self.x.T @ cross
        corner = phi * d_phi.sum() + phi**2 * d_phi2.sum()
        hessian = np.block([[(self.x.T * bend) @ self.x, side[:, None]], [side[None, :], np.array([[corner]])]])
        return float(value.sum()), gradient, hessian

    def expected_information(self, beta: Floats, phi: float) -> Floats:
        """Fisher information of (beta, phi), phi on its own scale (Ferrari & Cribari-Neto 2004)."""
        mean = special.expit(self.x @ beta)
        weight = mean * (1 - mean)
        curve_a = special.polygamma(1, mean * phi)
        curve_b = special.polygamma(1, (1 - mean) * phi)
        own = (self.x.T * (phi**2 * weight**2 * (curve_a + curve_b))) @ self.x
        side = self.x.T @ (phi * weight * (mean * curve_a - (1 - mean) * curve_b))
        corner = (mean**2 * curve_a + (1 - mean) ** 2 * curve_b - special.polygamma(1, phi)).sum()
        return np.block([[own, side[:, None]], [side[None, :], np.array([[corner]])]])


@dataclass(frozen=True)
class ProportionalOdds:
    """Ordered categories 0..k-1: logit P(y <= j) = cut_j - x b; parameters (b, cuts)."""

    x: Floats
    y: Ints
    count: int

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian; minus infinity where the cuts are out of order."""
        p = self.x.shape[1]
        cuts = parameters[p:]
        size = len(parameters)
        if (np.diff(cuts) <= 0).any():
            return -np.inf, np.zeros(size), np.zeros((size, size))
        eta = self.x @ parameters[:p]
        upper, upper_rows = self._edge(cuts, eta, self.y, np.inf)
        lower, lower_rows = self._edge(cuts, eta, self.y - 1, -np.inf)
        share = special.expit(upper) - special.expit(lower)
        turned = upper + lower > 0
        share = np.where(turned, special.expit(-lower) - special.expit(-upper), share)
        f = [special.expit(edge) * special.expit(-edge) for edge in (upper, lower)]
        bend = [
            slope * (special.expit(-edge) - special.expit(edge)) for slope, edge in zip(f, (upper, lower), strict=True)
        ]
        each = (f[0][:, None] * upper_rows - f[1][:, None] * lower_rows) / share[:, None]
        hessian = (upper_rows.T * (bend[0] / share)) @ upper_rows - (lower_rows.T * (bend[1] / share)) @ lower_rows
        return float(np.log(share).sum()), each.sum(axis=0), hessian - each.T @ each

    def _edge(self, cuts: Floats, eta: Floats, which: Ints, beyond: float) -> tuple[Floats, Floats]:
        """Cut - eta at one side of each observed category, and its derivative by the parameters."""
        inside = (which >= 0) & (which < self.count - 1)
        index = np.clip(which, 0, self.count - 2)
        rows = np.column_stack([-self.x, (index[:, None] == np.arange(self.count - 1)).astype(np.float64)])
        return np.where(inside, cuts[index] - eta, beyond), rows * inside[:, None]
