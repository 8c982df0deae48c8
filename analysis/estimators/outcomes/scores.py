"""Bounded and ordered outcomes: coefficients on the link scale, effects on the response's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest, ArmContrast
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, NotEstimable, complete, label_of, numbers
from analysis.estimators.numerics.designs import DesignMatrix, additive
from analysis.estimators.numerics.generalised import covariance_of, fit_glm, settled
from analysis.estimators.numerics.linear import t_interval, z_interval
from analysis.estimators.numerics.newton import maximise
from analysis.estimators.numerics.ordered import fit_ordered

Inverse = Callable[[Floats], Floats]


def link_rows(
    trial: AnalysisRequest,
    design: DesignMatrix,
    beta: Floats,
    covariance: Floats,
    note: str,
    effect: Callable[[int, dict[str, float | None]], EffectSize | None],
    detail: dict[str, Any] | None = None,
    df: float | None = None,
) -> Result:
    """Return a row per arm contrast (or per coefficient) with Wald p and interval.

    `effect(column, row)` on the response; with `df` by Student's t.
    """
    rows: list[Estimate] = []
    beta, covariance = _by_columns(design.back, beta, covariance)
    for index, contrast, name in design.rows_of(trial):
        error = float(np.sqrt(covariance[index, index]))
        found = z_interval(float(beta[index]), error, trial.level)
        if df is not None:
            found |= t_interval(float(beta[index]), error, df, trial.level)
        shown = effect(index, found) if trial.arm is not None else None
        fields: dict[str, Any] = {"id": name} if contrast is None or name else {}
        if contrast is not None:
            fields["contrast"] = contrast
            fields["n"] = ArmContrast(trial, trial.labels.index(contrast[0])).counts
        text = f"{name}; {note}" if name else note
        rows.append(trial.estimate(**found, **fields, effect_size=shown, note=text, detail=detail or {}))
    return unwrap(rows)


def _by_columns(back: Floats, beta: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Coefficients and their covariance by the columns as given."""
    count = back.shape[1]
    return back @ beta[:count], back @ covariance[:count, :count] @ back.T


def exponentiated(name: str) -> Callable[[int, dict[str, float | None]], EffectSize]:
    """Exp of the coefficient and of its limits."""

    def effect(_: int, row: dict[str, float | None]) -> EffectSize:
        values = [float(np.exp(float(row[key] or 0.0))) for key in ("estimate", "ci_low", "ci_high")]
        return EffectSize(name, *values)

    return effect


def marginal_effect(
    trial: AnalysisRequest, design: DesignMatrix, beta: Floats, covariance: Floats
) -> Callable[[int, dict[str, float | None]], EffectSize | None]:
    """Average difference in expected response, everyone treated less everyone control; delta-method interval."""

    def effect(index: int, _: dict[str, float | None]) -> EffectSize | None:
        if trial.is_dose:
            weight = special.expit(design.columns @ beta)
            # The derivative of the mean by the dose; its own derivative by beta, below, is the delta method's gradient.
            slope = weight * (1 - weight)
            gradient = (slope * (1 - 2 * weight)) @ design.columns / len(slope) * beta[index]
            gradient[index] += slope.mean()
            gradient *= design.back[index, index]
            value = float(slope.mean() * beta[index] * design.back[index, index])
        else:
            on, off = design.columns.copy(), design.columns.copy()
            on[:, design.treated] = 0.0
            off[:, design.treated] = 0.0
            on[:, index] = 1.0
            p, q = special.expit(on @ beta), special.expit(off @ beta)
            gradient = ((p * (1 - p)) @ on - (q * (1 - q)) @ off) / len(p)
            value = float((p - q).mean())
        reach = float(stats.norm.ppf(0.5 + trial.level / 2) * np.sqrt(gradient @ covariance @ gradient))
        return EffectSize("average_marginal_effect", value, value - reach, value + reach)

    return effect


def _shares(trial: AnalysisRequest) -> Floats:
    if ((trial.y < 0) | (trial.y > 1)).any():
        raise AnalysisError.of(
            f"column {trial.outcome!r}", "holds values outside 0 to 1", "divide the points by their maximum first"
        )
    return trial.varied_y


@method_over_all_arms("covariates stratum", jackknife=True)
def fractional_logit(trial: AnalysisRequest, vcov: str = "HC0") -> Result:
    """Logit coefficient of a share in [0, 1] (zeros and ones welcome), with robust standard errors.

    Formula: Bernoulli quasi-likelihood, logit(mean) = a + arm + covariates + strata; sandwich HC0 (`vcov`: HC0, HC1,
    "quasi" with Pearson's dispersion and t, "classical"); the normal distribution but for "quasi". Effect size: average
    marginal effect on the share. Missing data: refused.
    Reference: Papke & Wooldridge (1996), J. Appl. Econometrics 11:619-632.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms().assign(share=lambda t: t["score"] / 20)
        >>> row = fractional_logit(table, outcome="share", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.329136, 0.431549, -0.25)
    """
    from statsmodels.genmod.families import Binomial  # takes a second to import

    y, design = _shares(trial), additive(trial)
    fitted = fit_glm(design, y, Binomial(), vcov)
    beta, covariance = np.asarray(fitted.params), covariance_of(design, y, fitted, vcov)
    effect = marginal_effect(trial, design, beta, covariance)
    note = f"logit scale, {vcov} standard error"
    # As in R's summary of a quasi-binomial fit: its dispersion is estimated from the same data.
    df = float(len(y) - design.columns.shape[1]) if str(vcov).upper() == "QUASI" else None
    return link_rows(trial, design, beta, covariance, note, effect, {"vcov": vcov}, df)


@method_over_all_arms("covariates stratum", jackknife=True)
def beta_regression(trial: AnalysisRequest, vcov: str = "expected") -> Result:
    """Logit coefficient of a share strictly inside (0, 1), beta distributed with a constant precision.

    Formula: maximum likelihood, logit(mean) = a + arm + covariates + strata; standard errors from the expected
    information (as betareg) or `vcov="observed"`. Shares of exactly 0 or 1 are squeezed to (y (n-1) + 1/2) / n, with
    a note; refused where there are no others. Effect size: average marginal effect on the share. Without `arm`, the
    precision is the last row. Missing data: refused.
    Reference: Ferrari & Cribari-Neto (2004), J. Appl. Stat. 31:799-815; Smithson & Verkuilen (2006) for squeezing.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms().assign(share=lambda t: t["score"] / 21)
        >>> row = beta_regression(table, outcome="share", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.197185, 0.339954, -0.243917)
    """
    from statsmodels.othermod.betareg import BetaModel  # takes a second to import

    if vcov not in ("expected", "observed"):
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use expected or observed")
    y, design = _squeezed(trial, _shares(trial)), additive(trial)
    model = BetaModel(y, design.columns)
    found = _highest(model, y, design.columns)
    information = -model.hessian(found, observed=vcov == "observed")
    settled(found[:-1], information, "the likelihood")
    beta, phi, loglik = found[:-1], float(np.exp(found[-1])), float(model.loglike(found))
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    note = f"logit scale, {vcov} information; precision {phi:.12g}, log-likelihood {loglik:.12g}"
    detail = {"precision": phi, "log_likelihood": loglik, "vcov": vcov}
    effect = marginal_effect(trial, design, beta, covariance[:-1, :-1])
    rows = link_rows(trial, design, beta, covariance, note, effect, detail)
    if trial.arm is not None:
        return rows
    ends = z_interval(phi, phi * float(np.sqrt(covariance[-1, -1])), trial.level)
    return [*(rows if isinstance(rows, list) else [rows]), trial.estimate(**ends, id="(phi)", note="precision")]


def _highest(model: Any, y: Floats, x: Floats) -> Floats:
    """Return coefficients and log precision at the maximum of the beta likelihood."""
    try:
        fitted = np.asarray(model.fit(method="newton", maxiter=200, tol=1e-12, disp=0).params)
    except np.linalg.LinAlgError:
        fitted = np.full(x.shape[1] + 1, np.nan)
    # Warnings of the library are silenced: the score says whether Newton's method arrived.
    if np.isfinite(fitted).all() and np.abs(model.score(fitted)).max() < 1e-6 * len(y):
        return fitted
    # The library begins at a precision that may be far too low, from where Newton's steps lead nowhere.
    return maximise(
        lambda at: (model.loglike(at), model.score(at), model.hessian(at)), _by_moments(y, x), "the likelihood"
    ).at


def _by_moments(y: Floats, x: Floats) -> Floats:
    """Coefficients by least squares on the logits, and the log precision that their residuals' variance asks for."""
    beta = np.linalg.lstsq(x, special.logit(y), rcond=None)[0]
    mean = special.expit(x @ beta)
    precision = float((mean * (1 - mean)).mean() / ((y - mean) ** 2).mean()) - 1
    return np.append(beta, np.log(max(precision, 0.1)))


def _squeezed(trial: AnalysisRequest, y: Floats) -> Floats:
    edge = int(((y == 0) | (y == 1)).sum())
    if not edge:
        return y
    if edge == len(y):
        raise AnalysisError.of(f"column {trial.outcome!r}", "every share is 0 or 1", "use fractional_logit")
    trial.notes.append(f"{edge} shares of exactly 0 or 1, so all were squeezed to (y (n-1) + 1/2) / n")
    return np.asarray((y * (len(y) - 1) + 0.5) / len(y), dtype=np.float64)


@method_over_all_arms("covariates stratum", jackknife=True)
def ordinal_logit(trial: AnalysisRequest, categories: Sequence[object] | None = None) -> Result:
    """Proportional-odds coefficient: log odds of a higher category, treated against control.

    Formula: logit P(y <= j) = cut_j - (arm + covariates + strata), maximum likelihood, standard errors from the
    observed information. Effect size: the odds ratio. Categories are ordered by number, by the order of a pandas
    Categorical, or by `categories`. Without `arm`, the cuts are the last rows. Missing data: refused.
    Reference: McCullagh (1980), JRSS B 42:109-142.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = ordinal_logit(two_arms(), outcome="rating", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (2.642018, 1.372972, 14.041513)
    """
    codes, labels = _ordered(trial, categories)
    full = additive(trial)
    # The cuts take the intercept's part; with both, nothing would identify either.
    treated = [index - 1 for index in full.treated]
    design = DesignMatrix(full.columns[:, 1:], full.names[1:], treated, full.back[1:, 1:])
    fitted = fit_ordered(design.columns, codes)
    note = f"logit scale, {len(labels)} categories, log-likelihood {fitted.loglik:.12g}"
    detail = {"categories": labels, "log_likelihood": fitted.loglik}
    effect = exponentiated("odds_ratio")
    rows = link_rows(trial, design, fitted.parameters, fitted.covariance, note, effect, detail)
    if trial.arm is not None:
        return rows
    first = design.columns.shape[1]
    # The cuts take over what the columns are moved by.
    moved = np.eye(len(fitted.parameters))
    moved[first:, :first] = -full.back[0, 1:]
    values, covariance = _by_columns(moved, fitted.parameters, fitted.covariance)
    errors = np.sqrt(np.diag(covariance))
    cuts = [f"{low}|{high}" for low, high in pairwise(labels)]
    extra = [
        trial.estimate(estimate=float(value), std_error=float(error), id=name, note="cut")
        for value, error, name in zip(values[first:], errors[first:], cuts, strict=True)
    ]
    return [*(rows if isinstance(rows, list) else [rows]), *extra]


MOST_LEVELS = 50
"""Levels beyond which an ordinal model takes minutes and says no more than a rank test."""


def _ordered(trial: AnalysisRequest, categories: Sequence[object] | None) -> tuple[Ints, list[str]]:
    """Outcome as 0..k-1 over the categories that occur."""
    series = complete(trial.data, trial.outcome)
    text = series.map(label_of).astype(str)
    if categories is not None:
        order = [label_of(value) for value in categories]
    elif hasattr(series, "cat") and series.cat.ordered:
        order = [label_of(value) for value in series.cat.categories]
    else:
        numeric = numbers(trial.data, trial.outcome)
        order = [label_of(value) for value in np.unique(numeric)]
        text = pd.Series([label_of(value) for value in numeric])
    unknown = sorted(set(text) - set(order))
    if unknown:
        raise AnalysisError.of(f"column {trial.outcome!r}", f"holds {unknown}", "name every category in `categories`")
    seen = [label for label in order if label in set(text)]
    if len(seen) < 2:
        raise NotEstimable(f"{trial.outcome!r} has the same value in every row")
    if len(seen) > MOST_LEVELS:
        raise NotEstimable(f"{trial.outcome!r} has {len(seen)} levels, of which a model of cuts takes {MOST_LEVELS}; "
                           "use mann_whitney")  # fmt: skip
    place = {label: index for index, label in enumerate(seen)}
    return np.asarray([place[value] for value in text], dtype=np.int64), seen
