"""Equivalence of what assistants give: paired two one-sided tests over the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.estimators.equivalence import tost


def equivalence_row(
    measure: str, reference: Sequence[float], other: Sequence[float], margin: float, level: float = 0.95
) -> dict[str, Any]:
    """Return the difference of paired values with its interval at level 1 - 2 alpha, and whether it is in the margin.

    Args:
        measure: what the values are.
        reference: one a question.
        other: of the treatment that is compared, in the same order.
        margin: largest difference that does not matter.
        level: of each one-sided test.
    """
    arms = ["other"] * len(other) + ["reference"] * len(reference)
    frame = pd.DataFrame({"arm": arms, measure: [*map(float, other), *map(float, reference)]})
    made = tost(frame, outcome=measure, arm="arm", control="reference", margin=margin, paired=True, level=level)
    row = made[0] if isinstance(made, list) else made
    found: Mapping[str, Any] = {"low": row.ci_low, "high": row.ci_high, "p": row.p_value, "difference": row.estimate}
    if row.p_value is None:
        # Without any spread there is nothing to test: the difference is known exactly, at these questions.
        gap = float(other[0] - reference[0]) if len(other) else 0.0
        found = {"low": gap, "high": gap, "p": None, "difference": gap}
    equal = -margin < found["low"] and found["high"] < margin
    return {"measure": measure, **found, "margin": margin, "n": len(other), "equivalent": equal}
