"""Shares and differences from a program's codes and a random sample that people coded.

A program's codes err, and may err differently in each arm: people who talked to an assistant answer in another manner.
Shares of such codes are biased then, and the bias does not shrink with more people. The random sample shows by how much
the program errs, and the estimate is corrected by it; its standard error counts both parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.estimators.core.coefficient import Coefficient
from analysis.estimators.core.results import Estimate, Estimates
from analysis.estimators.core.validation import AnalysisError, Floats
from analysis.estimators.outcomes.proportions import wilson
from analysis.multiplicity import adjust

METHOD = "design-based correction (DSL)"
LEAST_GOLD = 2
"""Interviews of an arm that people must have coded for a standard error."""


@dataclass(frozen=True)
class CodedGroup:
    """One code over the people of one arm; arrays of one entry a person."""

    machine: Floats
    """0 or 1 by the program."""
    human: Floats
    """0 or 1 by people; NaN outside the random sample."""
    probability: Floats
    """Of being drawn for the sample, above 0 and at most 1."""
    cluster: NDArray[np.object_] | None = None

    @classmethod
    def of(
        cls,
        machine: ArrayLike,
        human: ArrayLike,
        probability: ArrayLike | None = None,
        cluster: Sequence[object] | None = None,
    ) -> CodedGroup:
        """Check and take the columns of one arm.

        Args:
            machine: 0 or 1 by the program; may be NaN where people coded and everything is gold.
            human: 0 or 1 by people, NaN outside the sample.
            probability: of being drawn; None: the same for all, which is the share that was drawn.
            cluster: whom each person was allocated with; None in a trial of single people.

        Raises:
            AnalysisError: a code that is not 0 or 1, a person without a program's code outside the sample, or a
                probability that is none.
        """
        people, coder = np.asarray(human, dtype=np.float64), np.asarray(machine, dtype=np.float64)
        gold = ~np.isnan(people)
        if len(coder) != len(people):
            raise AnalysisError.of("machine", f"{len(coder)} codes for {len(people)} people", "give one each")
        if gold.all():
            # With everything coded by people the program's codes cancel out.
            coder = people.copy()
        drawn = np.full(len(people), gold.mean() if len(people) else 1.0)
        if probability is not None:
            drawn = np.asarray(probability, dtype=np.float64)
        _check(coder, people[gold], drawn[gold], "machine")
        named = None if cluster is None else np.asarray(cluster, dtype=object)
        return cls(coder, people, drawn, named)

    @property
    def gold(self) -> NDArray[np.bool_]:
        """Whom people coded."""
        return ~np.isnan(self.human)

    def __len__(self) -> int:
        return len(self.machine)


def _check(machine: Floats, human: Floats, probability: Floats, key: str) -> None:
    if not np.isin(machine, (0.0, 1.0)).all():
        raise AnalysisError.of(key, "holds other values than 0 and 1", "code every interview before estimating")
    if not np.isin(human, (0.0, 1.0)).all():
        raise AnalysisError.of("human", "holds other values than 0 and 1", "give 0, 1, or NaN outside the sample")
    if not ((probability > 0) & (probability <= 1)).all():
        raise AnalysisError.of("probability", "is not above 0 and at most 1", "give each one's chance of being drawn")


@dataclass(frozen=True)
class _Part:
    """An estimate with the pieces of its variance, each with its degrees of freedom."""

    value: float
    variances: tuple[tuple[float, float], ...]


def _part(group: CodedGroup) -> _Part | None:
    """Return the corrected share of one arm: mean of the program's codes plus the mean error that people found.

    The mean error is weighted by one over the probability of being drawn. The variance is the sum of the squared
    influences, centred within and outside the sample: with one probability for all it is that of prediction-powered
    inference at lambda = share outside the sample. None where people coded fewer than `LEAST_GOLD`.
    """
    gold, size = group.gold, len(group)
    if gold.sum() < LEAST_GOLD:
        return None
    error = np.where(gold, np.nan_to_num(group.human) - group.machine, 0.0)
    weight = np.where(gold, 1.0 / np.where(gold, group.probability, 1.0), 0.0)
    # Divided by their own sum (Hajek 1971) and not by the number of people: a sample that came out small would
    # otherwise pull the correction towards 0.
    weight = weight / weight.sum()
    rectifier = float((weight * error).sum())
    # Each person's part in the estimate; the squares of these add up to its variance.
    influence = weight * (error - np.where(gold, rectifier, 0.0))
    for inside in (gold, ~gold):
        if inside.any():
            influence[inside] += (group.machine[inside] - group.machine[inside].mean()) / size
    value = float(group.machine.mean()) + rectifier
    if group.cluster is not None:
        return _Part(value, (_clustered(influence, group.cluster),))
    pieces = []
    for inside in (gold, ~gold):
        n = int(inside.sum())
        if n > 1:
            # n / (n - 1), for influences are centred at the sample's own means.
            pieces.append((float((influence[inside] ** 2).sum()) * n / (n - 1), float(n - 1)))
    return _Part(value, tuple(pieces))


def _clustered(influence: Floats, cluster: NDArray[np.object_]) -> tuple[float, float]:
    """Variance and degrees of freedom of a sum whose terms depend on each other within clusters."""
    _, index = np.unique(cluster.astype(str), return_inverse=True)
    sums = np.bincount(index, weights=influence)
    count = len(sums)
    if count < 2:
        return float("nan"), 1.0
    return float((sums**2).sum()) * count / (count - 1), float(count - 1)


def _error(pieces: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the standard error, and degrees of freedom by Satterthwaite."""
    variance = sum(piece for piece, _ in pieces)
    spread = sum(piece**2 / df for piece, df in pieces)
    return float(np.sqrt(variance)), float(variance**2 / spread) if spread > 0 else float("nan")


def corrected_share(group: CodedGroup, level: float = 0.95) -> Coefficient:
    """Share of people with a theme, corrected for the program's errors.

    Formula: mean of the program's codes + sum w (human - program) / sum w over the sample, w = 1 / probability;
    t interval with Satterthwaite's degrees of freedom, cut to 0 to 1. With everything coded by people: their share.
    Where neither coder varies the interval is Wilson's of the people's codes.
    Reference: Egami, Hinck, Stewart & Wei (2023), arXiv 2306.04746 (DSL); Angelopoulos et al. (2023), Science
    382:669.

    Example:
        >>> found = corrected_share(CodedGroup.of([1, 1, 0, 0, 1, 0], [1, 0, 0, None, None, None]))
        >>> round(found, 6), found.n, round(found.details["machine"], 6)
        (0.166667, 6, 0.5)
    """
    part, gold = _part(group), int(group.gold.sum())
    figures = {"gold": gold, "machine": float(group.machine.mean()) if len(group) else None}
    if part is None:
        note = f"not estimable: people coded {gold} of {len(group)} interviews; {LEAST_GOLD} are needed at least"
        return Coefficient(np.nan, ci_level=level, n=len(group), note=note, details=figures)
    low, high, error, df, note = _limits(part, group, level)
    figures |= {"uncut": part.value}
    return Coefficient(
        min(max(part.value, 0.0), 1.0), std_error=error, df=df, ci_low=low, ci_high=high, ci_level=level,
        n=len(group), note=note, details=figures,
    )  # fmt: skip


def _limits(part: _Part, group: CodedGroup, level: float) -> tuple[float, float, float | None, float | None, str]:
    error, df = _error(part.variances)
    human = group.human[group.gold]
    if not error > 0:
        low, high = wilson(int(human.sum()), len(human), level)
        return low, high, None, None, "codes do not vary: Wilson's interval of the people's codes"
    reach = float(stats.t.ppf(0.5 + level / 2, df)) * error
    none_seen = len(human) < len(group) and bool((human == group.machine[group.gold]).all())
    note = "no error of the program in this sample; with a larger one there may be some" if none_seen else ""
    low, high = (min(max(end, 0.0), 1.0) for end in (part.value - reach, part.value + reach))
    if not low < high:
        # So few people coded that the corrected value lies outside of what a share can be, with its whole interval.
        estimate, limits = min(max(part.value, 0.0), 1.0), wilson(int(human.sum()), len(human), level)
        low, high = min(limits[0], estimate), max(limits[1], estimate)
        note = "the corrected interval lies outside 0 to 1: Wilson's of the people's codes, up to the estimate"
    return low, high, error, df, note


def corrected_difference(treated: CodedGroup, control: CodedGroup, level: float = 0.95) -> Coefficient:
    """Difference of two arms' corrected shares, treated minus control.

    Formula: difference of `corrected_share` before cutting; variances add; t interval and test with Satterthwaite's
    degrees of freedom. Where an arm's codes do not vary: limits from those of the shares (Zou & Donner 2008), no test.
    """
    first, second = _part(treated), _part(control)
    n = len(treated) + len(control)
    if first is None or second is None:
        note = f"not estimable: people coded fewer than {LEAST_GOLD} interviews of an arm"
        return Coefficient(np.nan, ci_level=level, n=n, note=note)
    # Before cutting to 0 to 1: a share that was cut would bias the difference.
    value = first.value - second.value
    if any(not _error(part.variances)[0] > 0 for part in (first, second)):
        return _from_shares(value, (treated, control), n, level)
    error, df = _error([*first.variances, *second.variances])
    statistic = value / error
    reach = float(stats.t.ppf(0.5 + level / 2, df)) * error
    return Coefficient(
        value, std_error=error, df=df, statistic=statistic, p_value=float(2 * stats.t.sf(abs(statistic), df)),
        ci_low=max(value - reach, -1.0), ci_high=min(value + reach, 1.0), ci_level=level, n=n,
    )  # fmt: skip


def _from_shares(value: float, groups: tuple[CodedGroup, CodedGroup], n: int, level: float) -> Coefficient:
    p, q = (corrected_share(group, level) for group in groups)
    ends = [end if end is not None else float("nan") for end in (p.ci_low, p.ci_high, q.ci_low, q.ci_high)]
    # Zou & Donner (2008): each limit's distance to its own share, squared and added, as Newcombe's for proportions.
    low = value - float(np.hypot(p - ends[0], ends[3] - q))
    high = value + float(np.hypot(ends[1] - p, q - ends[2]))
    note = "an arm's codes do not vary: limits from those of the shares, no test"
    return Coefficient(value, ci_low=max(low, -1.0), ci_high=min(high, 1.0), ci_level=level, n=n, note=note)


def naive_share(group: CodedGroup, level: float = 0.95) -> Coefficient:
    """Share of people with a theme as counted; only where people coded everything.

    Raises:
        AnalysisError: a program's codes stand for some people; their errors would bias the share.
    """
    if not group.gold.all():
        left = int((~group.gold).sum())
        what = f"{left} of {len(group)} interviews were coded by a program alone"
        raise AnalysisError.of("human", what, "use corrected_share, or have people code all interviews")
    return corrected_share(group, level)


def theme_rows(
    groups: Mapping[str, Mapping[str, CodedGroup]], control: str, level: float = 0.95
) -> tuple[Estimates, Estimates]:
    """Return shares by arm, and differences from the control with Holm's p over all codes and contrasts.

    Args:
        groups: code -> arm -> its people.
        control: arm that the others are compared with.
        level: of the intervals.
    """
    shares, differences = Estimates(), Estimates()
    for code, by_arm in groups.items():
        shares += [
            _corrected_row(code, None, {arm: len(own)}, corrected_share(own, level)) for arm, own in by_arm.items()
        ]
        for arm in by_arm:
            if arm != control and control in by_arm:
                found = corrected_difference(by_arm[arm], by_arm[control], level)
                sizes = {each: len(by_arm[each]) for each in (arm, control)}
                differences.append(_corrected_row(code, (arm, control), sizes, found))
    return shares, _adjusted(differences)


def _corrected_row(code: str, contrast: tuple[str, str] | None, n: Mapping[str, int], found: Coefficient) -> Estimate:
    arms = "-".join(contrast) if contrast else next(iter(n))
    df = found.df if isinstance(found.df, float) else None
    return Estimate(
        id=f"theme:{code}:{arms}", role="exploratory", outcome=f"theme_{code}", method=METHOD, contrast=contrast,
        estimate=None if np.isnan(found) else float(found), unit="proportion", std_error=found.std_error, df=df,
        statistic=found.statistic, p_value=found.p_value, ci_low=found.ci_low, ci_high=found.ci_high,
        ci_level=found.ci_level, n=dict(n), note=found.note, detail=found.details,
    )  # fmt: skip


def _adjusted(rows: Sequence[Estimate]) -> Estimates:
    p: Sequence[float] = (
        adjust([np.nan if row.p_value is None else row.p_value for row in rows]).tolist() if rows else []
    )
    return Estimates(
        [replace(row, p_adjusted=None if np.isnan(each) else float(each)) for row, each in zip(rows, p, strict=True)]
    )
