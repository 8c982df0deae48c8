"""Counted outcomes: Poisson and negative binomial regression."""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.registry import Result, method_over_all_arms
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable, numbers
from analysis.estimators.core.validation import require_columns as _require
from analysis.estimators.numerics.designs import additive
from analysis.estimators.numerics.generalised import covariance_of, fit_glm
from analysis.estimators.outcomes.scores import exponentiated, link_rows


def _counts(trial: AnalysisRequest, exposure: str | None) -> tuple[Floats, Floats]:
    """Return counts and log exposures."""
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


@method_over_all_arms("covariates stratum", jackknife=True)
def poisson(trial: AnalysisRequest, vcov: str = "classical", exposure: str | None = None) -> Result:
    """Log rate ratio of a count by Poisson regression.

    Formula: log(mean) = a + arm + covariates + strata (+ log `exposure`); model-based standard errors, or `vcov` HC0,
    HC1 or "quasi" (Pearson's dispersion) where the note's dispersion is far from 1; HC1 and "quasi" take t with
    n - coefficients degrees of freedom, the others the normal distribution.
    Effect size: the rate ratio.
    Missing data: refused.
    Reference: McCullagh & Nelder (1989), ch. 6.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = poisson(two_arms(), outcome="errors", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.145132, 0.433949, 0.318182)
    """
    from statsmodels.genmod.families import Poisson  # takes a second to import

    (y, offset), design = _counts(trial, exposure), additive(trial)
    fitted = fit_glm(design, y, Poisson(), vcov, offset)
    dispersion = float(fitted.pearson_chi2) / max(len(y) - design.columns.shape[1], 1)
    note = f"log scale, {vcov} standard error; dispersion {dispersion:.6g}, log-likelihood {fitted.llf:.12g}"
    detail = {"dispersion": dispersion, "log_likelihood": float(fitted.llf), "vcov": vcov}
    effect = exponentiated("rate_ratio")
    # Overdispersed counts of few people reject too often by the normal distribution: 7.1% at 26 in each arm.
    # A dispersion estimated from the same data calls for t, too, as in R's summary of a quasi-Poisson fit.
    df = float(len(y) - design.columns.shape[1]) if str(vcov).upper() in ("HC1", "QUASI") else None
    return link_rows(
        trial, design, np.asarray(fitted.params), covariance_of(design, y, fitted, vcov), note, effect, detail, df
    )


@method_over_all_arms("covariates stratum", jackknife=True)
def negative_binomial(trial: AnalysisRequest, exposure: str | None = None) -> Result:
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
    from statsmodels.discrete.discrete_model import NegativeBinomial  # takes a second to import
    from statsmodels.genmod import families

    (y, offset), design = _counts(trial, exposure), additive(trial)
    first = fit_glm(design, y, families.Poisson(), "classical", offset)
    excess = float(((y - first.mu) ** 2 - y).sum())
    if excess <= 0:
        raise NotEstimable("the counts are no more variable than Poisson counts; use poisson")
    # The moment estimate of 1/theta, so that the search begins at a dispersion of the right size.
    start = np.append(first.params, excess / float((first.mu**2).sum()))
    model = NegativeBinomial(y, design.columns, offset=offset)
    joint = model.fit(start, method="bfgs", maxiter=500, gtol=1e-9, disp=0)
    # BFGS finds the neighbourhood from afar, Newton the last digits, which depend on no starting point.
    joint = model.fit(joint.params, method="newton", maxiter=100, tol=1e-12, disp=0)
    if not (joint.params[-1] > 0 and np.isfinite(joint.llf)):
        raise NotEstimable("the likelihood has no finite maximum (an arm without counts, or no overdispersion)")
    theta = 1 / float(joint.params[-1])
    # Coefficients and theta are orthogonal in the expected information, so that errors given theta are those of the
    # joint fit (Lawless 1987).
    given = fit_glm(design, y, families.NegativeBinomial(alpha=1 / theta), "classical", offset)
    note = f"log scale; theta {theta:.12g}, log-likelihood {joint.llf:.12g}"
    detail = {"theta": theta, "log_likelihood": float(joint.llf)}
    effect = exponentiated("rate_ratio")
    return link_rows(
        trial, design, np.asarray(joint.params[:-1]), covariance_of(design, y, given, "classical"), note, effect, detail
    )
