"""Who is analysed and what of the arms may be seen, by the state of the trial.

draft, unsealed: arms as they are. launched: a dry run on labels shuffled by a deterministic seed. closed: arms appear
as `arm_a`, `arm_b`, ... and whatever would tell them apart is withheld. Simulated and preview participants are never
masked.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.dataset import Dataset, DeclaredArm, Tables
from study_app.dataset.schema import REVEALING, REVEALING_TABLES
from study_app.dataset.schema.participants import factor_columns
from study_app.domain.trial_state import hides_arms


@dataclass(frozen=True)
class View:
    """The participants of one analysis, with the arms as they may be shown."""

    participants: pd.DataFrame
    """Rows that are analysed or counted in the flow; `arm` as it may be shown, None where not allocated."""
    arms: tuple[DeclaredArm, ...]
    """Control first."""
    tables: Tables
    masked: bool
    dry_run: bool
    kinds: tuple[str, ...]
    """Of real, simulated, preview: those that are in."""
    warnings: tuple[str, ...]

    @property
    def control(self) -> str:
        """The arm that others are compared with; empty where no arm is known."""
        return self.arms[0].id if self.arms else ""

    @property
    def arm_ids(self) -> tuple[str, ...]:
        """All arms, control first."""
        return tuple(arm.id for arm in self.arms)

    @property
    def hidden(self) -> bool:
        """Whether what differs by arm is withheld."""
        return self.masked or self.dry_run


PUBLIC = (
    "The dataset was made for everybody: nothing here is computed from days, messages or replies, labels are permuted "
    "within strata in place of the ledger, and rare answers are coarsened, also where they are covariates."
)
"""What is different about an analysis of such a dataset."""


def view(
    dataset: Dataset,
    *,
    control: str = "",
    seed: int,
    include_simulated: bool = False,
    include_preview: bool = False,
    cluster: str = "",
) -> View:
    """Select the participants and dress the arms as the trial's state allows.

    Args:
        dataset: the loaded dataset.
        control: the plan's control arm; empty: the study file's.
        seed: where shuffled labels come from.
        include_simulated: take simulated participants in.
        include_preview: take preview participants in.
        cluster: column of clusters, whose labels are shuffled whole.
    """
    table = dataset.participants
    kind = np.where(_flag(table, "is_simulated"), "simulated", np.where(_flag(table, "is_preview"), "preview", "real"))
    wanted = {"real", *(["simulated"] if include_simulated else []), *(["preview"] if include_preview else [])}
    state = dataset.study.state
    has_real = bool((kind == "real").any())
    hidden = has_real and hides_arms(state, "real")
    masked, dry_run = hidden and state == "closed", hidden and state == "launched"
    warnings = []
    if (masked or dry_run) and len(wanted & set(kind)) > 1:
        wanted = {"real"}
        warnings.append(
            "Simulated and preview participants are left out: the arms of real participants are not visible yet."
        )
    keep = np.isin(kind, sorted(wanted))
    warnings += _left_out(kind, keep)
    rows = table[keep].reset_index(drop=True).copy()
    if "arm" in rows:
        rows["arm"] = rows["arm"].astype(object).where(rows["arm"].notna(), None)
    kinds = tuple(name for name in ("real", "simulated", "preview") if name in set(kind[keep]))
    if masked or dry_run:
        telling = {*REVEALING, *(factor_columns(dataset.study.study).values() if dataset.study.study else ())}
        rows = rows.drop(columns=[name for name in sorted(telling) if name in rows])
    arms = _arms(dataset, rows, control)
    if dataset.plain and not control and arms:
        warnings.append(f"The plan names no control: the others are compared with '{arms[0].id}'.")
    if dry_run:
        rows["arm"] = _shuffled_clusters(rows, arms, seed, cluster) if cluster in rows else _shuffled(rows, arms, seed)
    if masked:
        rows["arm"], arms = _mask(rows["arm"], arms, dataset.sha256)
    left_out = REVEALING_TABLES if masked or dry_run else ()
    if dataset.manifest.get("public"):
        # Moments count from each person's entry there, and messages are left out.
        rows, left_out = rows.assign(enrolled_at=None), (*left_out, "turns")
        warnings.append(PUBLIC)
    tables = dataset.tables.of(rows, left_out)
    return View(rows, arms, tables, masked, dry_run, kinds, tuple(warnings))


def _flag(table: pd.DataFrame, name: str) -> np.ndarray:
    return table[name].fillna(0).astype(float).to_numpy() > 0 if name in table else np.zeros(len(table), dtype=bool)


def _left_out(kind: np.ndarray, keep: np.ndarray) -> list[str]:
    found = []
    for name in ("real", "simulated", "preview"):
        count = int(((kind == name) & ~keep).sum())
        if count:
            found.append(f"{count} {name} participants are in the dataset and left out of this analysis.")
    if not keep.any():
        found.append(
            "No participants are left to analyse; only real ones are, unless simulated or preview ones are included."
        )
    return found


def _arms(dataset: Dataset, rows: pd.DataFrame, control: str) -> tuple[DeclaredArm, ...]:
    declared = {arm.id: arm for arm in dataset.study.arms}
    seen = sorted({str(arm) for arm in rows["arm"].dropna()})
    if seen and not set(seen) & set(declared):
        declared = {}
    every = {**declared, **{name: DeclaredArm(name) for name in seen if name not in declared}}
    first = control or dataset.study.control
    if first not in every:
        first = next((name for name in every if name == "control" or name.startswith("no_")), next(iter(every), ""))
    return tuple(sorted(every.values(), key=lambda arm: arm.id != first))


def _shuffled(rows: pd.DataFrame, arms: tuple[DeclaredArm, ...], seed: int) -> pd.Series:
    """Labels that say nothing about anybody: those of the table permuted, or made up by weight where it has none."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xD121]))
    known = rows["arm"].notna().to_numpy()
    allocated = known if known.any() else _went_on(rows)
    count = int(allocated.sum())
    if known.any():
        labels = rows.loc[known, "arm"].to_numpy(dtype=object)
    else:
        cycle = [arm.id for arm in arms for _ in range(arm.weight)] or ["arm_1", "arm_2"]
        labels = np.array([cycle[i % len(cycle)] for i in range(count)], dtype=object)
    made = np.full(len(rows), None, dtype=object)
    made[allocated] = rng.permutation(labels)
    return pd.Series(made, index=rows.index, dtype=object)


def _shuffled_clusters(rows: pd.DataFrame, arms: tuple[DeclaredArm, ...], seed: int, cluster: str) -> pd.Series:
    """Labels that say nothing about any cluster: everyone of a cluster has the same."""
    units = rows[cluster].where(rows[cluster].notna(), rows["participant_id"])
    firsts = rows.assign(_unit=units).groupby("_unit", sort=True, as_index=False).first()
    label = dict(zip(firsts["_unit"], _shuffled(firsts, arms, seed), strict=True))
    known = rows["arm"].notna().to_numpy()
    return units.map(label).astype(object).where(known if known.any() else _went_on(rows), None)


def _went_on(rows: pd.DataFrame) -> np.ndarray:
    """Who must have been allocated, judged without the columns that say so."""
    signs = [rows[name].notna().to_numpy() for name in ("allocated_at", "task_minutes", "quiz_points") if name in rows]
    return np.logical_or.reduce(signs) if signs else np.zeros(len(rows), dtype=bool)


def _mask(labels: pd.Series, arms: tuple[DeclaredArm, ...], salt: str) -> tuple[pd.Series, tuple[DeclaredArm, ...]]:
    """Arms as letters, in an order that the names do not give away."""
    seen = sorted({str(arm) for arm in labels.dropna()})
    letters = [f"arm_{letter}" for letter in string.ascii_lowercase]
    if seen and set(seen) <= set(letters):
        return labels, tuple(
            DeclaredArm(name) for name in letters[: max(len(seen), len(arms), letters.index(seen[-1]) + 1)]
        )
    order = sorted((arm.id for arm in arms), key=lambda name: hashlib.sha256(f"{salt} {name}".encode()).hexdigest())
    names = dict(zip(order, letters, strict=False))
    masked = pd.Series(
        [names.get(arm) if arm is not None else None for arm in labels], index=labels.index, dtype=object
    )
    return masked, tuple(DeclaredArm(name) for name in letters[: len(order)])
