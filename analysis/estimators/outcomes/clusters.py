"""People in groups: cluster-robust least squares and the random-intercept model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import Floats, Ints, NotEstimable, dummies
from analysis.estimators.numerics.cluster_covariance import clusters_per_arm, few_clusters
from analysis.estimators.numerics.designs import additive
from analysis.estimators.numerics.linear import fit, independent_columns, t_interval
from analysis.estimators.outcomes.means import linear_rows

EDGE = -13.4
"""Log variance ratio below which clusters do not vary beyond chance."""
TOP = 9.9
"""Log variance ratio above which the rows of a cluster hardly differ, so that they leave no error to judge by."""


@method_over_all_arms("covariates stratum cluster")
def cluster_robust(trial: AnalysisRequest, vcov: str = "CR2") -> Result:
    """Least-squares difference of means with standard errors robust to clusters.

    Formula: y = a + arm + covariates + strata; CR2 covariance with Satterthwaite degrees of freedom (Bell-McCaffrey),
    or `vcov="CR1"` (Stata's) or "CR0" with clusters - 1. `cluster` names the column. Where one cluster by itself
    determines a part of the difference, as where an arm has one, the estimate stands alone. Missing data: refused.
    Detail: clusters, clusters_per_arm, icc (of the residuals, one-way analysis of variance).
    Reference: Bell & McCaffrey (2002), Survey Methodology 28:169-181; Pustejovsky & Tipton (2018), JBES 36:672-683.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = cluster_robust(two_arms(), outcome="score", arm="arm", control="no_ai", cluster="class")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.df, 6)
        (-5.0, 1.118034, 4.0)
    """
    _ = trial.cluster_codes  # clusters must be named
    return linear_rows(trial, additive(trial), vcov)


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
    left_slope: float
    """Derivative of the residual sum of squares by the log variance ratio."""
    change: Floats
    """Derivative of X' V^-1 X by the log variance ratio."""


@dataclass(frozen=True)
class RandomInterceptReml:
    """REML of y = X b + u_cluster + e as a function of the variance ratio only.

    Written here because statsmodels' MixedLM keeps six digits of the variances, stops where the clusters do not vary,
    and has no Satterthwaite degrees of freedom.
    """

    x: Floats
    y: Floats
    codes: Ints

    def solve(self, log_ratio: float) -> Solution:
        """Profile over everything but the variance ratio."""
        ratio = float(np.exp(log_ratio))
        sizes = np.bincount(self.codes).astype(np.float64)
        both = np.column_stack([self.x, self.y])
        sums = np.stack([np.bincount(self.codes, column) for column in both.T], axis=1)
        # V^-1 = I - r/(1 + n r) 11' in each cluster (Sherman & Morrison): sums by cluster are enough, and no n x n
        # matrix is formed.
        gram = both.T @ both - (sums.T * (ratio / (1 + sizes * ratio))) @ sums
        change = -(sums.T * (ratio / (1 + sizes * ratio) ** 2)) @ sums
        inverse = np.asarray(np.linalg.inv(gram[:-1, :-1]), dtype=np.float64)
        beta = inverse @ gram[:-1, -1]
        left = float(gram[-1, -1] - gram[:-1, -1] @ beta)
        df = len(self.y) - self.x.shape[1]
        # log|V| is the sum of log(1 + n r), by log1p, for r may be 1e-6; the last term is what makes it restricted.
        value = df * np.log(left / df) + np.log1p(sizes * ratio).sum() + np.linalg.slogdet(gram[:-1, :-1])[1]
        direction = np.append(-beta, 1.0)
        left_slope = float(direction @ change @ direction)
        slope = df * left_slope / left + (sizes * ratio / (1 + sizes * ratio)).sum()
        slope += np.trace(inverse @ change[:-1, :-1])
        return Solution(float(value), float(slope), beta, inverse, left / df, left_slope, change[:-1, :-1])

    def best(self) -> float:
        """Return the log ratio of cluster to residual variance with the highest restricted likelihood."""
        # The profile may have two minima with few clusters; a root finder alone would take the nearest.
        grid = np.linspace(-14, 10, 49)
        index = int(np.argmin([self.solve(point).value for point in grid]))
        low, high = grid[max(index - 1, 0)], grid[min(index + 1, 48)]
        if self.solve(low).slope >= 0 or self.solve(high).slope <= 0:
            return float(grid[index])
        return float(optimize.brentq(lambda point: self.solve(point).slope, low, high, xtol=1e-14, rtol=1e-14))

    def satterthwaite(self, log_ratio: float, sigma2: float, along: Floats) -> float:
        """Degrees of freedom of a contrast of coefficients, as lmerTest: 2 v^2 / (g' A g).

        v is the contrast's variance as a function of (log ratio, log residual variance), g its gradient and A twice
        the inverse Hessian of minus twice the restricted log-likelihood (Kuznetsova et al. 2017).
        """
        n, step = len(self.y) - self.x.shape[1], 1e-4

        def slope(ratio: float) -> float:
            """Of minus twice the restricted log-likelihood by the log ratio, at this residual variance."""
            point = self.solve(ratio)
            return point.slope - point.left_slope / point.sigma2 + point.left_slope / sigma2

        # Minus twice the restricted log-likelihood is n s + L exp(-s) and terms in the ratio alone, with s the log
        # residual variance and L the residual sum of squares: its second derivative by s is L exp(-s) = n at the
        # maximum, the mixed one -L' exp(-s).
        at = self.solve(log_ratio)
        across = -at.left_slope / sigma2
        hessian = np.asarray([[(slope(log_ratio + step) - slope(log_ratio - step)) / (2 * step), across], [across, n]])
        variance = sigma2 * along @ at.inverse @ along
        gradient = np.asarray([-sigma2 * along @ at.inverse @ at.change @ at.inverse @ along, variance])
        spread = float(gradient @ np.linalg.solve(hessian / 2, gradient))
        return float(2 * variance**2 / spread)


@method_over_all_arms("covariates stratum cluster")
def mixed_model(trial: AnalysisRequest) -> Result:
    """Difference of means with a random intercept per cluster, by restricted maximum likelihood.

    Formula: y = a + arm + covariates + strata + u_cluster + e; generalised least squares at the REML variances, t with
    Satterthwaite's degrees of freedom. Effect size: the intraclass correlation. `cluster` names the column.
    Missing data: refused. Detail: cluster_variance, residual_variance, icc, clusters, clusters_per_arm.
    Reference: Patterson & Thompson (1971), Biometrika 58:545-554; Kuznetsova et al. (2017), as R's lmerTest.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = mixed_model(two_arms(), outcome="score", arm="arm", control="no_ai", cluster="class")
        >>> round(row.estimate, 6), round(row.std_error, 6)
        (-5.0, 1.505545)
    """
    design, codes = additive(trial), trial.cluster_codes
    plain = fit(design.columns, trial.varied_y).with_residuals()
    clusters = len(np.unique(codes))
    if plain.df < 1 or clusters in (1, len(codes)):
        raise NotEstimable("clusters cannot be distinguished from people, or too few rows")
    if _all_told_apart(design.columns, codes, clusters):
        raise NotEstimable("the arms (and covariates) tell every cluster apart, so clusters leave no error to judge by")
    # Of the residuals of least squares: the fixed part shifts beta alone, and small numbers keep the digits of the
    # cross products.
    model = RandomInterceptReml(design.columns, plain.residuals, codes)
    log_ratio = model.best()
    is_edge = log_ratio < EDGE
    # The end of the grid stands for no variation at all, where the model is that of least squares.
    found_at = model.solve(-np.inf if is_edge else log_ratio)
    beta, sigma2 = plain.coefficients + found_at.beta, found_at.sigma2
    between = 0.0 if is_edge else sigma2 * float(np.exp(log_ratio))
    note = f"REML; cluster variance {between:.12g}, residual variance {sigma2:.12g}"
    note += "; no variation between clusters beyond chance" if is_edge else ""
    is_top = log_ratio > TOP
    note += "; the rows of a cluster hardly differ beyond the arm, so there is no error to judge by" if is_top else ""
    icc = between / (between + sigma2)
    detail: dict[str, Any] = {
        "cluster_variance": between,
        "residual_variance": sigma2,
        "icc": icc,
        "clusters": clusters,
    }
    if trial.arm is not None and not trial.is_dose:
        detail["clusters_per_arm"] = clusters_per_arm(trial)
        trial.notes += few_clusters(trial)
    rows = []
    for index, contrast, name in design.rows_of(trial):
        # Without variance between clusters the model is that of least squares; the Hessian that Satterthwaite's value
        # needs is flat there.
        along = design.back[index]
        value, error = float(along @ beta), float(np.sqrt(sigma2 * along @ found_at.inverse @ along))
        df = float(plain.df) if is_edge or is_top else model.satterthwaite(log_ratio, sigma2, along)
        found = {"estimate": value} if is_top else t_interval(value, error, df, trial.level)
        labels: dict[str, Any] = {"id": name}
        if contrast is not None:
            labels = {"contrast": contrast, "n": ArmContrast(trial, trial.labels.index(contrast[0])).counts}
        rows.append(trial.estimate(**found, **labels, effect_size=EffectSize("icc", icc), detail=detail,
                                   note=f"{name}; {note}".lstrip("; ")))  # fmt: skip
    return unwrap(rows)


def _all_told_apart(columns: Floats, codes: Ints, clusters: int) -> bool:
    """Return whether the columns span the clusters' indicators, as where each arm is one school."""
    if clusters > columns.shape[1]:
        return False
    both = np.column_stack([columns, np.ones(len(codes)), dummies(codes, clusters)])
    return len(independent_columns(both)) == len(independent_columns(columns))
