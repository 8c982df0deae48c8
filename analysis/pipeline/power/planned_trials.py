"""One made-up trial of a study, as a dataset that the plan's own primary rows are run over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.data.dataset import Dataset, DeclaredArm, StudyMeta, Tables
from analysis.pipeline.power.assumptions import COUNT_STEP, MEAN_COUNT, Assumptions
from analysis.pipeline.power.second_decisions import decide_again
from analysis.pipeline.power.spreads import cap_of, spread_of, top_of
from study_app.dataset.schema.plan_fit import period_columns
from study_app.domain.allocation.options import options, order_of
from study_app.domain.study.analysis_plan import Covariate, Outcome, Plan
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.periods import period_column
from study_app.domain.study.study import Study
from study_app.rerandomisation import replicate

Floats = NDArray[np.float64]
RANKS = 5
"""Levels of an ordinal outcome."""


@dataclass(frozen=True)
class PlannedTrial:
    """A study about to be simulated: its plan, its people, its allocation scheme."""

    study: Study
    plan: Plan
    """With few re-randomisations; else as registered."""
    given: Assumptions

    @cached_property
    def margins(self) -> dict[str, tuple[Any, ...]]:
        """Equally likely answers to each question that the scheme or a covariate looks at."""
        questions = {question.id: question for stage in self.study.stages for question in stage.asked}
        cluster = self.study.allocation.cluster
        names = [name for name in self.study.allocation.variables if name != cluster]
        names += [entry.column for entry in self._baseline if entry.column in questions and entry.column not in names]
        found: dict[str, tuple[Any, ...]] = {}
        for name in names:
            question = questions.get(name)
            if question is not None and question.options:
                found[name] = tuple(option.value for option in question.options)
            elif question is not None and question.low is not None and question.high is not None:
                found[name] = tuple(range(question.low, question.high + 1))
            else:
                found[name] = tuple(range(1, 11))
        return found

    @property
    def _baseline(self) -> tuple[Covariate, ...]:
        named = {entry.column for entry in self.plan.covariates}
        more = tuple(Covariate(column=entry.column) for entry in self.plan.subgroups if entry.column not in named)
        return self.plan.covariates + more

    def dataset(self, n: int, effect: float, rng: np.random.Generator) -> Dataset:
        """Return one trial.

        Args:
            n: people allocated.
            effect: each other arm minus control on each outcome, in standard deviations before any cap or bound; of
                factors each level minus the first one, without interaction.
            rng: where chance comes from.
        """
        table, profiles = self._people(n, rng)
        drawn = replicate(self.study.allocation, profiles, 1, rng, arms=self.study.arms)[0]
        scheme = self.study.allocation
        levels = [scheme.levels(profile) for profile in profiles]
        table["stratum"] = [scheme.stratum(entry) for entry in levels]
        if scheme.method == "sequence":
            orders = [option.id for option in options(scheme, self.study.arms)]
            # In a crossover the arm of the participants table is the order of treatments, as in an export.
            table["arm"] = [orders[place] for place in drawn]
            periods = self._periods(table, effect, rng)
            tables = {"participants": table, "allocations": ledger_table(table, levels), "periods": periods}
            return Dataset(Path("simulated"), Tables({}, tables), self._meta, "", plain=False)
        table["arm"] = [self.study.arms[place].id for place in drawn]
        again = self._outcomes(table, effect * self._steps[drawn], profiles, rng)
        ledger = ledger_table(table, levels)
        if again is not None:
            ledger = pd.concat([ledger.assign(decision=1), again], ignore_index=True)
        tables = {"participants": table, "allocations": ledger}
        return Dataset(Path("simulated"), Tables({}, tables), self._meta, "", plain=False)

    @cached_property
    def _steps(self) -> Floats:
        """Effects that each arm has: of the arms but the control one; of cells one for each level but the first."""
        study = self.study
        if not study.factors:
            return np.array([float(arm.id != study.control.id) for arm in study.arms])
        first = {factor.id: factor.level_ids[0] for factor in study.factors}
        levels = [study.cells.get(arm.id, first) for arm in study.arms]
        # Additive on purpose: power of main effects is asked for, and an interaction would make them depend on one
        # another.
        return np.array([float(sum(cell[name] != first[name] for name in first)) for cell in levels])

    def profiles(self, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        """Return what the scheme knows of `n` people, in order of arrival."""
        return self._people(n, rng)[1]

    @cached_property
    def _meta(self) -> StudyMeta:
        return study_meta(self.study)

    def _people(self, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
        """Baseline answers; what covariates say of a person is `_prognosis`, with variance 1."""
        table = pd.DataFrame({"participant_id": [f"s{place:06d}" for place in range(n)]})
        for name, values in self.margins.items():
            table[name] = [values[place] for place in rng.integers(0, len(values), n)]
        for entry in self._baseline:
            if entry.column not in table:
                # Standardised before use, so its scale says nothing; positive, as minutes and counts are.
                table[entry.column] = rng.normal(10, 2, n).clip(0.01)
        numbers = [_standardised(table[entry.column], entry.scores) for entry in self.plan.covariates]
        table["_prognosis"] = _scaled(np.sum(numbers, axis=0)) if numbers else np.zeros(n)
        cluster = self.study.allocation.cluster
        if cluster:
            # Clusters arrive whole, one after another, for a scheme allocates a cluster when its first person comes.
            table[cluster] = [f"c{place // self.given.cluster_size + 1}" for place in range(n)]
            table[COLUMN] = table[cluster]
        # Independent of arm and outcome: what depends on them is bias and not power, and the formulas do not know it.
        left = rng.random(n) < self.given.dropout
        table["status"] = np.where(left, "abandoned", "completed")
        table["is_simulated"], table["is_preview"], table["outage_minutes"] = 1.0, 0.0, 0.0
        table["allocation_index"] = np.arange(1, n + 1)
        named = [name for name in (*self.margins, cluster) if name]
        return table, table[named].to_dict("records") if named else [{} for _ in range(n)]  # type: ignore[return-value]

    def _outcomes(
        self, table: pd.DataFrame, shift: Floats, profiles: Sequence[Mapping[str, Any]], rng: np.random.Generator
    ) -> pd.DataFrame | None:
        """Fill the outcomes, and what a second decision gave before them; return the rows of its ledger."""
        n, given = len(table), self.given
        codes = _cluster_codes(profiles, self.study.allocation.cluster, n)
        # The parts of the variance sum to 1 (r2 + icc + the rest), so that an effect in standard deviations means what
        # it says.
        between = rng.normal(size=n)[codes] * np.sqrt(given.icc)
        shared = rng.normal(size=n) * np.sqrt(given.correlation)
        left = (table["status"] == "abandoned").to_numpy()
        again = decide_again(self.study, table, shared, given, rng) if self.study.second_decision else None
        shift = shift if again is None else shift + again.shift
        columns: dict[str, Floats] = {}
        for outcome in self.plan.outcomes:
            own = shared + rng.normal(size=n) * np.sqrt(1 - given.correlation)
            behind = table["_prognosis"].to_numpy() * np.sqrt(given.r2) + between
            behind = behind + own * np.sqrt(1 - given.r2 - given.icc) + shift
            columns |= self._observed(outcome, behind, left, rng)
        for name, values in columns.items():
            table[name] = values
        return None if again is None else again.ledger

    def _periods(self, table: pd.DataFrame, effect: float, rng: np.random.Generator) -> pd.DataFrame:
        """Return one row for each period of each person: its treatment and outcomes, alike but for the treatment."""
        n, given, control = len(table), self.given, self.study.control.id
        measured = period_columns(self.study) or frozenset()
        left = (table["status"] == "abandoned").to_numpy()
        parts = [order_of(name) for name in table["arm"]]
        # Orders that the study lists may give a treatment twice, or leave one out.
        lengths = np.array([len(part) for part in parts])
        # A share of variance that a person keeps over periods is, at total variance 1, the correlation between two
        # periods.
        persons = {outcome.id: rng.normal(size=n) * np.sqrt(given.periods) for outcome in self.plan.outcomes}
        found = []
        for period in range(int(lengths.max(initial=0))):
            treatments = [part[period] if period < len(part) else control for part in parts]
            shift = effect * np.array([treatment != control for treatment in treatments])
            rows = pd.DataFrame({"participant_id": table["participant_id"], "period": period + 1,
                                 "treatment": treatments})  # fmt: skip
            shared = rng.normal(size=n) * np.sqrt(given.correlation)
            for outcome in self.plan.outcomes:
                own = shared + rng.normal(size=n) * np.sqrt(1 - given.correlation)
                behind = persons[outcome.id] + own * np.sqrt(1 - given.periods) + shift
                column = period_column(outcome.name)
                if column is not None:
                    seen = self._observed(outcome, behind, left, rng)[outcome.name]
                    # As in a dataset, a column of what this study's periods do not ask for is there, and empty.
                    rows[column] = seen if column in measured else np.nan
            found.append(rows[period < lengths])
        return pd.concat(found, ignore_index=True)

    def _observed(
        self, outcome: Outcome, behind: Floats, left: NDArray[np.bool_], rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return the outcome's columns from what lies behind it: mean 0 and variance 1 in the control arm."""
        kind, name = outcome.kind, outcome.name
        if kind == "time":
            return self._time(outcome, behind, left)
        if kind == "binary":
            # Thresholds of one normal variable (probit): the control arm has exactly the assumed share, and the effect
            # keeps its unit.
            value = (behind > special.ndtri(1 - self.given.share)).astype(float)
        elif kind == "count":
            value = rng.poisson(MEAN_COUNT * np.exp(COUNT_STEP * behind)).astype(float)
        elif kind == "ordinal":
            # Cut at the quintiles of the control arm, where each level is equally common.
            value = np.digitize(behind, special.ndtri(np.arange(1, RANKS) / RANKS)) + 1.0
        elif kind == "bounded":
            top = top_of(outcome)
            value = np.clip(top / 2 + spread_of(outcome, self.given) * behind, 0, top)
            tops = {outcome.upper_column: np.where(left, np.nan, top)} if outcome.upper_column else {}
            return {name: np.where(left, np.nan, value), **tops}
        else:
            value = spread_of(outcome, self.given) * behind
        return {name: np.where(left, np.nan, value)}

    def _time(self, outcome: Outcome, behind: Floats, left: NDArray[np.bool_]) -> dict[str, Floats]:
        cap, spread = cap_of(outcome), spread_of(outcome, self.given)
        # The cap lies at that quantile of the control arm, so just the assumed share of it does not finish.
        minutes = cap + spread * (behind - special.ndtri(1 - self.given.incomplete))
        seen = (minutes < cap) & ~left
        # A normal variable may fall below 0, and a time of 0 or less is refused by survival methods.
        minutes = np.clip(minutes, cap * 0.01, cap)
        event = {outcome.event: seen.astype(float)} if outcome.event else {}
        return {outcome.name: np.where(left, np.nan, minutes), **event}


def study_meta(study: Study) -> StudyMeta:
    """Return what an export says of the study itself, as far as the analysis asks."""
    arms = tuple(DeclaredArm(arm.id, arm.label, arm.weight, bool(arm.assistant)) for arm in study.arms)
    raw = {
        "allocation": study.allocation.model_dump(mode="json"),
        "arms": [{"id": arm.id, "weight": arm.weight} for arm in study.arms],
    }
    return StudyMeta(study.id, arms=arms, control=study.control.id, raw=raw, study=study)


def ledger_table(people: pd.DataFrame, levels: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Return the table `allocations` of simulated people, in order of allocation.

    Args:
        people: participant_id, allocation_index, stratum and arm of each.
        levels: what the scheme balanced for each.
    """
    return pd.DataFrame(
        {
            "participant_id": people["participant_id"],
            "allocation_index": people["allocation_index"],
            "ledger": "simulated",
            "stratum": people["stratum"],
            "levels": [json.dumps(entry) for entry in levels],
            "arm": people["arm"],
        }
    )


def _cluster_codes(profiles: Sequence[Mapping[str, Any]], cluster: str, n: int) -> NDArray[np.int64]:
    if not cluster:
        return np.arange(n)
    return np.unique([str(profile[cluster]) for profile in profiles], return_inverse=True)[1]


def _standardised(column: pd.Series, scores: Sequence[str]) -> Floats:
    if scores:
        ranks = {level: float(rank) for rank, level in enumerate(scores)}
        return _scaled(column.map(lambda value: ranks.get(str(value), 0.0)).to_numpy(dtype=float))
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.isna().any():
        # Categories without an order: any fixed numbering will do, for the model has a dummy for each of them.
        numbers = pd.Series(pd.factorize(column, sort=True)[0])
    return _scaled(numbers.to_numpy(dtype=float))


def _scaled(values: Floats) -> Floats:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / spread if spread > 0 else values * 0.0)
