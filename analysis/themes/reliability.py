"""How well coders of interviews agree, code by code, and how a program errs in each arm.

Intervals come from resampled participants: answers of one person are not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.agreement import cohen_kappa, krippendorff_alpha
from analysis.estimators.core.validation import Floats
from analysis.interaction.coders.agreement import kappas
from analysis.interaction.intervals import pooled_share

REPLICATES = 2000
"""Bootstrap replicates of an interval."""


@dataclass(frozen=True)
class Unit:
    """One answer: a topic of one person's interview, with the codes of each coder."""

    participant_id: str
    arm: str
    codes: Mapping[str, frozenset[str]]
    """Coder -> codes; a coder who did not code it is absent."""


def agreement_of_people(
    units: Sequence[Unit], labels: Iterable[str], seed: int = 1, level: float = 0.95
) -> dict[str, dict[str, Any]]:
    """Return kappa and alpha of each code between people, with intervals over resampled participants.

    Kappa is of the two people who share most answers; alpha is of all.

    Args:
        units: with the codes of people only.
        labels: the codebook's.
        seed: of the resampling.
        level: of the intervals.
    """
    rated = [unit for unit in units if len(unit.codes) > 1]
    weights = _weights(rated, seed)
    found = {}
    for label in labels:
        votes = [[label in codes for codes in unit.codes.values()] for unit in rated]
        found[label] = {"alpha": _alpha(votes, rated, weights, level), "kappa": _kappa(rated, label, weights, level)}
    return found


def against_people(
    units: Sequence[Unit], program: str, people: str, labels: Iterable[str], seed: int = 1, level: float = 0.95
) -> dict[str, dict[str, Any]]:
    """Return of each code how a program's codes meet those of people: kappa, and precision and recall by arm.

    Precision: share of the program's codes that people gave, too. Recall: share of people's codes that the program
    found. A difference between arms is what biases counted shares.

    Args:
        units: with the codes of both under the names given.
        program: name of the program among the coders.
        people: name of the settled codes of people among the coders.
        labels: the codebook's.
        seed: of the resampling.
        level: of the intervals.
    """
    both = [
        Unit(unit.participant_id, unit.arm, {name: unit.codes[name] for name in (program, people)})
        for unit in units
        if program in unit.codes and people in unit.codes
    ]
    weights = _weights(both, seed)
    arms = sorted({unit.arm for unit in both})
    found = {}
    for label in labels:
        by_arm = {}
        for arm in arms:
            own = [unit for unit in both if unit.arm == arm]
            by_arm[arm] = {
                "answers": len(own),
                "precision": _share(own, label, people, program, seed, level),
                "recall": _share(own, label, program, people, seed, level),
            }
        found[label] = {"kappa": _kappa(both, label, weights, level), "arms": by_arm}
    return found


def _share(units: Sequence[Unit], label: str, what: str, among: str, seed: int, level: float) -> dict[str, Any]:
    """Share of answers with the code by `what` among those with the code by `among`."""
    people = sorted({unit.participant_id for unit in units})
    place = {who: index for index, who in enumerate(people)}
    hits, totals = np.zeros(len(people)), np.zeros(len(people))
    for unit in units:
        if label in unit.codes[among]:
            totals[place[unit.participant_id]] += 1
            hits[place[unit.participant_id]] += label in unit.codes[what]
    return pooled_share(hits, totals, seed, level)


def _weights(units: Sequence[Unit], seed: int) -> Floats:
    """Return how often each person is drawn, (replicates, people); people in the order of `_index`."""
    count = len({unit.participant_id for unit in units})
    if not count:
        return np.zeros((REPLICATES, 0))
    # Weights in place of drawn rows: tables of all replicates are then one matrix product.
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=REPLICATES).astype(np.float64)


def _index(units: Sequence[Unit]) -> dict[str, int]:
    return {who: place for place, who in enumerate(sorted({unit.participant_id for unit in units}))}


def _by_person(units: Sequence[Unit], cells: Sequence[Sequence[float]], width: int) -> Floats:
    place = _index(units)
    sums = np.zeros((len(place), width))
    for unit, row in zip(units, cells, strict=True):
        sums[place[unit.participant_id]] += row
    return sums


def _alpha(votes: Sequence[Sequence[bool]], units: Sequence[Unit], weights: Floats, level: float) -> dict[str, Any]:
    widest = max(map(len, votes), default=0)
    if widest < 2:
        return {"estimate": None, "ci_low": None, "ci_high": None, "n": 0, "note": "no answer has two coders"}
    table = [[*map(int, vote), *[None] * (widest - len(vote))] for vote in votes]
    point = krippendorff_alpha(table, ci_level=level)
    drawn = _alphas(weights @ _by_person(units, [coincidences(vote) for vote in votes], 3))
    return _with_limits(point.to_json(), drawn, level)


def coincidences(vote: Sequence[bool]) -> tuple[float, float, float]:
    """Return pairs within one answer, weighted 1 / (coders - 1): both yes, one of each, both no.

    >>> coincidences([True, True, False])
    (1.0, 1.0, 0.0)
    """
    m, yes = len(vote), sum(vote)
    no = m - yes
    return yes * (yes - 1) / (m - 1), yes * no / (m - 1), no * (no - 1) / (m - 1)


def _alphas(counts: Floats) -> Floats:
    """Krippendorff's nominal alpha of many tables of coincidences, one a row; NaN without variation."""
    both, mixed, neither = counts.T
    yes, no = both + mixed, neither + mixed
    with np.errstate(invalid="ignore", divide="ignore"):
        # Krippendorff (2011), two values: alpha = 1 - (n - 1) o01 / (n0 n1), where n counts the ratings that can be
        # paired. Without variation it is 0 / 0.
        found: Floats = 1 - (yes + no - 1) * mixed / (yes * no)
    return found


def _kappa(units: Sequence[Unit], label: str, weights: Floats, level: float) -> dict[str, Any]:
    pair = _pair(units)
    if pair is None:
        return {"estimate": None, "ci_low": None, "ci_high": None, "n": 0, "note": "no answer has two coders"}
    cells = [_cell(unit, label, pair) for unit in units]
    shared = [unit for unit in units if set(pair) <= set(unit.codes)]
    first, second = ([label in unit.codes[name] for unit in shared] for name in pair)
    point = cohen_kappa(first, second, level=level)
    drawn = kappas(weights @ _by_person(units, cells, 4))
    return _with_limits(point.to_json(), drawn, level) | {"coders": list(pair)}


def _pair(units: Sequence[Unit]) -> tuple[str, str] | None:
    """Return the two coders who share most answers, by name where two pairs share equally many."""
    names = sorted({name for unit in units for name in unit.codes})
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    shared = {pair: sum(set(pair) <= set(unit.codes) for unit in units) for pair in pairs}
    best = max(pairs, key=lambda pair: shared[pair], default=None)
    return best if best is not None and shared[best] else None


def _cell(unit: Unit, label: str, pair: tuple[str, str]) -> tuple[float, float, float, float]:
    if not set(pair) <= set(unit.codes):
        return 0.0, 0.0, 0.0, 0.0
    a, b = (label in unit.codes[name] for name in pair)
    return float(a and b), float(a and not b), float(b and not a), float(not a and not b)


def _with_limits(point: dict[str, Any], drawn: Floats, level: float) -> dict[str, Any]:
    """Add the limits to an estimate; none where most replicates had no variation."""
    known = drawn[~np.isnan(drawn)]
    missing = len(drawn) - len(known)
    # Limits over the minority of resamples that vary would be of those alone.
    if point["estimate"] is None or len(known) < len(drawn) / 2:
        return point | {
            "ci_low": None,
            "ci_high": None,
            "std_error": None,
            "note": point["note"] or "varies too little",
        }
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    note = f"{missing} of {len(drawn)} replicates had no variation" if missing else ""
    return point | {"ci_low": float(low), "ci_high": float(high), "std_error": float(known.std(ddof=1)), "note": note}
