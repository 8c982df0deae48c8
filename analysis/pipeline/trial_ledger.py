"""The allocation replayed: the logged scheme run again over everybody in the ledger, in ledger order."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from analysis.data.cell_types import objects_in
from analysis.data.dataset import Dataset
from analysis.data.load import load, read_study_file
from analysis.data.view import View
from analysis.estimators.numerics.shuffles import shuffled
from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.allocation.options import options
from study_app.domain.errors import UserError
from study_app.rerandomisation import Design, Regime, RegimeRow, replicate_design

Assignments = NDArray[np.int8]
Replay = Callable[[int, np.random.Generator], Assignments]


@dataclass
class Ledger:
    """Everybody who was allocated, excluded later or not, each under the scheme that allocated them."""

    design: Design
    order: tuple[int, ...]
    """Position in the design's arms -> position in the view's arms."""
    caveats: tuple[str, ...] = ()
    _drawn: dict[tuple[int, str], Assignments] = field(default_factory=dict)

    def draw(self, replicates: int, rng: np.random.Generator) -> Assignments:
        """`replicates` fresh allocations of everybody, (replicates, people), as positions in the view's arms.

        The same generator state gives the same draws; they are kept, so that the outcomes share them.

        Raises:
            NoRandomisationDistribution: the scheme leaves nothing to chance.
        """
        key = (replicates, repr(rng.bit_generator.state))
        if key not in self._drawn:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the caveats are in the rows' notes
                drawn = replicate_design(self.design, replicates, rng)
            self._drawn[key] = np.asarray(self.order, dtype=np.int8)[drawn]
        return self._drawn[key]

    def for_people(self, people: Sequence[str]) -> Replay:
        """Return the replay of the whole ledger, cut to these people in this order."""
        place = {person.participant_id: index for index, person in enumerate(self.design.people)}
        # The whole ledger is drawn and then cut: with minimisation or blocks the others' allocations decide these
        # people's.
        columns = [place[person] for person in people]

        def drawn(replicates: int, rng: np.random.Generator) -> Assignments:
            return self.draw(replicates, rng)[:, columns]

        return drawn


@dataclass
class PooledLedger:
    """The ledgers of a pool: each site's allocation is run again within its own ledger."""

    sites: Mapping[str, Ledger]

    @property
    def caveats(self) -> tuple[str, ...]:
        """Those of the sites, each with its name."""
        return tuple(f"{name}: {caveat}" for name, ledger in self.sites.items() for caveat in ledger.caveats)

    def for_people(self, people: Sequence[str]) -> Replay:
        """Return the replay of all ledgers, cut to these people, whose ids begin with their site."""
        parts = [person.partition(".")[::2] for person in people]
        places = {
            name: [place for place, (site, _) in enumerate(parts) if site == name]
            for name in self.sites
            if any(site == name for site, _ in parts)
        }
        replays = {
            name: self.sites[name].for_people([parts[place][1] for place in found]) for name, found in places.items()
        }

        def drawn(replicates: int, rng: np.random.Generator) -> Assignments:
            # Of copies, for what one site draws must not depend on what another has kept.
            seeds = copy.deepcopy(rng).integers(2**63, size=len(replays))
            found = np.empty((replicates, len(people)), dtype=np.int8)
            for (name, replay), seed in zip(replays.items(), seeds, strict=True):
                found[:, places[name]] = replay(replicates, np.random.default_rng(seed))
            return found

        return drawn


def within(strata: pd.Series, arm: pd.Series, arms: Sequence[str], cluster: pd.Series | None = None) -> Replay:
    """Return the observed labels permuted within strata, as positions in `arms`: what stands in for a ledger.

    With `cluster`, labels of whole clusters.
    """
    if cluster is not None:
        _, first, place = np.unique(cluster.astype(str), return_index=True, return_inverse=True)
        whole = within(strata.iloc[first], arm.iloc[first], arms)
        return lambda replicates, rng: whole(replicates, rng)[:, place]
    codes = np.array([list(arms).index(label) for label in arm], dtype=np.int8)
    blocks = [np.flatnonzero(strata == stratum) for stratum in sorted(strata.unique())]

    return lambda replicates, rng: shuffled(codes, blocks, replicates, rng)


def ledger_of(dataset: Dataset, view: View) -> tuple[Ledger | PooledLedger | None, str]:
    """Return the ledger to replay, of a pool one for each site, and its caveats.

    Or None and the reason why labels are permuted within strata instead.
    """
    if "pool" not in dataset.manifest:
        return _ledger_of(dataset, view)
    found: dict[str, Ledger] = {}
    for entry in objects_in(dataset.manifest["pool"].get("sites")):
        name = str(entry["site"])
        people = view.participants[view.participants["site"] == name]
        ids = people["participant_id"].str.removeprefix(f"{name}.")
        own = replace(view, participants=people.assign(participant_id=ids).reset_index(drop=True))
        # One site that cannot be replayed, and all are permuted: a row has one reference distribution, which its note
        # names.
        ledger, note = _ledger_of(load(dataset.path / str(entry["dataset"])), own)
        if ledger is None:
            return None, f"{name}: {note}"
        found[name] = ledger
    pooled = PooledLedger(found)
    return pooled, "; ".join(pooled.caveats)


def _ledger_of(dataset: Dataset, view: View) -> tuple[Ledger | None, str]:
    if view.dry_run:
        return None, "dry run: shuffled labels are compared with further shuffles of them"
    if "allocations" not in dataset.tables or not len(dataset.tables["allocations"]):
        return None, "the dataset holds no allocation ledger; labels are permuted within strata"
    rows = dataset.tables["allocations"]
    if dataset.manifest.get("public"):
        return None, "the dataset for everybody leaves the ledger's order out; labels are permuted within strata"
    if "ledger" in rows:
        rows = rows[rows["ledger"].isin(view.kinds)]
    rows = _identified(_of_arms(rows), dataset.participants)
    try:
        versions, missing = _versions(dataset, rows)
        design = _design(dataset, rows, versions)
    except (UserError, ValidationError, ValueError, KeyError) as error:
        return None, f"the ledger cannot be replayed ({str(error).splitlines()[0]}); labels are permuted within strata"
    order = _order(design, versions, view)
    if order is None:
        return None, "masked arms of unequal weight cannot be distinguished; labels are permuted within strata"
    wanted = set(view.participants.loc[view.participants["arm"].notna(), "participant_id"])
    unknown = wanted - {person.participant_id for person in design.people}
    if unknown:
        return None, f"{len(unknown)} allocated participants are not in the ledger; labels are permuted within strata"
    caveats = (*design.caveats(), *missing)
    return Ledger(design, order, caveats), "; ".join(caveats)


def _of_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that gave arms.

    Those of a second decision give treatments to some of the people of an arm, in a ledger with its own places: run
    again as arms they would use places of the arms' blocks.
    """
    if "decision" not in rows:
        return rows
    return rows[pd.to_numeric(rows["decision"], errors="coerce").fillna(1) == 1]


def _identified(rows: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger with the ids of people who withdrew their data: their payload is erased, their index is not."""
    if "ledger" not in rows or "allocation_index" not in participants or rows["allocation_index"].isna().any():
        return rows
    erased = rows["participant_id"].isna() | (rows["participant_id"] == "")
    if not erased.any():
        return rows
    columns = ("participant_id", "allocation_index", "is_simulated", "is_preview")
    allocated = participants.loc[
        participants["allocation_index"].notna(), [name for name in columns if name in participants]
    ]
    ids = {}
    for person in allocated.to_dict("records"):
        kind = (
            "simulated" if person.get("is_simulated") == 1 else "preview" if person.get("is_preview") == 1 else "real"
        )
        ids[kind, int(person["allocation_index"])] = person["participant_id"]
    # Indices repeat over the ledgers of real, simulated and preview people, so an index alone would name the wrong
    # person.
    keys = zip(rows["ledger"], rows["allocation_index"], strict=True)
    found = [ids.get((ledger, int(index)), "") for ledger, index in keys]
    return rows.assign(participant_id=rows["participant_id"].mask(erased, pd.Series(found, index=rows.index)))


def _versions(dataset: Dataset, rows: pd.DataFrame) -> tuple[dict[str, tuple[Scheme, tuple[Arm, ...]]], list[str]]:
    """Scheme and arms by study version; a version whose file is not in the materials gets the current one's."""
    current = _scheme(dataset.study.raw)
    hashes = sorted({str(value) for value in rows["study_hash"].dropna()}) if "study_hash" in rows else []
    found = {}
    missing = 0
    for value in hashes or [""]:
        file = _version_file(dataset, value) if len(hashes) > 1 else None
        missing += file is None and len(hashes) > 1 and value != dataset.manifest.get("study_hash")
        found[value] = _scheme(read_study_file(file)) if file else current
    note = f"{missing} earlier versions of the study file are not in the materials; the current scheme stands in"
    return found, [note] if missing else []


def _version_file(dataset: Dataset, study_hash: str) -> Any:
    names = sorted((dataset.path / "materials").rglob(f"*{study_hash[:12]}*"))
    return next((path for path in names if path.suffix in (".toml", ".json")), None)


def _scheme(raw: Mapping[str, Any]) -> tuple[Scheme, tuple[Arm, ...]]:
    """Scheme and arms of a study file; a file with every default written out is read like one without."""
    if "allocation" not in raw:
        raise ValueError("the dataset's study file has no [allocation]")
    arms = tuple(
        Arm(id=entry["id"], label=entry.get("label", ""), weight=entry.get("weight", 1)) for entry in raw["arms"]
    )
    plain = Scheme().model_dump(mode="json")
    # A scheme refuses keys that its method does not use, and an export writes the defaults of all methods.
    written = {key: value for key, value in raw["allocation"].items() if key == "method" or value != plain.get(key)}
    return Scheme.model_validate(written), arms


def _design(dataset: Dataset, rows: pd.DataFrame, versions: Mapping[str, tuple[Scheme, tuple[Arm, ...]]]) -> Design:
    variables = sorted({name for scheme, _ in versions.values() for name in scheme.variables})
    people = dataset.participants
    needed = people[["participant_id", *(name for name in variables if name in people)]]
    known = {str(row["participant_id"]): row for row in needed.to_dict("records")}
    return Design.from_ledger(_regime_row(row, versions, known) for row in rows.to_dict("records"))


def _regime_row(
    row: Mapping[Any, Any],
    versions: Mapping[str, tuple[Scheme, tuple[Arm, ...]]],
    known: Mapping[str, Mapping[Any, Any]],
) -> RegimeRow:
    scheme, arms = versions[str(row["study_hash"]) if "study_hash" in row else ""]
    person = str(row["participant_id"] or "")
    return RegimeRow(
        Regime(scheme, options(scheme, arms), str(row.get("ledger", "real"))),
        int(row["allocation_index"]),
        _levels(scheme, row, known.get(person)),
        tuple(int(index) for index in _json(row.get("returned"), [])),
        person,
    )


def _levels(scheme: Scheme, row: Mapping[Any, Any], person: Mapping[Any, Any] | None) -> dict[str, str]:
    """Categories as the ledger recorded them; from the participants table where it did not."""
    recorded = dict(_json(row.get("levels"), {}))
    if not recorded:
        recorded = dict(part.split("=", 1) for part in str(row.get("stratum") or "").split("; ") if "=" in part)
    values = {} if person is None else {name: person.get(name) for name in scheme.variables}
    levels = scheme.levels({name: None if pd.isna(value) else value for name, value in values.items()})
    # What the ledger recorded goes before what the tables say: it is what the scheme saw.
    return {**levels, **{str(name): str(level) for name, level in recorded.items()}}


def _json(cell: Any, empty: Any) -> Any:
    if isinstance(cell, str) and cell:
        return json.loads(cell)
    return cell if isinstance(cell, dict | list) else empty


def _order(
    design: Design, versions: Mapping[str, tuple[Scheme, tuple[Arm, ...]]], view: View
) -> tuple[int, ...] | None:
    """Return where each arm of the design stands in the view; masked arms of equal weight may stand in any order."""
    if not view.masked:
        place = {arm: index for index, arm in enumerate(view.arm_ids)}
        return tuple(place.get(name, -1) for name in design.arms)
    weights = {arm.weight for _, arms in versions.values() for arm in arms}
    # With equal weights any relabelling of arms has the same distribution, so the masked names may stand for any of
    # them.
    return tuple(range(len(design.arms))) if len(weights) == 1 and len(design.arms) == len(view.arms) else None
