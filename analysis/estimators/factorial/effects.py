"""Effects of crossed factors by one regression over the cells, and their re-randomisation, factor by factor."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from analysis.estimators.core.effect_sizes import hedges_g, pooled_sd
from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, NotEstimable
from analysis.estimators.factorial.cells import KINDS, Cells, Effect
from analysis.estimators.numerics.assignments import ReplicateAssignments, complete
from analysis.estimators.numerics.cluster_covariance import ALONE, ClusterRobust
from analysis.estimators.numerics.designs import DesignMatrix, additive, interacted
from analysis.estimators.numerics.linear import Fit, fit, independent_columns, t_interval, vcov_name
from analysis.estimators.numerics.replicated_regression import Regression, Test, vcov_of_draws

EffectKind = Literal["main", "interaction", "simple", "control", "all"]
HELD = "_held"
"""Column of what is held while a factor is re-randomised."""


@method_over_all_arms("covariates stratum cluster", without="arm control")
def factorial(
    trial: AnalysisRequest,
    factors: Sequence[str] | None = None,
    effects: EffectKind = "main",
    vcov: str | None = None,
    own_slopes: bool = True,
    nested: str = "control",
) -> Result:
    """Effects of crossed factors: main effects, interactions, simple effects, and cells against a nested control.

    Formula: y by cell, covariates centred with their own slope in each cell (Lin), strata as main effects, by least
    squares; an effect is a contrast of the cells' adjusted means. `effects`: "main" (a level less the first one, over
    the levels of the other factors with equal weights, as effect coding does), "interaction" (differences of
    differences, of every order), "simple" (a level less the first one in each cell of the other factors), "control"
    (all cells, and each level, less the rows without any level), or "all". With factors of two levels coded -1 and 1
    a main effect is twice its coefficient, an interaction of two four times (`detail`: coefficient). `factors`: their
    columns; the order of categories is that of the levels. HC3 by default (`vcov`), CR2 with `cluster`; t with n - p
    degrees of freedom. `own_slopes=False`: a common slope for each covariate. `nested` names the control in contrasts;
    main effects, interactions and simple effects are of the cells alone. With about twelve people a cell HC3 is
    conservative, and HC2 holds the level.
    Missing data: refused. Levels are missing in all factors, for the nested control, or in none.
    Reference: Lin (2013), Ann. Appl. Stat. 7:295-318; Zhao & Ding (2022), J. Econometrics 226:251-276.

    Example:
        >>> from analysis.estimators.core.examples import crossed_factors
        >>> rows = factorial(crossed_factors(), outcome="score", factors=("help", "pace"), effects="all")
        >>> [(row.id, round(row.estimate, 6)) for row in rows[:3]]
        [('help', 2.833333), ('pace', 0.833333), ('help_x_pace', -1.0)]
    """
    wanted = KINDS if effects == "all" else (effects,)
    if not set(wanted) <= set(KINDS):
        raise AnalysisError.of("effects", f"{effects!r} is not known", f"use all or one of {', '.join(KINDS)}")
    cells = Cells.of(trial, factors, nested)
    if effects == "control" and not cells.has_control:
        raise AnalysisError.of("effects", "every row has levels, so there is no control", "leave out effects='control'")
    inner = [row for kind in wanted if kind != "control" for row in cells.effects(kind)]
    outer = cells.effects("control") if "control" in wanted and cells.has_control else []
    rows: list[Estimate] = []
    # Two fits: the nested control would otherwise enter the covariates' means about which main effects are centred.
    for chosen, with_control in ((inner, False), (outer, True)):
        if chosen:
            model = _Model.of(cells.request(with_control=with_control), vcov, own_slopes)
            rows += [model.row(cells, effect) for effect in chosen]
    return unwrap(rows)


class _Model:
    """The regression over cells as arms."""

    def __init__(self, trial: AnalysisRequest, design: DesignMatrix, fitted: Fit, vcov: str | None) -> None:
        self.trial, self.design, self.fitted = trial, design, fitted
        self.robust = ClusterRobust.of(trial, fitted, vcov) if trial.cluster is not None else None
        self.kind = self.robust.kind if self.robust else vcov_name(vcov or "HC3")
        self.covariance = self.robust.covariance if self.robust else fitted.covariance(self.kind)

    @classmethod
    def of(cls, trial: AnalysisRequest, vcov: str | None, own_slopes: bool) -> _Model:
        """Fit it."""
        design = interacted(trial) if own_slopes else additive(trial)
        return cls(trial, design, fit(design.columns, trial.varied_y).with_residuals(), vcov)

    def row(self, cells: Cells, effect: Effect) -> Estimate:
        """Return the estimate of one effect; the first cell's mean is the intercept, which no contrast moves."""
        names = [*cells.names, cells.nested]
        weights = {name: float(weight) for name, weight in zip(names, effect.weights, strict=False)}
        # The weights add up to 0, so that the intercept (the first cell's mean) cancels and contrasts of the
        # coefficients will do.
        along = np.zeros(self.design.columns.shape[1])
        for column, label in zip(self.design.treated, self.trial.labels[1:], strict=True):
            along[column] = weights.get(label, 0.0)
        estimate = float(along @ self.fitted.coefficients)
        error = float(np.sqrt(along @ self.covariance @ along))
        alone = self.robust is not None and self.robust.is_alone(along)
        groups = sides(cells, effect)
        numbers = {"estimate": estimate}
        if not alone:
            df = self.robust.df_along(along) if self.robust else float(self.fitted.df)
            numbers = t_interval(estimate, error, df, self.trial.level)
        return self.trial.estimate(
            **numbers, id=effect.name, contrast=effect.contrast, n={name: len(y) for name, y in groups.items()},
            effect_size=_standardised(estimate, effect, groups, self.trial.level),
            note=ALONE if alone else f"{self.kind} standard error",
            detail=_detail(effect, estimate) | {"vcov": self.kind},
        )  # fmt: skip


def sides(cells: Cells, effect: Effect) -> dict[str, Floats]:
    """Return the outcomes on each side of an effect; of an interaction those of each cell."""
    y = cells.trial.y
    if effect.contrast is None:
        return {name: y[cells.codes == number] for number, name in enumerate(cells.names)}
    signs = np.sign(effect.weights)
    codes = np.where(cells.codes < 0, len(cells.names), cells.codes)
    signs = np.append(signs, 0.0) if len(signs) == len(cells.names) else signs
    return {name: y[signs[codes] == sign] for name, sign in zip(effect.contrast, (1.0, -1.0), strict=True)}


def _standardised(estimate: float, effect: Effect, groups: dict[str, Floats], level: float) -> EffectSize | None:
    if effect.contrast is None:
        return None
    treated, control = groups.values()
    if len(treated) + len(control) < 3:
        return None
    return hedges_g(estimate, pooled_sd(treated, control), len(treated), len(control), level)


def _detail(effect: Effect, estimate: float) -> dict[str, Any]:
    found: dict[str, Any] = {"effect": effect.kind, "factors": list(effect.factors)}
    return found | ({"coefficient": estimate / effect.coding} if effect.coding > 1 else {})


@method_over_all_arms("covariates stratum", without="arm control")
def factorial_rerandomization(
    trial: AnalysisRequest,
    factors: Sequence[str] | None = None,
    replicates: int = 9999,
    within: str | None = None,
    vcov: str | None = None,
    own_slopes: bool = True,
    alternative: str = "two-sided",
    interval: bool = True,
) -> Result:
    """Re-randomisation test of each factor's main effect, the levels of the other factors held, with its interval.

    Formula: the estimate of method `factorial` over its standard error; its reference set is every assignment (or
    `replicates` draws) of the factor's levels within the cells of the other factors, and within the blocks of `within`
    where it names a column: what allocation in blocks, or in fixed numbers, could have done given the other factors.
    p = (1 + #{|t*| >= |t|}) / (R + 1), or #/N where all are enumerated. The interval holds every constant effect that
    the test does not reject. `vcov`: HC3 (default) or HC2. Rows without levels (a nested control) are left out.
    Missing data: refused. No seed means seed 0.
    Reference: Branson, Dasgupta & Rubin (2016), Ann. Appl. Stat. 10:1958-1976; Wu & Ding (2021), JASA 116:1898-1913.

    Example:
        >>> from analysis.estimators.core.examples import crossed_factors
        >>> rows = factorial_rerandomization(crossed_factors(), outcome="score", factors=("help", "pace"))
        >>> [(row.id, round(row.estimate, 6), round(row.p_value, 4)) for row in rows]
        [('help', 2.833333, 0.03), ('pace', 0.833333, 0.45)]
    """
    if alternative not in ("two-sided", "greater", "less"):
        raise AnalysisError.of("alternative", f"{alternative!r} is not known", "use two-sided, greater or less")
    tests = factor_tests(trial, factors, replicates, within, vcov, own_slopes)
    return unwrap([test.row(effect, alternative, interval) for test in tests for effect in test.effects()])


def factor_tests(
    trial: AnalysisRequest, factors: Sequence[str] | None, replicates: int, within: str | None, vcov: str | None,
    own_slopes: bool,
) -> list[FactorTest]:  # fmt: skip
    """Return the test of each factor; for the arguments see `factorial_rerandomization`."""
    if replicates < 1:
        raise AnalysisError.of("replicates", f"{replicates} is not a positive count", "ask for 9999, say")
    cells = Cells.of(trial, factors, "control")
    if within is not None and within not in trial.data.columns:
        raise AnalysisError.of(f"column {within!r}", "is not in the table", "name the column of the blocks")
    inside = replace(trial, data=trial.data[cells.inside].reset_index(drop=True), notes=[])
    whole = Cells.of(inside, list(cells.factors), "control")
    _ = inside.varied_y
    return [
        FactorTest(whole, factor, within, vcov_of_draws(vcov or "HC3"), own_slopes, replicates)
        for factor in whole.factors
    ]


class FactorTest:
    """One factor drawn again while the others are held."""

    def __init__(
        self, cells: Cells, factor: str, within: str | None, vcov: str, own_slopes: bool, replicates: int
    ) -> None:
        self.cells, self.factor = cells, factor
        place = list(cells.factors).index(factor)
        others = [(*cell[:place], *cell[place + 1 :]) for cell in cells.combinations]
        known = list(dict.fromkeys(others))
        self.levels = cells.factors[factor]
        of_cells = np.asarray([known.index(other) for other in others])
        self._cells = of_cells, np.asarray([self.levels.index(cell[place]) for cell in cells.combinations])
        held = of_cells[cells.codes]
        self.codes = self._cells[1][cells.codes]
        self.model = _regression(cells.trial, held, len(known), own_slopes, vcov)
        self.drawn = self._drawn(held, within, replicates)

    def effects(self) -> list[Effect]:
        """Return the factor's main effects."""
        return [effect for effect in self.cells.effects("main") if effect.factors == (self.factor,)]

    def drawn_cells(self) -> Ints:
        """Return the cell of each row in each assignment (assignments, rows)."""
        held, levels = self._cells
        place = np.empty((held.max() + 1, len(self.levels)), dtype=np.int64)
        place[held, levels] = np.arange(len(held))
        return np.asarray(place[held[self.cells.codes], self.drawn.codes], dtype=np.int64)

    def on_first(self, count: int) -> FactorTest:
        """Return the test on the first assignments alone."""
        found = copy(self)
        codes = self.drawn.codes[:count]
        found.drawn = replace(self.drawn, codes=codes, exact=self.drawn.exact and len(codes) == len(self.drawn.codes))
        return found

    def _drawn(self, held: Any, within: str | None, replicates: int) -> ReplicateAssignments:
        drawn = np.asarray(self.levels, dtype=object)[self.codes]
        data = self.cells.trial.data.assign(**{HELD: held, self.factor: drawn})
        strata = (HELD, *([within] if within else []))
        trial = replace(
            self.cells.trial, data=data, arm=self.factor, control=self.levels[0], strata=strata, covariates=(), notes=[]
        )
        # Codes of a request put the control first and then sort: the levels' own order is restored.
        order = np.asarray([self.levels.index(label) for label in trial.labels], dtype=np.int8)
        found = complete(trial, replicates, np.random.default_rng(trial.seed or 0))
        return replace(found, codes=order[found.codes], how=f"{self.factor} permuted with the other factors held")

    def row(self, effect: Effect, alternative: str, interval: bool) -> Estimate:
        """Return the test of one level against the first."""
        trial, level = self.cells.trial, self.levels.index(present_level(effect))
        # A constant effect of this level over the first, the same in all cells: the hypothesis that the interval
        # inverts.
        shift = (self.codes == level).astype(np.float64) if interval else None
        observed, others = self.model.moments(self.codes, self.drawn.codes, level, len(self.levels), shift)
        if not np.isfinite(observed.studentised()[0]):
            raise NotEstimable("the statistic does not exist for the observed assignment; use fewer covariates")
        test = Test(observed, others, self.drawn.exact, alternative)
        low, high = test.interval(trial.level) if interval else (np.nan, np.nan)
        groups, estimate = sides(self.cells, effect), float(observed.a[0])
        lost = self.model.fixed.shape[1] + self.model.interacted * (len(self.levels) - 1)
        count = len(self.drawn.codes)
        return trial.estimate(
            id=effect.name, contrast=effect.contrast, n={name: len(y) for name, y in groups.items()},
            estimate=estimate, std_error=float(np.sqrt(observed.yy[0])), df=float(len(trial.y) - lost),
            statistic=float(observed.studentised()[0]), p_value=test.p_value(), ci_low=low, ci_high=high,
            effect_size=_standardised(estimate, effect, groups, trial.level) if interval else None,
            note=f"{self.drawn.how}: {'all ' * self.drawn.exact}{count} assignments, {self.model.vcov} variance",
            detail=_detail(effect, estimate) | {"assignments": count, "exact": self.drawn.exact},
        )  # fmt: skip


def present_level(effect: Effect) -> str:
    """Return the level that a main effect compares with the first."""
    if effect.contrast is None:
        raise AnalysisError.of("effects", f"{effect.name!r} compares no two levels", "ask for main effects")
    return effect.contrast[0]


def _regression(trial: AnalysisRequest, held: Any, count: int, own_slopes: bool, vcov: str) -> Regression:
    """Return the model of `factorial`, with what belongs to the other factors as fixed columns.

    These are coded to add up to zero over their cells, so that the factor's own coefficient is its effect at their
    unweighted mean: the main effect.
    """
    ones = np.ones((len(held), 1))
    coded = (held[:, None] == np.arange(count - 1)).astype(np.float64) - (held[:, None] == count - 1)
    x = trial.x[0] - trial.x[0].mean(axis=0)
    slopes = np.column_stack([x, (coded[:, :, None] * x[:, None, :]).reshape(len(x), -1)]) if own_slopes else x
    own = np.column_stack([ones, coded, slopes] if own_slopes else [ones, coded])
    own = own[:, independent_columns(own)]
    fixed = np.column_stack([own, *([] if own_slopes else [slopes]), trial.stratum_columns[0]])
    return Regression(trial.y, fixed[:, independent_columns(fixed)], own.shape[1], vcov)
