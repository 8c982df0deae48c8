"""Sequences of treatments: the plan's outcomes by period, compared within people; the orders are allocated again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.data.view import View
from analysis.estimators import methods
from analysis.estimators.core.effect_sizes import deviation
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import Floats, NotEstimable
from analysis.estimators.numerics.replicated_regression import Moments, Test
from analysis.estimators.outcomes.crossover import Periods, centred
from analysis.estimators.resampling import ROUNDING
from analysis.pipeline.people.flow import NOT_ANALYSED
from analysis.pipeline.planning.plan import WITHIN_PEOPLE
from analysis.pipeline.planning.row_check import of_sequence
from analysis.pipeline.trial_ledger import Ledger
from study_app.domain.allocation.options import order_of
from study_app.domain.errors import StudyError, present
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan
from study_app.domain.study.periods import period_column
from study_app.rerandomisation import replicate_design

CHUNK = 2_000_000
WITH_EXCLUDED = "Everyone allocated, in the order allocated, those excluded afterwards with the values that they have"


@dataclass(frozen=True)
class Replay:
    """Treatments within people, and those of orders that were allocated again."""

    trial: AnalysisRequest
    """One row a period with a value."""
    model: Periods
    drawn: NDArray[np.int8]
    """(replicates, rows): positions in the trial's labels."""


@dataclass
class CrossoverRunner:
    """Runs analyses over the periods of people."""

    view: View
    plan: Plan
    control: str
    """Treatment that the others are compared with."""
    ledger: Ledger | None
    ledger_note: str
    seed: int

    def run(self, analysis: Analysis) -> list[Estimate]:
        """Return the rows of one analysis; never raises for what the data bring with them."""
        outcome = self.plan.outcome(analysis.outcome)
        try:
            for key, what, _ in of_sequence(analysis):
                raise LookupError(f"{key}: {what}")
            long = self._long(outcome, analysis.population)
            people = len(self._analysed(analysis.population))
            found = [_with_left_out(row, long, people) for row in self._called(analysis, long)]
            if analysis.contrast:
                found = [row for row in found if row.contrast == analysis.contrast]
        except LookupError as error:
            return [self._dressed(analysis, outcome, Estimate(note=f"not estimable: {error.args[0]}"), several=False)]
        except StudyError as error:
            note = "not estimable: " + "; ".join(str(error).splitlines())
            return [self._dressed(analysis, outcome, Estimate(note=note), several=False)]
        return [self._dressed(analysis, outcome, row, several=len(found) > 1) for row in found]

    def measured(self) -> dict[str, frozenset[str]]:
        """Return who has a value of each outcome in any period; outcomes whose periods are withheld are left out."""
        found = {}
        for outcome in self.plan.outcomes:
            with suppress(LookupError):
                found[outcome.id] = frozenset(self._long(outcome)["participant_id"].astype(str))
        return found

    def _analysed(self, population: str) -> pd.DataFrame:
        people = self.view.participants
        left_out = set(NOT_ANALYSED) - ({"excluded"} if population == "with_excluded" else set())
        return people.loc[people["arm"].notna() & ~people["status"].isin(left_out), ["participant_id", "arm"]]

    def means(self) -> list[Estimate]:
        """Return the mean of each outcome under each treatment, over all periods.

        The standard deviation as effect size.
        """
        rows = []
        for outcome in self.plan.outcomes:
            try:
                long = self._long(outcome)
            except LookupError:
                continue
            for arm in sorted(long["treatment"].unique(), key=lambda name: name != self.control):
                rows.append(self._mean(outcome, long.loc[long["treatment"] == arm, "value"].to_numpy(dtype=float), arm))
        return rows

    def _mean(self, outcome: Outcome, values: Floats, arm: str) -> Estimate:
        n = len(values)
        sd = deviation(values) if n > 1 else None
        half = float(stats.t.ppf(0.5 + self.plan.level / 2, n - 1)) * sd / np.sqrt(n) if sd is not None else np.nan
        return Estimate(
            id=f"{outcome.id}.mean.{arm}", role="secondary", outcome=outcome.id, method="mean", unit=outcome.unit,
            estimate=float(values.mean()), std_error=sd / np.sqrt(n) if sd is not None else None,
            df=float(n - 1) if sd is not None else None, ci_low=float(values.mean() - half),
            ci_high=float(values.mean() + half), ci_level=self.plan.level, n={arm: n},
            effect_size=EffectSize("sd", sd),
            note="over all periods" + ("; one value has no interval" if sd is None else ""),
        )  # fmt: skip

    def _long(self, outcome: Outcome, population: str = "itt") -> pd.DataFrame:
        """Person, order, period, treatment and value of each period with a value, of everyone in the population."""
        if self.view.hidden or "periods" not in self.view.tables:
            raise LookupError("withheld until unsealing: the periods tell the treatments")
        column, long = period_column(outcome.name), self.table(population)
        if column is None:
            raise LookupError(f"'{outcome.name}' is measured once for all periods, so it says nothing of a treatment")
        if column not in long:
            raise LookupError(f"the periods lack '{column}', as earlier versions wrote them: export the study again")
        long = long.assign(value=pd.to_numeric(long[column], errors="coerce"))
        long = long.loc[long["value"].notna(), ["participant_id", "order", "period", "treatment", "value"]]
        if long.empty:
            raise LookupError(f"'{outcome.name}' holds no values in the periods")
        if long["treatment"].nunique() < 2:
            raise LookupError(f"the periods hold one treatment only, {long['treatment'].iloc[0]}")
        return long.reset_index(drop=True)

    def values(self, outcome: Outcome) -> pd.DataFrame:
        """Return the periods that the rows of an outcome rest on: `arm`, the treatment, and the value under its id.

        Raises:
            LookupError: why there are none.
        """
        return self._long(outcome).rename(columns={"treatment": "arm", "value": outcome.id})

    def table(self, population: str = "itt") -> pd.DataFrame:
        """Return the periods of everyone in the population, with the order that each was allocated to."""
        people = self._analysed(population).rename(columns={"arm": "order"})
        return self.view.tables["periods"].merge(people, on="participant_id")

    def replay(self, analysis: Analysis) -> Replay:
        """Return what the re-randomisation test of an analysis rests on.

        Raises:
            LookupError: why the data do not bear it.
        """
        control = analysis.contrast[1] if analysis.contrast else self.control
        return self._replay(self._long(self.plan.outcome(analysis.outcome)), control)

    def _called(self, analysis: Analysis, long: pd.DataFrame) -> list[Estimate]:
        name = analysis.method
        if name not in WITHIN_PEOPLE:
            raise LookupError(f"{name} does not compare treatments within people; use {', '.join(WITHIN_PEOPLE)}")
        control = analysis.contrast[1] if analysis.contrast else self.control
        if missing := {control, *analysis.contrast} - set(long["treatment"]):
            raise LookupError(f"the periods do not hold {', '.join(sorted(missing))}")
        if name == "rerandomization":
            replay = self._replay(long, control)
            return self.rows_of(replay, replay.drawn)
        call: dict[str, Any] = {"outcome": "value", "arm": "treatment", "control": control}
        call["level"] = self.plan.level
        if name == "mixed_model":
            call |= {"cluster": "participant_id", "covariates": ("period_name",)}
            long = long.assign(period_name="p" + long["period"].astype(int).astype(str))
        else:
            call |= {"person": "participant_id", "period": "period", **analysis.options}
        found: Any = methods.METHODS[name](long, **call)
        return list(found) if isinstance(found, list) else [found]

    def _replay(self, long: pd.DataFrame, control: str) -> Replay:
        if self.ledger is None:
            raise LookupError(f"the orders cannot be allocated again: {self.ledger_note}")
        trial = AnalysisRequest(long, "rerandomization", "value", "treatment", control, level=self.plan.level)
        try:
            model = Periods.of(trial, "participant_id", "period")
            model.within(trial.varied_y)
        except NotEstimable as reason:
            raise LookupError(str(reason)) from None
        return Replay(trial, model, self._drawn(long, trial.labels))

    def rows_of(self, replay: Replay, drawn: NDArray[np.int8], *, interval: bool = True) -> list[Estimate]:
        """Return each treatment with the control on these assignments."""
        trial, model = replay.trial, replay.model
        y, described, base = model.within(trial.y), self._described(model, trial.y), _base(model)
        rows = []
        for pair in trial.pairs():
            moments = [
                _moments(base, y, pair.index, trial.codes, codes, model)
                for codes in (trial.codes[None, :].astype(np.int8), drawn)
            ]
            spread = float(trial.y.var())
            # Residuals of exact zero (people who differ by the treatment alone) leave rounding as variance: t would be
            # noise over noise, so all replicates are compared by the difference itself.
            own = bool(moments[0].yy[0] > ROUNDING * spread)
            if not own:
                moments = [each.unstudentised(spread) for each in moments]
            test = Test(moments[0], moments[1], False, "two-sided")
            low, high = test.interval(self.plan.level) if interval else (np.nan, np.nan)
            error = float(np.sqrt(moments[0].yy[0])) if own else None
            rows.append(pair.estimate(
                estimate=float(moments[0].a[0]), std_error=error, df=float(model.df) if own else None,
                statistic=float(moments[0].studentised()[0]) if own else None, p_value=test.p_value(), ci_low=low,
                ci_high=high, detail={**described, "assignments": len(drawn), "undefined": test.undefined},
                note="; ".join(part for part in (
                    f"orders allocated again over the whole ledger: {len(drawn)} assignments, within {model.count} "
                    f"people over {model.periods} periods", self.ledger_note) if part),
            ))  # fmt: skip
        return rows

    @staticmethod
    def _described(model: Periods, y: Floats) -> dict[str, Any]:
        try:
            return model.described(model.fitted(y))
        except NotEstimable as reason:
            return {"people": model.count, "periods": model.periods, "unexplained": str(reason)}

    def _drawn(self, long: pd.DataFrame, labels: Sequence[str]) -> NDArray[np.int8]:
        """Treatments (replicates, rows) of fresh orders, as positions in the labels."""
        ledger = present(self.ledger, "the ledger of the trial")
        rng = np.random.default_rng(self.seed)
        orders = replicate_design(ledger.design, self.plan.replicates, rng)
        place = {person.participant_id: index for index, person in enumerate(ledger.design.people)}
        columns = [place[person] for person in long["participant_id"]]
        parts = [order_of(name) for name in ledger.design.arms]
        table = np.full((len(parts), int(long["period"].max()) + 1), -1, dtype=np.int8)
        for index, treatments in enumerate(parts):
            for period, treatment in enumerate(treatments[: table.shape[1] - 1], start=1):
                table[index, period] = labels.index(treatment) if treatment in labels else -1
        return np.asarray(table[orders[:, columns], long["period"].to_numpy(dtype=int)[None, :]], dtype=np.int8)

    def _dressed(self, analysis: Analysis, outcome: Outcome, row: Estimate, *, several: bool) -> Estimate:
        name = analysis.id + (f".{row.contrast[0]}" if several and row.contrast else "")
        note = f"{WITH_EXCLUDED}; {row.note}" if analysis.population == "with_excluded" else row.note
        return replace(
            row, id=name, role=analysis.role, outcome=outcome.id, method=analysis.method, unit=outcome.unit,
            population=analysis.population, note=note,
            ci_level=row.ci_level if row.estimate is not None else self.plan.level,
        )  # fmt: skip


def _with_left_out(row: Estimate, long: pd.DataFrame, count: int) -> Estimate:
    """Return a row that says who of the `count` people analysed has no value, or lacks some of the periods."""
    each = long.groupby("participant_id")["period"].nunique()
    planned = max(len(order_of(str(order))) for order in long["order"])
    none, some = count - len(each), int((each < planned).sum())
    left_out = [f"{none} of {count} left out: no period with a value"] if none else []
    left_out += [f"{some} of {count} with values in some of the {planned} periods only"] if some else []
    return replace(row, note="; ".join(part for part in (row.note, *left_out) if part))


def _base(model: Periods) -> Floats:
    """Return an orthonormal basis of the periods within people."""
    others = [index for index in range(model.columns.shape[1]) if index not in model.treated]
    return np.asarray(np.linalg.qr(model.columns[:, others])[0], dtype=np.float64)


def _moments(
    base: Floats, y: Floats, arm: int, observed: NDArray[Any], codes: NDArray[np.int8], model: Periods
) -> Moments:
    """Coefficient of one treatment and its classical variance in every replicate, of y and of the column shifted."""
    # The interval inverts the test: y minus delta times this column is what the outcome would be without the effect.
    shift = centred((observed == arm).astype(np.float64)[:, None], model.people)[:, 0]
    both = np.column_stack([y, shift])
    # Frisch, Waugh and Lovell: person and period effects are swept out once, not in every replicate.
    both = both - base @ (base.T @ both)
    arms = len(model.treated)
    step = max(1, CHUNK // (len(y) * arms))
    return Moments(*map(np.concatenate, zip(*(
        _chunk(base, both, arm, codes[start : start + step], model) for start in range(0, len(codes), step)
    ), strict=True)))  # fmt: skip


def _chunk(base: Floats, both: Floats, arm: int, codes: NDArray[np.int8], model: Periods) -> tuple[Floats, ...]:
    arms, counts = len(model.treated), np.bincount(model.people)
    design = np.stack([codes == index for index in range(1, arms + 1)], axis=1).astype(np.float64)  # (R, k, N)
    order = np.argsort(model.people, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(design[:, :, order], starts, axis=2) / counts
    design = design - sums[:, :, model.people]
    design = design - (design @ base) @ base.T
    gram, cross = design @ design.transpose(0, 2, 1), design @ both  # (R, k, k), (R, k, 2)
    found = np.full((5, len(codes)), np.nan)
    # A replicate may leave a treatment without a comparison within people; its coefficient stays NaN, which the test
    # counts.
    good = np.linalg.cond(gram) < 1e10 if arms > 1 else gram[:, 0, 0] > 1e-9
    inverse = np.linalg.inv(gram[good])
    beta = inverse @ cross[good]
    left = (both.T @ both)[None] - cross[good].transpose(0, 2, 1) @ beta
    scale = inverse[:, arm - 1, arm - 1] / model.df
    found[:, good] = [beta[:, arm - 1, 0], beta[:, arm - 1, 1],
                      left[:, 0, 0] * scale, left[:, 0, 1] * scale, left[:, 1, 1] * scale]  # fmt: skip
    return tuple(found)
