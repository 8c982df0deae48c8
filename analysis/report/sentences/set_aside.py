"""Who was allocated and is in no analysis, as sentences about everyone allocated must say it."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.pipeline.prepare import Prepared

_WORDS = {"excluded": "excluded after allocation", "in_progress": "still in progress"}


def without(prepared: Prepared, labels: Mapping[str, str]) -> str:
    """Return " without 3 excluded after allocation (AI 3; No AI 0)"; empty where everyone allocated counts.

    Args:
        prepared: the people, and the arms as they may be shown.
        labels: arm -> what readers see.
    """
    parts = []
    for status, counts in prepared.frame.set_aside(prepared.view.arm_ids).items():
        by_arm = "; ".join(f"{labels.get(arm, arm)} {count}" for arm, count in counts.items())
        parts.append(f"{sum(counts.values())} {_WORDS[status]} ({by_arm})")
    return f" without {' and '.join(parts)}" if parts else ""
