"""Weighted comparisons of embedded regimes, and of second treatments among people who did not respond."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

import numpy as np
import statsmodels.api as sm

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.numerics.linear import independent_columns, t_interval
from analysis.estimators.regimes.people import MARK, RegimePeople


@method_over_all_arms("covariates stratum")
def embedded_regimes(
    trial: AnalysisRequest,
    second: str = "second_treatment",
    responded: str = "responded",
    first_probability: str = "first_probability",
    second_probability: str = "second_probability",
    reference: str = "",
    pairs: Literal["reference", "all"] = "reference",
) -> Result:
    """Regimes embedded in a sequential trial: an arm, and for people who do not respond to it a second treatment.

    Formula: least squares of y on the regimes, weighted by one over the probability of all that a person was allocated
    to; a person counts in every regime that gives what they had, so that who responded counts in all of their arm's
    (weighted and replicated). The error is robust and clustered by person, times G / (G - k), with t of G - k degrees
    of freedom for G people and k columns. Who left before the second decision counts as one who responded: what they
    had is what each regime of the arm gives. `reference`: the regime that others are compared with, such as
    `plain/stay`; the control's first treatment where empty. `pairs="all"` compares each two. Covariates and strata
    enter centred, with one slope for all regimes. `detail`: both means.
    Missing data: refused, but for `responded` and `second`.
    Reference: Nahum-Shani et al. (2012), Psychol. Methods 17:457-477; Orellana, Rotnitzky & Robins (2010), Int. J.
    Biostat. 6(2).

    Example:
        >>> from analysis.estimators.core.examples import two_decisions
        >>> rows = embedded_regimes(two_decisions(), outcome="score", arm="arm", control="plain")
        >>> [(row.id, round(row.estimate, 3), round(row.std_error, 3)) for row in rows[:2]]
        [('plain/stay_vs_plain/more', -0.75, 1.249), ('tips/more_vs_plain/more', 2.375, 1.185)]
    """
    people = RegimePeople.of(trial, second, responded, first_probability, second_probability)
    names, member = people.regimes, people.consistent()
    if reference and reference not in names:
        raise AnalysisError.of("reference", f"{reference!r} is not a regime", f"use one of {', '.join(names)}")
    if pairs not in ("reference", "all"):
        raise AnalysisError.of("pairs", f"{pairs!r} is not known", "use reference or all")
    if not member.any(axis=0).all():
        raise NotEstimable(f"no one is on the regime {names[int(np.argmin(member.any(axis=0)))]}")
    person, regime = np.nonzero(member)
    # Centred before rows are replicated: people who responded are in several regimes, and would count as often in the
    # mean.
    design = np.column_stack([regime[:, None] == np.arange(len(names)), _centred(trial)[person]]).astype(np.float64)
    model = _Weighted(trial.varied_y[person], design, people.weights[person], person, len(names))
    counts = {name: int(count) for name, count in zip(names, member.sum(axis=0), strict=True)}
    base = reference or names[0]
    wanted = combinations(names, 2) if pairs == "all" else ((base, name) for name in names if name != base)
    rows = []
    for other, name in wanted:
        along = np.zeros(design.shape[1])
        along[names.index(name)], along[names.index(other)] = 1.0, -1.0
        mean, against = (model.coefficients[names.index(each)] for each in (name, other))
        rows.append(
            trial.estimate(
                **model.along(along, trial.level), id=f"{name}_vs_{other}", contrast=(name, other),
                n={each: counts[each] for each in (name, other)},
                detail={"mean": mean, "mean_reference": against, "people": len(trial.data)},
                note="inverse probability weights, error clustered by person",
            )
        )  # fmt: skip
    return unwrap(rows)


@method_over_all_arms("covariates stratum")
def second_treatments(
    trial: AnalysisRequest,
    second: str = "second_treatment",
    responded: str = "responded",
    first_probability: str = "first_probability",
    second_probability: str = "second_probability",
    by: Literal["pooled", "arm", "all"] = "pooled",
) -> Result:
    """Second treatments among people who did not respond to the first one: each against the first of them.

    Formula: least squares of y on the arm and the second treatment, weighted by one over the probability of all that a
    person was allocated to, with HC3 errors and t of n - k degrees of freedom. `by="arm"`: within each arm, from a mean
    for each arm and treatment; "all" gives both. Covariates and strata enter centred. Who responds may hang on the
    arm, so that arms are not compared here.
    Missing data: refused, but for `responded` and `second`.
    Reference: Murphy (2005), Stat. Med. 24:1455-1481.

    Example:
        >>> from analysis.estimators.core.examples import two_decisions
        >>> row = second_treatments(two_decisions(), outcome="score", arm="arm", control="plain")
        >>> row.contrast, round(row.estimate, 4), round(row.std_error, 4)
        (('stay', 'more'), -1.4, 1.4794)
    """
    if by not in ("pooled", "arm", "all"):
        raise AnalysisError.of("by", f"{by!r} is not known", "use pooled, arm or all")
    people = RegimePeople.of(trial, second, responded, first_probability, second_probability).without_response()
    rows: list[Estimate] = []
    for kind in ("pooled", "arm"):
        if by in (kind, "all"):
            rows += _among(people, by_arm=kind == "arm")
    return unwrap(rows)


def _among(people: RegimePeople, *, by_arm: bool) -> Iterator[Estimate]:
    trial, given = people.trial, people.treatments
    arm = (trial.codes[:, None] == np.arange(len(trial.labels))).astype(np.float64)
    had = people.had[:, None] == np.asarray(given[1:], dtype=object)
    groups = list(trial.labels) if by_arm else [""]
    shown = [arm[:, [code]] * had for code in range(len(trial.labels))] if by_arm else [had]
    design = np.column_stack([arm, *shown, _centred(trial)]).astype(np.float64)
    model = _Weighted(trial.varied_y, design, people.weights)
    for number, group in enumerate(groups):
        inside = trial.codes == number if by_arm else np.ones(len(trial.y), dtype=bool)
        for place, treatment in enumerate(given[1:]):
            along = np.zeros(design.shape[1])
            along[arm.shape[1] + number * (len(given) - 1) + place] = 1.0
            counts = {name: int((inside & (people.had == name)).sum()) for name in (treatment, given[0])}
            name = f"{group}{MARK}{treatment}_vs_{given[0]}" if group else f"{treatment}_vs_{given[0]}"
            yield trial.estimate(
                **model.along(along, trial.level), id=name, contrast=(treatment, given[0]), n=counts,
                note="among people who did not respond" + (f" in {group}" if group else "") + "; HC3 standard error",
                detail={"arm": group} if group else {},
            )  # fmt: skip


def _centred(trial: AnalysisRequest) -> Floats:
    more = np.column_stack([trial.x[0], trial.stratum_columns[0]])
    return np.asarray(more - more.mean(axis=0), dtype=np.float64)


class _Weighted:
    """Weighted least squares with a robust covariance: clustered where rows share a person, else HC3."""

    def __init__(self, y: Floats, design: Floats, weights: Floats, person: Any = None, needed: int = 0) -> None:
        kept = independent_columns(design * np.sqrt(weights)[:, None])
        if [column for column in range(needed) if column not in kept]:
            raise NotEstimable("the regimes are not distinguished by anybody who did not respond")
        self.width, self.kept = design.shape[1], kept
        model = sm.WLS(y, design[:, kept], weights=weights)
        # People are independent and not rows: one who responded has a row in each regime of the arm.
        groups = len(np.unique(person)) if person is not None else len(y)
        self.df = groups - len(kept)
        if self.df < 1:
            raise NotEstimable(f"{groups} people do not determine {len(kept)} columns")
        if person is None:
            fitted = model.fit(cov_type="HC3")
            self.covariance = np.asarray(fitted.cov_params())
        else:
            # statsmodels' correction also counts the rows, of which one person has several; G / (G - k) is of people
            # alone.
            fitted = model.fit(cov_type="cluster", cov_kwds={"groups": person, "use_correction": False})
            self.covariance = np.asarray(fitted.cov_params()) * groups / self.df
        self.coefficients = np.full(self.width, np.nan)
        self.coefficients[kept] = np.asarray(fitted.params)

    def along(self, contrast: Floats, level: float) -> dict[str, Any]:
        """Return the figures of one contrast of the columns."""
        if [place for place in np.flatnonzero(contrast) if place not in self.kept]:
            raise NotEstimable("a second treatment was given to too few people to be distinguished from the arm")
        part = contrast[self.kept]
        estimate = float(part @ self.coefficients[self.kept])
        error = float(np.sqrt(part @ self.covariance @ part))
        return t_interval(estimate, error, float(self.df), level)
