"""Participants -> the numeric table that the methods see: outcomes, populations, covariates, strata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.outcome_checks import scored
from analysis.data.view import View
from analysis.estimators.core.validation import in_deviations
from analysis.estimators.numerics.cluster_covariance import FEW
from analysis.pipeline.people.flow import ALONE, NOT_ANALYSED, clusters_in, without_cluster
from study_app.domain.study.analysis_plan import Covariate, Outcome, Plan

LAST_ACTIVITY = "_last_activity_minutes"
CLUSTER = "_cluster"
SITE = "site"


@dataclass(frozen=True)
class AnalysisTable:
    """What every analysis starts from."""

    data: pd.DataFrame
    """Allocated participants in the order of the dataset: arm, outcomes as floats, covariates ready for a model."""
    covariates: tuple[str, ...]
    """Numeric columns of `data` that adjusted models take, in the plan's order."""
    strata: tuple[str, ...]
    """Columns of categories, one for each stratification factor: main effects in adjusted models."""
    censored: Mapping[str, int]
    """Time outcome -> people who are right-censored before the cap: only survival methods apply to it."""
    deviations: tuple[str, ...]
    warnings: tuple[str, ...]
    cluster: str | None = None
    """Column of the clusters that were allocated whole; None where people were."""

    def population(self, name: str) -> pd.DataFrame:
        """Return the rows of a population: `itt`, `per_protocol`, `as_treated` (arm = what was received) or `complier`.

        `with_excluded` is everyone allocated, who was excluded afterwards with the outcome that they have.

        Raises:
            LookupError: the column that defines it is not in the data.
        """
        if name == "with_excluded":
            return self._with_those_excluded()
        rows = self.data[~self.data["status"].isin(NOT_ANALYSED)]
        if name == "per_protocol":
            return rows[_needed(rows, "compliant") == 1]
        if name == "as_treated":
            return _as_received(rows)
        if name == "complier":
            _needed(rows, "received")
        return rows

    def with_excluded(self, column: str) -> pd.DataFrame:
        """Return the rows of `itt` and of everyone excluded after allocation, whose outcome counts as missing."""
        rows = self._with_those_excluded()
        return rows.assign(**{column: rows[column].where(rows["status"] != "excluded")})

    def _with_those_excluded(self) -> pd.DataFrame:
        return self.data[~self.data["status"].isin(set(NOT_ANALYSED) - {"excluded"})]

    def measured_of_excluded(self, column: str) -> bool:
        """Return whether someone excluded after allocation has an outcome."""
        gone = self.data["status"] == "excluded"
        return column in self.data and bool(self.data.loc[gone, column].notna().any())

    def set_aside(self, arms: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return status -> arm -> people who were allocated and are in no analysis; statuses that occur only."""
        counts = {
            status: {arm: int(((self.data["status"] == status) & (self.data["arm"] == arm)).sum()) for arm in arms}
            for status in NOT_ANALYSED
        }
        return {status: found for status, found in counts.items() if any(found.values())}


def build(view: View, plan: Plan, cluster: str = "") -> AnalysisTable:
    """Make the analysis table.

    Time outcomes: who did not finish counts with the cap, also where the cell is empty (composite strategy), unless
    the person withdrew the data; where no outages are recorded, no cap is longer. Covariates: scores as the
    plan orders them; a missing baseline value gets the mean and its own indicator. `cluster`: column of the
    clusters that were allocated whole; a person without one counts as a cluster alone.
    """
    rows = view.participants
    data = rows[rows["arm"].notna()].reset_index(drop=True).copy()
    deviations: list[str] = []
    warnings: list[str] = []
    # An outage prolongs a person's time; while the arms are hidden that column is withheld, so its absence says
    # nothing.
    fixed = not view.hidden and "outage_minutes" not in data
    for outcome in plan.outcomes:
        _outcome(data, outcome, warnings, fixed)
    grouped = _clusters(data, cluster, view.arm_ids, warnings)
    if grouped:
        _stratum_of_clusters(data)
    strata = _strata(data) if plan.strata else []
    covariates = [name for entry in plan.covariates for name in _covariate(data, entry, deviations)]
    kept = _independent(data, covariates, deviations)
    censored = {outcome.id: _right_censored(data, outcome) for outcome in plan.outcomes}
    known = {name: count for name, count in censored.items() if count}
    return AnalysisTable(data, tuple(kept), tuple(strata), known, tuple(deviations), tuple(warnings), grouped)


def _clusters(data: pd.DataFrame, column: str, arms: Sequence[str], warnings: list[str]) -> str | None:
    """Make the clusters' column; warn of people without one and of arms with few."""
    if not column:
        return None
    given = data[column] if column in data else pd.Series(None, index=data.index, dtype=object)
    alone = given.isna()
    data[CLUSTER] = given.map(_text, na_action="ignore").where(~alone, ALONE + data["participant_id"].astype(str))
    erased = int(without_cluster(data, CLUSTER).sum())
    if others := int(alone.sum()) - erased:
        warnings.append(f"{_people(others)} no {column}: each counts as a cluster alone.")
    if erased:
        warnings.append(f"{_people(erased)} no {column}, for their data were withdrawn: each is alone.")
    counts = {arm: clusters_in(data[data["arm"] == arm], CLUSTER) for arm in arms}
    if counts and min(counts.values()) < FEW:
        listed = ", ".join(f"{count} in {arm}" for arm, count in counts.items())
        warnings.append(f"Few clusters ({listed}; {FEW} an arm are advised): intervals and p-values are doubtful.")
    return CLUSTER


def _people(count: int) -> str:
    return "1 person has" if count == 1 else f"{count} people have"


def _stratum_of_clusters(data: pd.DataFrame) -> None:
    """Give everyone the stratum that their cluster was allocated in: that of its first person in the ledger."""
    if "stratum" not in data:
        return
    ordered = data.sort_values("allocation_index", kind="stable") if "allocation_index" in data else data
    # Later people of a cluster may have answered otherwise, but nothing was allocated by what they said.
    first = ordered.dropna(subset=["stratum"]).groupby(CLUSTER, sort=False)["stratum"].first()
    data["stratum"] = data[CLUSTER].map(first).where(lambda found: found.notna(), data["stratum"])


def _right_censored(data: pd.DataFrame, outcome: Outcome) -> int:
    if outcome.kind != "time" or outcome.censored != "right" or f"_event_{outcome.id}" not in data:
        return 0
    cap = np.inf if outcome.cap is None else outcome.cap
    return int(((data[f"_event_{outcome.id}"] == 0) & (data[outcome.id] < cap)).sum())


def _outcome(data: pd.DataFrame, outcome: Outcome, warnings: list[str], fixed: bool) -> None:
    """Add the outcome's columns; `fixed`: no outage moves a cap, so no time can be longer."""
    if outcome.name not in data:
        data[outcome.id] = np.nan
        return
    numbers = pd.to_numeric(data[outcome.name], errors="coerce")
    data[outcome.id] = numbers.astype(float)
    if outcome.kind == "bounded":
        _several_tops(data, outcome, warnings)
    if outcome.kind != "time":
        return
    cap = np.inf if outcome.cap is None else outcome.cap
    finished = data[outcome.event] == 1 if outcome.event in data else numbers.notna() & (numbers < cap)
    beyond = (numbers > cap) & fixed
    if beyond.any():
        data.loc[beyond, outcome.id], finished = cap, finished & ~beyond
        warnings.append(f"{outcome.id}: {int(beyond.sum())} values beyond the cap of {cap:g} count with the cap.")
    if outcome.censored == "right":
        _observed(data, outcome, finished & ~(numbers > cap), cap)
        return
    # Erased on request: not finishing is an outcome, a withdrawal of the data is none.
    withdrew = (data["status"] == "withdrawn") & numbers.isna()
    unfinished = ~finished & ~(numbers >= cap)
    capped = unfinished & ~withdrew & ~data["status"].isin(NOT_ANALYSED)
    if outcome.cap is not None:
        # Who was excluded has no outcome where the cell is empty, and no shorter time than others where it is not.
        data.loc[unfinished & (data["status"] == "excluded") & numbers.notna(), outcome.id] = cap
    if capped.any() and outcome.cap is not None:
        data.loc[capped, outcome.id] = cap
        warnings.append(
            f"{outcome.id}: {int(capped.sum())} allocated participants did not finish and have no value or one below "
            f"the cap; they count with the cap of {cap:g} {outcome.unit} (composite strategy)."
        )
    data[f"_event_{outcome.id}"] = np.where(data[outcome.id].notna(), finished.astype(float), np.nan)
    seen = pd.to_numeric(data["task_minutes"], errors="coerce") if "task_minutes" in data else data[outcome.id]
    data[f"{LAST_ACTIVITY}_{outcome.id}"] = np.where(finished, data[outcome.id], seen.fillna(data[outcome.id]))


def _several_tops(data: pd.DataFrame, outcome: Outcome, warnings: list[str]) -> None:
    """Warn where people could have unequal points, as after an amendment that added or dropped items."""
    if outcome.upper_column not in data:
        return
    tops = pd.to_numeric(data.loc[data[outcome.id].notna(), outcome.upper_column], errors="coerce").value_counts()
    if len(tops) > 1:
        listed = ", ".join(f"{top:g} ({count} people)" for top, count in tops.sort_index().items())
        warnings.append(
            f"{outcome.id}: the most that people could have differs: {listed}. Points are compared as they are; "
            "a share of the points that could be had compares versions of unequal length."
        )


def _observed(data: pd.DataFrame, outcome: Outcome, seen: pd.Series, cap: float) -> None:
    """Add times as they were observed, at most the cap; an end that was not seen by then is censored."""
    data[outcome.id] = data[outcome.id].clip(upper=cap)
    data[f"_event_{outcome.id}"] = np.where(data[outcome.id].notna(), seen.astype(float), np.nan)
    data[f"{LAST_ACTIVITY}_{outcome.id}"] = np.nan


def _covariate(data: pd.DataFrame, covariate: Covariate, deviations: list[str]) -> list[str]:
    raw = data[covariate.column]
    if covariate.scores:
        order = {level: float(rank) for rank, level in enumerate(covariate.scores, start=1)}
        ranked = scored(raw).map(order).astype(float)
        _note_unranked(raw, ranked, covariate, deviations)
        raw = ranked
    # Numbers of sites are names: a slope on them would mean nothing.
    if covariate.column == SITE or not (pd.api.types.is_numeric_dtype(raw) or _all_numbers(raw)):
        return _dummies(data, covariate.column, raw)
    numbers = pd.to_numeric(raw, errors="coerce").astype(float)
    missing = numbers.isna()
    empty = int(data[covariate.column].isna().sum())
    name = f"_x_{covariate.column}"
    # Mean and indicator are legitimate for baseline values of a randomised trial (White and Thompson 2005): being
    # missing cannot depend on the arm.
    data[name] = numbers.fillna(numbers.mean())
    if missing.all() or numbers.nunique() < 2:
        why = "no one has a value of it" if missing.all() else "it does not vary in the analysed data"
        deviations.append(f"Covariate '{covariate.column}' is left out: {why}.")
        return []
    if not missing.any():
        return [name]
    flag = f"_missing_{covariate.column}"
    data[flag] = missing.astype(float)
    if empty:
        deviations.append(f"Covariate '{covariate.column}': {empty} missing values have the mean and an indicator.")
    return [name, flag]


def _note_unranked(raw: pd.Series, ranked: pd.Series, covariate: Covariate, deviations: list[str]) -> None:
    """List levels that the plan does not rank: of an earlier version of the question, or put together for a release."""
    left = raw[raw.notna() & ranked.isna()]
    if len(left):
        named = ", ".join(sorted({repr(str(level)) for level in left}))
        deviations.append(
            f"Covariate '{covariate.column}': {len(left)} values without a place among its scores ({named}) have the "
            "mean and the indicator of missing values."
        )


def _text(value: object) -> str:
    # A column of whole numbers with a gap is read as floats, and 2.0 must meet the category "2" of the study file.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _all_numbers(raw: pd.Series) -> bool:
    known = raw.dropna()
    return bool(pd.to_numeric(known, errors="coerce").notna().all())


def _dummies(data: pd.DataFrame, column: str, raw: pd.Series) -> list[str]:
    text = raw.map(lambda value: "missing" if pd.isna(value) else _text(value))
    names = []
    for level in sorted(text.unique())[1:]:
        name = f"_x_{column}_{level}"
        data[name] = (text == level).astype(float)
        names.append(name)
    return names


def _strata(data: pd.DataFrame) -> list[str]:
    """Return one column for each factor in `stratum` ("a=x; b=y") that varies.

    A factor that is a covariate too, as an ordered score, adds what its levels say beyond the score.
    """
    if "stratum" not in data:
        return []
    parts = [dict(_pair(part) for part in str(text).split("; ")) for text in data["stratum"].fillna("all")]
    names = []
    for factor in dict.fromkeys(key for part in parts for key in part):
        levels = [part.get(factor, "missing") for part in parts]
        if len(set(levels)) > 1:
            data[f"_stratum_{factor}"] = pd.Series(levels, index=data.index, dtype=object)
            names.append(f"_stratum_{factor}")
    return names


def _pair(part: str) -> tuple[str, str]:
    name, found, level = part.partition("=")
    return (name, level) if found else ("stratum", part)


def _independent(data: pd.DataFrame, columns: Sequence[str], deviations: list[str]) -> list[str]:
    """Return the columns that add something to those before them."""
    kept: list[str] = []
    base = np.ones((len(data), 1))
    for name in columns:
        wider = np.column_stack([base, in_deviations(data[[name]].to_numpy(dtype=float))])
        # One by one in the plan's order, so that it is always the later column that goes.
        if len(data) and np.linalg.matrix_rank(wider) > np.linalg.matrix_rank(base):
            base = wider
            kept.append(name)
        else:
            deviations.append(f"Covariate column '{name}' is left out: the others determine it.")
    return kept


def _needed(rows: pd.DataFrame, column: str) -> pd.Series:
    if column not in rows or rows[column].isna().all():
        raise LookupError(f"needs the column '{column}', which is empty, missing or withheld")
    return rows[column]


def _as_received(rows: pd.DataFrame) -> pd.DataFrame:
    received = _needed(rows, "received")
    return rows.assign(received=received)
