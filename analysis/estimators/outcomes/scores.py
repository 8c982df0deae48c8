"""Bounded and ordered outcomes: coefficients on the link scale, effects on the response's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from analysis.estimators.core.registry import Result, unwrap, whole
from analysis.estimators.core.request import Pair, Trial
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, NotEstimable, complete, label_of, numbers
from analysis.estimators.numerics.designs import Design, additive
from analysis.estimators.numerics.likelihoods import Beta, Logit, ProportionalOdds
from analysis.estimators.numerics.linear import z_interval
from analysis.estimators.numerics.newton import maximise

Inverse = Callable[[Floats], Floats]


def link_rows(
    trial: Trial,
    design: Design,
    beta: Floats,
    covariance: Floats,
    note: str,
    effect: Callable[[int, dict[str, float | None]], EffectSize | None],
) -> Result:
    """A row per arm contrast (or per coefficient) with Wald p and interval; `effect(column, row)` on the response."""
    rows: list[Estimate] = []
    for index, contrast, name in design.rows_of(trial):
        found = z_interval(float(beta[index]), float(np.sqrt(covariance[index, index])), trial.level)
        shown = effect(index, found) if trial.arm is not None else None
        fields: dict[str, Any] = {"id": name} if contrast is None else {"contrast": contrast}
        if contrast is not None:
            fields["n"] = Pair(trial, trial.labels.index(contrast[0])).counts
        rows.append(trial.estimate(**found, **fields, effect_size=shown, note=f"{name}; {note}" if name else note))
    return unwrap(rows)


def exponentiated(name: str) -> Callable[[int, dict[str, float | None]], EffectSize]:
    """Exp of the coefficient and of its limits."""

    def effect(_: int, row: dict[str, float | None]) -> EffectSize:
        values = [float(np.exp(float(row[key] or 0.0))) for key in ("estimate", "ci_low", "ci_high")]
        return EffectSize(name, *values)

    return effect


def marginal_effect(
    trial: Trial, design: Design, beta: Floats, covariance: Floats
) -> Callable[[int, dict[str, float | None]], EffectSize | None]:
    """Average difference in expected response, everyone treated less everyone control; delta-method interval."""

    def effect(index: int, _: dict[str, float | None]) -> EffectSize | None:
        if trial.is_dose:
            weight = special.expit(design.columns @ beta)
            slope = weight * (1 - weight)
            gradient = (slope * (1 - 2 * weight)) @ design.columns / len(slope) * beta[index]
            gradient[index] += slope.mean()
            value = float(slope.mean() * beta[index])
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


def _shares(trial: Trial) -> Floats:
    if ((trial.y < 0) | (trial.y > 1)).any():
        raise AnalysisError.of(
            f"column {trial.outcome!r}", "holds values outside 0 to 1", "divide the points by their maximum first"
        )
    return trial.varied_y


@whole
def fractional_logit(trial: Trial, vcov: str = "HC0") -> Result:
    """Logit coefficient of a share in [0, 1] (zeros and ones welcome), with robust standard errors.

    Formula: Bernoulli quasi-likelihood, logit(mean) = a + arm + covariates + strata; sandwich HC0 (`vcov`: HC0, HC1,
    "quasi" with Pearson's dispersion, "classical"). Effect size: average marginal effect on the share.
    Missing data: refused.
    Reference: Papke & Wooldridge (1996), J. Appl. Econometrics 11:619-632.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms().assign(share=lambda t: t["score"] / 20)
        >>> row = fractional_logit(table, outcome="share", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.329136, 0.431549, -0.25)
    """
    y, design = _shares(trial), additive(trial)
    best = maximise(Logit(design.columns, y), np.zeros(design.columns.shape[1]), "the likelihood")
    mean = special.expit(design.columns @ best.at)
    covariance = sandwich(design.columns, y - mean, mean * (1 - mean), best.covariance, vcov)
    effect = marginal_effect(trial, design, best.at, covariance)
    return link_rows(trial, design, best.at, covariance, f"logit scale, {vcov} standard error", effect)


def sandwich(x: Floats, residuals: Floats, variance: Floats, bread: Floats, vcov: str) -> Floats:
    """Covariance of a canonical-link fit."""
    n, p = x.shape
    kind = vcov.upper()
    if kind in ("CLASSICAL", "NONROBUST", "MODEL"):
        return bread
    if np.abs(residuals).max() < 1e-10 * (1 + np.abs(variance).max()):
        raise NotEstimable("the model fits every row exactly, so there is no residual variance")
    if kind == "QUASI":
        return bread * float((residuals**2 / variance).sum()) / (n - p)
    if kind not in ("HC0", "HC1", "ROBUST"):
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use HC0, HC1, quasi or classical")
    half = x @ bread
    return (half.T * residuals**2) @ half * (n / (n - p) if kind == "HC1" else 1.0)


@whole
def beta_regression(trial: Trial, vcov: str = "expected") -> Result:
    """Logit coefficient of a share strictly inside (0, 1), beta distributed with a constant precision.

    Formula: maximum likelihood, logit(mean) = a + arm + covariates + strata; standard errors from the expected
    information (as betareg) or `vcov="observed"`. Shares of exactly 0 or 1 are squeezed to (y (n-1) + 1/2) / n, with
    a note. Effect size: average marginal effect on the share. Without `arm`, the precision is the last row.
    Missing data: refused.
    Reference: Ferrari & Cribari-Neto (2004), J. Appl. Stat. 31:799-815; Smithson & Verkuilen (2006) for squeezing.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> table = two_arms().assign(share=lambda t: t["score"] / 21)
        >>> row = beta_regression(table, outcome="share", arm="arm", control="no_ai")
        >>> round(row.estimate, 6), round(row.std_error, 6), round(row.effect_size.value, 6)
        (-1.197185, 0.339954, -0.243917)
    """
    y, design = _squeezed(trial, _shares(trial)), additive(trial)
    likelihood = Beta(design.columns, y)
    best = maximise(likelihood, _beta_start(design.columns, y), "the likelihood")
    beta, phi = best.at[:-1], float(np.exp(best.at[-1]))
    if vcov == "expected":
        covariance = np.asarray(np.linalg.inv(likelihood.expected_information(beta, phi)), dtype=np.float64)
    elif vcov == "observed":
        scale = np.append(np.ones(len(beta)), phi)
        covariance = best.covariance * np.outer(scale, scale)
    else:
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use expected or observed")
    note = f"logit scale, {vcov} information; precision {phi:.12g}, log-likelihood {best.value:.12g}"
    effect = marginal_effect(trial, design, beta, covariance[:-1, :-1])
    rows = link_rows(trial, design, beta, covariance, note, effect)
    if trial.arm is not None:
        return rows
    found = z_interval(phi, float(np.sqrt(covariance[-1, -1])), trial.level)
    return [*(rows if isinstance(rows, list) else [rows]), trial.estimate(**found, id="(phi)", note="precision")]


def _squeezed(trial: Trial, y: Floats) -> Floats:
    edge = int(((y == 0) | (y == 1)).sum())
    if not edge:
        return y
    trial.notes.append(f"{edge} shares of exactly 0 or 1, so all were squeezed to (y (n-1) + 1/2) / n")
    return np.asarray((y * (len(y) - 1) + 0.5) / len(y), dtype=np.float64)


def _beta_start(x: Floats, y: Floats) -> Floats:
    slopes = np.linalg.lstsq(x, special.logit(y), rcond=None)[0]
    mean = special.expit(x @ slopes)
    spread = float(((y - mean) ** 2 / (mean * (1 - mean))).mean())
    return np.append(slopes, np.log(max(1 / max(spread, 1e-8) - 1, 0.5)))


@whole
def ordinal_logit(trial: Trial, categories: Sequence[object] | None = None) -> Result:
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
    design = Design(full.columns[:, 1:], full.names[1:], [index - 1 for index in full.treated])
    shares = np.cumsum(np.bincount(codes, minlength=len(labels)))[:-1] / len(codes)
    start = np.concatenate([np.zeros(design.columns.shape[1]), special.logit(shares)])
    best = maximise(ProportionalOdds(design.columns, codes, len(labels)), start, "the likelihood")
    note = f"logit scale, {len(labels)} categories, log-likelihood {best.value:.12g}"
    rows = link_rows(trial, design, best.at, best.covariance, note, exponentiated("odds_ratio"))
    if trial.arm is not None:
        return rows
    cuts = [f"{low}|{high}" for low, high in zip(labels[:-1], labels[1:], strict=True)]
    extra = [
        trial.estimate(estimate=float(best.at[i]), std_error=float(np.sqrt(best.covariance[i, i])), id=name, note="cut")
        for i, name in enumerate(cuts, start=design.columns.shape[1])
    ]
    return [*(rows if isinstance(rows, list) else [rows]), *extra]


def _ordered(trial: Trial, categories: Sequence[object] | None) -> tuple[Ints, list[str]]:
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
    place = {label: index for index, label in enumerate(seen)}
    return np.asarray([place[value] for value in text], dtype=np.int64), seen
