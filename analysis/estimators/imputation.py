"""Missing outcomes filled in: multiple imputation by arm, and how far they would have to differ to tip the result.

Written here because statsmodels' MICE pools with normal quantiles, without Barnard and Rubin's degrees of freedom, and
imputes without regard to the arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.validation import (
    AnalysisError,
    Bools,
    Floats,
    Ints,
    NotEstimable,
    mean_and_spread,
    own_units,
)
from analysis.estimators.numerics.linear import fit, independent_columns, t_interval

IMPUTATIONS = 50
"""Enough that the Monte Carlo error of the interval is a few hundredths of the standard error."""


@method_per_contrast("covariates stratum")
def multiple_imputation(pair: ArmContrast, imputations: int = IMPUTATIONS, delta: float = 0.0) -> Result:
    """Difference of means with missing outcomes imputed from each arm's own regression on covariates and strata.

    Formula: in each arm, draws from the posterior of a normal regression of the outcome on covariates and strata (flat
    prior); each completed table is analysed by y = a + arm + covariates + strata with HC2; Rubin's rules, t with
    Barnard and Rubin's degrees of freedom. `delta` is added to each imputed outcome of the treated (not at random).
    Rests on: outcomes missing at random given arm, covariates and strata. No seed means seed 0.
    Missing data: a missing outcome is imputed; nothing missing gives the plain analysis. Covariates are refused.
    Detail: imputed, fraction_missing_information, relative_increase.
    Reference: Rubin (1987); Barnard & Rubin (1999), Biometrika 86:948-955; Sullivan et al. (2018) on imputing by arm.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms()
        >>> table.loc[[6, 7], "score"] = None
        >>> row = multiple_imputation(table, outcome="score", arm="arm", control="no_ai", covariates="warmup")
        >>> -4.6 < row.estimate < -3.9, row.detail["imputed"]
        (True, {'ai': 0, 'no_ai': 2})
    """
    _require(imputations, delta=delta)
    model = _Imputation.of(pair)
    return _pooled_row(pair, model, model.pooled(imputations, delta, _seed(pair)), delta)


@method_per_contrast("covariates stratum")
def tipping_point(pair: ArmContrast, imputations: int = IMPUTATIONS, reach: float = 5.0, steps: int = 41) -> Result:
    """Return how much lower (or higher) the missing outcomes of the treated must be for the conclusion to change.

    Formula: `multiple_imputation` with `delta` from -`reach` to `reach` standard deviations of the outcome, `steps` of
    them, the same draws each time; the estimate is the delta nearest to 0 at which p crosses 1 - level, in units of the
    outcome. Null where no delta in reach does. The row's p is that at delta 0.
    Missing data: a missing outcome is imputed. Covariates are refused.
    Detail: delta (list), estimates, ci_low, ci_high and p of each, for a figure.
    Reference: Yan, Lee & Li (2009), J. Biopharm. Stat. 19:1085-1098; Cro et al. (2020), Stat. Med. 39:2815-2842.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms()
        >>> table.loc[[0, 1], "score"] = None
        >>> row = tipping_point(table, outcome="score", arm="arm", control="no_ai", covariates="warmup")
        >>> row.estimate > 0
        True
    """
    _require(imputations, reach=reach)
    if steps < 3:
        raise AnalysisError.of("steps", f"{steps} is too few", "ask for 41, say")
    model = _Imputation.of(pair)
    if not model.missing.any():
        raise NotEstimable("no outcome is missing")
    if not model.missing[model.treated].any():
        raise NotEstimable("no outcome of the treated is missing, so nothing of theirs can tip the result")
    sd = float(np.nanstd(model.y, ddof=1))
    deltas = np.linspace(-reach * sd, reach * sd, steps)
    found = [model.pooled(imputations, float(delta), _seed(pair)) for delta in deltas]
    rows = [t_interval(pool.estimate, pool.std_error, pool.df, pair.level) for pool in found]
    alpha = 1 - pair.level
    here = model.pooled(imputations, 0.0, _seed(pair))
    base = t_interval(here.estimate, here.std_error, here.df, pair.level)

    def above(delta: float) -> float:
        pool = model.pooled(imputations, delta, _seed(pair))
        return t_interval(pool.estimate, pool.std_error, pool.df, pair.level)["p_value"] - alpha

    signs = np.sign([row["p_value"] - alpha for row in rows])
    ends = [(deltas[i], deltas[i + 1]) for i in range(steps - 1) if signs[i] != signs[i + 1]]
    crossings = [float(optimize.brentq(above, low, high, xtol=1e-6 * sd)) for low, high in ends]
    tip = min(crossings, key=abs, default=None)
    side = "at most" if base["p_value"] <= alpha else "above"
    note = f"at delta 0 the difference is {here.estimate:.6g}, its p {base['p_value']:.6g}, {side} {alpha:.3g}; " + (
        f"it tips at {tip:.6g}" if tip is not None else f"no delta within {reach:g} standard deviations tips it"
    )
    detail = {
        "delta": deltas.tolist(), "estimates": [row["estimate"] for row in rows], "p": [row["p_value"] for row in rows],
        "ci_low": [row["ci_low"] for row in rows], "ci_high": [row["ci_high"] for row in rows],
    }  # fmt: skip
    return pair.estimate(estimate=tip, p_value=base["p_value"], note=note, n=model.counts(pair), detail=detail)


def _require(imputations: int, **numbers: float) -> None:
    if imputations < 2:
        raise AnalysisError.of("imputations", f"{imputations} is too few", "ask for 50, say")
    for name, value in numbers.items():
        if not np.isfinite(value):
            raise AnalysisError.of(name, f"{value!r} is not a finite number", "give one, in the unit that it has")


@dataclass(frozen=True)
class Pooled:
    """Rubin's rules over imputed tables."""

    estimate: float
    std_error: float
    df: float
    fraction: float
    """Of the information that is missing."""
    increase: float
    """Relative increase of the variance through what is missing."""

    @classmethod
    def of(cls, estimates: Floats, variances: Floats, df: float) -> Pooled:
        """Pool estimates (m) with their squared standard errors; `df` those of complete data (Barnard & Rubin 1999)."""
        m, between = len(estimates), float(estimates.var(ddof=1))
        within = float(variances.mean())
        total = within + (1 + 1 / m) * between
        if between == 0:
            return cls(float(estimates.mean()), float(np.sqrt(within)), df, 0.0, 0.0)
        share = (1 + 1 / m) * between / total
        # Barnard & Rubin (1999): Rubin's degrees of freedom alone can exceed those of the complete data in small
        # trials.
        observed = (df + 1) / (df + 3) * df * (1 - share)
        pooled = 1 / (share**2 / (m - 1) + 1 / observed)
        increase = (1 + 1 / m) * between / within
        fraction = (increase + 2 / (pooled + 3)) / (increase + 1)
        return cls(
            float(estimates.mean()), float(np.sqrt(total)), float(pooled), fraction if between else 0.0, increase
        )


def _supported(columns: Floats, seen: Bools) -> list[int]:
    """Return indices of the columns that observed outcomes can speak for.

    A column in which one person alone differs, as the indicator of their missing covariate, says nothing of anybody
    else: fitted, it gives that row leverage 1, with which HC2 does not exist; where that person's outcome is missing,
    too, nothing is there to estimate it from.
    """
    return [index for index in independent_columns(columns[seen]) if not _of_one_person(columns[:, index])]


def _of_one_person(column: Floats) -> bool:
    return int(np.unique(column, return_counts=True)[1].max()) == len(column) - 1


def _own_units(trial: AnalysisRequest) -> Floats:
    """Return the matrix (k, k) that makes coefficients of a request's columns those in the covariates' own units."""
    mean, spread = mean_and_spread(trial.given_x[0])
    around = 1, trial.stratum_columns[0].shape[1]
    return own_units(np.pad(mean, around), np.pad(spread, around, constant_values=1.0))


@dataclass(frozen=True)
class _Imputation:
    """Two arms with their outcomes, some missing, and the columns from which these are imputed."""

    y: Floats
    columns: Floats
    """Intercept, covariates, strata."""
    treated: Bools
    own_units: Floats
    """Makes coefficients of these columns those in the covariates' own units."""

    @classmethod
    def of(cls, pair: ArmContrast) -> _Imputation:
        """Of the pair's rows."""
        trial = pair.trial
        y = trial.y_with_gaps[pair.rows]
        columns = np.column_stack([np.ones(len(y)), trial.x[0][pair.rows], trial.stratum_columns[0][pair.rows]])
        kept = _supported(columns, ~np.isnan(y))
        found = cls(y, columns[:, kept], pair.treated, _own_units(trial)[np.ix_(kept, kept)])
        for arm, label in ((found.treated, pair.contrast[0]), (~found.treated, pair.contrast[1])):
            seen = y[arm & ~found.missing]
            if len(seen) < 2 or (found.missing[arm].any() and len(seen) <= len(found._usable(arm)) + 1):
                raise NotEstimable(f"arm {label!r} has {len(seen)} observed outcomes, too few to impute from")
        if np.ptp(y[~found.missing]) == 0:
            raise NotEstimable(f"{trial.outcome!r} has the same value in every row")
        return found

    @property
    def missing(self) -> Bools:
        """Rows whose outcome is missing."""
        return np.isnan(self.y)

    def counts(self, pair: ArmContrast) -> dict[str, int]:
        """Observed outcomes of each arm."""
        return self._by_arm(pair, ~self.missing)

    def imputed(self, pair: ArmContrast) -> dict[str, int]:
        """Imputed outcomes of each arm."""
        return self._by_arm(pair, self.missing)

    def _by_arm(self, pair: ArmContrast, rows: Bools) -> dict[str, int]:
        treated = int((rows & self.treated).sum())
        return dict(zip(pair.contrast, (treated, int(rows.sum()) - treated), strict=True))

    def _usable(self, arm: Bools) -> list[int]:
        return independent_columns(self.columns[arm & ~self.missing])

    def pooled(self, imputations: int, delta: float, seed: int) -> Pooled:
        """Return the analysis of every completed table, pooled."""
        # The same draws at each delta, so that p is a smooth function of delta, whose crossing a root finder can
        # bracket.
        rng = np.random.default_rng(seed)
        # Nothing missing: two equal tables, the fewest between which a variance exists; it is 0.
        draws = np.repeat(self.y[None, :], imputations if self.missing.any() else 2, axis=0)
        for arm, shift in ((self.treated, delta), (~self.treated, 0.0)):
            gaps = np.flatnonzero(arm & self.missing)
            if len(gaps):
                draws[:, gaps] = self._drawn(arm, gaps, imputations, rng) + shift
        design = np.column_stack([self.columns, self.treated])
        kept = independent_columns(design)
        # The arm's column comes last, so it is the one to go where covariates or strata already tell the arms apart.
        if design.shape[1] - 1 not in kept:
            raise NotEstimable("the arms cannot be distinguished from the covariates or strata")
        return self._analysed(design[:, kept], draws)

    @staticmethod
    def _analysed(design: Floats, draws: Floats) -> Pooled:
        """Return all tables at once, as `fit` with HC2 gives them one by one: they share the design."""
        base = fit(design, draws[0])
        if base.df < 1 or base.leverage.max() > 1 - 1e-10:
            raise NotEstimable("too few rows for the model; use fewer covariates")
        # The orthonormal columns of the fit: residuals of all tables are then one projection.
        basis = np.asarray(base.model.model.exog)
        residuals = draws - (draws @ basis) @ basis.T
        weights = (design @ base.gram_inverse)[:, -1]
        variances = (residuals**2 / (1 - base.leverage)) @ weights**2
        if not variances.mean() > 0:
            raise NotEstimable("the model fits every row exactly, so there is no residual variance")
        return Pooled.of(draws @ weights, variances, float(base.df))

    def _drawn(self, arm: Bools, gaps: Ints, imputations: int, rng: np.random.Generator) -> Floats:
        """Outcomes (imputations, gaps) from the posterior predictive of the arm's regression."""
        usable = self._usable(arm)
        columns = self.columns[:, usable]
        seen = arm & ~self.missing
        fitted = fit(columns[seen], self.y[seen])
        # Variance, then coefficients, then noise: without the first two, imputed outcomes would take the regression as
        # known, and intervals would be too narrow (Rubin 1987).
        scale = np.sqrt(fitted.sigma2 * fitted.df / rng.chisquare(fitted.df, imputations))
        # The lower triangle in the covariates' own units, turned to these columns: the same seed then draws the same
        # outcomes whatever columns the computation prefers.
        root = linalg.cholesky(fitted.gram_inverse, lower=True)
        turn, triangle = linalg.qr((self.own_units[np.ix_(usable, usable)] @ root).T, mode="economic")
        root = root @ turn * np.sign(np.diag(triangle))
        normal = rng.standard_normal((imputations, columns.shape[1]))
        beta = fitted.coefficients + scale[:, None] * (normal @ root.T)
        noise = rng.standard_normal((imputations, len(gaps))) * scale[:, None]
        return np.asarray(beta @ columns[gaps].T + noise, dtype=np.float64)


def _seed(pair: ArmContrast) -> int:
    return 0 if pair.trial.seed is None else pair.trial.seed


def _pooled_row(pair: ArmContrast, model: _Imputation, pool: Pooled, delta: float) -> Result:
    imputed = model.imputed(pair)
    listed = ", ".join(f"{count} of {label}" for label, count in imputed.items())
    note = f"imputed by arm: {listed}; missing information {pool.fraction:.4f}"
    note += f"; {delta:g} added to the treated's" if delta else ""
    return pair.estimate(
        **t_interval(pool.estimate, pool.std_error, pool.df, pair.level), n=model.counts(pair), note=note,
        detail={"imputed": imputed, "fraction_missing_information": pool.fraction, "relative_increase": pool.increase},
    )  # fmt: skip
