"""Primary rows that compare treatments within people, as the supplement gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd

from analysis.pipeline.crossover import CrossoverRunner
from analysis.pipeline.prepare import Prepared
from analysis.pipeline.recomputing.files import Columns
from analysis.pipeline.recomputing.material import WITH_EXCLUDED, WITHIN, ReplayedAnalysis
from analysis.pipeline.trial_ledger import Ledger, ledger_of
from study_app.domain.study.analysis_plan import Analysis
from study_app.domain.study.periods import period_column


@dataclass(frozen=True)
class WithinPeople:
    """One row a period of a person, and the runner of its analyses."""

    data: pd.DataFrame
    arms: tuple[str, ...]
    """Treatments."""
    runner: CrossoverRunner

    @classmethod
    def of(cls, prepared: Prepared, seed: int) -> WithinPeople:
        """Of a dataset with its plan."""
        ledger, note = ledger_of(prepared.dataset, prepared.view)
        control = prepared.plan.control or prepared.dataset.study.control
        own = ledger if isinstance(ledger, Ledger) else None
        runner = CrossoverRunner(prepared.view, prepared.fitted, control, own, note, seed)
        return cls(runner.table().reset_index(drop=True), tuple(prepared.compared), runner)

    def columns(self) -> Columns:
        """Return the columns that the data begin with: people have numbers in place of their ids."""
        found = Columns(self.data["treatment"])
        found.add("person", pd.Series(pd.factorize(self.data["participant_id"])[0] + 1, self.data.index))
        found.add("period", self.data["period"].astype(int))
        return found

    def replayed(self, analysis: Analysis) -> list[ReplayedAnalysis]:
        """Return an analysis as it was run.

        Raises:
            LookupError: why the scripts cannot compute it.
        """
        if analysis.population == "with_excluded":
            raise LookupError(WITH_EXCLUDED)
        outcome = self.runner.plan.outcome(analysis.outcome)
        replay = self.runner.replay(analysis)
        values = pd.to_numeric(self.data[period_column(outcome.name)], errors="coerce")
        return [ReplayedAnalysis(
            labels=replay.trial.labels, codes=replay.drawn, exact=False, kept=values.notna().to_numpy(),
            column=outcome.id, values=values, statistic=WITHIN, vcov="classical",
            again=partial(self.runner.rows_of, replay, interval=False),
        )]  # fmt: skip
