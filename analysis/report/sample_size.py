"""The sentence on sample size: what was planned, and what so many people could find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.design.power import minimal_detectable_effect
from analysis.pipeline.prepare import Prepared
from analysis.report.scales import decimal


def sample_size_sentence(prepared: Prepared, result: Mapping[str, Any]) -> str:
    """Planned and allocated numbers, and the difference that the first primary comparison detects at 80%."""
    study, flow = prepared.dataset.study.study, result["flow"]
    planned = f"{study.recruitment.target_n} planned, " if study is not None else ""
    text = f"{planned}{flow['allocated']} allocated"
    primary = [row for row in result["estimates"] if row["role"] == "primary" and row["contrast"]]
    if not primary:
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
