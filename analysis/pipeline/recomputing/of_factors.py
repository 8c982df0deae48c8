"""Primary rows of factors, as the supplement gives them: contrasts of the means of cells, which are arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import Estimate
from analysis.estimators.factorial.cells import Cells
from analysis.estimators.factorial.effects import FactorTest, factor_tests
from analysis.estimators.numerics.linear import vcov_name
from analysis.pipeline.factorial.levels import PREFIX
from analysis.pipeline.recomputing.material import ReplayedAnalysis, UsualAnalysis, Weights


def request_of(data: pd.DataFrame, given: Mapping[str, Any], method: str, seed: int) -> AnalysisRequest:
    """Return the request that the method makes of the same call."""
    return AnalysisRequest(
        data.reset_index(drop=True), method, str(given["outcome"]), covariates=tuple(given.get("covariates", ())),
        strata=tuple(given.get("stratum") or ()), cluster=given.get("cluster"), seed=seed,
    )  # fmt: skip


def tested(
    trial: AnalysisRequest, given: Mapping[str, Any], everyone: pd.DataFrame, column: str
) -> list[ReplayedAnalysis]:
    """Return the re-randomisation of each factor, whose assignments give each person a cell.

    Args:
        trial: of `request_of`.
        given: to the method.
        everyone: rows of the data of the scripts.
        column: name that the outcome should have.
    """
    options = {"within": None, "vcov": None, "own_slopes": True} | {
        name: given[name] for name in ("within", "vcov", "own_slopes") if name in given
    }
    tests = factor_tests(trial, given["factors"], int(given["replicates"]), **options)
    return [_replayed(test, given, everyone, column) for test in tests]


def _replayed(test: FactorTest, given: Mapping[str, Any], everyone: pd.DataFrame, column: str) -> ReplayedAnalysis:
    trial, arms = test.cells.trial, _arms(test.cells)
    kept = everyone["participant_id"].isin(set(trial.data["participant_id"])).to_numpy()
    alternative = str(given.get("alternative", "two-sided"))
    return ReplayedAnalysis(
        labels=arms, codes=test.drawn_cells().astype(np.int8), exact=test.drawn.exact, kept=kept,
        column=column, values=everyone[trial.outcome].where(kept), statistic="lin" if _own(given) else "ancova",
        vcov=test.model.vcov, again=partial(_again, test, alternative), covariates=trial.covariates,
        strata=trial.strata, alternative=alternative,
        weights={effect.contrast: _weights(effect.weights) for effect in test.effects() if effect.contrast},
    )  # fmt: skip


def _again(test: FactorTest, alternative: str, codes: NDArray[np.int8]) -> list[Estimate]:
    first = test.on_first(len(codes))
    return [first.row(effect, alternative, interval=False) for effect in test.effects()]


def compared(trial: AnalysisRequest, given: Mapping[str, Any], everyone: pd.DataFrame, column: str) -> UsualAnalysis:
    """Return the effects of one regression over the cells; for the arguments see `tested`.

    Raises:
        LookupError: rows with the nested control, which are of another model.
    """
    kind = str(given.get("effects", "main"))
    if kind not in ("main", "interaction", "simple"):
        raise LookupError("the scripts compute effects of the cells, without those of the nested control")
    cells = Cells.of(trial, given["factors"], str(given.get("nested", "control")))
    inside = Cells.of(replace(trial, data=trial.data[cells.inside].reset_index(drop=True)), list(cells.factors), "")
    kept = everyone["participant_id"].isin(set(inside.trial.data["participant_id"]))
    return UsualAnalysis(
        "factorial", column, everyone[trial.outcome].where(kept), "", _arms(inside), trial.covariates, trial.strata,
        str(given.get("vcov") or "CR2") if trial.cluster else vcov_name(given.get("vcov") or "HC3"), _own(given),
        None if trial.cluster is None else everyone[trial.cluster],
        weights={effect.name.replace(PREFIX, ""): _weights(effect.weights) for effect in inside.effects(kind)},
    )  # fmt: skip


def _own(given: Mapping[str, Any]) -> bool:
    return bool(given.get("own_slopes", True))


def _arms(cells: Cells) -> tuple[str, ...]:
    """Return the arm that each cell is.

    Raises:
        LookupError: an arm in two cells, or two arms in one.
    """
    pairs = sorted({(int(code), str(arm)) for code, arm in zip(cells.codes, cells.trial.data["arm"], strict=True)})
    if [code for code, _ in pairs] != list(range(len(cells.names))):
        raise LookupError("cells of the factors are not one arm each")
    return tuple(arm for _, arm in pairs)


def _weights(of_cells: NDArray[np.float64]) -> Weights:
    return tuple(float(weight) for weight in of_cells[1:])
