"""Agreement of people who graded answers, by criterion and in points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.plain_values import safe
from analysis.measurement import agreement
from study_app.domain.interaction.codes import ADJUDICATED, people
from study_app.domain.quiz.answer_ratings import POINTS, REASON, WHOLE, AnswerName, awarded_in, differ, newest

RESAMPLES = 1000
"""For the interval of Krippendorff's alpha; drawn from a fixed seed."""
FEW = "not estimable: fewer than two answers were rated by two people"

Wide = pd.DataFrame
"""One row an answer, one column a rater; missing where a rater did not rate it."""


def graders_section(ratings: pd.DataFrame, participants: Iterable[str]) -> dict[str, Any]:
    """Agreement of graders: over all answers in points, by item in points, and by criterion.

    Each rater's newest rating counts; settled decisions are no one's. Figures: the share of answers that all their
    raters gave the same; Cohen's kappa of two raters, Fleiss's of more; Krippendorff's alpha on the interval scale with
    a bootstrap interval; the intraclass correlation of a single rating (ICC2 where the same raters rated every answer,
    else ICC1).

    Args:
        ratings: the table `ratings` of a dataset.
        participants: ids of the people whose answers count.
    """
    known = set(participants)
    rows = ratings[ratings["rubric"] == POINTS].sort_values("rated_at", kind="stable")
    triples = [(str(o), str(r), str(v)) for o, r, v in zip(rows["object"], rows["rater"], rows["value"], strict=True)]
    ours = [entry for entry in triples if (name := AnswerName.parse(entry[0])) and name.participant_id in known]
    given = newest(ours)
    if not any(len(people(each)) > 1 for each in given.values()):
        return {}
    cells = list(_cells(given))
    return {
        **_figures(_wide((str(name), rater, _total(points)) for name, rater, points in cells)),
        "items": [
            {"stage": stage, "item": item, **_figures(_wide(found))}
            for (stage, item), found in _grouped(
                ((name.stage, name.item), (str(name), rater, _total(points))) for name, rater, points in cells
            )
        ],
        "criteria": [
            {"stage": stage, "item": item, "criterion": criterion, **_figures(_wide(found))}
            for (stage, item, criterion), found in _grouped(
                ((name.stage, name.item, criterion), (str(name), rater, value))
                for name, rater, points in cells
                for criterion, value in points.items()
                if criterion != WHOLE
            )
        ],
        "disagreements": sum(differ(each) for each in given.values()),
        "settled": sum(ADJUDICATED in each for each in given.values()),
        "corrected": _corrected(ours),
    }


def _total(points: Mapping[str, float]) -> float:
    # Criteria of 0.1 and 0.2 add up to another double than 0.3: who gave as many points has to agree.
    return round(sum(points.values()), 9)


def is_of_graders(rubric: Any) -> bool:
    """Return whether ratings of this rubric belong to this section."""
    return rubric in (POINTS, REASON)


def _cells(
    given: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> Iterable[tuple[AnswerName, str, Mapping[str, float]]]:
    for text, by_rater in given.items():
        name = AnswerName.parse(text)
        if name is not None:
            yield from ((name, rater, by_rater[rater]) for rater in people(by_rater))


def _corrected(entries: Iterable[tuple[str, str, str]]) -> int:
    """Ratings that their own rater replaced by another."""
    times = Counter((name, rater) for name, rater, value in entries if awarded_in(value) is not None)
    return sum(count - 1 for (_, rater), count in times.items() if rater != ADJUDICATED)


def _grouped(entries: Iterable[tuple[Any, tuple[str, str, float]]]) -> list[tuple[Any, list[tuple[str, str, float]]]]:
    found: dict[Any, list[tuple[str, str, float]]] = {}
    for key, entry in entries:
        found.setdefault(key, []).append(entry)
    return sorted(found.items())


def _wide(entries: Iterable[tuple[str, str, float]]) -> Wide:
    long = pd.DataFrame(list(entries), columns=["object", "rater", "value"])
    wide = long.pivot_table(index="object", columns="rater", values="value", aggfunc="last", sort=True)
    return wide[wide.notna().sum(axis=1) >= 2].dropna(axis="columns", how="all")


def _figures(wide: Wide) -> dict[str, Any]:
    counts = {"objects": len(wide), "raters": int(wide.shape[1])}
    if len(wide) < 2:
        nothing = {"value": None, "note": FEW}
        return counts | {"percent_agreement": None, "kappa": nothing, "krippendorff_alpha": nothing, "icc": nothing}
    same = [len(set(row[~np.isnan(row)])) == 1 for row in wide.to_numpy(dtype=float)]
    return counts | {
        "percent_agreement": 100 * float(np.mean(same)),
        "kappa": _kappa(wide),
        "krippendorff_alpha": _with_width(
            safe(
                lambda rated: agreement.krippendorff_alpha(rated, "interval", replicates=RESAMPLES, seed=0),
                wide.to_numpy(dtype=float).tolist(),
            )
        ),
        "icc": _icc(wide),
    }


def _kappa(wide: Wide) -> dict[str, Any]:
    """Cohen's kappa of two raters; of more, Fleiss's over answers that were rated equally often."""
    if wide.shape[1] == 2:
        return {"name": "cohen", **_with_width(safe(agreement.cohen_kappa, wide))}
    return {"name": "fleiss", **_with_width(safe(agreement.fleiss_kappa, _equally_often(wide)))}


def _with_width(found: dict[str, Any]) -> dict[str, Any]:
    """Without an interval where it has no width: so few answers say nothing about how sure the figure is."""
    if found.get("ci_low") is None or found["ci_low"] != found["ci_high"] or found["value"] == 1:
        return found
    note = f"{found['note']}; no interval: too few answers that differ"
    return found | {"ci_low": None, "ci_high": None, "note": note.removeprefix("; ")}


def _icc(wide: Wide) -> dict[str, Any]:
    # Raters are separate terms of the model only where each rated every answer; else each rating is one of a random
    # rater.
    if wide.notna().all(axis=None):
        return {"name": "ICC2", **safe(lambda rated: agreement.icc(rated, "ICC2"), wide)}
    return {"name": "ICC1", **safe(lambda rated: agreement.icc(rated, "ICC1"), _equally_often(wide))}


def _equally_often(wide: Wide) -> Wide:
    """Return the answers with the commonest number of ratings, raters taken as exchangeable: one column a rating."""
    rated = [row[~np.isnan(row)] for row in wide.to_numpy(dtype=float)]
    times = Counter(len(row) for row in rated)
    # Fleiss's kappa needs equally many ratings of each unit: the commonest number keeps most answers.
    most = max(times, key=lambda number: (times[number], number))
    return pd.DataFrame([row for row in rated if len(row) == most])
