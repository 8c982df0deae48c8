"""What a scheme does for a planned n: imbalance and predictability by simulation, beside the alternatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.allocation.options import options
from study_app.domain.allocation.scheme import MISSING, BaseMethod
from study_app.domain.errors import UserError
from study_app.rerandomisation import Design, replicate_design_with_draws
from study_app.rerandomisation.vectorised_replay import Assignments

Margins = Mapping[str, Mapping[Any, float]]
"""Shares of each value of each baseline variable, for instance {"experience": {"1-3": 0.2, "4-6": 0.5, "7+": 0.3}}."""
Profiles = Sequence[Mapping[str, Any]]

_ARRIVALS = 20
"""Sequences of newcomers drawn where the scheme looks at who they are; replicates are shared out among them."""
_RARE = 0.95
_COMPARED: tuple[str, ...] = get_args(BaseMethod)


def scheme_properties(
    scheme: Scheme,
    arms: Sequence[Arm],
    n: int,
    *,
    profiles: Profiles | None = None,
    margins: Margins | None = None,
    replicates: int = 2000,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Imbalance and predictability of a scheme and of the alternatives to it.

    Imbalance is the largest minus the smallest count per unit of weight: with two equal arms the difference of counts.
    Strata and margins are those of the chosen scheme's variables, for every scheme.
    Predictability is the share of correct guesses under the convergence strategy (Blackwell & Hodges 1957): guess the
    arm that lags most, by lot among several; the guesser knows earlier arms, and in schemes with strata those of
    the newcomer's stratum. Everybody after the first of a cluster is left out, for nothing about them is hidden.

    Args:
        scheme: The chosen scheme.
        arms: The study's arms.
        n: The planned number of participants.
        profiles: Baseline values to draw newcomers from, with replacement.
        margins: Shares of values by variable, drawn independently; used where no profiles are given.
        replicates: Simulated ledgers per scheme.
        rng: Where chance comes from; the same newcomers and uniforms serve every scheme.

    Returns:
        JSON types: n, replicates, arms, chance (share right for who always guesses the heaviest arm), and `schemes`,
        the chosen first, each with method, chosen, imbalance and predictability with Monte Carlo errors.

    Raises:
        UserError: n or replicates below 1, or the scheme looks at baseline variables that neither profiles nor margins
            cover.
    """
    if n < 1 or replicates < 1:
        raise UserError(f"allocation: {n} participants, {replicates} replicates; simulate at least one of each")
    weights = [option.weight for option in options(scheme, arms)]
    newcomers = _arrivals(scheme, n, profiles, margins, rng)
    per_arrival = -(-replicates // len(newcomers))
    # Common random numbers: each scheme starts from the same state, so that their differences are more precise than
    # each alone.
    state = rng.bit_generator.state
    results = []
    for candidate in [scheme, *alternatives(scheme)]:
        rng.bit_generator.state = state
        results.append({"chosen": candidate is scheme} | _one(candidate, scheme, arms, newcomers, per_arrival, rng))
    return {
        "n": n,
        "replicates": per_arrival * len(newcomers),
        "arms": [arm.id for arm in arms],
        "chance": max(weights) / sum(weights),
        "schemes": results,
    }


def alternatives(scheme: Scheme) -> list[Scheme]:
    """Return the other methods with their defaults, on the same variables and the same units."""
    variables = scheme.strata or scheme.factors
    found = []
    for method in _COMPARED:
        needs = {"stratified_blocks": "strata", "minimisation": "factors"}.get(method)
        if method == scheme.unit_method or (needs and not variables):
            continue
        table: dict[str, Any] = {needs: variables} if needs else {}
        found.append(Scheme.model_validate(_as_unit(scheme, method) | table))
    return found


def _as_unit(scheme: Scheme, method: str) -> dict[str, Any]:
    if scheme.method == "cluster":
        return {"method": "cluster", "base_method": method, "cluster": scheme.cluster}
    if scheme.method == "sequence":
        return {"method": "sequence", "base_method": method, "orders": scheme.orders}
    return {"method": method}


def _arrivals(
    scheme: Scheme, n: int, profiles: Profiles | None, margins: Margins | None, rng: np.random.Generator
) -> list[Profiles]:
    if not scheme.variables:
        return [[{}] * n]
    if profiles:
        return [[profiles[place] for place in rng.integers(len(profiles), size=n)] for _ in range(_ARRIVALS)]
    lacking = [name for name in scheme.variables if not (margins or {}).get(name)]
    if lacking or margins is None:
        raise UserError(f"allocation: no shares are known for {', '.join(lacking)}; give margins or example profiles")
    return [_drawn(scheme.variables, margins, n, rng) for _ in range(_ARRIVALS)]


def _drawn(variables: Sequence[str], margins: Margins, n: int, rng: np.random.Generator) -> Profiles:
    columns = {name: _values(margins[name], n, rng) for name in variables}
    return [{name: column[person] for name, column in columns.items()} for person in range(n)]


def _values(shares: Mapping[Any, float], n: int, rng: np.random.Generator) -> list[Any]:
    values, weights = list(shares), np.array(list(shares.values()), dtype=float)
    return [values[place] for place in rng.choice(len(values), size=n, p=weights / weights.sum())]


def _one(
    scheme: Scheme,
    chosen: Scheme,
    arms: Sequence[Arm],
    newcomers: Sequence[Profiles],
    replicates: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    parts = []
    for profiles in newcomers:
        design = Design.of(scheme, arms, profiles)
        drawn = replicate_design_with_draws(design, rng.random((replicates, len(profiles), 2)))
        parts.append(_measures(design, drawn, [_balanced(chosen, profile) for profile in profiles]))
    measured = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    return {
        "method": scheme.unit_method,
        "base_of": scheme.method if scheme.method != scheme.unit_method else None,
        "imbalance": {
            "overall": _summary(measured["overall"]),
            "on_the_way": _summary(measured["on_the_way"]),
            "worst_stratum": _summary(measured["worst_stratum"]),
            "worst_margin": _summary(measured["worst_margin"]),
        },
        "predictability": _mean(measured["guessed"]),
    }


def _measures(
    design: Design, drawn: Assignments, levels: Sequence[Mapping[str, str]]
) -> dict[str, NDArray[np.float64]]:
    weights = np.array([option.weight for option in design.regimes[0].options], dtype=float)
    strata: list[Any] = [tuple(of.values()) for of in levels]
    margins: list[list[Any]] = [[of[name] for of in levels] for name in levels[0]] or [strata]
    return {
        "overall": imbalance(drawn, weights)[:, -1],
        "on_the_way": imbalance(drawn, weights).max(axis=1),
        "worst_stratum": _worst(drawn, weights, [strata]),
        "worst_margin": _worst(drawn, weights, margins),
        "guessed": guesses(drawn, weights, _strata(design))[:, _hidden(design)].mean(axis=1),
    }


def imbalance(drawn: Assignments, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """After each person: largest minus smallest count per unit of weight; shape (replicates, people)."""
    counts = np.stack([np.cumsum(drawn == arm, axis=1) / weight for arm, weight in enumerate(weights)])
    return np.asarray(counts.max(axis=0) - counts.min(axis=0))


def guesses(drawn: Assignments, weights: NDArray[np.float64], strata: Sequence[Any]) -> NDArray[np.float64]:
    """Return the chance that the convergence strategy guesses each person's arm.

    It knows those before in the same stratum.

    Args:
        drawn: Arm positions, shape (replicates, people).
        weights: The arms' weights.
        strata: Each person's stratum; all equal where the guesser counts overall.

    Returns:
        Shape (replicates, people): 1 right, 0 wrong, a fraction where arms tie for the guess.
    """
    right = np.empty(drawn.shape)
    columns = np.arange(len(drawn))
    counts: dict[Any, NDArray[np.float64]] = {}
    for person, stratum in enumerate(strata):
        before = counts.setdefault(stratum, np.zeros((len(weights), len(drawn))))
        # Whole numbers, so that ties are ties: shares as fractions would differ in the last bit and the guess would not
        # be by lot.
        lag = (before.sum(axis=0) + 1) * weights[:, None] - weights.sum() * before
        guessed = lag == lag.max(axis=0)
        right[:, person] = guessed[drawn[:, person], columns] / guessed.sum(axis=0)
        before[drawn[:, person], columns] += 1
    return right


def _strata(design: Design) -> list[Any]:
    names = [factor.variable for factor in design.regimes[0].scheme.strata]
    return [tuple(person.levels[name] for name in names) for person in design.people]


def _balanced(scheme: Scheme, profile: Mapping[str, Any]) -> dict[str, str]:
    return {factor.variable: factor.level(profile.get(factor.variable)) for factor in (*scheme.strata, *scheme.factors)}


def _worst(drawn: Assignments, weights: NDArray[np.float64], groupings: list[list[Any]]) -> NDArray[np.float64]:
    """Return the largest final imbalance among the groups of several groupings; shape (replicates,)."""
    worst = np.zeros(len(drawn))
    for groups in groupings:
        for group in dict.fromkeys(groups):
            members = [person for person, other in enumerate(groups) if other == group]
            worst = np.maximum(worst, imbalance(drawn[:, members], weights)[:, -1])
    return worst


def _hidden(design: Design) -> list[int]:
    """Return the people whose arm does not follow from their cluster's."""
    cluster = design.regimes[0].scheme.cluster
    if not cluster:
        return list(range(len(design.people)))
    levels = [person.levels[cluster] for person in design.people]
    # People without a cluster are drawn alone.
    return [place for place, level in enumerate(levels) if level == MISSING or levels.index(level) == place]


def _mean(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean with its Monte Carlo error; rows are arrival sequences, whose spread counts where there are several."""
    # Replicates of one sequence of newcomers are alike; as independent ones they would make the error too small.
    spread = values.mean(axis=1) if len(values) > 1 else values[0]
    error = float(spread.std(ddof=1) / np.sqrt(len(spread))) if len(spread) > 1 else 0.0
    return {"mean": float(values.mean()), "mc_error": error}


def _summary(values: NDArray[np.float64]) -> dict[str, Any]:
    # Counts over weights, as 1/3, differ in the last bit between sums; rounding makes them one level.
    levels, counts = np.unique(values.round(6), return_counts=True)
    return _mean(values) | {
        "p95": float(np.quantile(values, _RARE, method="inverted_cdf")),
        "max": float(values.max()),
        "distribution": [
            [float(level), count / values.size] for level, count in zip(levels, counts.tolist(), strict=True)
        ],
    }
