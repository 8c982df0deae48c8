"""The baseline table: who was in each arm before it mattered, with standardised differences and no p values."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.effect_sizes import deviation, variance

MAX_LEVELS = 12


def smd_numeric(treated: Iterable[float], control: Iterable[float]) -> float | None:
    """Standardised mean difference: (mean_t - mean_c) / sqrt((s_t^2 + s_c^2) / 2).

    Missing values are left out. None where a group has fewer than two values or neither varies.
    Reference: Austin 2009, Stat Med 28:3083.
    """
    t, c = _values(treated), _values(control)
    if len(t) < 2 or len(c) < 2:
        return None
    pooled = np.sqrt((variance(t) + variance(c)) / 2)
    return float((t.mean() - c.mean()) / pooled) if pooled > 0 else None


def variance_ratio(treated: Iterable[float], control: Iterable[float]) -> float | None:
    """Ratio of the groups' variances, treated over control; None where the control does not vary."""
    t, c = _values(treated), _values(control)
    if len(t) < 2 or len(c) < 2 or variance(c) == 0:
        return None
    return variance(t) / variance(c)


def smd_categorical(treated: Sequence[float], control: Sequence[float]) -> float | None:
    """Standardised difference of a variable with several levels, from counts (Yang & Dalton 2012).

    With p, q the proportions of all levels but the first and S the mean of their multinomial covariances:
    sqrt((p - q)' S^-1 (p - q)). For two levels it keeps the sign of the last level's difference, so that of 0
    and 1 it is signed as a mean is.
    """
    t, c = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    used = (t + c) > 0
    t, c = t[used], c[used]
    if t.sum() == 0 or c.sum() == 0 or len(t) < 2:
        return None
    # Shares sum to 1, so that the covariance over all levels is singular; which level is left out changes nothing.
    p, q = t[1:] / t.sum(), c[1:] / c.sum()
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    gap = p - q
    if len(gap) == 1:
        return float(gap[0] / np.sqrt(spread[0, 0])) if spread[0, 0] > 0 else None
    # A pseudo-inverse, since the mean covariance is still singular where the arms share few of the levels.
    squared = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)
    return float(np.sqrt(max(squared, 0.0)))


def baseline_table(
    data: pd.DataFrame,
    variables: Sequence[str],
    arms: Sequence[str],
    labels: Mapping[str, Mapping[Any, str]],
    several: Mapping[str, Collection[Any]] | None = None,
) -> list[dict[str, Any]]:
    """Rows of `baseline` in results.json.

    Args:
        data: allocated participants, with `arm`.
        variables: columns, in the order of the table.
        arms: control first; with several other arms the largest difference from control is given.
        labels: variable -> value -> text, for variables that are categories whatever their values look like.
        several: variable -> options of which people chose any number; each is a variable with one row, who chose it.
    """
    rows: list[dict[str, Any]] = []
    for name in variables:
        column = data[name]
        known = column.dropna()
        if known.empty or known.nunique() < 2:
            continue
        if several and name in several:
            rows += [row for option in several[name] for row in _chosen(data, name, option, arms)]
        elif name not in labels and pd.api.types.is_numeric_dtype(column) and not set(known.unique()) <= {0.0, 1.0}:
            rows.append(_numeric(data, name, arms))
        elif known.nunique() <= MAX_LEVELS:
            rows += _categorical(data, name, arms, labels.get(name, {}))
    return rows


def cut(data: pd.DataFrame, variables: Iterable[str], shown: Collection[str]) -> list[str]:
    """Return the variables with more levels than a table can hold, which `baseline_table` leaves out."""
    return [name for name in variables if name in data and name not in shown and data[name].nunique() > MAX_LEVELS]


def _chosen(data: pd.DataFrame, name: str, option: Any, arms: Sequence[str]) -> list[dict[str, Any]]:
    """Return the row of who chose an option; none where everyone or no one did."""
    ticked = data[name].map(lambda cell: float(option in chosen_of(cell)), na_action="ignore")
    if ticked.nunique() < 2:
        return []
    variable = f"{name}.{option}"
    return _categorical(
        pd.DataFrame({"arm": data["arm"], variable: ticked.astype(float)}), variable, arms, {1.0: "yes"}
    )[1:]


def chosen_of(cell: Any) -> list[Any]:
    """Return the options in a cell, which is a JSON list; of anything else none."""
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        return []
    return list(found) if isinstance(found, list | tuple) else []


def _numeric(data: pd.DataFrame, name: str, arms: Sequence[str]) -> dict[str, Any]:
    groups = {arm: _values(data.loc[data["arm"] == arm, name]) for arm in arms}
    cells = {
        arm: {
            "n": len(x),
            "mean": float(x.mean()) if len(x) else None,
            "sd": deviation(x) if len(x) > 1 else None,
            "count": None,
            "percent": None,
        }
        for arm, x in groups.items()
    }
    found = [smd_numeric(groups[arm], groups[arms[0]]) for arm in arms[1:]]
    return {"variable": name, "level": None, "arms": cells, "smd": _largest(found)}


def _categorical(data: pd.DataFrame, name: str, arms: Sequence[str], labels: Mapping[Any, str]) -> list[dict[str, Any]]:
    levels = sorted(data[name].dropna().unique(), key=lambda value: (isinstance(value, str), value))
    counts = {arm: [int(((data["arm"] == arm) & (data[name] == level)).sum()) for level in levels] for arm in arms}
    smd = _largest([smd_categorical(counts[arm], counts[arms[0]]) for arm in arms[1:]])
    rows = []
    for index, level in enumerate(levels):
        cells = {}
        for arm in arms:
            total = sum(counts[arm])
            percent = 100 * counts[arm][index] / total if total else None
            cells[arm] = {"n": total, "mean": None, "sd": None, "count": counts[arm][index], "percent": percent}
        rows.append({"variable": name, "level": level_text(level, labels), "arms": cells, "smd": smd})
    return rows


def level_text(level: Any, labels: Mapping[Any, str]) -> str:
    """Return a level as the study file words it, else as it stands; 1.0 reads 1."""
    if level in labels:
        return labels[level]
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def _largest(found: Sequence[float | None]) -> float | None:
    known = [value for value in found if value is not None]
    return max(known, key=abs) if known else None


def _values(values: Iterable[float]) -> np.ndarray:
    x = np.asarray(list(values), dtype=float)
    known: np.ndarray = x[~np.isnan(x)]
    return known
