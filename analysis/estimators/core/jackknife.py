"""Standard errors of people in clusters for methods without their own covariance: leave out one cluster at a time.

Written here because no library has it for these methods. It is CR3 (CV3) of a least-squares fit, and the choice that
holds its level with few clusters (Bell & McCaffrey 2002; MacKinnon, Nielsen & Webb 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import ROUNDED, AnalysisError, Floats, NotEstimable, label_of
from analysis.estimators.numerics.cluster_covariance import anova_icc, clusters_per_arm, few_clusters

Figures = Callable[[AnalysisRequest], Sequence[float]]
ROUGH = ("median", "hodges_lehmann_shift")
"""Effect sizes that jump from value to value, so that leaving out clusters says nothing of their error."""
OF_PEOPLE = frozenset(
    "ph_chi2 ph_df ph_p anderson_rubin wu_hausman wu_hausman_p sargan sargan_p first_stage_f mean_std_error mean_ci "
    "risk_ci joint_f joint_df1 joint_df2 joint_p exact vcov".split()
)
"""Figures of a method's detail that take people as independent."""


def over_clusters(trial: AnalysisRequest, run: Callable[[AnalysisRequest], Sequence[Estimate]]) -> list[Estimate]:
    """Return the rows of a method with errors, p and intervals from leaving out one cluster at a time.

    T, clusters - arms.

    Args:
        trial: with clusters.
        run: the method's rows of a request without them.
    """
    rows = run(replace(trial, cluster=None, notes=[]))
    scales = [_Scale.of(row) for row in rows]

    def figures(part: AnalysisRequest) -> list[float]:
        found = run(part)
        if len(found) != len(rows):
            raise NotEstimable("leaving out a cluster leaves fewer rows")
        return [value for row, scale in zip(found, scales, strict=True) for value in scale.figures(row)]

    whole = [value for row, scale in zip(rows, scales, strict=True) for value in scale.figures(row)]
    errors = leave_one_out_errors(trial, figures, np.asarray(whole))
    about = about_clusters(trial)
    # A mean is estimated for each arm, as t tests of cluster means count (Donner & Klar 2000); n - p of the people
    # would be far too many, for they are not independent.
    df = float(max(about["clusters"] - (len(trial.unordered_labels) if _has_arms(trial) else 1), 1))
    noted = "; ".join([*trial.notes, *(few_clusters(trial) if _has_arms(trial) else [])])
    return [
        scale.row(row, whole[2 * i : 2 * i + 2], errors[2 * i : 2 * i + 2], df, about, noted)
        for i, (row, scale) in enumerate(zip(rows, scales, strict=True))
    ]


def leave_one_out_errors(trial: AnalysisRequest, figures: Figures, whole: Floats) -> Floats:
    """Return standard errors of figures: sqrt((G - 1)/G sum (figure without a cluster - figure)^2).

    Raises:
        NotEstimable: fewer than three clusters, or a cluster without which the figures do not exist.
    """
    codes = trial.cluster_codes
    count = int(codes.max()) + 1
    if count < 3:
        raise NotEstimable(f"{count} clusters are too few for a standard error over clusters")
    found = np.empty((count, len(whole)))
    for code in range(count):
        data = trial.data[codes != code].reset_index(drop=True)
        try:
            found[code] = figures(replace(trial, data=data, cluster=None, notes=[]))
        except (AnalysisError, NotEstimable, np.linalg.LinAlgError, ArithmeticError):
            named = label_of(trial.data[trial.cluster].iloc[int(np.argmax(codes == code))])
            reason = f"without cluster {named!r} nothing can be estimated, so no standard error over clusters"
            raise NotEstimable(reason) from None
    # About the estimate itself and not about the mean of the estimates without a cluster: CV3 rather than CV3J of
    # MacKinnon, Nielsen & Webb (2023), a little larger.
    return np.asarray(np.sqrt((count - 1) / count * ((found - whole) ** 2).sum(axis=0)), dtype=np.float64)


def about_clusters(trial: AnalysisRequest) -> dict[str, Any]:
    """Clusters, those of each arm, and the intraclass correlation of the outcome within arms (one-way ANOVA)."""
    codes = trial.cluster_codes
    found: dict[str, Any] = {"clusters": int(codes.max()) + 1}
    y = trial.y_with_gaps
    seen = ~np.isnan(y)
    if _has_arms(trial):
        found["clusters_per_arm"] = clusters_per_arm(trial)
        y = y.copy()
        for index in range(len(trial.labels)):
            mine = seen & (trial.codes == index)
            # The effect itself must not count as a likeness of clusters, each of which is in one arm.
            y[mine] -= y[mine].mean() if mine.any() else 0.0
    _, dense = np.unique(codes[seen], return_inverse=True)
    return {**found, "icc": anova_icc(y[seen], dense)}


def _has_arms(trial: AnalysisRequest) -> bool:
    return trial.arm is not None and not trial.is_dose and trial.control is not None


class _Scale:
    """The scale on which a row's estimate and effect size are near normal."""

    def __init__(self, to: Callable[[float], float], back: Callable[[float], float]) -> None:
        self.to, self.back = to, back
        self.of_effect: _Scale | None = None

    @classmethod
    def of(cls, row: Estimate) -> _Scale:
        """Of a row by its method, unit and effect size."""
        if row.unit in ("ratio", "odds ratio"):
            # Ratios are skew and cannot be negative: errors are symmetric on their logarithm.
            found = cls(_log, lambda x: float(np.exp(x)))
        elif row.method == "kaplan_meier":
            found = cls(_log_log, lambda x: float(np.exp(-np.exp(x))))
        else:
            found = cls(float, float)
        effect = row.effect_size
        if effect is not None and effect.value is not None and effect.name not in ROUGH:
            ratio = "ratio" in effect.name and not effect.name.startswith("log")
            found.of_effect = cls(_log, lambda x: float(np.exp(x))) if ratio else cls(float, float)
        return found

    def figures(self, row: Estimate) -> list[float]:
        """Estimate and effect size on their scales; NaN for what these rows do not have."""
        # NaN carries through to the error: a figure that does not exist without a cluster has none. A number in its
        # place, 0 say, would be a difference like any other and give an error that means nothing.
        effect = np.nan if row.effect_size is None or row.effect_size.value is None else row.effect_size.value
        own = np.nan if row.estimate is None else self.to(row.estimate)
        return [own, np.nan if self.of_effect is None else self.of_effect.to(effect)]

    def row(
        self, row: Estimate, at: Sequence[float], errors: Floats, df: float, about: dict[str, Any], noted: str
    ) -> Estimate:
        """Return the row with what the clusters say of its error."""
        if row.estimate is None:
            return row
        if not (errors[0] > ROUNDED * abs(at[0]) and np.isfinite(errors[0])):
            text = "; ".join(part for part in (_why_no_error(at[0], float(errors[0])), noted) if part)
            return replace(row, std_error=None, df=None, statistic=None, p_value=None, ci_low=None, ci_high=None,
                           note=text)  # fmt: skip
        reach = float(stats.t.ppf(0.5 + row.ci_level / 2, df))
        # A share of pairs won is 1/2, and not 0, where the arms are alike.
        t = (at[0] - (0.5 if _is_share(row) else 0.0)) / float(errors[0])
        tested = row.method not in ("kaplan_meier", "rmst_by_arm")
        ends = sorted(self.back(at[0] + side * reach * float(errors[0])) for side in (-1, 1))
        if _is_share(row):
            ends = [max(ends[0], 0.0), min(ends[1], 1.0)]
        note = f"standard error over {about['clusters']} clusters, each left out once (CR3)"
        detail = {key: value for key, value in row.detail.items() if key not in OF_PEOPLE}
        return replace(
            row, std_error=float(errors[0]), df=df, statistic=t if tested else None,
            p_value=float(2 * stats.t.sf(abs(t), df)) if tested else None, ci_low=ends[0], ci_high=ends[1],
            effect_size=self._effect(row.effect_size, at[1], float(errors[1]), reach),
            note="; ".join(part for part in (note, noted) if part), detail={**detail, **about, "vcov": "CR3"},
        )  # fmt: skip

    def _effect(self, effect: EffectSize | None, at: float, error: float, reach: float) -> EffectSize | None:
        if effect is None or self.of_effect is None or not error > ROUNDED * abs(at):
            return None if effect is None else EffectSize(effect.name, effect.value)
        ends = sorted(self.of_effect.back(at + side * reach * error) for side in (-1, 1))
        return EffectSize(effect.name, effect.value, ends[0], ends[1])


def _is_share(row: Estimate) -> bool:
    return row.method in ("mann_whitney", "brunner_munzel")


def _why_no_error(at: float, error: float) -> str:
    if np.isnan(at):
        return "the estimate lies at an end of its scale, so no standard error over clusters"
    if np.isnan(error):
        return "without one of the clusters there is no such estimate, so no standard error over clusters"
    return "the clusters do not vary, so no standard error"


def _log(value: float) -> float:
    return float(np.log(value)) if value > 0 else np.nan


def _log_log(value: float) -> float:
    return float(np.log(-np.log(value))) if 0 < value < 1 else np.nan
