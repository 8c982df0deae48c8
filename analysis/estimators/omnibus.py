"""Several arms at once: omnibus tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimators.core.registry import Result, method_over_all_arms, unwrap
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import (
    AnalysisError,
    Floats,
    Ints,
    NotEstimable,
    covariate_columns,
    dummies,
    in_deviations,
    mean_and_spread,
    require_columns,
)
from analysis.estimators.numerics.cluster_covariance import ClusterRobust, few_clusters
from analysis.estimators.numerics.designs import additive
from analysis.estimators.numerics.linear import Fit, f_test, fit, independent_columns, one_way_f, t_interval


def samples_of(trial: AnalysisRequest, least: int) -> list[Floats]:
    """Return the outcome of each arm, in the order of labels; NotEstimable where an arm has fewer than `least`."""
    if trial.arm is None:
        raise AnalysisError.of("arm", "is not given", f"method {trial.method} compares arms: name their column")
    labels = trial.unordered_labels
    samples = [trial.y[trial.codes == index] for index in range(len(labels))]
    for label, sample in zip(labels, samples, strict=True):
        if len(sample) < least:
            raise NotEstimable(f"arm {label!r} has {len(sample)} observation(s); {least} are needed")
    _ = trial.varied_y
    return samples


@method_over_all_arms("covariates stratum")
def anova(trial: AnalysisRequest, moderator: str | None = None) -> Result:
    """One-way analysis of variance over all arms; with covariates or strata, the arms' F beyond them.

    Formula: F = (SSB / (k-1)) / (SSW / (n-k)); `df` is the denominator's, the numerator's is in the note, together
    with the Brown-Forsythe test of equal spread. `moderator`: rows for arm, moderator and their interaction by
    type II sums of squares. Effect size eta squared (partial, where there are other terms).
    Missing data: refused.
    Reference: Fisher (1925); Brown & Forsythe (1974), JASA 69:364-367; Fox (2016), ch. 8 for type II.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> row = anova(three_arms(), outcome="score", arm="arm", control="none")
        >>> round(row.statistic, 6), round(row.p_value, 6), round(row.effect_size.value, 6)
        (8.0, 0.006196, 0.571429)
    """
    samples = samples_of(trial, least=1)
    if moderator is not None:
        return _type_two(trial, moderator)  # written here: anova_lm wants formulas and columns of full rank
    if trial.covariates or trial.strata:
        return _nested_f(trial)
    top, bottom = len(samples) - 1, len(trial.y) - len(samples)
    if bottom < 1 or all(np.ptp(sample) == 0 for sample in samples):
        raise NotEstimable("no variation within arms to compare with")
    f, p = one_way_f(samples)
    # The median makes Levene's test hold its level under skewness, as of times (Brown & Forsythe 1974).
    spread = stats.levene(*samples, center="median")
    note = (
        f"F with {top} and {bottom} degrees of freedom; "
        f"Brown-Forsythe F = {spread.statistic:.12g}, p = {spread.pvalue:.12g}"
    )
    return trial.estimate(
        statistic=f, df=float(bottom), p_value=p, note=note, effect_size=eta_squared(f, top, bottom),
        detail={"df1": top, "df2": bottom, "brown_forsythe_f": spread.statistic, "brown_forsythe_p": spread.pvalue},
    )  # fmt: skip


def eta_squared(f: float, top: float, bottom: float) -> EffectSize:
    """Share of the variance between arms, from F."""
    return EffectSize("eta_squared", f * top / (f * top + bottom))


def _nested_f(trial: AnalysisRequest) -> Result:
    design = additive(trial)
    others = [index for index in range(design.columns.shape[1]) if index not in design.treated]
    full, small = fit(design.columns, trial.y), fit(design.columns[:, others], trial.y)
    return _f_row(trial, small.residuals, full.residuals, len(design.treated), full.df, "arms beyond the covariates")


def _f_row(
    trial: AnalysisRequest, small: Floats, large: Floats, top: int, bottom: int, what: str, scale: float = -1.0
) -> Result:
    gained = max(float(small @ small - large @ large), 0.0)
    # Type II sums of squares are all judged by the error of the full model, the others by that of the larger of two.
    error = scale if scale > 0 else float(large @ large)
    if bottom < 1 or error <= 0:
        raise NotEstimable("no residual variation to compare with")
    f, p = f_test((gained / top) / (error / bottom), top, bottom)
    return trial.estimate(
        id=what, statistic=f, df=float(bottom), p_value=p,
        note=f"{what}: F with {top} and {bottom} degrees of freedom", detail={"df1": top, "df2": bottom},
        effect_size=EffectSize("partial_eta_squared", gained / (gained + error)),
    )  # fmt: skip


def _type_two(trial: AnalysisRequest, moderator: str) -> Result:
    parts = _moderated(trial, moderator)
    base, arm, other, _ = parts
    full = _rank_fit(np.column_stack(parts), trial.y)
    bottom = len(trial.y) - full[1]
    error = float(full[0] @ full[0])
    steps = [
        (np.column_stack([base, other]), np.column_stack([base, other, arm]), "arm"),
        (np.column_stack([base, arm]), np.column_stack([base, other, arm]), "moderator"),
        (np.column_stack([base, other, arm]), np.column_stack(parts), "interaction"),
    ]
    rows = []
    for small, large, what in steps:
        left, right = _rank_fit(small, trial.y), _rank_fit(large, trial.y)
        row = _f_row(trial, left[0], right[0], max(right[1] - left[1], 1), bottom, what, error)
        rows += row if isinstance(row, list) else [row]
    return rows


def _moderated(trial: AnalysisRequest, moderator: str) -> list[Floats]:
    """Intercept and covariates, arms, moderator, products."""
    require_columns(trial.data, [moderator])
    arms = dummies(trial.codes, len(trial.unordered_labels))
    other = in_deviations(covariate_columns(trial.data, [moderator])[0])
    base = np.column_stack([np.ones(len(trial.y)), trial.x[0], trial.stratum_columns[0]])
    return [base, arms, other, (arms[:, :, None] * other[:, None, :]).reshape(len(arms), -1)]


def _rank_fit(columns: Floats, y: Floats) -> tuple[Floats, int]:
    kept = independent_columns(columns)
    return fit(columns[:, kept], y).residuals, len(kept)


@method_over_all_arms("covariates stratum cluster")
def interaction(trial: AnalysisRequest, moderator: str = "", vcov: str | None = None) -> Result:
    """Test whether the effect differs between subgroups: interaction of the arms with one moderator.

    Formula: y = a + arm + m + arm m (+ covariates, strata); one row per product term with t and n - p degrees of
    freedom, `vcov` as in `ols` (HC3 by default; CR2 and Satterthwaite with `cluster`).
    Detail: joint_f, joint_df1, joint_df2, joint_p of all of them.
    Missing data: refused. Only prespecified moderators: a row per subgroup tested is a chance to be wrong.
    Reference: Kent et al. (2020), Ann. Intern. Med. 172:35-45 (PATH).

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = interaction(two_arms(), outcome="score", arm="arm", control="no_ai", moderator="stratum")
        >>> round(row.estimate, 6), round(row.p_value, 6)
        (-1.333333, 0.749938)
    """
    require_columns(trial.data, [moderator])
    *main, product = _moderated(trial, moderator)
    if trial.cluster is not None and (vcov or "CR2").upper() != "CR2":
        raise AnalysisError.of("vcov", f"{vcov!r} takes no account of clusters", "use CR2, or leave it out")
    codes = None if trial.cluster is None else trial.cluster_codes
    trial.notes += [] if codes is None else few_clusters(trial)
    test = InteractionTest.of(np.column_stack(main), product, trial.varied_y, vcov or "HC3", codes)
    columns, names = covariate_columns(trial.data, [moderator])
    units = np.tile(1 / mean_and_spread(columns)[1], len(trial.pairs()))
    detail = {"joint_f": test.f, "joint_df1": test.df1, "joint_df2": test.df2, "joint_p": test.p_value}
    errors = dict(zip(test.terms, np.sqrt(np.diag(test.covariance)), strict=True))
    rows = []
    for term, (pair, name) in enumerate((p, n) for p in trial.pairs() for n in names):
        if term not in errors:
            rows.append(pair.estimate(id=name, note=f"not estimable: no rows tell {name} apart"))
            continue
        estimate = float(test.fitted.coefficients[test.columns[test.terms.index(term)]])
        unit = float(units[term])
        found = t_interval(unit * estimate, unit * float(errors[term]), test.df_of(term), trial.level)
        rows.append(pair.estimate(**found, id=name, note=f"difference of the effect for {name}", detail=detail))
    return unwrap(rows)


@dataclass(frozen=True)
class InteractionTest:
    """Joint Wald F of product terms beyond the main effects."""

    fitted: Fit
    terms: list[int]
    """Products that are estimable."""
    columns: list[int]
    """Their columns of the fit."""
    covariance: Floats
    """Of their coefficients."""
    over_clusters: tuple[float, ...] = ()
    """Satterthwaite's degrees of freedom of each, where people came in clusters."""

    @classmethod
    def of(
        cls, main: Floats, product: Floats, y: Floats, vcov: str | None = "HC3", clusters: Ints | None = None
    ) -> InteractionTest:
        """Fit main effects and products; with clusters (each row's) by CR2.

        Raises:
            NotEstimable: no product varies beyond the main effects, or nothing is left to judge errors by.
        """
        everything = np.column_stack([main, product])
        kept = independent_columns(everything)
        fitted = fit(everything[:, kept], y).with_residuals()
        columns = [place for place, index in enumerate(kept) if index >= main.shape[1]]
        if not columns:
            raise NotEstimable("too few people for the interaction")
        terms = [kept[place] - main.shape[1] for place in columns]
        if clusters is None:
            return cls(fitted, terms, columns, fitted.covariance(vcov)[np.ix_(columns, columns)])
        robust = ClusterRobust(fitted, clusters, "CR2")
        df = tuple(robust.df_of(place) for place in columns)
        return cls(fitted, terms, columns, robust.covariance[np.ix_(columns, columns)], df)

    @property
    def df1(self) -> int:
        """Products tested."""
        return len(self.columns)

    @property
    def df2(self) -> float:
        """Residual degrees of freedom; over clusters the smallest of the terms'."""
        # The smallest of the terms' is the careful choice: there is no one Satterthwaite value for a joint test.
        return min(self.over_clusters, default=float(self.fitted.df))

    def df_of(self, term: int) -> float:
        """Degrees of freedom of one product."""
        return self.over_clusters[self.terms.index(term)] if self.over_clusters else float(self.fitted.df)

    @property
    def f(self) -> float:
        """The statistic."""
        b = self.fitted.coefficients[self.columns]
        return float(b @ np.linalg.solve(self.covariance, b)) / self.df1

    @property
    def p_value(self) -> float:
        """Of the F test."""
        return float(stats.f.sf(self.f, self.df1, self.df2))


@method_over_all_arms()
def welch_anova(trial: AnalysisRequest) -> Result:
    """Omnibus comparison of means with unequal variances.

    Formula: Welch's F with weights n/s^2; `df` is the (fractional) denominator's, the numerator's is in the note.
    Effect size eta squared. Missing data: refused.
    Reference: Welch (1951), Biometrika 38:330-336.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> row = welch_anova(three_arms(), outcome="score", arm="arm", control="none")
        >>> round(row.statistic, 6), round(row.df, 6), round(row.p_value, 6)
        (7.384615, 8.0, 0.015239)
    """
    from statsmodels.stats.oneway import anova_oneway  # takes a second to import

    samples = samples_of(trial, least=2)
    if any(np.ptp(sample) == 0 for sample in samples):
        raise NotEstimable("an arm does not vary, so its weight is infinite")
    found = anova_oneway(samples, use_var="unequal", welch_correction=True)
    top, bottom = (float(df) for df in found.df)
    # Welch's F weighs the arms by their variances, so that no share of variance follows from it.
    plain = one_way_f(samples)[0]
    return trial.estimate(
        statistic=float(found.statistic), df=bottom, p_value=float(found.pvalue),
        note=f"F with {top:g} and {bottom:.6f} degrees of freedom", detail={"df1": top, "df2": bottom},
        effect_size=eta_squared(plain, len(samples) - 1, len(trial.y) - len(samples)),
    )  # fmt: skip


@method_over_all_arms()
def kruskal(trial: AnalysisRequest) -> Result:
    """Omnibus comparison of ranks over all arms.

    Formula: H corrected for ties, chi-square with k-1 degrees of freedom; eta squared = (H - k + 1) / (n - k).
    Missing data: refused.
    Reference: Kruskal & Wallis (1952), JASA 47:583-621; Tomczak & Tomczak (2014) for the effect size.

    Example:
        >>> from analysis.estimators.core.examples import three_arms
        >>> row = kruskal(three_arms(), outcome="score", arm="arm", control="none")
        >>> round(row.statistic, 6), row.df, round(row.p_value, 6)
        (8.115942, 2.0, 0.017284)
    """
    samples = samples_of(trial, least=1)
    h, p = stats.kruskal(*samples)
    k, n = len(samples), len(trial.y)
    eta = (float(h) - k + 1) / (n - k) if n > k else np.nan
    return trial.estimate(
        statistic=float(h), df=float(k - 1), p_value=float(p), effect_size=EffectSize("eta_squared", eta),
        note="rank test",
    )  # fmt: skip
