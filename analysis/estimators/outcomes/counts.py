"""Counted outcomes: Poisson and negative binomial regression."""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.registry import Result, whole
from analysis.estimators.core.request import Trial
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, numbers
from analysis.estimators.core.validation import require_columns as _require
from analysis.estimators.numerics.designs import Design, additive
from analysis.estimators.numerics.likelihoods import NegativeBinomial, Poisson
from analysis.estimators.numerics.newton import maximise
from analysis.estimators.outcomes.scores import exponentiated, link_rows, sandwich


def _counts(trial: Trial, exposure: str | None) -> tuple[Floats, Floats]:
    """Counts and log exposures."""
    if ((trial.y < 0) | (trial.y % 1 != 0)).any():
        raise AnalysisError.of(f"column {trial.outcome!r}", "holds no whole counts", "give whole numbers >= 0")
    if exposure is None:
        return trial.varied_y, np.zeros(len(trial.y))
    _require(trial.data, [exposure])
    values = numbers(trial.data, exposure)
    if (values <= 0).any():
        raise AnalysisError.of(f"column {exposure!r}", "holds exposures of 0 or less", "drop those rows")
    if not trial.y.any():
        raise NotEstimable(f"{trial.outcome!r} is 0 in every row")
    return trial.y, np.log(values)


@whole
def poisson(trial: Trial, vcov: str = "classical", exposure: str | None = None) -> Result:
    """Log rate ratio of a count by Poisson regression.

    Formula: log(mean) = a + arm + covariates + strata (+ log `exposure`); model-based standard errors, `vcov` HC0 or
    HC1 (robust) or "quasi" where the note's dispersion is far from 1. Effect size: the rate ratio.
    Missing data: refused.
    Reference: McCullagh & Nelder (1989), ch. 6.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = poisson(two_arms(), outcome="errors", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.145132, 0.433949, 0.318182)
    """
    (y, offset), design = _counts(trial, exposure), additive(trial)
    best = maximise(Poisson(design.columns, y, offset), _count_start(design, y, offset), "the likelihood")
    mean = np.exp(design.columns @ best.at + offset)
    covariance = sandwich(design.columns, y - mean, mean, best.covariance, vcov)
    dispersion = float(((y - mean) ** 2 / mean).sum()) / max(len(y) - design.columns.shape[1], 1)
    note = f"log scale, {vcov} standard error; dispersion {dispersion:.6g}, log-likelihood {best.value:.12g}"
    return link_rows(trial, design, best.at, covariance, note, exponentiated("rate_ratio"))


def _count_start(design: Design, y: Floats, offset: Floats) -> Floats:
    start = np.zeros(design.columns.shape[1])
    start[0] = np.log(y.sum() / np.exp(offset).sum())
    return start


@whole
def negative_binomial(trial: Trial, exposure: str | None = None) -> Result:
    """Log rate ratio of an overdispersed count, variance mu + mu^2 / theta.

    Formula: joint maximum likelihood of coefficients and theta; standard errors from the expected information of the
    coefficients given theta (as MASS::glm.nb). Effect size: the rate ratio. Counts no more variable than Poisson
    have no finite theta: null, use `poisson`. Missing data: refused.
    Reference: Lawless (1987), Can. J. Stat. 15:209-225; Venables & Ripley (2002), section 7.4.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms().assign(errors=[0, 0, 9, 1, 0, 3, 12, 0, 5, 1, 2, 16])
        >>> row = negative_binomial(table, outcome="errors", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.01857, 0.811468, 0.361111)
    """
    (y, offset), design = _counts(trial, exposure), additive(trial)
    first = maximise(Poisson(design.columns, y, offset), _count_start(design, y, offset), "the likelihood")
    mean = np.exp(design.columns @ first.at + offset)
    if float(((y - mean) ** 2 - y).sum()) <= 0:
        raise NotEstimable("the counts are no more variable than Poisson counts; use poisson")
    theta = float((mean**2).sum() / ((y - mean) ** 2 - y).sum())
    likelihood = NegativeBinomial(design.columns, y, offset)
    best = maximise(likelihood, np.append(first.at, np.log(theta)), "the likelihood")
    theta = float(np.exp(best.at[-1]))
    mean = np.exp(design.columns @ best.at[:-1] + offset)
    information = (design.columns.T * (mean / (1 + mean / theta))) @ design.columns
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    note = f"log scale; theta {theta:.12g}, log-likelihood {best.value:.12g}"
    return link_rows(trial, design, best.at[:-1], covariance, note, exponentiated("rate_ratio"))
