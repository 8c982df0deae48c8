"""Primary rows of factors, as the supplement gives them: contrasts of the means of cells, which are arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import Estimate
from analysis.estimators.factorial.cells import KINDS, Cells, Effect
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


def compared(
    trial: AnalysisRequest, given: Mapping[str, Any], everyone: pd.DataFrame, column: str
) -> list[UsualAnalysis]:
    """Return the effects of the regression over the cells, and of that with the nested control, where they are asked.

    For the arguments see `tested`.
    """
    kind = str(given.get("effects", "main"))
    wanted = KINDS if kind == "all" else (kind,)
    cells = Cells.of(trial, given["factors"], str(given.get("nested", "control")))
    inside = Cells.of(replace(trial, data=trial.data[cells.inside].reset_index(drop=True)), list(cells.factors), "")
    arms = _arms(inside)
    inner = [effect for one in wanted if one != "control" for effect in inside.effects(one)]
    outer = cells.effects("control") if "control" in wanted and cells.has_control else []
    found = [_regression(inner, arms, given, everyone, column, inside.trial)] if inner else []
    if outer:
        found.append(_regression(outer, (*arms, _outside(cells)), given, everyone, f"{column}.control", trial))
    return found


def _regression(
    effects: Sequence[Effect], arms: tuple[str, ...], given: Mapping[str, Any], everyone: pd.DataFrame, column: str,
    trial: AnalysisRequest,
) -> UsualAnalysis:  # fmt: skip
    """Return contrasts of the means of cells, all of one regression over the people of `trial`."""
    kept = everyone["participant_id"].isin(set(trial.data["participant_id"]))
    return UsualAnalysis(
        "factorial", column, everyone[trial.outcome].where(kept), "", arms, trial.covariates, trial.strata,
        str(given.get("vcov") or "CR2") if trial.cluster else vcov_name(given.get("vcov") or "HC3"), _own(given),
        None if trial.cluster is None else everyone[trial.cluster],
        weights={effect.name.replace(PREFIX, ""): _weights(effect.weights) for effect in effects},
    )  # fmt: skip


def _outside(cells: Cells) -> str:
    """Return the arm of the nested control.

    Raises:
        LookupError: people outside of the cells have several.
    """
    arms = sorted({str(arm) for arm in cells.trial.data.loc[~cells.inside, "arm"]})
    if len(arms) != 1:
        raise LookupError("the nested control is not one arm")
    return arms[0]


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
