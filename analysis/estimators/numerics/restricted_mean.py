"""Kaplan-Meier curves and restricted means, one at a time and over many assignments.

Written here because no library kept up has the variance of a restricted mean, nor curves of many assignments at once;
as R's survRM2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.core.validation import Bools, Floats, NotEstimable

CHUNK = 1_500_000


@dataclass(frozen=True)
class Curve:
    """A product-limit curve at its distinct times."""

    times: Floats
    at_risk: Floats
    deaths: Floats
    survival: Floats
    greenwood: Floats
    """Cumulative sum of d / (Y (Y - d))."""


def kaplan_meier_curve(times: Floats, events: Bools) -> Curve:
    """Product-limit estimate (Kaplan & Meier 1958) with Greenwood's sum."""
    distinct = np.unique(times)
    at_risk = (len(times) - np.searchsorted(np.sort(times), distinct, side="left")).astype(np.float64)
    deaths = np.bincount(np.searchsorted(distinct, times[events]), minlength=len(distinct)).astype(np.float64)
    left = at_risk - deaths
    # Infinite where the last ones at risk all have the event; restricted means count that term as 0, as survRM2 does.
    terms = np.divide(deaths, at_risk * left, out=np.where(deaths > 0, np.inf, 0.0), where=left > 0)
    survival: Floats = np.cumprod(left / at_risk, dtype=np.float64)
    return Curve(distinct, at_risk, deaths, survival, np.cumsum(terms, dtype=np.float64))


def restricted_mean(times: Floats, events: Bools, horizon: float) -> tuple[float, float]:
    """Area under the curve up to the horizon and its variance by Greenwood (as survRM2).

    The variance sums (area beyond t)^2 d / (Y (Y - d)) over event times t up to the horizon; a term with Y = d is 0.
    """
    # Past the last time the curve is known only where it has reached zero; a censored last time leaves the area open.
    if times.max() < horizon and not events[times == times.max()].all():
        raise NotEstimable(f"follow-up ends at {times.max():g}, before the horizon {horizon:g}")
    curve = kaplan_meier_curve(times, events)
    inside = curve.times <= horizon
    knots = np.concatenate([curve.times[inside], [horizon]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    areas = np.diff(np.concatenate([[0.0], knots])) * heights
    # From the back, so that the small areas at the end are not lost against the large ones.
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    risk, deaths = curve.at_risk[inside], curve.deaths[inside]
    left = risk - deaths
    terms = np.divide(deaths, risk * left, out=np.zeros_like(risk), where=left > 0)
    return float(areas.sum()), float((beyond**2 * terms).sum())


def replicated_difference(
    times: Floats, events: Bools, codes: NDArray[np.int8], arm: int, horizon: float
) -> tuple[Floats, Floats]:
    """Difference of restricted means and its variance in every assignment (R, n); NaN where follow-up is too short."""
    order = np.argsort(times, kind="stable")
    sorted_times, sorted_events = times[order], events[order]
    # Chunks bound the memory: several arrays of replicates times people live at once.
    step = max(1, CHUNK // len(times))
    parts = []
    for start in range(0, len(codes), step):
        block = codes[start : start + step][:, order]
        one, zero = (_means(sorted_times, sorted_events, block == index, horizon) for index in (arm, 0))
        parts.append((one[0] - zero[0], one[1] + zero[1]))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _means(times: Floats, events: Bools, member: Bools, horizon: float) -> tuple[Floats, Floats]:
    """Restricted mean and variance of one arm in every assignment; rows sorted by time."""
    distinct, first = np.unique(times, return_index=True)
    inside = distinct <= horizon
    # Counting from the back gives who is still at risk; ties share the count of their first row.
    risk = np.cumsum(member[:, ::-1], axis=1)[:, ::-1][:, first][:, inside].astype(np.float64)
    deaths = np.add.reduceat((member & events).astype(np.float64), first, axis=1)[:, inside]
    # An arm without anyone at risk in this assignment: the curve keeps its height; `short` says whether it is known.
    ratio = np.divide(risk - deaths, risk, out=np.ones_like(risk), where=risk > 0)
    survival = np.concatenate([np.ones((len(member), 1)), np.cumprod(ratio, axis=1)], axis=1)
    widths = np.diff(np.concatenate([[0.0], distinct[inside], [horizon]]))
    areas = survival * widths
    beyond = np.cumsum(areas[:, ::-1], axis=1)[:, ::-1][:, 1:]
    left = risk - deaths
    terms = np.divide(deaths, risk * left, out=np.zeros_like(risk), where=left > 0)
    last = len(times) - 1 - np.argmax(member[:, ::-1], axis=1)
    # The same rule as in `restricted_mean`: the area is open where the arm's last person was censored before the
    # horizon.
    short = (times[last] < horizon) & (survival[:, -1] > 0)
    mean = np.where(short | ~member.any(axis=1), np.nan, areas.sum(axis=1))
    return mean, (beyond**2 * terms).sum(axis=1)
