"""The sentence on sample size: what was planned, and what so many people could find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.design.power import minimal_detectable_effect
from analysis.pipeline.people.flow import clusters_in
from analysis.pipeline.prepare import Prepared
from analysis.report.scales import decimal

_OF_MEANS = ("rerandomization", "permutation", "lin", "ancova", "ols", "welch_t", "student_t")
_OF_SCORES = ("bounded", "continuous")


def sample_size_sentence(prepared: Prepared, result: Mapping[str, Any]) -> str:
    """Planned and allocated numbers, and the difference that the first primary comparison detects at 80%.

    The difference only where two groups of people are compared by their means: a t test says nothing of differences
    within people, of clusters, of shares and times, of tests against a margin, or of a level that a graph passes on.
    """
    study, flow = prepared.dataset.study.study, result["flow"]
    planned = f"{study.recruitment.target_n} planned, " if study is not None else ""
    text = f"{planned}{flow['allocated']} allocated"
    if prepared.frame.cluster:
        return f"{text}{_clusters(prepared)}"
    primary = [row for row in result["estimates"] if row["role"] == "primary" and row["contrast"]]
    if not primary or not _of_two_means(prepared, primary[0]):
        return text
    treated, control = (primary[0]["n"].get(arm, 0) for arm in primary[0]["contrast"])
    if min(treated, control) < 2:
        return text
    alpha = (1 - prepared.fitted.level) / (1 if prepared.fitted.multiplicity.method == "none" else len(primary))
    found = minimal_detectable_effect(treated, 0.8, alpha, control)
    return (
        f"{text}. A t test of {treated} against {control} people at {alpha:.3g} detects a difference of "
        f"{decimal(found, 2)} standard deviations with 80% power; study power simulates the plan itself"
    )


def _of_two_means(prepared: Prepared, row: Mapping[str, Any]) -> bool:
    """Return whether a row compares the means of two groups of people, at a level known beforehand."""
    plan = prepared.fitted
    return (
        not prepared.sequence
        and plan.multiplicity.method != "graphical"
        and not plan.stopping.interim
        and row["method"] in _OF_MEANS
        and plan.outcome(row["outcome"]).kind in _OF_SCORES
    )


def _clusters(prepared: Prepared) -> str:
    data, column = prepared.frame.data, prepared.frame.cluster
    counts = [clusters_in(data[data["arm"] == arm], column) for arm in prepared.view.arm_ids] if column else []
    return f" in {' and '.join(map(str, counts))} clusters" if counts else ""
