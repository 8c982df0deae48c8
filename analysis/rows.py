"""One analysis of the plan -> its rows of results.json; what cannot be computed becomes a null row that says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

import analysis as methods
from analysis.frame import LAST_ACTIVITY, Frame
from analysis.masking import View
from analysis.results import Estimate
from analysis.scheme import Ledger
from study_app.domain.errors import StudyError
from study_app.domain.plan import Analysis, Outcome, Plan

SURVIVAL = ("rmst", "logrank", "stratified_logrank", "cox", "kaplan_meier")
KEEPS_MISSING = ("lee_bounds", "worst_case")
COMPLIER = ("wald_iv", "tsls")
LADDER = ("rerandomization", "lin")
_UNITS = {
    "mann_whitney": "probability",
    "brunner_munzel": "probability",
    "newcombe": "proportion",
    "fisher": "log odds ratio",
    "cmh": "log odds ratio",
    "cox": "log hazard ratio",
    "kaplan_meier": "proportion",
    "fractional_logit": "log odds",
    "beta_regression": "log odds",
    "ordinal_logit": "log odds",
    "mixed_logit": "log odds",
    "poisson": "log rate ratio",
    "negative_binomial": "log rate ratio",
    "pearson": "r",
    "spearman": "r",
    "bayes_factor": "BF10",
}
_PER_PROTOCOL = "Conditions on behaviour after randomisation, so the arms need not be comparable."
_AS_TREATED = "Compares people by what they received, not by allocation, so the groups need not be comparable."


@dataclass
class Runner:
    """Runs analyses over one frame; collects the deviations from the plan that they meet."""

    frame: Frame
    plan: Plan
    view: View
    ledger: Ledger | None
    ledger_note: str
    seed: int
    deviations: list[str] = field(default_factory=list)

    def run(self, analysis: Analysis) -> list[Estimate]:
        """The rows of one analysis; never raises for what the data bring with them."""
        outcome = self.plan.outcome(analysis.outcome)
        try:
            data, arm, control = self._data(analysis, outcome)
        except LookupError as error:
            return self._nulls(analysis, outcome, str(error.args[0]))
        counts = {name: int((data[arm] == name).sum()) for name in self._arms(analysis)}
        empty = [name for name, count in counts.items() if count == 0]
        if control in empty or len(counts) - len(empty) < 2:
            reason = f"nobody to analyse in {', '.join(empty) or 'a second arm'}"
            return self._nulls(analysis, outcome, reason, counts)
        rows = self._called(analysis, outcome, data, arm, control, counts)
        return rows + [self._null(analysis, outcome, "nobody to analyse in this arm", counts, name) for name in empty]

    def _called(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame, arm: str, control: str, counts: dict[str, int]
    ) -> list[Estimate]:
        try:
            method, arguments, note = self._call(analysis, outcome, data)
            found = method(data, arm=arm, control=control, level=self.plan.level, seed=self.seed, **arguments)
        except LookupError as error:
            return self._nulls(analysis, outcome, str(error.args[0]), counts)
        except StudyError as error:
            return self._nulls(analysis, outcome, "; ".join(str(error).splitlines()), counts)
        except Exception as error:  # an analysis that fails must not take the others with it
            return self._nulls(analysis, outcome, f"{type(error).__name__}: {error}", counts)
        listed = found if isinstance(found, list) else [found]
        return self._named(analysis, outcome, listed, note)

    # -- what a method is given ----------------------------------------------------------------------------------------

    def _data(self, analysis: Analysis, outcome: Outcome) -> tuple[pd.DataFrame, str, str]:
        data = self.frame.population(analysis.population)
        column = self._column(analysis, outcome)
        if column not in data or data[column].isna().all():
            raise LookupError(f"'{outcome.name}' holds no values")
        if analysis.population == "as_treated":
            data = data[data["received"].notna()]
            data = data.assign(arm=np.where(data["received"] == 1, "received", "not_received"))
        if analysis.population == "complier":
            data = data[data["received"].notna()]
        if analysis.method not in KEEPS_MISSING:
            data = data[data[column].notna()]
        control = "not_received" if analysis.population == "as_treated" else self.view.control
        return data.reset_index(drop=True), "arm", control

    def _column(self, analysis: Analysis, outcome: Outcome) -> str:
        return f"{LAST_ACTIVITY}_{outcome.id}" if analysis.options.get("time") == "last_activity" else outcome.id

    def _call(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame
    ) -> tuple[Callable[..., Any], dict[str, Any], str]:
        name = analysis.method
        notes: list[str] = []
        arguments: dict[str, Any] = {key: value for key, value in analysis.options.items() if key != "time"}
        arguments["outcome"] = self._column(analysis, outcome)
        if analysis.adjusted:
            arguments["covariates"] = tuple(self.frame.covariates)
            arguments |= {"stratum": self.frame.strata[0]} if self.frame.strata else {}
        if analysis.adjusted and name in LADDER:
            name, notes = self._step_down(analysis, outcome, data, arguments)
        if name in SURVIVAL:
            arguments |= {"event": f"_event_{outcome.id}", "horizon": self.plan.horizon or outcome.cap}
        if name == "stratified_logrank":
            if "stratum" not in data or data["stratum"].nunique() < 2:
                raise LookupError("allocation was not stratified")
            arguments["stratum"] = "stratum"
        if name in COMPLIER:
            arguments["received"] = "received"
        if name == "rerandomization":
            arguments |= {"replicates": self.plan.replicates, **self._scheme(data)}
            notes += [self.ledger_note] if self.ledger_note else []
        if name in ("fractional_logit", "beta_regression"):
            data[arguments["outcome"]] = self._share(outcome, data)
        if name not in methods.METHODS:
            raise LookupError(f"there is no method '{name}'")
        return methods.METHODS[name], arguments, "; ".join(notes)

    def _scheme(self, data: pd.DataFrame) -> dict[str, Any]:
        if self.ledger is not None:
            people = [str(person) for person in data["participant_id"]]
            return {"scheme": self.ledger.for_people(people), "arms": self.view.arm_ids}
        known = "stratum" in data and data["stratum"].notna().all() and data["stratum"].nunique() > 1
        return {"stratum": "stratum"} if known else {}

    def _share(self, outcome: Outcome, data: pd.DataFrame) -> pd.Series:
        if outcome.upper_column in data:
            return data[outcome.id] / data[outcome.upper_column]
        if outcome.upper is None:
            raise LookupError(f"needs the highest possible value; give upper for '{outcome.id}'")
        return data[outcome.id] / outcome.upper

    # -- the fallback ladder -------------------------------------------------------------------------------------------

    def _step_down(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame, arguments: dict[str, Any]
    ) -> tuple[str, list[str]]:
        """Lin -> ANCOVA with HC2 -> unadjusted, by the plan's thresholds; each step down is a deviation."""
        covariates = [name for name in self.frame.covariates if data[name].nunique() > 1]
        strata = [name for name in self.frame.strata if data[name].nunique() > 1]
        levels = sum(data[name].nunique() - 1 for name in strata)
        allowed = int(len(data) / self.plan.fallback.people_per_covariate)
        reason = self._unfit(data, covariates, strata, interacted=True)
        if len(covariates) + levels > allowed:
            reason = f"{len(covariates) + levels} covariates for {len(data)} people"
        if reason is None:
            arguments["covariates"] = tuple(covariates)
            return analysis.method, []
        arguments.pop("stratum", None)
        fewer = covariates[:allowed]
        text = f"{analysis.id}: Lin adjustment left ({reason}); "
        if fewer and self._unfit(data, fewer, [], interacted=False) is None:
            names = ", ".join(name.removeprefix("_x_") for name in fewer)
            self.deviations.append(f"{text}ANCOVA with HC2 on {names}.")
            arguments["covariates"] = tuple(fewer)
            return self._ancova(analysis, arguments), [f"fallback: ANCOVA with HC2 ({reason})"]
        self.deviations.append(f"{text}unadjusted.")
        arguments["covariates"] = ()
        return self._unadjusted(analysis, arguments), [f"fallback: unadjusted ({reason})"]

    def _ancova(self, analysis: Analysis, arguments: dict[str, Any]) -> str:
        if analysis.method == "rerandomization":
            arguments["statistic"] = "ancova"
            return "rerandomization"
        arguments["vcov"] = "HC2"
        return "ancova"

    def _unadjusted(self, analysis: Analysis, arguments: dict[str, Any]) -> str:
        if analysis.method == "rerandomization":
            arguments["statistic"] = "mean"
            return "rerandomization"
        arguments.pop("covariates")
        arguments.pop("vcov", None)
        return "welch_t"

    def _unfit(
        self, data: pd.DataFrame, covariates: Sequence[str], strata: Sequence[str], *, interacted: bool
    ) -> str | None:
        """Why a model does not bear these columns; None where it does."""
        x = data[list(covariates)].to_numpy(dtype=float)
        x = x - x.mean(axis=0)
        arms = [(data["arm"] == arm).to_numpy(dtype=float)[:, None] for arm in self.view.arm_ids[1:]]
        blocks = [pd.get_dummies(data[name], drop_first=True).to_numpy(dtype=float) for name in strata]
        parts = [np.ones((len(data), 1)), *arms, x, *blocks, *([arm * x for arm in arms] if interacted else [])]
        design = np.column_stack(parts)
        basis, scale, _ = np.linalg.svd(design, full_matrices=False)
        kept = scale > scale.max() * 1e-10
        if kept.sum() >= len(design):
            return f"{len(design)} people for {int(kept.sum())} coefficients"
        leverage = (basis[:, kept] ** 2).sum(axis=1).max()
        return f"largest leverage {leverage:.3f}" if leverage > self.plan.fallback.max_leverage else None

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _arms(self, analysis: Analysis) -> tuple[str, ...]:
        return ("not_received", "received") if analysis.population == "as_treated" else self.view.arm_ids

    def _named(self, analysis: Analysis, outcome: Outcome, found: list[Estimate], note: str) -> list[Estimate]:
        several = len(self._arms(analysis)) > 2
        rows: list[Estimate] = []
        for entry in found:
            name = analysis.id
            if entry.contrast is not None and several:
                name += f".{entry.contrast[0]}" + (f".{entry.contrast[1]}" if analysis.method == "tukey_hsd" else "")
            elif entry.contrast is None and len(found) > 1 and len(entry.n) == 1:
                name += f".{next(iter(entry.n))}"
            name += ".ratio" if "ratio" in entry.unit and analysis.method == "rmst" else ""
            taken = sum(row.id == name or row.id.startswith(f"{name}.x") for row in rows)
            rows.append(self._dressed(analysis, outcome, entry, name + (f".x{taken + 1}" if taken else ""), note))
        return rows

    def _dressed(self, analysis: Analysis, outcome: Outcome, entry: Estimate, name: str, note: str) -> Estimate:
        sentences = {"per_protocol": _PER_PROTOCOL, "as_treated": _AS_TREATED}
        notes = [sentences.get(analysis.population, ""), entry.note, note]
        return replace(
            entry,
            id=name,
            role=analysis.role,
            outcome=outcome.id,
            population=analysis.population,
            method=analysis.method,
            unit=entry.unit if entry.unit not in ("", "outcome") else _UNITS.get(analysis.method, outcome.unit),
            note="; ".join(part for part in notes if part),
        )

    def _nulls(
        self, analysis: Analysis, outcome: Outcome, reason: str, counts: dict[str, int] | None = None
    ) -> list[Estimate]:
        arms = self._arms(analysis)
        counts = counts if counts is not None else dict.fromkeys(arms, 0)
        return [self._null(analysis, outcome, reason, counts, arm) for arm in (arms[1:] or ("",))]

    def _null(
        self, analysis: Analysis, outcome: Outcome, reason: str, counts: dict[str, int], treated: str
    ) -> Estimate:
        arms = self._arms(analysis)
        contrast = (treated, arms[0]) if treated and arms else None
        empty = Estimate(contrast=contrast, n=dict(counts), ci_level=self.plan.level, note=f"not estimable: {reason}")
        name = analysis.id + (f".{treated}" if len(arms) > 2 else "")
        return self._dressed(analysis, outcome, empty, name, "")
