"""What `study power` is given to assume: read from its options, and refused where nothing of the study uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study_app.domain.errors import UserError
from study_app.domain.study.study import Study


def spreads(entries: Sequence[str]) -> dict[str, float]:
    """Return outcome -> standard deviation, from texts such as `score=12`.

    Raises:
        UserError: the first that is not such a text, or an outcome that comes twice.
    """
    found: dict[str, float] = {}
    for entry in entries:
        outcome, _, number = entry.partition("=")
        try:
            value = float(number)
        except ValueError:
            raise UserError(
                f"--sd: '{entry}' is not an outcome with its standard deviation; write OUTCOME=NUMBER, such as score=12"
            ) from None
        if outcome in found:
            raise UserError(f"--sd: {outcome}: is given twice; give it once")
        found[outcome] = value
    return found


def refuse_unused(trial: Study, given: Mapping[str, Any]) -> None:
    """Refuse assumptions that nothing of the study uses: the power would seem to rest on them.

    Raises:
        UserError: the first of them that was given.
    """
    method, kinds = trial.allocation.method, {trial.analysis.outcome(name).kind for name in trial.analysis.primary}
    of_clusters = (method == "cluster", "people are not allocated in clusters")
    of_second = (bool(trial.second_decision), "the study has no [second_decision]")
    needs = {
        "incomplete": ("time" in kinds, "no primary outcome is a time"),
        "share": ("binary" in kinds, "no primary outcome is a yes or no"),
        "correlation": (len(trial.analysis.primary) > 1, "there is one primary outcome"),
        "icc": of_clusters,
        "cluster_size": of_clusters,
        "periods": (method == "sequence", "the study compares no treatments within people"),
        "responders": of_second,
        "second_effect": of_second,
    }
    for name, (used, why) in needs.items():
        if given.get(name) is not None and not used:
            raise UserError(f"--{name.replace('_', '-')}: {why}; leave it out")
