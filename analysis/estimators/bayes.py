"""Evidence for and against: the JZS Bayes factor.

Written here because pingouin's quadrature is 5e-5 off, here and R's BayesFactor agree to ten digits.
"""

from __future__ import annotations

import numpy as np
from scipy import integrate

from analysis.estimators.core.effect_sizes import pooled_sd
from analysis.estimators.core.registry import Result, method_per_contrast
from analysis.estimators.core.request import ArmContrast
from analysis.estimators.core.results import EffectSize
from analysis.estimators.core.validation import AnalysisError, Floats, NotEstimable
from analysis.estimators.outcomes.means import paired_differences

_SCALES = {"medium": np.sqrt(0.5), "wide": 1.0, "ultrawide": np.sqrt(2.0)}


def jzs_factor(t: float, df: float, n_effective: float, scale: float) -> float:
    """BF10 of a t statistic under a Cauchy prior on the standardised effect (Rouder et al. 2009, eq. 1).

    The integral over g = scale^2 / chi2 is taken on the log scale of g, where the integrand is smooth.

    >>> round(jzs_factor(-4.06212768338204, 9, 10, 0.5**0.5), 8)
    17.25888027
    """

    def log_integrand(u: Floats) -> Floats:
        g = np.exp(u)
        inner = np.log1p(t * t / (df * (1 + n_effective * g)))
        prior = np.log(scale) - 0.5 * np.log(2 * np.pi) - 1.5 * u - scale**2 / (2 * g)
        return np.asarray(-0.5 * np.log1p(n_effective * g) - (df + 1) / 2 * inner + prior + u)

    # The integrand's peak moves with t and n by many powers of ten; `quad` over the whole line would step over it. The
    # largest value is taken out, so that a large t does not underflow.
    grid = np.linspace(-30.0, 40.0, 1401)
    heights = log_integrand(grid)
    peak, top = float(grid[np.argmax(heights)]), float(heights.max())
    pieces = [
        integrate.quad(lambda u: float(np.exp(log_integrand(np.asarray(u)) - top)), low, high, epsabs=0, epsrel=1e-13,
                       limit=400)[0]
        for low, high in ((peak - 40, peak - 4), (peak - 4, peak + 4), (peak + 4, peak + 80))
    ]  # fmt: skip
    # The likelihood of no effect, with the same constants left out as above, so that they cancel in the ratio.
    null = -(df + 1) / 2 * np.log1p(t * t / df)
    return float(np.exp(np.log(sum(pieces)) + top - null))


@method_per_contrast("stratum cluster")
def bayes_factor(
    pair: ArmContrast, prior_scale: float | str = 0.7071, paired: bool = False, pair_id: str | None = None
) -> Result:
    """JZS Bayes factor of a difference in means against none, BF10.

    Formula: t test likelihood integrated over a Cauchy(0, `prior_scale`) prior on the standardised effect; 0.7071
    (or "medium") is the square root of one half, "wide" 1, "ultrawide" that of two. `paired=True` pairs rows in their
    order within each arm, or by the column `pair_id` (`cluster`, `stratum` likewise).
    Missing data: refused.
    Reference: Rouder, Speckman, Sun, Morey & Iverson (2009), Psychon. Bull. Rev. 16:225-237.

    Example:
        >>> from analysis.estimators.core.examples import two_arms
        >>> row = bayes_factor(two_arms(), outcome="score", arm="arm", control="no_ai")
        >>> round(row.estimate, 6)
        6.243695
    """
    trial = pair.trial
    columns = [name for name in (pair_id, trial.cluster, *trial.strata) if name is not None]
    if len(columns) > 1:
        raise AnalysisError.of("pair_id", f"pairs are named by {', '.join(columns)}", "name one column that pairs rows")
    if (trial.cluster or trial.strata) and not paired:
        key = "cluster" if trial.cluster else "stratum"
        what = "is not used: an unpaired Bayes factor takes people as independent"
        remedy = f"use mixed_model or cluster_robust for clusters; with paired=True {key} names the pairs"
        raise AnalysisError.of(key, what, remedy)
    scale = _scale(prior_scale)
    treated, control = pair.varied_arms()
    if paired or pair_id:
        gaps = paired_differences(pair, next(iter(columns), None))
        t, df, size = gaps.mean() / (gaps.std(ddof=1) / np.sqrt(len(gaps))), len(gaps) - 1, float(len(gaps))
    else:
        # Two samples have n1 n2 / (n1 + n2) as effective size, pairs their number (Rouder et al. 2009): what the
        # prior's scale is multiplied by.
        size, df = len(treated) * len(control) / (len(treated) + len(control)), len(treated) + len(control) - 2
        t = (treated.mean() - control.mean()) / pooled_sd(treated, control) * np.sqrt(size)
    if not np.isfinite(t):
        raise NotEstimable("no variation within arms to compare with")
    factor = jzs_factor(float(t), float(df), size, scale)
    return pair.estimate(
        estimate=factor, unit="BF10", statistic=float(t), df=float(df),
        effect_size=EffectSize("log_bf10", np.log(factor)),
        note=f"Cauchy prior, scale {scale:.6g}; BF01 = {1 / factor:.6g}" + ("; paired" if paired or pair_id else ""),
        detail={"bf01": 1 / factor, "prior_scale": scale, "paired": bool(paired or pair_id)},
    )  # fmt: skip


def _scale(given: float | str) -> float:
    if isinstance(given, str):
        if given not in _SCALES:
            raise AnalysisError.of("prior_scale", f"{given!r} is not known", f"use one of {', '.join(_SCALES)}")
        return float(_SCALES[given])
    if not given > 0:
        raise AnalysisError.of("prior_scale", f"{given!r} is not positive", "use 0.7071")
    # 0.7071 in a plan means the square root of one half.
    return float(np.sqrt(0.5)) if abs(given - np.sqrt(0.5)) < 1e-5 else float(given)
