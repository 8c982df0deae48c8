"""Items one by one: do they fit the Rasch model, and do they favour a group of equal ability?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from analysis.estimators.core.validation import AnalysisError, Floats
from analysis.estimators.outcomes.rasch import Table, binary_of, rasch_cml

__all__ = ["dif", "item_fit"]
_SLIGHT, _LARGE = 1.0, 1.5
"""Absolute delta (ETS) below which a difference is negligible, and from which it is large."""


def item_fit(items: Table) -> pd.DataFrame:
    """Infit and outfit mean squares of each item under the Rasch model.

    Formula: z = (x - P) / sqrt(P (1 - P)), P by conditional difficulties and each score's maximum-likelihood ability;
    outfit the mean of z^2, infit the mean weighted by P (1 - P). About 1 where the item fits; above, answers are
    noisier than the model says (0.7 to 1.3 are often accepted), below, more regular. People with no or
    every item right have no such ability and are left out. Columns: item, difficulty, infit, outfit, n.
    Missing data: refused. An item that all or none get right: AnalysisError naming it.
    Reference: Wright & Masters (1982), Rating Scale Analysis, ch. 5; as eRm::itemfit (its MSQ columns).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> chance = special.expit(rng.normal(size=(400, 1)) - np.linspace(-1, 1, 6))
        >>> fit = item_fit((rng.random((400, 6)) < chance).astype(int))
        >>> bool(fit["infit"].between(0.8, 1.2).all())
        True
    """
    frame = binary_of(items)
    difficulty = rasch_cml(frame, split=None).difficulty.to_numpy(dtype=float)
    x = frame.to_numpy(dtype=float)
    scores = x.sum(axis=1)
    inside = (scores > 0) & (scores < x.shape[1])
    ability = {score: _ability(score, difficulty) for score in np.unique(scores[inside])}
    theta = np.asarray([ability[score] for score in scores[inside]])
    p = special.expit(theta[:, None] - difficulty)
    spread, squares = p * (1 - p), (x[inside] - p) ** 2
    return pd.DataFrame({
        "item": list(frame.columns), "difficulty": difficulty, "infit": squares.sum(axis=0) / spread.sum(axis=0),
        "outfit": (squares / spread).mean(axis=0), "n": int(inside.sum()),
    })  # fmt: skip


def _ability(score: float, difficulty: Floats) -> float:
    """Return the ability at which this score is expected."""
    # The expected score rises with ability, from as good as 0 at -30 to as good as all items at 30, so a score strictly
    # between them has exactly one ability.
    return float(optimize.brentq(lambda t: special.expit(t - difficulty).sum() - score, -30, 30, xtol=1e-12))


def dif(items: Table, group: ArrayLike, reference: Any = None) -> pd.DataFrame:
    """Differential item functioning: does an item favour a group at equal scores? Mantel and Haenszel's test.

    Formula: the common odds ratio of a right answer, reference group against the other, over strata of the total score
    (the item itself in it); chi-square with continuity correction. delta = -2.35 ln(odds ratio), ETS classes A
    (negligible: below 1, or not significant), C (1.5 or more, and significantly above 1; infinite and significant),
    else B. p_adjusted by Holm over the items. Columns: item, odds_ratio, ci_low, ci_high, chi2, p, p_adjusted, delta,
    ets_class.
    Between arms after treatment a difference says that the treatment acts on items unequally.
    Missing data: refused. `group` needs two values; `reference` names the reference group, else the first.
    Reference: Holland & Thayer (1988); Zieky (1993) for the classes; as difR::difMH.

    Example:
        >>> rng = np.random.default_rng(2)
        >>> group, ability = np.repeat(["a", "b"], 300), rng.normal(size=(600, 1))
        >>> shift = np.where((group == "b")[:, None] & (np.arange(6) == 2), 1.5, 0.0)
        >>> x = (rng.random((600, 6)) < special.expit(ability - np.linspace(-1, 1, 6) - shift)).astype(int)
        >>> dif(x, group)["ets_class"].tolist()[2]
        'C'
    """
    from statsmodels.stats.contingency_tables import StratifiedTable  # takes a second to import
    from statsmodels.stats.multitest import multipletests

    frame = binary_of(items)
    labels = _complete_labels(group)
    names = sorted(set(labels))
    if len(names) != 2 or len(labels) != len(frame):
        what = f"{len(labels)} values, {len(names)} different"
        raise AnalysisError.of("group", what, f"give one of two values for each of the {len(frame)} people")
    first = names[0] if reference is None else str(reference)
    if first not in names:
        raise AnalysisError.of("reference", f"{reference!r} is not a group", f"name one of {', '.join(names)}")
    scores, is_first = frame.to_numpy().sum(axis=1), labels == first
    rows = []
    for name in frame.columns:
        right = frame[name].to_numpy() == 1
        # People of equal scores are compared: without that, a difference in ability would look like a biased item.
        tables = [_cells(right[scores == score], is_first[scores == score]) for score in np.unique(scores)]
        tables = [table for table in tables if table.sum(axis=0).all() and table.sum(axis=1).all()]
        rows.append({"item": name, **(_tested(StratifiedTable(tables)) if tables else {})})
    found = pd.DataFrame(rows, columns=["item", "odds_ratio", "ci_low", "ci_high", "chi2", "p", "delta", "delta_error"])
    known = found["p"].notna()
    found.insert(6, "p_adjusted", np.nan)
    if known.any():
        found.loc[known, "p_adjusted"] = multipletests(found.loc[known, "p"], method="holm")[1]
    found["ets_class"] = [_ets(row) for _, row in found.iterrows()]
    return found.drop(columns="delta_error")


def _complete_labels(group: ArrayLike) -> Any:
    """Return each person's group as text, refused where one is missing: it would count as another group."""
    values = np.atleast_1d(np.asarray(group, dtype=object))
    if values.ndim != 1:
        raise AnalysisError.of("group", f"shape {values.shape}", "give one value for each person")
    cells = pd.Series(values)
    if missing := int(cells.isna().sum()):
        raise AnalysisError.of("group", f"{missing} of {len(cells)} are missing", "leave those people out")
    return cells.astype(str).to_numpy()


def _cells(right: Any, first: Any) -> Floats:
    """Return [[reference right, reference wrong], [other right, other wrong]]."""
    return np.asarray([[(right & first).sum(), (~right & first).sum()],
                       [(right & ~first).sum(), (~right & ~first).sum()]], dtype=np.float64)  # fmt: skip


def _tested(table: Any) -> dict[str, float]:
    test = table.test_null_odds(correction=True)
    # An odds ratio of 0 or infinity has no error, and no interval.
    with np.errstate(all="ignore"):
        low, high = table.oddsratio_pooled_confint()
        return {
            "odds_ratio": float(table.oddsratio_pooled), "ci_low": float(low), "ci_high": float(high),
            "chi2": float(test.statistic), "p": float(test.pvalue), "delta": -2.35 * float(table.logodds_pooled),
            "delta_error": 2.35 * float(table.logodds_pooled_se),
        }  # fmt: skip


def _ets(row: Any) -> str:
    """Return A, B or C; empty where there is no test."""
    if np.isnan(row["delta"]):
        return ""
    size = abs(float(row["delta"]))
    if size < _SLIGHT or row["p"] >= 0.05:
        return "A"
    # Zieky (1993): large only where it is also significantly above 1, one-sided at 5%. An infinite one has no error,
    # and its p alone says that it is beyond chance.
    beyond = np.isinf(size) or (size - _SLIGHT) / float(row["delta_error"]) > float(stats.norm.isf(0.05))
    return "C" if size >= _LARGE and beyond else "B"
