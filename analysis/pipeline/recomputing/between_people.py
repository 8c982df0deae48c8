"""Primary rows that compare people with each other, as the supplement gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.methods import METHODS
from analysis.estimators.numerics.assignments import replicate
from analysis.estimators.resampling import variance_of
from analysis.pipeline.factorial.levels import Levels
from analysis.pipeline.planning.unmade import unmade_rows
from analysis.pipeline.prepare import Prepared
from analysis.pipeline.recomputing import of_factors
from analysis.pipeline.recomputing.files import Columns
from analysis.pipeline.recomputing.material import RESTRICTED, WITH_EXCLUDED, ReplayedAnalysis
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.trial_ledger import ledger_of
from study_app.domain.errors import present
from study_app.domain.study.analysis_plan import Analysis


@dataclass(frozen=True)
class BetweenPeople:
    """One row a person of the analysis set, and the runner of its analyses."""

    data: pd.DataFrame
    arms: tuple[str, ...]
    runner: AnalysisRunner
    seed: int

    @classmethod
    def of(cls, prepared: Prepared, seed: int) -> BetweenPeople:
        """Of a dataset with its plan."""
        ledger, note = ledger_of(prepared.dataset, prepared.view)
        unmade = unmade_rows(prepared.dataset.study.study, prepared.plan, prepared.analyses)
        runner = AnalysisRunner(
            prepared.frame,
            prepared.fitted,
            prepared.view,
            ledger,
            note,
            seed,
            False,
            Levels.of(prepared.dataset, prepared.view),
            unmade,
        )
        return cls(prepared.frame.population("itt").reset_index(drop=True), prepared.view.arm_ids, runner, seed)

    def columns(self) -> Columns:
        """Return the columns that the data begin with."""
        return Columns(self.data["arm"])

    def replayed(self, analysis: Analysis) -> list[ReplayedAnalysis]:
        """Return an analysis as it was run, of factors each by itself.

        Raises:
            LookupError: why the scripts cannot compute it.
        """
        if analysis.population == "with_excluded":
            raise LookupError(WITH_EXCLUDED)
        method, data, given = self.runner.prepared_call(analysis)
        if method == "factorial_rerandomization":
            trial = of_factors.request_of(data, given, method, self.seed)
            return of_factors.tested(trial, given, self.data, named(given, "cells", analysis.population))
        control = analysis.contrast[1] if analysis.contrast else self.runner.view.control
        trial = request_for(data, given, control, self.seed)
        drawn = replicate(trial, given.get("scheme"), int(given["replicates"]), given.get("arms"))
        if drawn.weights is not None:
            raise LookupError("the possible assignments are not equally likely, and the scripts count each once")
        kept = self.data["participant_id"].isin(set(data["participant_id"])).to_numpy()
        statistic = str(given.get("statistic", "lin"))
        regressed = statistic in ("lin", "ancova")
        column, values = str(given["outcome"]), self.data[given["outcome"]].where(kept)
        studentised = bool(given.get("studentised", True))
        itself = statistic == "mean" and not studentised
        vcov = variance_of(trial, statistic, given.get("vcov"), studentised)
        timed: dict[str, Any] = {}
        if statistic == "rmst":
            horizon = present(trial.horizon, "the horizon")
            if (~trial.events & (trial.y < horizon)).any():
                statistic, vcov, timed = RESTRICTED, "Greenwood", {"event": trial.event, "horizon": horizon}
            else:
                # Everyone is seen to the horizon: the restricted mean is the mean of times cut there.
                statistic, column, values = "mean", f"{column}_to_{horizon:g}", values.clip(upper=horizon)
        return [ReplayedAnalysis(
            labels=trial.labels, codes=drawn.codes, exact=drawn.exact, kept=kept,
            column=named({"outcome": column}, analysis.population), values=values,
            statistic=statistic, vcov=vcov, again=partial(_again, data, given, control, self.seed, trial.labels),
            covariates=trial.covariates if regressed else (), strata=trial.strata if regressed else (),
            alternative=str(given.get("alternative", "two-sided")), itself=itself, **timed,
        )]  # fmt: skip


def named(given: Mapping[str, Any], *of: str) -> str:
    """Return a column's name: the outcome, and of whom it is."""
    return ".".join([str(given["outcome"]), *(one for one in of if one != "itt")])


def request_for(data: pd.DataFrame, given: Mapping[str, Any], control: str, seed: int) -> AnalysisRequest:
    """Return the request that the method makes of the same call, so that it draws the same assignments."""
    return AnalysisRequest(
        data.reset_index(drop=True), "rerandomization", str(given["outcome"]), "arm", control,
        covariates=tuple(given.get("covariates", ())), strata=tuple(given.get("stratum") or ()),
        cluster=given.get("cluster"), event=given.get("event"), horizon=given.get("horizon"), seed=seed,
    )  # fmt: skip


def _again(
    data: pd.DataFrame, given: Mapping[str, Any], control: str, seed: int, arms: Sequence[str], codes: NDArray[np.int8]
) -> list[Any]:
    """Return the rows of the analysis on the assignments of the file."""
    call = {key: value for key, value in given.items() if key not in ("replicates", "scheme", "arms", "interval")}
    named = [*arms, "of no one here"]
    codes = np.where(codes < 0, len(arms), codes)
    found: Any = METHODS["rerandomization"](
        data, arm="arm", control=control, seed=seed, scheme=codes, arms=named, interval=False, **call
    )
    return list(found) if isinstance(found, list) else [found]
