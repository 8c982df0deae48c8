"""One planned look: the registered primary rows on the data so far, against the boundary of this look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from analysis.data.load import load
from analysis.design.sequential import TakenLook
from analysis.estimators.core.results import _finite as finite
from analysis.pipeline.analyse import primary_rows
from analysis.pipeline.looks.recorded import histories, opened, taken_looks
from analysis.pipeline.looks.rows import looked_at
from analysis.pipeline.prepare import prepare


def take_look(dataset: Path, *, look: int, n: int, target: int) -> dict[str, Any]:
    """Analyse a look's dataset.

    Args:
        dataset: folder that `study interim` exported, with the arms and the earlier looks.
        look: its place among the planned looks.
        n: people whose outcomes are known.
        target: people at the planned end.

    Returns:
        JSON types: `boundary`, `nominal_p`, `alpha_spent`, `decision` (efficacy, futility, continue), and `rows` with
        estimate, z, boundary, crossed, repeated interval, sequential p and its adjustment over the primary rows.
    """
    prepared = prepare(load(dataset), include_simulated=True)
    with threadpool_limits(1):
        made = primary_rows(prepared, intervals=False, after_looks=False)
    # The ratio of an `rmst` is a secondary row of a primary analysis, and no look is at it.
    rows = [row for row in made if row["role"] == "primary"]
    taken = opened(prepared.dataset, prepared.view.kinds)
    looks = [*taken_looks(taken, went_on=True), TakenLook(look, n, n / target)]
    return dict(finite(looked_at(prepared.fitted, looks, histories(taken), rows)))
