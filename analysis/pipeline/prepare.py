"""Everything that analysis and report share: who is in, what the arms are called, the table that methods see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.data.dataset import Dataset
from analysis.data.view import View, view
from analysis.pipeline.analysis_table import AnalysisTable, build
from analysis.pipeline.factorial.levels import Levels
from analysis.pipeline.factorial.rows import following, with_factors
from analysis.pipeline.factorial.variants import of_variants
from analysis.pipeline.planning.answerable import answerable
from analysis.pipeline.planning.losses import rows_of_losses, rows_with_excluded
from analysis.pipeline.planning.plan import crossover_schedule, fit_to, plan_of, schedule, task_limit
from analysis.pipeline.planning.refusals import refuse
from analysis.pipeline.planning.registration import allocates
from analysis.pipeline.regimes.rows import in_the_study_s_order, of_second_decision
from analysis.pipeline.waves import only_closed
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.comparing.delayed_outcomes import with_delayed
from study_app.domain.study.periods import period_column


@dataclass(frozen=True)
class Prepared:
    """A dataset with its plan, ready to be analysed."""

    dataset: Dataset
    plan: Plan
    """As given; its hash is the registered one."""
    fitted: Plan
    """As far as the data can answer it."""
    left_out: tuple[str, ...]
    view: View
    frame: AnalysisTable
    levels: Levels | None = None
    """The factors of a study that has some."""
    sequence: bool = False
    """Whether people had several treatments, one in each period."""

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        """What the plan asks for in this design, the primary rows first."""
        if self.sequence:
            rows = crossover_schedule(self.fitted)
            return rows + tuple(row for row in rows_with_excluded(rows) if self._excluded_in_periods(row.outcome))
        rows = schedule(self.fitted, len(self.view.arms), self.frame.cluster is not None)
        rows += following(self.fitted, self.dataset.study.study)
        rows += rows_of_losses(self.fitted, self.dataset.study.study, rows)
        rows += of_second_decision(self.fitted, self.dataset.study.study)
        rows += of_variants(self.fitted, self.dataset.study.study)
        # Without an outcome of someone excluded they would be the primary rows again.
        rows += tuple(row for row in rows_with_excluded(rows) if self.frame.measured_of_excluded(row.outcome))
        if not self.dataset.plain:
            return rows
        return tuple(row for row in rows if answerable(row, self.fitted, self.frame))

    def _excluded_in_periods(self, outcome: str) -> bool:
        """Return whether someone excluded after allocation has an outcome in a period; while they are withheld, no."""
        periods, column = self.view.tables.get("periods"), period_column(self.fitted.outcome(outcome).name)
        if self.view.hidden or periods is None or column not in periods:
            return False
        people = self.view.participants
        gone = people.loc[people["arm"].notna() & (people["status"] == "excluded"), "participant_id"]
        return bool(periods.loc[periods["participant_id"].isin(gone), column].notna().any())

    @property
    def compared(self) -> list[str]:
        """What is compared, control first: the arms, or of a sequence its treatments."""
        if not self.sequence or self.view.hidden:
            return list(self.view.arm_ids)
        control = self.plan.control or self.dataset.study.control
        return sorted((arm.id for arm in self.dataset.study.arms), key=lambda arm: arm != control)

    def deciding(self, estimates: Sequence[Mapping[str, Any]]) -> list[tuple[Analysis, Mapping[str, Any]]]:
        """Return the rows by which the plan decides, each with its analysis.

        A row belongs to the analysis with the longest id that its own begins with: behind it stands an arm, or a level.
        With another seed than the plan's all rows are exploratory, so that the role alone does not tell.
        """
        known = {analysis.id: analysis for analysis in self.analyses}
        found = [(known.get(_longest(str(row["id"]), known)), row) for row in estimates]
        return [
            (analysis, row)
            for analysis, row in found
            if analysis is not None and analysis.role == "primary" and row["role"] in ("primary", "exploratory")
            and not (row["method"] == "rmst" and row["unit"] == "ratio")
        ]  # fmt: skip


def _longest(row_id: str, known: Collection[str]) -> str:
    """Return the longest beginning of an id, cut at its points, that is known; empty where none is."""
    while row_id and row_id not in known:
        row_id = row_id.rpartition(".")[0]
    return row_id


def prepare(
    dataset: Dataset, plan: Plan | None = None, *, include_simulated: bool = False, include_preview: bool = False
) -> Prepared:
    """Select participants, mask the arms as the trial's state demands, and make the analysis table.

    Raises:
        ProblemsFound: the design cannot be analysed, or the plan names columns that the data do not have; all at once.
    """
    plan = (plan_of(dataset) if plan is None else plan).with_limit(task_limit(dataset.study.raw))
    refuse(dataset, plan)
    study = dataset.study.study
    fitted, left_out = fit_to(with_factors(with_delayed(plan, study), study), dataset)
    cluster, sequence = clusters_of(dataset, plan), allocates(dataset.study.raw, "sequence")
    shown = view(
        dataset,
        cluster=cluster,
        control=plan.control,
        seed=plan.seed,
        include_simulated=include_simulated,
        include_preview=include_preview,
    )
    shown = only_closed(dataset, shown)
    fitted = _in_full(fitted, "right" if dataset.plain else "at_cap")
    table, levels = build(shown, fitted, cluster), Levels.of(dataset, shown)
    table = replace(table, data=in_the_study_s_order(table.data, study))
    return Prepared(dataset, plan, fitted, tuple(left_out), shown, table, levels, sequence)


def clusters_of(dataset: Dataset, plan: Plan) -> str:
    """Column of the clusters that were allocated whole; empty where people were."""
    return plan.cluster or (COLUMN if allocates(dataset.study.raw, "cluster") else "")


def _in_full(plan: Plan, censored: str) -> Plan:
    """Return the plan with what an unfinished time means and the unit of a yes-or-no outcome, where it does not say."""
    usual = {"time": ("censored", censored), "binary": ("unit", "proportion")}
    outcomes = []
    for outcome in plan.outcomes:
        key, value = usual.get(outcome.kind, ("", ""))
        open_ = bool(key) and not getattr(outcome, key)
        outcomes.append(outcome.model_copy(update={key: value}) if open_ else outcome)
    return plan.model_copy(update={"outcomes": tuple(outcomes)})
