"""Raw means by arm, as rows of results.json: what every sentence about a difference begins with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data.view import View
from analysis.estimators.core.effect_sizes import deviation
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.methods import METHODS
from analysis.estimators.outcomes.proportions import wilson
from analysis.pipeline.analysis_table import AnalysisTable
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Outcome, Plan


def mean_rows(frame: AnalysisTable, plan: Plan, view: View) -> list[Estimate]:
    """Return one row for each outcome and arm: the mean with its interval, the standard deviation as effect size.

    Student's interval; Wilson's for a share of people, which stays within 0 and 1; CR2's of people in clusters. The
    id is `<outcome>.mean.<arm>`;
    the note of a bounded outcome names the denominator. Right-censored times have no mean.
    """
    data = frame.population("itt")
    return [
        _mean_row(data[data["arm"] == arm], outcome, arm, plan.level, frame.cluster)
        for outcome in plan.outcomes
        if outcome.id not in frame.censored
        for arm in view.arm_ids
    ]


def _mean_row(rows: pd.DataFrame, outcome: Outcome, arm: str, level: float, cluster: str | None) -> Estimate:
    values = rows[outcome.id].dropna().to_numpy(dtype=float)
    n = len(values)
    known = n > 1
    sd = deviation(values) if known else None
    error = sd / float(np.sqrt(n)) if sd is not None else None
    df = float(n - 1) if known else None
    mean = float(values.mean()) if n else None
    try:
        (low, high), missing = _interval(values, outcome, level), []
        if cluster and known:
            error, df, low, high = _over_clusters(rows, outcome, level, cluster)
            missing = [] if error is not None else ["too few clusters for an interval"]
    except StudyError as reason:
        (low, high), missing = (None, None), [f"no interval: {reason}"]
    highest = maximum(rows, outcome)
    notes = [f"of {highest:g} {outcome.unit}"] if highest is not None else []
    notes += [*missing, *([] if n else ["no values in this arm"])]
    return Estimate(
        id=f"{outcome.id}.mean.{arm}",
        role="secondary",
        outcome=outcome.id,
        method="mean",
        estimate=mean,
        unit=outcome.unit,
        std_error=error,
        df=df,
        ci_low=low,
        ci_high=high,
        ci_level=level,
        effect_size=EffectSize("sd", sd),
        n={arm: n},
        note="; ".join(notes),
    )


def _over_clusters(rows: pd.DataFrame, outcome: Outcome, level: float, cluster: str) -> tuple[float | None, ...]:
    """Return standard error, degrees of freedom and limits of a mean of people in clusters, by CR2."""
    seen = rows[rows[outcome.id].notna()]
    found = METHODS["ols"](seen, outcome=outcome.id, cluster=cluster, level=level)
    row = found[0] if isinstance(found, list) else found
    return row.std_error, row.df, row.ci_low, row.ci_high


def _interval(values: NDArray[np.float64], outcome: Outcome, level: float) -> tuple[float | None, float | None]:
    n = len(values)
    if outcome.kind == "binary" and n:
        return wilson(int(values.sum()), n, level)
    if n < 2:
        return None, None
    half = float(stats.t.ppf(0.5 + level / 2, n - 1) * deviation(values) / np.sqrt(n))
    return float(values.mean()) - half, float(values.mean()) + half


def maximum(rows: pd.DataFrame, outcome: Outcome) -> float | None:
    """Return the highest possible value of a bounded outcome, where it is one for all."""
    if outcome.kind != "bounded":
        return None
    if outcome.upper_column in rows:
        values = pd.to_numeric(rows[outcome.upper_column], errors="coerce").dropna().unique()
        return float(values[0]) if len(values) == 1 else None
    return outcome.upper
