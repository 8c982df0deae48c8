"""People in groups: cluster-robust least squares and the random-intercept model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from analysis.estimators.core.registry import Result, unwrap, whole
from analysis.estimators.core.request import Pair, Trial
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, NotEstimable
from analysis.estimators.numerics.designs import Design, additive
from analysis.estimators.numerics.linear import Fit, fit, t_interval, z_interval
from analysis.estimators.outcomes.means import raw_effect


@dataclass(frozen=True)
class ClusterRobust:
    """Sandwich covariances of a least-squares fit whose rows come in clusters."""

    fitted: Fit
    codes: Ints

    @property
    def members(self) -> list[Ints]:
        """Row numbers, cluster by cluster."""
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.codes[order])) + 1)

    def covariance(self, kind: str) -> Floats:
        """CR0, CR1 (Stata's factor) or CR2 (Bell & McCaffrey 2002)."""
        x, bread = self.fitted.design, self.fitted.gram_inverse
        n, p = x.shape
        count = len(self.members)
        scores = np.stack([
            x[rows].T @ (self._adjustment(rows) @ self.fitted.residuals[rows] if kind == "CR2"
                         else self.fitted.residuals[rows])
            for rows in self.members
        ])  # fmt: skip
        factor = count / (count - 1) * (n - 1) / (n - p) if kind == "CR1" else 1.0
        return np.asarray(factor * bread @ (scores.T @ scores) @ bread, dtype=np.float64)

    def _adjustment(self, rows: Ints) -> Floats:
        """(I - H_gg)^(-1/2), with a pseudo-inverse where a cluster determines a coefficient alone."""
        x = self.fitted.design[rows]
        inner = np.eye(len(rows)) - x @ self.fitted.gram_inverse @ x.T
        values, vectors = np.linalg.eigh((inner + inner.T) / 2)
        root = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)
        return np.asarray((vectors * root) @ vectors.T, dtype=np.float64)

    def satterthwaite(self, index: int) -> float:
        """Degrees of freedom of one coefficient's CR2 t, for a working model of independent equal errors."""
        x, bread = self.fitted.design, self.fitted.gram_inverse
        sides, squares = [], []
        for rows in self.members:
            a = self._adjustment(rows) @ (x[rows] @ bread[:, index])
            sides.append(x[rows].T @ a)
            squares.append(a @ a)
        b = np.stack(sides)
        gram = np.diag(squares) - b @ bread @ b.T
        return float(np.trace(gram) ** 2 / (gram**2).sum())


@whole
def cluster_robust(trial: Trial, vcov: str = "CR2") -> Result:
    """Least-squares difference of means with standard errors robust to clusters.

    Formula: y = a + arm + covariates + strata; CR2 covariance with Satterthwaite degrees of freedom (Bell-McCaffrey),
    or `vcov="CR1"` (Stata's) or "CR0" with clusters - 1. `cluster` names the column. Missing data: refused.
    Reference: Bell & McCaffrey (2002), Survey Methodology 28:169-181; Pustejovsky & Tipton (2018), JBES 36:672-683.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = cluster_robust(two_arms(), outcome="score", arm="arm", control="no_ai", cluster="class")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.df, 6)
        (-5.0, 1.118034, 4.0)
    """
    kind = {"STATA": "CR1", "CR1S": "CR1"}.get(str(vcov).upper(), str(vcov).upper())
    if kind not in ("CR0", "CR1", "CR2"):
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use CR2, CR1 or CR0")
    design, codes = additive(trial), trial.cluster_codes
    robust = ClusterRobust(_fitted(trial, design), codes)
    count = len(robust.members)
    if count < 3 or robust.fitted.df < 1:
        raise NotEstimable(f"{count} clusters are too few for a cluster-robust standard error")
    covariance = robust.covariance(kind)
    rows = []
    for index, contrast, name in design.rows_of(trial):
        df = robust.satterthwaite(index) if kind == "CR2" else float(count - 1)
        error = float(np.sqrt(covariance[index, index]))
        found = t_interval(float(robust.fitted.coefficients[index]), error, df, trial.level)
        rows.append(trial.estimate(**found, **_labels(trial, contrast, name, found["estimate"]),
                                   note=f"{name}; {kind}, {count} clusters".lstrip("; ")))  # fmt: skip
    return unwrap(rows)


def _fitted(trial: Trial, design: Design) -> Fit:
    return fit(design.columns, trial.varied_y).with_residuals()


def _labels(trial: Trial, contrast: tuple[str, str] | None, name: str, difference: float) -> dict[str, object]:
    if contrast is None:
        return {"id": name}
    pair = Pair(trial, trial.labels.index(contrast[0]))
    return {"contrast": contrast, "n": pair.counts, "effect_size": raw_effect(pair, difference)}


@dataclass(frozen=True)
class Solution:
    """One point of the profile."""

    value: float
    """Minus twice the restricted log-likelihood, up to a constant."""
    slope: float
    """Its derivative by the log variance ratio."""
    beta: Floats
    inverse: Floats
    """(X' V^-1 X)^-1 in units of the residual variance."""
    sigma2: float


@dataclass(frozen=True)
class RandomInterceptReml:
    """REML of y = X b + u_cluster + e as a function of the variance ratio only."""

    x: Floats
    y: Floats
    codes: Ints

    def solve(self, log_ratio: float) -> Solution:
        """Profile over everything but the variance ratio."""
        ratio = float(np.exp(log_ratio))
        sizes = np.bincount(self.codes).astype(np.float64)
        both = np.column_stack([self.x, self.y])
        sums = np.stack([np.bincount(self.codes, column) for column in both.T], axis=1)
        gram = both.T @ both - (sums.T * (ratio / (1 + sizes * ratio))) @ sums
        change = -(sums.T * (ratio / (1 + sizes * ratio) ** 2)) @ sums
        inverse = np.asarray(np.linalg.inv(gram[:-1, :-1]), dtype=np.float64)
        beta = inverse @ gram[:-1, -1]
        left = float(gram[-1, -1] - gram[:-1, -1] @ beta)
        df = len(self.y) - self.x.shape[1]
        value = df * np.log(left / df) + np.log1p(sizes * ratio).sum() + np.linalg.slogdet(gram[:-1, :-1])[1]
        direction = np.append(-beta, 1.0)
        slope = df * (direction @ change @ direction) / left + (sizes * ratio / (1 + sizes * ratio)).sum()
        slope += np.trace(inverse @ change[:-1, :-1])
        return Solution(float(value), float(slope), beta, inverse, left / df)

    def best(self) -> float:
        """The log ratio of cluster to residual variance with the highest restricted likelihood."""
        grid = np.linspace(-14, 10, 49)
        index = int(np.argmin([self.solve(point).value for point in grid]))
        low, high = grid[max(index - 1, 0)], grid[min(index + 1, 48)]
        if self.solve(low).slope >= 0 or self.solve(high).slope <= 0:
            return float(grid[index])
        return float(optimize.brentq(lambda point: self.solve(point).slope, low, high, xtol=1e-14, rtol=1e-14))


@whole
def mixed_model(trial: Trial) -> Result:
    """Difference of means with a random intercept per cluster, by restricted maximum likelihood.

    Formula: y = a + arm + covariates + strata + u_cluster + e; generalised least squares at the REML variances,
    normal p and interval. Effect size: the intraclass correlation. Note: both variances. `cluster` names the column.
    Missing data: refused. With few clusters prefer `cluster_robust`.
    Reference: Patterson & Thompson (1971), Biometrika 58:545-554; Laird & Ware (1982).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = mixed_model(two_arms(), outcome="score", arm="arm", control="no_ai", cluster="class")
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-5.0, 1.505546)
    """
    design, codes = additive(trial), trial.cluster_codes
    plain = _fitted(trial, design)
    if plain.df < 1 or len(np.unique(codes)) in (1, len(codes)):
        raise NotEstimable("clusters cannot be told from people, or too few rows")
    model = RandomInterceptReml(design.columns, plain.residuals, codes)
    log_ratio = model.best()
    found_at = model.solve(log_ratio)
    beta, sigma2 = plain.coefficients + found_at.beta, found_at.sigma2
    between = sigma2 * float(np.exp(log_ratio))
    edge = "; no variation between clusters beyond chance" if log_ratio < -13.4 else ""
    note = f"REML; cluster variance {between:.12g}, residual variance {sigma2:.12g}{edge}"
    icc = EffectSize("icc", between / (between + sigma2))
    rows = []
    for index, contrast, name in design.rows_of(trial):
        found = z_interval(float(beta[index]), float(np.sqrt(sigma2 * found_at.inverse[index, index])), trial.level)
        labels = _labels(trial, contrast, name, float(beta[index]))
        rows.append(trial.estimate(**found, **{**labels, "effect_size": icc}, note=f"{name}; {note}".lstrip("; ")))
    return unwrap(rows)
