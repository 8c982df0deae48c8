"""What the methods of factors are given: each person's levels, and the blocks of the allocation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.view import View
from analysis.estimators.core.results import Estimate
from study_app.domain.study.study import Study

PREFIX = "_factor_"
BLOCK = "_block"


@dataclass(frozen=True)
class Levels:
    """The factors of a study, and the blocks in which its people were allocated.

    Attributes:
        blocks: Participant -> block; empty where the ledger does not show them.
    """

    study: Study
    blocks: Mapping[str, str]

    @classmethod
    def of(cls, dataset: Dataset, view: View) -> Levels | None:
        """Return those of a dataset; None where its study has no factors."""
        study = dataset.study.study
        if study is None or not study.factors:
            return None
        return cls(study, {} if view.hidden else allocation_blocks(dataset, view, study))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the factors in the table that methods see."""
        return tuple(f"{PREFIX}{factor.id}" for factor in self.study.factors)

    def added(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of cells and control with each factor's level, in the study's order of levels."""
        cells = self.study.cells
        data = data[data["arm"].isin([*cells, self.study.control.id])].reset_index(drop=True)
        levels = {
            f"{PREFIX}{factor.id}": pd.Categorical(
                [cells.get(arm, {}).get(factor.id) for arm in data["arm"]], categories=list(factor.level_ids)
            )
            for factor in self.study.factors
        }
        return data.assign(**levels, **{BLOCK: self._held(data)})

    def _held(self, data: pd.DataFrame) -> list[str]:
        people = [str(person) for person in data["participant_id"]]
        if self.blocks and all(person in self.blocks for person in people):
            return [self.blocks[person] for person in people]
        return [str(stratum) for stratum in data["stratum"].fillna("all")] if "stratum" in data else ["all"] * len(data)

    @property
    def how(self) -> str:
        """What is held beside the other factors, for the notes of rows."""
        return "blocks as the ledger shows them" if self.blocks else "strata"


def in_the_study_s_names(row: Estimate) -> Estimate:
    """Return a row with the factors as the study names them, not as columns of the table."""
    factors = [str(name).removeprefix(PREFIX) for name in row.detail.get("factors", ())]
    note = row.note.replace(PREFIX, "")
    return replace(row, id=row.id.replace(PREFIX, ""), note=note, detail={**row.detail, "factors": factors})


def allocation_blocks(dataset: Dataset, view: View, study: Study) -> dict[str, str]:
    """Return each person's block, read from the probabilities of the ledger; empty where it does not show them.

    A block of R places ends after R allocations of its stratum. The chance of an arm that was not drawn grows from r/R
    to r/(R - 1), so that two rows give R.
    """
    if study.allocation.method not in ("permuted_blocks", "stratified_blocks") or "allocations" not in dataset.tables:
        return {}
    rows = dataset.tables["allocations"]
    needed = ("participant_id", "allocation_index", "ledger", "stratum", "arm", "probabilities", "study_hash")
    if any(name not in rows for name in needed) or rows["study_hash"].nunique() > 1 or _returned(rows):
        return {}
    found: dict[str, str] = {}
    rows = rows[rows["ledger"].isin(view.kinds)].sort_values("allocation_index", kind="stable")
    for (ledger, stratum), part in rows.groupby(["ledger", "stratum"], sort=True, dropna=False):
        sizes = _sizes(part["probabilities"], [arm.id for arm in study.arms], list(part["arm"]))
        if sizes is None:
            return {}
        labels = [f"{ledger} {stratum} {number}" for number, size in enumerate(sizes) for _ in range(size)]
        found |= dict(zip(map(str, part["participant_id"]), labels, strict=False))
    return found


def _returned(rows: pd.DataFrame) -> bool:
    """Return whether slots of people who left were given again, so that a block has more than its places."""
    return "returned" in rows and any(str(cell) not in ("[]", "nan", "", "None") for cell in rows["returned"])


def _sizes(cells: pd.Series, arms: Sequence[str], drawn: Sequence[str]) -> list[int] | None:
    """Return the sizes of the blocks of one stratum, the last perhaps longer than its rows; None where none fit."""
    try:
        chances = np.asarray([json.loads(cell) if isinstance(cell, str) else list(cell) for cell in cells], dtype=float)
        places = [arms.index(arm) for arm in drawn]
    except (TypeError, ValueError):
        return None
    if chances.ndim != 2 or chances.shape[1] != len(arms):
        return None
    sizes: list[int] = []
    start = 0
    while start < len(chances):
        if start + 1 == len(chances):
            # A block's size follows from two rows; of the last one a single place is all that is needed.
            return [*sizes, 1]
        others = [k for k in range(len(arms)) if k != places[start] and chances[start, k] > 0]
        if not others:
            return None
        before, after = chances[start, others[0]], chances[start + 1, others[0]]
        # Within a block this chance can only grow: these are not blocks, or the ledger lacks a row.
        if after <= before:
            return None
        size = round(float(after / (after - before)))
        sizes.append(size)
        start += size
    return sizes
