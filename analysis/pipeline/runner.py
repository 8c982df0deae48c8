"""One analysis of the plan -> its rows of results.json; what cannot be computed becomes a null row that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.view import View
from analysis.estimators import methods
from analysis.estimators.core.results import Estimate
from analysis.pipeline.analysis_table import LAST_ACTIVITY, AnalysisTable
from analysis.pipeline.factorial.levels import BLOCK, Levels, in_the_study_s_names
from analysis.pipeline.factorial.rows import METHODS_OF_FACTORS
from analysis.pipeline.factorial.variants import METHOD as DIFFERENCES
from analysis.pipeline.planning.fallback import LADDER, AdjustmentModel, choose, within_cells
from analysis.pipeline.planning.family_check import ONE_ROW
from analysis.pipeline.planning.option_domains import OF_COLUMNS
from analysis.pipeline.planning.plan import bears_clusters
from analysis.pipeline.planning.plan_check import unusable
from analysis.pipeline.planning.row_check import of_times
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES
from analysis.pipeline.trial_ledger import Ledger, PooledLedger, within
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan
from study_app.domain.study.plan_sections import BY_RECEIVED

_WITHIN_STRATA = "labels are permuted within strata"
_NAMES_ITS_ROWS = (*METHODS_OF_FACTORS, *METHODS_OF_REGIMES, DIFFERENCES)
"""Methods whose rows are not of one arm each."""
SURVIVAL = frozenset(filter(of_times, methods.METHODS))
KEEPS_MISSING = ("lee_bounds", "worst_case", "multiple_imputation", "tipping_point", "inverse_probability")
BOUNDS = ("lee_bounds", "worst_case")
"""Methods whose promise is about everyone allocated, so that who was excluded afterwards has a missing outcome."""
COMPLIER = ("wald_iv", "tsls")
ROBUST = ("poisson", "fractional_logit", "wald_iv", "tsls")
"""Rows with HC1 unless the plan names another: classical and HC0 errors reject too often with few people."""
_UNITS = {
    "mann_whitney": "probability",
    "brunner_munzel": "probability",
    "newcombe": "proportion",
    "fisher": "log odds ratio",
    "cmh": "odds ratio",
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
    **dict.fromkeys(("logrank", "stratified_logrank", "anova", "welch_anova", "kruskal"), ""),
}
_WITH_EXCLUDED = "Everyone allocated, in the arm allocated, those excluded afterwards with the outcomes that they have"
_PER_PROTOCOL = "Conditions on behaviour after randomisation, so the arms need not be comparable"
_AS_TREATED = "Compares people by what they received, not by allocation, so the groups need not be comparable"


@dataclass
class AnalysisRunner:
    """Runs analyses over one frame; collects the deviations from the plan that they meet."""

    frame: AnalysisTable
    plan: Plan
    view: View
    ledger: Ledger | PooledLedger | None
    ledger_note: str
    seed: int
    intervals: bool = True
    """Whether a re-randomisation test is inverted into an interval."""
    levels: Levels | None = None
    """The factors of a study that has some."""
    unmade: Mapping[str, str] = field(default_factory=dict)
    """Row -> why its study cannot answer it, whatever the data are."""
    deviations: list[str] = field(default_factory=list)

    def run(self, analysis: Analysis) -> list[Estimate]:
        """Return the rows of one analysis; never raises for what the data bring with them."""
        outcome = self.plan.outcome(analysis.outcome)
        if analysis.id in self.unmade:
            return self._nulls(analysis, outcome, self.unmade[analysis.id])
        try:
            if missing := [name for name in analysis.contrast if name not in self.view.arm_ids]:
                raise LookupError(_cannot_name(missing[0], self.view))
            data, arm, control, left_out = self._data(analysis, outcome)
        except LookupError as error:
            return self._nulls(analysis, outcome, str(error.args[0]))
        counts = {name: int((data[arm] == name).sum()) for name in self._arms(analysis)}
        empty = [name for name, count in counts.items() if count == 0]
        if control in empty or len(counts) - len(empty) < 2:
            reason = f"no participants to analyse in {', '.join(empty) or 'a second arm'}"
            return self._nulls(analysis, outcome, reason, counts)
        rows = self._called(analysis, outcome, data, arm, control, counts)
        of_all = analysis.method in ONE_ROW and not analysis.contrast
        lacking = f"no participants to analyse in {', '.join(empty)}" if of_all and empty else ""
        notes = [[part for part in (row.note, left_out, lacking) if part] for row in rows]
        rows = [replace(row, note="; ".join(said)) for row, said in zip(rows, notes, strict=True)]
        unseen = [] if of_all or analysis.contrast or analysis.method in _NAMES_ITS_ROWS else empty
        why = f"no participants to analyse in {'this arm' if analysis.method != 'tukey_hsd' else ', '.join(empty)}"
        order = self._contrasts(analysis)
        lacking_rows = [self._null(analysis, outcome, why, counts, *pair) for pair in order if {*pair} & {*unseen}]
        # In the plan's order, in which a graphical rule gives its weights.
        return sorted(rows + lacking_rows, key=lambda row: _place(row.contrast, order)) if lacking_rows else rows

    def _called(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame, arm: str, control: str, counts: dict[str, int]
    ) -> list[Estimate]:
        try:
            if analysis.method in METHODS_OF_FACTORS:
                data = self._with_levels(data)
            if analysis.method == DIFFERENCES and self.view.masked:
                raise LookupError("the arms are not distinguished yet")
            if analysis.method in METHODS_OF_REGIMES:
                self._require_decisions(data)
            method, arguments, note = self._call(analysis, outcome, data)
            if analysis.method in METHODS_OF_FACTORS:
                note = "; ".join(part for part in (note, *self._take_factors(analysis, data, arguments)) if part)
            compared = _compared(analysis, arm, control)
            # Every analysis starts from the plan's seed itself, so a row does not depend on which others the plan has.
            found = method(data, **compared, level=self.plan.level, seed=self.seed, **arguments)
        except LookupError as error:
            return self._nulls(analysis, outcome, str(error.args[0]), counts)
        except StudyError as error:
            return self._nulls(analysis, outcome, "; ".join(str(error).splitlines()), counts)
        except Exception as error:  # an analysis that fails must not take the others with it
            return self._nulls(analysis, outcome, f"the method stopped on these data ({error})", counts)
        listed = found if isinstance(found, list) else [found]
        if analysis.contrast:
            listed = [row for row in listed if row.contrast == analysis.contrast]
        if not listed:
            return self._nulls(analysis, outcome, f"{analysis.method} gives no contrast of two arms", counts)
        return self._named(analysis, outcome, listed, note)

    def _with_levels(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the table with a column for each factor.

        Raises:
            LookupError: there are no factors, or arms are not distinguished yet.
        """
        if self.levels is None:
            raise LookupError("the study has no factors")
        if self.view.masked:
            raise LookupError("the levels of factors are withheld until the trial is unsealed")
        return self.levels.added(data)

    def _require_decisions(self, data: pd.DataFrame) -> None:
        """Refuse a table without the columns of a second decision, and one whose arms are not distinguished yet."""
        if self.view.masked:
            raise LookupError("second treatments are withheld until the trial is unsealed")
        if "second_treatment" not in data:
            raise LookupError("the study has no second decision")

    def _take_factors(self, analysis: Analysis, data: pd.DataFrame, arguments: dict[str, Any]) -> list[str]:
        """Add what the methods of factors are given; return what their rows must say."""
        levels, notes = self.levels, []
        if levels is None:
            raise LookupError("the study has no factors")
        arguments["factors"] = levels.columns
        if analysis.adjusted:
            model = choose(data, self.view.arm_ids, self.frame.covariates, self.frame.strata, self.plan.fallback)
            arguments |= {"covariates": model.covariates, "stratum": model.strata, "own_slopes": model.kind == "lin"}
            if model.kind != "lin":
                step = f"ANCOVA on {_adjusted_for(model)}" if model.kind == "ancova" else "unadjusted"
                notes.append(f"fallback from slopes of each cell ({model.reason}): {step}")
                self.deviations.append(f"{analysis.id}: slopes of each cell left ({model.reason}); {step}.")
        if analysis.method == "factorial":
            arguments["nested"] = levels.study.control.id
            return notes
        arguments |= {"replicates": self.plan.replicates, "within": BLOCK}
        arguments |= {} if self.intervals else {"interval": False}
        return [*notes, f"within {levels.how}"]

    def prepared_call(self, analysis: Analysis) -> tuple[str, pd.DataFrame, dict[str, Any]]:
        """Return the method that the data bear, rows and arguments of one analysis, to compute the same elsewhere.

        Raises:
            LookupError: the data do not bear it.
        """
        if analysis.id in self.unmade:
            raise LookupError(self.unmade[analysis.id])
        outcome = self.plan.outcome(analysis.outcome)
        data, _, _, _ = self._data(analysis, outcome)
        if analysis.method in METHODS_OF_FACTORS:
            data = self._with_levels(data)
        called, arguments, _ = self._call(analysis, outcome, data)
        if analysis.method in METHODS_OF_FACTORS:
            self._take_factors(analysis, data, arguments)
        return called.__name__, data, arguments

    # -- what a method is given ----------------------------------------------------------------------------------------

    def _data(self, analysis: Analysis, outcome: Outcome) -> tuple[pd.DataFrame, str, str, str]:
        """Return the rows to analyse, the arm's column, the control, and who of the population is not among them."""
        data = everybody = self.frame.population(analysis.population)
        column = self._column(analysis, outcome)
        if column not in data or data[column].isna().all():
            raise LookupError(f"'{outcome.name}' holds no values")
        bounded = analysis.method in BOUNDS and analysis.population == "itt"
        if bounded:
            data = everybody = self.frame.with_excluded(column)
        if analysis.population in BY_RECEIVED:
            data = data[data["received"].notna()]
        if analysis.population == "as_treated":
            data = data.assign(arm=np.where(data["received"] == 1, "received", "not_received"))
        unknown = len(everybody) - len(data)
        # These methods are about missing outcomes, or fill them in; all others see complete cases.
        if analysis.method not in KEEPS_MISSING:
            data = data[data[column].notna()]
        missing = {"what they received unknown": unknown, f"{column} missing": len(everybody) - unknown - len(data)}
        left_out = ", ".join(f"{count} of {len(everybody)} left out: {why}" for why, count in missing.items() if count)
        if bounded and (gone := self.frame.set_aside(self.view.arm_ids).get("excluded")):
            by_arm = ", ".join(f"{arm} {count}" for arm, count in gone.items())
            left_out = f"{sum(gone.values())} excluded after allocation count as missing ({by_arm})"
        control = analysis.contrast[1] if analysis.contrast else self.view.control
        control = "not_received" if analysis.population == "as_treated" else control
        return data.reset_index(drop=True), "arm", control, left_out

    def _column(self, analysis: Analysis, outcome: Outcome) -> str:
        return f"{LAST_ACTIVITY}_{outcome.id}" if analysis.options.get("time") == "last_activity" else outcome.id

    def _call(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame
    ) -> tuple[Callable[..., Any], dict[str, Any], str]:
        """Return the method, what it is given, and what its rows must say about it."""
        name = analysis.method
        self._require_usable(analysis, data)
        called: Callable[..., Any] = methods.METHODS[name]
        notes: list[str] = []
        arguments: dict[str, Any] = {key: value for key, value in analysis.options.items() if key != "time"}
        arguments["outcome"] = self._column(analysis, outcome)
        if analysis.adjusted:
            arguments["covariates"] = tuple(self.frame.covariates)
            arguments["stratum"] = self.frame.strata
        if name == "rerandomization":
            if analysis.population == "as_treated":
                raise LookupError("a re-randomisation replays allocation, and what was received was not allocated")
            arguments |= {"replicates": self.plan.replicates, **self._scheme(data)}
            arguments |= {} if self.intervals else {"interval": False}
            said = self.ledger_note
            if self.ledger is None and _strata_of(data) is None:
                said = said.replace(_WITHIN_STRATA, "there are no strata, and labels are permuted among all")
            notes += [said] if said else []
        if analysis.adjusted and name == "lee_bounds":
            called = within_cells(called)
        if analysis.adjusted and name in LADDER:
            called, steps = self._step_down(analysis, data, arguments)
            notes += steps
        if name in ROBUST and not self.frame.cluster:
            arguments.setdefault("vcov", "HC1")
        if name == "stratified_logrank":
            if "stratum" not in data or data["stratum"].nunique() < 2:
                raise LookupError("allocation was not stratified")
            arguments["stratum"] = "stratum"
        if name in COMPLIER:
            arguments["received"] = "received"
        return called, self._suited(analysis, outcome, data, arguments), "; ".join(notes)

    def _require_usable(self, analysis: Analysis, data: pd.DataFrame) -> None:
        """Refuse a row that its method cannot make.

        Raises:
            LookupError: why.
        """
        if reason := unusable(analysis, clustered=bool(self.frame.cluster)):
            raise LookupError(reason)
        for option in OF_COLUMNS:
            if (column := analysis.options.get(option)) is not None and column not in data:
                raise LookupError(f"options.{option}: there is no column '{column}'")
        # A test that takes people as independent has too small an error with clusters: none is better than a wrong one.
        if self.frame.cluster and not bears_clusters(analysis.method):
            raise LookupError(f"{analysis.method} takes people as independent, and they were allocated in clusters")

    def _suited(
        self, analysis: Analysis, outcome: Outcome, data: pd.DataFrame, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments with what the method needs to know of its people and of this kind of outcome."""
        name = analysis.method
        uses = methods.METHODS[name].uses
        if self.frame.cluster and "cluster" in uses:
            arguments["cluster"] = self.frame.cluster
        if name in SURVIVAL and outcome.kind != "time":
            raise LookupError(f"{name} takes times, and '{outcome.id}' is {outcome.kind}")
        if name in SURVIVAL or (arguments.get("statistic") == "rmst" and outcome.kind == "time"):
            arguments["event"] = f"_event_{outcome.id}"
            arguments |= {"horizon": self.plan.horizon or outcome.cap} if "horizon" in uses else {}
        if outcome.id in self.frame.censored:
            self._take_censoring(analysis, outcome, arguments)
        if name == "worst_case" and outcome.kind == "bounded":
            arguments = {**self._scale_ends(outcome, data), **arguments}
        if name in ("fractional_logit", "beta_regression"):
            data[arguments["outcome"]] = self._share(outcome, data)
        return arguments

    def _take_censoring(self, analysis: Analysis, outcome: Outcome, arguments: dict[str, Any]) -> None:
        """Right-censored times: survival methods as they are, the re-randomisation of restricted means, no others."""
        if analysis.method == "rerandomization":
            horizon = self.plan.horizon or outcome.cap
            arguments |= {"statistic": "rmst", "event": f"_event_{outcome.id}", "horizon": horizon}
        elif analysis.method not in SURVIVAL:
            count = self.frame.censored[outcome.id]
            raise LookupError(f"{count} times are right-censored before the cap; {analysis.method} needs whole times")

    def _scheme(self, data: pd.DataFrame) -> dict[str, Any]:
        if self.ledger is not None:
            people = [str(person) for person in data["participant_id"]]
            return {"scheme": self.ledger.for_people(people), "arms": self.view.arm_ids}
        strata = _strata_of(data)
        if strata is None:
            return {}
        cluster = data[self.frame.cluster] if self.frame.cluster else None
        replay = within(strata, data["arm"], self.view.arm_ids, cluster)
        return {"scheme": replay, "arms": self.view.arm_ids}

    def _scale_ends(self, outcome: Outcome, data: pd.DataFrame) -> dict[str, float]:
        """Lowest and highest possible score, where the scale starts at 0 and has one top."""
        tops = data[outcome.upper_column].dropna().unique() if outcome.upper_column in data else [outcome.upper]
        if len(tops) != 1 or tops[0] is None or data[outcome.id].min() < 0:
            return {}
        return {"outcome_min": 0.0, "outcome_max": float(tops[0])}

    def _share(self, outcome: Outcome, data: pd.DataFrame) -> pd.Series:
        if outcome.upper_column in data:
            return data[outcome.id] / data[outcome.upper_column]
        upper = 1.0 if outcome.kind == "binary" else outcome.upper
        if upper is None:
            raise LookupError(f"needs the highest possible value; give upper for '{outcome.id}'")
        return data[outcome.id] / upper

    def _step_down(
        self, analysis: Analysis, data: pd.DataFrame, arguments: dict[str, Any]
    ) -> tuple[Callable[..., Any], list[str]]:
        """Return the method that the data bear; every step down is a deviation."""
        model = choose(data, self.view.arm_ids, self.frame.covariates, self.frame.strata, self.plan.fallback)
        arguments |= {"covariates": model.covariates, "stratum": model.strata}
        if model.kind == "lin":
            return methods.METHODS[analysis.method], []
        errors = "CR2" if self.frame.cluster else "HC2"
        step = f"ANCOVA with {errors} on {_adjusted_for(model)}" if model.kind == "ancova" else "unadjusted"
        self.deviations.append(f"{analysis.id}: Lin adjustment left ({model.reason}); {step}.")
        notes = [f"fallback from Lin ({model.reason}): {step}"]
        if analysis.method == "rerandomization":
            # The p value stays a re-randomisation's: only the statistic is simpler, so its validity does not rest on a
            # model.
            arguments["statistic"] = model.kind
            return methods.METHODS["rerandomization"], notes
        arguments.pop("vcov", None)
        if model.kind == "ancova" and not self.frame.cluster:
            arguments["vcov"] = "HC2"
        if model.kind == "ancova":
            return methods.METHODS["ancova"], notes
        del arguments["covariates"], arguments["stratum"]
        return methods.METHODS["welch_t"], notes

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _arms(self, analysis: Analysis) -> tuple[str, ...]:
        return ("not_received", "received") if analysis.population == "as_treated" else self.view.arm_ids

    def _named(self, analysis: Analysis, outcome: Outcome, found: list[Estimate], note: str) -> list[Estimate]:
        several = len(self._arms(analysis)) > 2 and not analysis.contrast
        rows: list[Estimate] = []
        for entry in found:
            name = analysis.id
            if analysis.method in METHODS_OF_FACTORS:
                entry = in_the_study_s_names(entry)
                name += f".{entry.id}"
            elif analysis.method in METHODS_OF_REGIMES and entry.id:
                name += f".{entry.id}"
            elif entry.contrast is not None and several:
                name += _named_by(analysis, entry.contrast)
            elif entry.contrast is None and len(found) > 1 and len(entry.n) == 1:
                name += f".{next(iter(entry.n))}"
            name += ".ratio" if "ratio" in entry.unit and analysis.method == "rmst" else ""
            # Ids must be unique: tables, registration and reports find rows by them.
            taken = sum(row.id == name or row.id.startswith(f"{name}.x") for row in rows)
            row = self._dressed(analysis, outcome, entry, name + (f".x{taken + 1}" if taken else ""), note)
            # A contrast on a second scale (a ratio beside a difference) adds no hypothesis to the family.
            again = analysis.method not in _NAMES_ITS_ROWS and any(row.contrast == each.contrast for each in rows)
            rows.append(replace(row, role="secondary") if again and row.role == "primary" else row)
        return rows

    def _dressed(self, analysis: Analysis, outcome: Outcome, entry: Estimate, name: str, note: str) -> Estimate:
        sentences = {"with_excluded": _WITH_EXCLUDED, "per_protocol": _PER_PROTOCOL, "as_treated": _AS_TREATED}
        how = "labels permuted within strata" if self.ledger is None else "logged scheme replayed over the whole ledger"
        notes = [sentences.get(analysis.population, ""), entry.note.replace("the scheme's own replicates", how), note]
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
        if analysis.contrast:
            return [self._null(analysis, outcome, reason, counts, *analysis.contrast)]
        if analysis.method in _NAMES_ITS_ROWS or (analysis.method in ONE_ROW and len(arms) > 2):
            return [replace(self._null(analysis, outcome, reason, counts), id=analysis.id)]
        pairs: list[tuple[str, ...]] = [*self._contrasts(analysis)]
        return [self._null(analysis, outcome, reason, counts, *pair) for pair in pairs or [()]]

    def _contrasts(self, analysis: Analysis) -> list[tuple[str, str]]:
        """Return the contrasts of a row that names none, as its method orders them."""
        arms = self._arms(analysis)
        first = arms if analysis.method == "tukey_hsd" else arms[:1]
        return [(later, arm) for place, arm in enumerate(first) for later in arms[place + 1 :]]

    def _null(
        self, analysis: Analysis, outcome: Outcome, reason: str, counts: dict[str, int], *contrast: str
    ) -> Estimate:
        pair = (contrast[0], contrast[1]) if contrast else None
        empty = Estimate(contrast=pair, n=dict(counts), ci_level=self.plan.level, note=f"not estimable: {reason}")
        name = analysis.id
        if len(self._arms(analysis)) > 2 and not analysis.contrast:
            name += _named_by(analysis, pair)
        return self._dressed(analysis, outcome, empty, name, "")


def _compared(analysis: Analysis, arm: str, control: str) -> dict[str, str]:
    """Return the arms for the method; a correlation with another variable takes none."""
    if "control" in methods.METHODS[analysis.method].uses:
        return {"arm": arm, "control": control}
    if "arm" not in methods.METHODS[analysis.method].uses:
        return {}
    return {} if "x" in analysis.options else {"arm": arm}


def _named_by(analysis: Analysis, contrast: tuple[str, str] | None) -> str:
    """Return what a contrast adds to a row's id: the treated arm, of Tukey's pairs both."""
    if contrast is None:
        return ""
    return f".{contrast[0]}" + (f".{contrast[1]}" if analysis.method == "tukey_hsd" else "")


def _place(contrast: tuple[str, str] | None, order: Sequence[tuple[str, str]]) -> int:
    return order.index(contrast) if contrast in order else len(order)


def _adjusted_for(model: AdjustmentModel) -> str:
    return ", ".join(name.removeprefix("_x_").lstrip("_") for name in (*model.covariates, *model.strata))


def _strata_of(data: pd.DataFrame) -> pd.Series | None:
    """Return within which labels are permuted, who has none in a stratum alone; None where that is one for all."""
    strata = data["stratum"].fillna("all") if "stratum" in data else pd.Series("all", data.index)
    return strata if strata.nunique() > 1 else None


def _cannot_name(arm: str, view: View) -> str:
    return "the arms are not distinguished yet" if view.masked else f"there is no arm '{arm}'"
