"""Classes of submissions by people: how people agree with each other and with the rules, and what they found by arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.interaction.coders.agreement import REPLICATES, per_label
from analysis.interaction.coders.queries import CodedQuery, Codes
from study_app.domain.interaction.codes import ADJUDICATED, people
from study_app.domain.tasks.hacks import RULE_CLASSES
from study_app.domain.tasks.hacks.coding import CLASSES, NONE, OBJECT, RUBRIC


def hack_coding(view: View, seed: int = 1, level: float = 0.95) -> dict[str, Any]:
    """Return kappa between people and of rules with people, and classes and authors by arm as people see them.

    Empty where no person has coded a submission. People's class is what was settled, else what more of them gave than
    any other class; others are `open`. Intervals resample whole participants.

    Args:
        view: the participants.
        seed: of the resampling.
        level: of the intervals.
    """
    ratings, runs = view.tables.get("ratings"), view.tables.get("runs")
    if ratings is None or runs is None or "hack_class" not in runs or not ratings["rubric"].eq(RUBRIC).any():
        return {}
    arms = dict(zip(view.participants["participant_id"].astype(str), view.participants["arm"], strict=True))
    runs = runs[[bool(arms.get(str(who))) for who in runs["participant_id"]]]
    programs = {
        str(row.run_id): CodedQuery(str(row.run_id), str(row.participant_id), "")
        for row in runs.itertuples(index=False)
    }
    given = _given(ratings, set(programs))
    if not given:
        return {}
    said = {name: value for name, codes in given.items() if (value := _said(codes))}
    by_people: Codes = {name: (value,) for name, value in said.items()}
    coded = [programs[name] for name in given]
    by_rules: Codes = {
        str(name): (NONE if pd.isna(value) else str(value),)
        for name, value in zip(runs["run_id"], runs["hack_class"], strict=True)
    }
    rows = runs.assign(said=runs["run_id"].astype(str).map(said), shown=runs["participant_id"].astype(str).map(arms))
    rows = rows.dropna(subset=["said"])
    hacks = rows[rows["said"].isin(RULE_CLASSES)].dropna(subset=["hack_author"])
    return {
        "codebook": RUBRIC,
        "coded": len(given),
        "twice": sum(len(people(codes)) > 1 for codes in given.values()),
        "open": len(given) - len(said),
        "people": _between(coded, given, seed, level),
        "rules": _agreement(coded, by_rules, by_people, seed, level),
        "classes": _by_arm(rows, "said", view.arm_ids),
        "authors": _by_arm(hacks, "hack_author", view.arm_ids),
    }


def _given(ratings: pd.DataFrame, known: set[str]) -> dict[str, dict[str, str]]:
    """Submission -> rater -> class, each rater's newest."""
    own = ratings[ratings["rubric"].eq(RUBRIC)].sort_values("rated_at", kind="stable")
    found: dict[str, dict[str, str]] = {}
    for name, rater, value in zip(own["object"].astype(str), own["rater"].astype(str), own["value"], strict=True):
        run = name.removeprefix(OBJECT)
        if run in known and value in CLASSES and (people([rater]) or rater == ADJUDICATED):
            found.setdefault(run, {})[rater] = str(value)
    return found


def _said(codes: Mapping[str, str]) -> str | None:
    if ADJUDICATED in codes:
        return codes[ADJUDICATED]
    (value, votes), *others = Counter(codes[who] for who in people(codes)).most_common(2)
    return value if not others or others[0][1] < votes else None


def _between(
    coded: Sequence[CodedQuery], given: Mapping[str, Mapping[str, str]], seed: int, level: float
) -> dict[str, Any]:
    """Return the agreement of each two people, before anything was settled."""
    names = sorted({who for codes in given.values() for who in people(codes)})
    by_rater: dict[str, Codes] = {
        who: {run: (codes[who],) for run, codes in given.items() if who in codes} for who in names
    }
    return {
        f"{one} and {other}": _agreement(coded, by_rater[one], by_rater[other], seed, level)
        for one, other in combinations(names, 2)
        if set(by_rater[one]) & set(by_rater[other])
    }


def _agreement(coded: Sequence[CodedQuery], one: Codes, other: Codes, seed: int, level: float) -> dict[str, Any]:
    """Return kappa over all classes and of each class that occurs, over the programs that both coded."""
    both = [each for each in coded if each.turn_id in one and each.turn_id in other]
    occurring = [name for name in CLASSES if any((name,) in (one[e.turn_id], other[e.turn_id]) for e in both)]
    pairs = [(occurring.index(one[e.turn_id][0]), occurring.index(other[e.turn_id][0])) for e in both]
    whole = _nominal(pairs, [each.participant_id for each in both], len(occurring), seed, level)
    return whole | {"n": len(both), "by_class": per_label(both, one, other, seed, level, occurring)}


def _nominal(
    pairs: Sequence[tuple[int, int]], who: Sequence[str], size: int, seed: int, level: float
) -> dict[str, Any]:
    """Return Cohen's kappa over all classes, with the percentile interval over whole participants."""
    names, index = np.unique(who, return_inverse=True)
    tables = np.zeros((len(names), size, size))
    for person, (first, second) in zip(index, pairs, strict=True):
        tables[person, first, second] += 1
    value = _kappas(tables.sum(axis=0, keepdims=True))[0] if len(names) else np.nan
    if np.isnan(value):
        return {"kappa": None, "ci_low": None, "ci_high": None, "note": "not computable: all of one class, or none"}
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPLICATES)
    drawn = _kappas(np.einsum("rp,pij->rij", weights.astype(float), tables))
    known = drawn[~np.isnan(drawn)]
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    row = {"kappa": float(value), "ci_low": float(low), "ci_high": float(high)}
    missing = len(drawn) - len(known)
    return row | ({"note": f"{missing} of {len(drawn)} replicates had no variation"} if missing else {})


def _kappas(tables: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cohen's kappa of many square tables; NaN where chance agreement is 1."""
    n = tables.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(tables, axis1=1, axis2=2) / n
        expected = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _by_arm(rows: pd.DataFrame, column: str, arms: Sequence[str]) -> dict[str, dict[str, int]]:
    """Value -> arm -> programs."""
    counts = Counter(zip(rows[column].astype(str), rows["shown"].astype(str), strict=True))
    names = sorted({name for name, _ in counts})
    return {name: {arm: counts[name, arm] for arm in arms} for name in names}
