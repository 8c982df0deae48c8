"""How well two codings of the same queries agree: per label, over label sets, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.interaction.coders.queries import CodedQuery, Codes
from study_app.domain.interaction.codebook import LABELS, join
from study_app.domain.interaction.codes import people

REPLICATES = 2000
"""Bootstrap replicates of an interval."""

Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Cohen's kappa of two binary ratings; None where neither rater varies.

    kappa = (p_o - p_e) / (1 - p_e), p_e from each rater's own margins. Cohen (1960), doi 10.1177/001316446002000104.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    value = kappas(np.array([[np.sum(a & b), np.sum(a & ~b), np.sum(~a & b), np.sum(~a & ~b)]], dtype=float))[0]
    return None if np.isnan(value) else float(value)


def kappas(counts: Floats) -> Floats:
    """Kappa of many 2x2 tables, one a row: both, first only, second only, neither. NaN where undefined."""
    both, first, second, neither = counts.T
    n = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (both + neither) / n
        expected = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
        # Where both coders are constant and alike, chance agreement is 1 and kappa is 0 / 0.
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def per_label(
    queries: Sequence[CodedQuery],
    coder: Codes,
    reference: Codes,
    seed: int = 1,
    level: float = 0.95,
    labels: Sequence[str] = LABELS,
) -> dict[str, dict[str, Any]]:
    """Per label kappa, ci_low, ci_high and n over the queries that both coded.

    The interval is the percentile bootstrap over whole participants (their queries are not independent), in
    `REPLICATES` replicates; replicates without variation are left out and counted in the note.
    """
    shared = [query for query in queries if query.turn_id in coder and query.turn_id in reference]
    # The weights are shared by all labels, so that their intervals rest on the same resamples.
    askers, index = np.unique([query.participant_id for query in shared], return_inverse=True)
    generator = np.random.default_rng(seed)
    weights: npt.NDArray[Any] = np.zeros((REPLICATES, len(askers)))
    if len(askers):
        weights = generator.multinomial(len(askers), np.full(len(askers), 1 / len(askers)), size=REPLICATES)
    return {
        label: _one_label(
            np.array([label in coder[query.turn_id] for query in shared], dtype=bool),
            np.array([label in reference[query.turn_id] for query in shared], dtype=bool),
            index,
            weights.astype(float),
            level,
        )
        for label in labels
    }


def _one_label(a: Bits, b: Bits, people: npt.NDArray[np.intp], weights: Floats, level: float) -> dict[str, Any]:
    cells = np.stack([a & b, a & ~b, ~a & b, ~a & ~b], axis=1).astype(float).reshape(-1, 4)
    by_person = np.zeros((weights.shape[1], 4))
    # `add.at` and not `+=` by index, which would count a person with several queries once.
    np.add.at(by_person, people, cells)
    value = kappa(a, b) if len(a) else None
    row: dict[str, Any] = {"kappa": value, "ci_low": None, "ci_high": None, "n": len(a)}
    if value is None:
        return row | {"note": "not computable: no query, or neither coder ever varies"}
    drawn = kappas(weights @ by_person)
    known = drawn[~np.isnan(drawn)]
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    row |= {"ci_low": float(low), "ci_high": float(high), "coder": int(a.sum()), "reference": int(b.sum())}
    missing = len(drawn) - len(known)
    return row | ({"note": f"{missing} of {len(drawn)} replicates had no variation"} if missing else {})


def masi_distance(first: Sequence[str], second: Sequence[str]) -> float:
    """1 - Jaccard x monotonicity (1 equal, 2/3 one inside the other, 1/3 overlapping, 0 apart).

    Passonneau (2006), "Measuring agreement on set-valued items (MASI)". Two empty sets are equal.
    """
    a, b = set(first), set(second)
    if a == b:
        return 0.0
    common = a & b
    monotonicity = 2 / 3 if common in (a, b) and common else 1 / 3 if common else 0.0
    return 1 - len(common) / len(a | b) * monotonicity


def alpha_of_sets(codings: Sequence[Codes]) -> float | None:
    """Krippendorff's alpha over label sets with the MASI distance; None without two codings of something varied.

    alpha = 1 - D_o / D_e with the usual 1/(m_u - 1) weights for queries coded by m_u coders.
    """
    units = [
        sets
        for turn in dict.fromkeys(turn for codes in codings for turn in codes)
        if len(sets := [codes[turn] for codes in codings if turn in codes]) > 1
    ]
    values = [labels for sets in units for labels in sets]
    if len(values) < 2:
        return None
    kinds = sorted(set(values))
    position = {labels: index for index, labels in enumerate(kinds)}
    distance = np.array([[masi_distance(one, other) for other in kinds] for one in kinds])
    # Krippendorff's sum is over ordered pairs; each unordered one stands for two.
    observed = sum(
        2 * distance[position[one], position[other]] / (len(sets) - 1)
        for sets in units
        for one, other in combinations(sets, 2)
    )
    counts = np.bincount([position[labels] for labels in values], minlength=len(kinds)).astype(float)
    expected = float(counts @ distance @ counts) / (len(values) - 1)
    return None if expected == 0 else 1 - observed / expected


def overall(queries: Sequence[CodedQuery], coder: Codes, reference: Codes) -> dict[str, Any]:
    """Agreement over whole label sets: alpha with MASI, share of queries with exactly the same set."""
    shared = [query.turn_id for query in queries if query.turn_id in coder and query.turn_id in reference]
    same = sum(coder[turn] == reference[turn] for turn in shared)
    pair = [{turn: codes[turn] for turn in shared} for codes in (coder, reference)]
    return {
        "krippendorff_alpha_masi": alpha_of_sets(pair),
        "same_set": same / len(shared) if shared else None,
        "n": len(shared),
    }


def between_people(queries: Sequence[CodedQuery], codings: Mapping[str, Codes], seed: int = 1) -> dict[str, Any]:
    """Agreement of people who coded on their own, before anything was settled.

    Returns:
        `coders`; `krippendorff_alpha_masi` over all of them; `pairs`: "one and other" -> `agreement` per label and
        `overall`. Empty with fewer than two people.
    """
    names = sorted(people(codings))
    if len(names) < 2:
        return {}
    pairs = {
        f"{one} and {other}": {
            "agreement": per_label(queries, codings[one], codings[other], seed),
            "overall": overall(queries, codings[one], codings[other]),
        }
        for one, other in combinations(names, 2)
    }
    alpha = alpha_of_sets([codings[name] for name in names])
    return {"coders": names, "krippendorff_alpha_masi": alpha, "pairs": pairs}


def disagreements(queries: Sequence[CodedQuery], codings: Mapping[str, Codes]) -> list[dict[str, Any]]:
    """Return the queries that not all coders coded alike, with each coder's labels."""
    rows = []
    for query in queries:
        given = {name: codes[query.turn_id] for name, codes in codings.items() if query.turn_id in codes}
        if len(set(given.values())) > 1:
            row = {"turn_id": query.turn_id, "participant_id": query.participant_id, "message": query.message}
            rows.append(row | {name: join(labels) for name, labels in given.items()})
    return rows
