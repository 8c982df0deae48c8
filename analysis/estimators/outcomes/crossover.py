"""One person under several treatments, one in each period: differences within people, adjusted for the period.

Written here because no library has it; with two periods it is the t test on half-differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import (
    AnalysisError,
    Floats,
    Ints,
    NotEstimable,
    complete,
    dummies,
    groups,
    label_of,
    levels_of,
)
from analysis.estimators.numerics.cluster_covariance import ClusterRobust
from analysis.estimators.numerics.linear import Fit, f_test, fit, independent_columns, one_way_f, t_interval


@method_over_all_arms()
def crossover(trial: AnalysisRequest, person: str = "", period: str = "", vcov: str | None = None) -> Result:
    """Difference between treatments within people, adjusted for the periods; one row of data per person and period.

    Formula: y = person + period + treatment by least squares, `arm` the treatment of the period. With two periods the
    classical error: the two-sample t test on half-differences of the two orders (Hills & Armitage), n - 2 degrees of
    freedom. With more, CR2 over people and Satterthwaite (`vcov`: "classical" or "CR2" chooses). People with one
    period say nothing of a difference. Missing data: refused; leave the row out.
    Detail: people, periods, period_effects (against the first), period_p, carryover_p (of a first treatment on the
    person's mean with two periods, else of the treatment before), vcov.
    Reference: Hills & Armitage (1979), Br. J. Clin. Pharmacol. 8:7-20; Senn (2002), Cross-over Trials, ch. 3-5.

    Example:
        >>> import pandas as pd
        >>> rows = [(p, k, "ai" if (p + k) % 2 else "no_ai", 9 + p - k - 4 * ((p + k) % 2) + (p == 3) * k)
        ...         for p in range(8) for k in (1, 2)]
        >>> table = pd.DataFrame(rows, columns=["person", "period", "treatment", "minutes"])
        >>> row = crossover(
        ...     table, outcome="minutes", arm="treatment", control="no_ai", person="person", period="period"
        ... )
        >>> round(row.estimate, 6), row.df, round(row.std_error, 6)
        (-3.875, 6.0, 0.125)
    """
    if vcov not in (None, "classical", "CR2"):
        raise AnalysisError.of("vcov", f"{vcov!r} is not known", "use classical or CR2")
    model = Periods.of(trial, person, period)
    fitted = model.fitted(trial.varied_y)
    kind = vcov or ("classical" if model.periods == 2 else "CR2")
    robust = ClusterRobust(fitted, model.people, "CR2") if kind == "CR2" else None
    covariance = model.classical(fitted) if robust is None else robust.covariance
    detail = {**model.described(fitted), "vcov": kind}
    if model.periods == 2:
        detail["carryover_p"] = model.carryover_of_two(trial.y)
    rows = []
    for pair in trial.pairs():
        place = model.treated[pair.index - 1]
        df = float(model.df) if robust is None else robust.df_of(place)
        found = t_interval(float(fitted.coefficients[place]), float(np.sqrt(covariance[place, place])), df, trial.level)
        note = f"within {model.count} people over {model.periods} periods, {kind} standard error"
        rows.append(pair.estimate(**found, note=note, detail=detail))
    return unwrap(rows)


@dataclass(frozen=True)
class Periods:
    """Periods and treatments of people, each person's own mean taken out (Frisch & Waugh 1933)."""

    people: Ints
    when: Ints
    arms: Ints
    count: int
    periods: int
    columns: Floats
    """(rows, periods - 1 + treatments - 1), linearly independent."""
    treated: list[int]
    """Columns of the treatments."""

    @classmethod
    def of(cls, trial: AnalysisRequest, person: str, period: str) -> Periods:
        """Of a table with one row per person and period.

        Raises:
            AnalysisError: a column is missing, or a person has a period twice.
            NotEstimable: people had one treatment, or the treatments follow the periods.
        """
        for key, name in (("person", person), ("period", period)):
            if name not in trial.data.columns:
                raise AnalysisError.of(key, f"{name!r} is not a column", f"name the column of the {key}")
        people, when = groups(trial.data, [person])[0], _in_order(trial.data, period)
        if len(np.unique(people * (when.max() + 1) + when)) < len(people):
            raise AnalysisError.of(f"column {period!r}", "a person has a period twice", "keep one row for each period")
        blocks = [dummies(when, int(when.max()) + 1), dummies(trial.codes, len(trial.labels))]
        columns = centred(np.column_stack(blocks), people)
        first = blocks[0].shape[1]
        kept = independent_columns(columns)
        if any(first + index not in kept for index in range(blocks[1].shape[1])):
            raise NotEstimable("the treatments cannot be distinguished from people and periods")
        treated = [kept.index(first + index) for index in range(blocks[1].shape[1])]
        several = int((np.bincount(people) > 1).sum())
        return cls(people, when, trial.codes, several, int(when.max()) + 1, columns[:, kept], treated)

    @property
    def df(self) -> int:
        """Residual degrees of freedom: rows less people less columns."""
        # People's means were taken out of the columns, but each still costs a degree of freedom.
        left: int = len(self.people) - len(np.unique(self.people)) - self.columns.shape[1]
        return left

    def fitted(self, y: Floats) -> Fit:
        """Least squares within people."""
        if self.df < 1:
            raise NotEstimable(f"{self.count} people with several periods leave no degree of freedom")
        return fit(self.columns, self.within(y)).with_residuals()

    def within(self, y: Floats) -> Floats:
        """Return an outcome less each person's own mean."""
        return centred(y[:, None], self.people)[:, 0]

    def classical(self, fitted: Fit) -> Floats:
        """Covariance under equal independent errors within people."""
        return np.asarray(fitted.gram_inverse * float(fitted.residuals @ fitted.residuals) / self.df, dtype=np.float64)

    def described(self, fitted: Fit) -> dict[str, Any]:
        """Period effects, their test, and the test of carry-over."""
        places = [index for index in range(self.columns.shape[1]) if index not in self.treated]
        found: dict[str, Any] = {"people": self.count, "periods": self.periods, "carryover_p": self._carryover(fitted)}
        if places:
            b, spread = fitted.coefficients[places], self.classical(fitted)[np.ix_(places, places)]
            f = float(b @ np.linalg.solve(spread, b)) / len(places)
            found |= {"period_effects": b.tolist(), "period_p": float(stats.f.sf(f, len(places), self.df))}
        return found

    def carryover_of_two(self, y: Floats) -> float | None:
        """P that people's means differ by the treatment that came first: carry-over, or an effect of the order."""
        both = np.bincount(self.people) == 2
        means = np.bincount(self.people, y) / np.maximum(np.bincount(self.people), 1)
        first = np.full(len(both), -1, dtype=np.int64)
        first[self.people[self.when == 0]] = self.arms[self.when == 0]
        # With two treatments a person's sum is free of their difference: what is left between orders is carry-over
        # (Grizzle 1965). It is reported and not used to choose an analysis, which would inflate the error (Freeman
        # 1989).
        samples = [means[both & (first == arm)] for arm in np.unique(first[both])]
        if len(samples) < 2 or min(map(len, samples)) < 2 or all(np.ptp(sample) == 0 for sample in samples):
            return None
        return one_way_f(samples)[1]

    @cached_property
    def _before(self) -> Ints:
        """Treatment of the period before, -1 where there is none."""
        table = np.full((int(self.people.max()) + 1, self.periods + 1), -1, dtype=np.int64)
        table[self.people, self.when + 1] = self.arms
        return np.asarray(table[self.people, self.when], dtype=np.int64)

    def _carryover(self, fitted: Fit) -> float | None:
        """P of the treatment before beyond people, periods and treatments; None where they coincide.

        Of two periods see `carryover_of_two`.
        """
        if self.periods == 2:
            return None
        lagged = np.column_stack([self._before == arm for arm in range(1, int(self.arms.max()) + 1)]).astype(np.float64)
        columns = np.column_stack([self.columns, centred(lagged, self.people)])
        kept = independent_columns(columns)
        extra = len(kept) - self.columns.shape[1]
        if extra < 1 or self.df - extra < 1:
            return None
        more = fit(columns[:, kept], fitted.y)
        left, right = float(fitted.residuals @ fitted.residuals), float(more.residuals @ more.residuals)
        return f_test((left - right) / extra / (right / (self.df - extra)), extra, self.df - extra)[1]


def _in_order(data: pd.DataFrame, period: str) -> Ints:
    """Each row's period as 0, 1, ... by value, or by the order of its categories: as text, 10 comes before 2."""
    cells = complete(data, period)
    place = {label: index for index, label in enumerate(levels_of(cells))}
    return np.unique([place[label_of(cell)] for cell in cells], return_inverse=True)[1].astype(np.int64)


def centred(columns: Floats, people: Ints) -> Floats:
    """Columns (rows, k) less each person's own mean.

    >>> centred(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1])).ravel().tolist()
    [-1.0, 1.0, 0.0]
    """
    counts = np.bincount(people)
    means = np.stack([np.bincount(people, column) / counts for column in columns.T], axis=1)
    return np.asarray(columns - means[people], dtype=np.float64)
