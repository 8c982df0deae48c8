"""Replicate assignments: what the trial's scheme could have done, aligned with the rows of the table.

Written here because scipy's `permutation_test` knows no scheme of allocation, and its two-sided p is
twice the smaller tail.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, label_of, require_columns
from analysis.estimators.numerics.shuffles import shuffled
from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import AllocationOption, Arm
from study_app.domain.allocation.options import scheme_problems

MAX_EXACT = 70_000
"""Largest reference set that is enumerated rather than sampled."""
FEW = 14
"""Up to so many people a design is enumerated where it can be."""


@dataclass(frozen=True)
class ReplicateAssignments:
    """Arm indices (into the trial's labels), one replicate a row; `exact` when they are the whole reference set."""

    codes: NDArray[np.int8]
    exact: bool
    how: str
    weights: Floats | None = None
    """Probabilities of the rows of a whole reference set, where they differ."""


def replicate(
    trial: AnalysisRequest, scheme: Any, replicates: int, arms: Sequence[Any] | None = None
) -> ReplicateAssignments:
    """Draw or enumerate assignments under a scheme.

    Args:
        trial: The request; its rows are those of every replicate.
        scheme: None, "complete" or {"method": "complete"}: fixed arm counts (within strata); "simple"; an array
            (replicates, n) of labels or arm indices; a callable (replicates, rng) giving such an array; an enumeration
            with `assignments` and `probabilities`; any other design: handed to `study_app.rerandomisation`, which
            enumerates it for a few people and re-runs it for more.
        replicates: How many, where they are drawn.
        arms: The order that arm indices refer to; the design's own, else control first.
    """
    if trial.cluster is not None and not _names_clusters(scheme):
        return _of_clusters(trial, scheme, replicates, arms)
    # A stated seed even where none is given: the same data and plan must give the same p again.
    rng = np.random.default_rng(0 if trial.seed is None else trial.seed)
    name = _name(scheme)
    if isinstance(scheme, dict):
        arms = arms or scheme.get("arms")
    if scheme is None or (name == "complete" and _is_plain(scheme)):
        return complete(trial, replicates, rng)
    if callable(scheme):
        return _given(trial, np.asarray(scheme(replicates, rng)), arms, "the scheme's own replicates")
    if hasattr(scheme, "probabilities"):
        return _enumeration(trial, scheme, np.arange(len(trial.data)), arms, "the whole reference set")
    if hasattr(scheme, "shape") or isinstance(scheme, list | tuple):
        return _given(trial, np.asarray(scheme), arms, "the given replicates")
    return _delegated(trial, scheme, replicates, rng, arms)


def _names_clusters(scheme: Any) -> bool:
    """Return whether the design allocates clusters itself."""
    named = scheme.get("cluster") if isinstance(scheme, dict) else getattr(scheme, "cluster", None)
    return bool(named)


def _of_clusters(
    trial: AnalysisRequest, scheme: Any, replicates: int, arms: Sequence[Any] | None
) -> ReplicateAssignments:
    """Return assignments of whole clusters: the scheme is run over clusters, and people follow theirs."""
    codes = trial.cluster_codes
    _, first = np.unique(codes, return_index=True)
    whole_strata = bool((trial.stratum_codes == trial.stratum_codes[first][codes]).all())
    needs_strata = scheme is None or _name(scheme) == "complete"
    for values, what in [(trial.codes, "arm"), *([(trial.stratum_codes, "stratum")] if needs_strata else [])]:
        split = np.flatnonzero(values != values[first][codes])
        if len(split):
            named = label_of(trial.data[trial.cluster].iloc[split[0]])
            what = f"cluster {named!r} has people in more than one {what}"
            raise AnalysisError.of(f"column {trial.cluster!r}", what, "clusters were not allocated whole: leave it out")
    order = np.argsort(first, kind="stable")
    place = np.argsort(order)[codes]  # of each person: their cluster, in the order of the rows
    rows = first[order]
    strata = trial.strata if whole_strata else ()
    data = trial.data.iloc[rows].reset_index(drop=True)
    whole = replace(trial, data=data, cluster=None, strata=strata, notes=[])

    def reduced(drawn: Any) -> NDArray[Any]:
        found = np.asarray(drawn)
        if found.ndim != 2 or found.shape[1] != len(codes) or found.shape[1] == len(rows):
            return found
        if (found != found[:, rows][:, place]).any():
            raise AnalysisError.of("scheme", "splits clusters", "give replicates that keep each cluster in one arm")
        return np.asarray(found[:, rows])

    given = scheme
    if callable(scheme):

        def given(count: int, rng: np.random.Generator) -> NDArray[Any]:
            return reduced(scheme(count, rng))
    elif hasattr(scheme, "probabilities"):
        given = _Whole(reduced(scheme.assignments), np.asarray(scheme.probabilities))
    elif hasattr(scheme, "shape") or isinstance(scheme, list | tuple):
        given = reduced(scheme)
    found = replicate(whole, given, replicates, arms)
    return replace(found, codes=found.codes[:, place], how=f"{found.how} of {len(rows)} clusters")


@dataclass(frozen=True)
class _Whole:
    """A whole reference set of assignments of clusters."""

    assignments: NDArray[Any]
    probabilities: NDArray[Any]


def _refuse_unfit(trial: AnalysisRequest, scheme: Any, arms: Sequence[Arm | str]) -> None:
    """Refuse blocks that cannot hold the arms in their ratio, and strata or factors that are not columns."""
    if not isinstance(scheme, dict | Scheme):
        return
    whole = scheme if isinstance(scheme, Scheme) else Scheme.model_validate(scheme)
    weighted = [AllocationOption(arm, 1) if isinstance(arm, str) else arm for arm in arms]
    if wrong := scheme_problems(whole, weighted, file="data", table="scheme"):
        raise AnalysisError(wrong)
    require_columns(trial.data, whole.variables)


def _said(error: Exception) -> str:
    """Return what a design's check found, without the words of the library that made it."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return (f"{place}: " if place else "") + str(first["msg"]).removeprefix("Value error, ")
    return str(error)


def _name(scheme: Any) -> str | None:
    if isinstance(scheme, str):
        return scheme
    return scheme.get("method") if isinstance(scheme, dict) else getattr(scheme, "method", None)


def _is_plain(scheme: Any) -> bool:
    """Return whether a design has nothing beyond its name (and the arms): drawn here, from the arms as observed."""
    return isinstance(scheme, str) or (isinstance(scheme, dict) and set(scheme) <= {"method", "arms"})


def _delegated(
    trial: AnalysisRequest, scheme: Any, replicates: int, rng: np.random.Generator, arms: Sequence[Any] | None
) -> ReplicateAssignments:
    allocator = importlib.import_module("study_app.rerandomisation")
    if isinstance(scheme, str):
        scheme = {"method": scheme}
    if isinstance(scheme, dict):
        scheme = {key: value for key, value in scheme.items() if key != "arms"}
    given = list(arms or getattr(scheme, "arms", None) or trial.labels)
    given = [_as_arm(arm) for arm in given]
    names = [label_of(getattr(arm, "id", arm)) for arm in given]
    if lacking := [label for label in trial.labels if label not in names]:
        what = f"has arms {names}, not {lacking[0]!r} of the table"
        raise AnalysisError.of("scheme", what, "give the arms that the trial allocated, control and all")
    weighted = [arm if isinstance(arm, Arm) else name for arm, name in zip(given, names, strict=True)]
    # A sequential scheme depends on the order of arrival; rows of the table may be sorted by anything.
    order = np.arange(len(trial.data))
    if "allocation_index" in trial.data.columns:
        order = np.argsort(trial.data["allocation_index"].to_numpy(), kind="stable")
    profiles = [{str(key): value for key, value in row.items()} for row in trial.data.iloc[order].to_dict("records")]
    how = f"re-run of {_name(scheme) or 'the scheme'}"
    try:
        _refuse_unfit(trial, scheme, weighted)
        if len(profiles) <= FEW:
            # Assignments of a sequential scheme are not equally likely, so each comes with its probability.
            whole = allocator.enumerate_assignments(scheme, profiles, limit=MAX_EXACT // 10, arms=weighted)
            if whole is not None:
                return _enumeration(trial, whole, order, names, f"whole reference set of {_name(scheme)}")
        drawn = np.asarray(allocator.replicate(scheme, profiles, replicates, rng, arms=weighted))
    except (ValueError, TypeError, KeyError) as error:
        what = _said(error)
        raise AnalysisError.of(
            "scheme", f"cannot be run again ({what})", "give a design that the trial used"
        ) from error
    aligned = np.empty_like(drawn)
    aligned[:, order] = drawn
    return _given(trial, aligned, names, how)


def _as_arm(arm: Any) -> Any:
    """Return an arm as a study file writes it, a table of id and weight, as types."""
    if not isinstance(arm, dict):
        return arm
    try:
        return Arm.model_validate(arm)
    except ValidationError as error:
        raise AnalysisError.of("scheme", f"has an arm {arm!r} ({_said(error)})", "give id and weight") from None


def _enumeration(
    trial: AnalysisRequest, whole: Any, order: Ints, arms: Sequence[Any] | None, how: str
) -> ReplicateAssignments:
    drawn = np.asarray(whole.assignments)
    aligned = np.empty_like(drawn)
    aligned[:, order] = drawn
    found = _given(trial, aligned, arms, how)
    return ReplicateAssignments(found.codes, True, how, np.asarray(whole.probabilities, dtype=np.float64))


def _given(trial: AnalysisRequest, drawn: NDArray[Any], arms: Sequence[Any] | None, how: str) -> ReplicateAssignments:
    if drawn.ndim != 2 or drawn.shape[1] != len(trial.data) or not len(drawn):
        raise AnalysisError.of(
            "scheme", f"gave an array of shape {drawn.shape}", f"one row a replicate, {len(trial.data)} columns wanted"
        )
    codes = _as_codes(trial, drawn, [label_of(arm) for arm in arms] if arms else None)
    return ReplicateAssignments(codes, _is_whole_set(trial, codes), how)


def _as_codes(trial: AnalysisRequest, drawn: NDArray[Any], arms: list[str] | None) -> NDArray[np.int8]:
    """Labels or indices as indices into the trial's labels, -1 for an arm that the table does not hold."""
    values = _distinct(drawn)
    texts = [label_of(value) for value in values]
    position = {label: index for index, label in enumerate(trial.labels)}
    numeric = np.issubdtype(drawn.dtype, np.number) or drawn.dtype == bool
    if numeric and arms is not None:
        texts = [arms[int(value)] if 0 <= int(value) < len(arms) else "" for value in values]
    elif numeric and not set(texts) <= set(position):
        texts = [trial.labels[int(value)] if 0 <= int(value) < len(trial.labels) else "" for value in values]
    unknown = [text for text in texts if text not in position and (arms is None or text not in arms)]
    if unknown:
        raise AnalysisError.of("scheme", f"assigns unknown arms {unknown}", f"the table's are {list(trial.labels)}")
    # The scheme may draw an arm that the table does not hold. -1 is the index of none of the treated arms, so
    # that a regression counts its people with the control. Any function of the assignment tests a sharp null.
    lookup = np.asarray([position.get(text, -1) for text in texts], dtype=np.int8)
    if _is_small(drawn):
        table = np.zeros(int(values[-1]) + 1, dtype=np.int8)
        table[values] = lookup
        return drawn.astype(np.int8, copy=False) if (lookup == values).all() else table[drawn]
    return lookup[np.searchsorted(values, drawn)]


def _is_small(drawn: NDArray[Any]) -> bool:
    """Small non-negative integers: the usual case, which needs no sorting."""
    return bool(np.issubdtype(drawn.dtype, np.integer) and drawn.size and drawn.min() >= 0 and drawn.max() < 100)


def _distinct(drawn: NDArray[Any]) -> NDArray[Any]:
    """Distinct values, sorted."""
    if _is_small(drawn):
        # Row by row, for a whole comparison would be as large as the replicates.
        return np.asarray([v for v in range(int(drawn.max()) + 1) if any((row == v).any() for row in drawn)])
    return np.unique(drawn)


def _is_whole_set(trial: AnalysisRequest, codes: NDArray[np.int8]) -> bool:
    """Whether given replicates enumerate every assignment with the observed counts (within strata), each once."""
    # Replicates that happen to be all assignments, each once, give an exact p, without the correction for drawn ones.
    if len(codes) > MAX_EXACT or len(codes) != size_of_set(trial) or len(np.unique(codes, axis=0)) != len(codes):
        return False
    wanted = np.stack([np.bincount(trial.codes[rows], minlength=len(trial.labels)) for rows in _blocks(trial)])
    return all(
        (np.stack([(codes[:, rows] == arm).sum(axis=1) for arm in range(len(trial.labels))], axis=1) == counts).all()
        for rows, counts in zip(_blocks(trial), wanted, strict=True)
    )


def _blocks(trial: AnalysisRequest) -> list[Ints]:
    return [np.flatnonzero(trial.stratum_codes == code) for code in np.unique(trial.stratum_codes)]


def size_of_set(trial: AnalysisRequest) -> int:
    """Return the number of assignments with the observed arm counts within each stratum."""
    total = 1
    for rows in _blocks(trial):
        left = len(rows)
        for count in np.bincount(trial.codes[rows]):
            total *= math.comb(left, int(count))
            left -= int(count)
    return total


def complete(trial: AnalysisRequest, replicates: int, rng: np.random.Generator) -> ReplicateAssignments:
    """Arm counts fixed within strata: every assignment when there are few, else shuffles."""
    where = " within strata" if trial.strata else ""
    # Eight times as many as were asked for: an exact answer is worth some time, but simulations call this for thousands
    # of trials.
    if size_of_set(trial) <= min(MAX_EXACT, max(replicates, 1) * 8):
        return ReplicateAssignments(_enumerated(trial), True, f"complete randomisation{where}")
    codes = shuffled(trial.codes.astype(np.int8), _blocks(trial), replicates, rng)
    return ReplicateAssignments(codes, False, f"complete randomisation{where}")


def _enumerated(trial: AnalysisRequest) -> NDArray[np.int8]:
    blocks = _blocks(trial)
    choices = [list(_arrangements(trial.codes[rows].tolist())) for rows in blocks]
    codes = np.empty((size_of_set(trial), len(trial.data)), dtype=np.int8)
    for line, chosen in enumerate(product(*choices)):
        for rows, arrangement in zip(blocks, chosen, strict=True):
            codes[line, rows] = arrangement
    return codes


def _arrangements(observed: list[int]) -> Iterator[list[int]]:
    """Yield every distinct order of a multiset."""
    levels = sorted(set(observed))
    if len(levels) == 1:
        yield list(observed)
        return
    last = levels[-1]
    rest = [code for code in observed if code != last]
    for places in combinations(range(len(observed)), len(observed) - len(rest)):
        taken = set(places)
        for inner in _arrangements(rest):
            remaining = iter(inner)
            yield [last if place in taken else next(remaining) for place in range(len(observed))]
