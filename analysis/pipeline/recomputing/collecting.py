"""The primary rows with all that they rest on, and those that cannot be given so, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.pipeline.column_words import in_words
from analysis.pipeline.prepare import Prepared
from analysis.pipeline.recomputing.between_people import BetweenPeople
from analysis.pipeline.recomputing.files import NO_PLACE, SYMBOLS, AssignmentFiles, Columns
from analysis.pipeline.recomputing.material import (
    USUAL,
    RecomputedModel,
    ReplayedAnalysis,
    ReplicationMaterial,
    Rows,
    UsualAnalysis,
    UsualRow,
    weights_of,
)
from analysis.pipeline.recomputing.usual_rows import usual_runs
from analysis.pipeline.recomputing.within_people import WithinPeople
from study_app.domain.errors import StudyError
from study_app.domain.study.analysis_plan import Analysis

CELLS = 20_000_000
"""Arms of people in a file of assignments, at most; with more people it holds fewer assignments."""
LEAST = 99
"""Assignments of a file at least: fewer could not reach a p of .01, whatever the size of the file."""
BESIDE = ("welch_t", "logrank", "cox")
"""Rows that base R and statsmodels have a function for, and that the scripts compute, too."""
OF_FILE = "p_of_these_assignments"
"""What the p of a row is called where the file holds fewer assignments than the row rests on."""
SAME = 1e-9
"""Largest relative difference from the figure of results.json that still is the same figure."""
SINGLE = "single_look_p_value"
"""Of the detail of a row after looks."""
QUANTITIES = ("estimate", "statistic", "p_value")


def recomputed(prepared: Prepared, estimates: Rows, seed: int) -> ReplicationMaterial | None:
    """Return the primary rows with all that they rest on, and those that cannot be given so, each with its reason.

    None where no primary row could be made.

    Args:
        prepared: dataset and plan; the arms must be visible.
        estimates: rows of results.json.
        seed: of the analysis.
    """
    made = _primary(prepared, estimates)
    if not made:
        return None
    source = WithinPeople.of(prepared, seed) if prepared.sequence else BetweenPeople.of(prepared, seed)
    maker = _Maker(prepared, source.data, source.arms, source.columns())
    for analysis, rows in made:
        try:
            if analysis.method in (*USUAL, "factorial") and isinstance(source, BetweenPeople):
                _take_usual(maker, source, analysis, rows)
            else:
                _take_replayed(maker, source, analysis, rows)
        except (LookupError, StudyError) as error:
            reason = "; ".join(str(error.args[0] if isinstance(error, LookupError) else error).splitlines())
            maker.left_out |= dict.fromkeys((str(row["id"]) for row in rows), in_words(reason))
    beside = (*maker.decided, *(() if prepared.sequence else maker.beside(estimates)))
    expected = pd.DataFrame(maker.expected, columns=["id", "outcome", "method", "treated", "quantity", "value"])
    return ReplicationMaterial(
        maker.columns.table(), source.arms, maker.files.made, tuple(maker.models), beside, expected,
        maker.left_out, tuple(dict.fromkeys(maker.notes)), prepared.sequence,
    )  # fmt: skip


def _primary(prepared: Prepared, estimates: Rows) -> list[tuple[Analysis, list[Mapping[str, Any]]]]:
    """Return each primary analysis with those of its rows that have a p."""
    found: dict[str, tuple[Analysis, list[Mapping[str, Any]]]] = {}
    for analysis, row in prepared.deciding(estimates):
        if row["p_value"] is not None:
            found.setdefault(analysis.id, (analysis, []))[1].append(row)
    return list(found.values())


def _take_usual(maker: _Maker, source: BetweenPeople, analysis: Analysis, rows: Rows) -> None:
    for run in usual_runs(source, analysis):
        ends = {str(row["id"]): str(row["id"]).removeprefix(f"{analysis.id}.") for row in rows}
        maker.take_usual(analysis, [row for row in rows if not run.weights or ends[str(row["id"])] in run.weights], run)


def _take_replayed(maker: _Maker, source: BetweenPeople | WithinPeople, analysis: Analysis, rows: Rows) -> None:
    # Apart, so that the assignments (a gigabyte for 100,000 people) are gone before the next ones
    # are drawn.
    for run in _replayed(source, analysis):
        maker.take(analysis, [row for row in rows if not run.weights or _pair(row) in run.weights], run)


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    treated, control = row["contrast"]
    return str(treated), str(control)


def _replayed(source: BetweenPeople | WithinPeople, analysis: Analysis) -> list[ReplayedAnalysis]:
    if analysis.method not in ("rerandomization", "factorial_rerandomization"):
        known = "re-randomisation tests" + ("" if isinstance(source, WithinPeople) else f", {', '.join(USUAL)}")
        raise LookupError(f"the plan decides by {analysis.method}, and the scripts compute {known}")
    if len(source.arms) > len(SYMBOLS):
        raise LookupError(f"there are more than {len(SYMBOLS)} arms, and a file has one sign for each")
    return source.replayed(analysis)


@dataclass
class _Maker:
    """Collects models one by one."""

    prepared: Prepared
    data: pd.DataFrame
    arms: tuple[str, ...]
    columns: Columns
    files: AssignmentFiles = field(default_factory=AssignmentFiles)
    models: list[RecomputedModel] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    decided: list[UsualRow] = field(default_factory=list)

    def take_usual(self, analysis: Analysis, rows: Rows, run: UsualAnalysis) -> None:
        """Add a primary analysis by a usual function with its rows."""
        title = self.prepared.fitted.outcome(analysis.outcome).title
        column = self.columns.add(run.column, run.values)
        event = self._column(run.event) if run.event else ""
        covariates, strata = tuple(map(self._column, run.covariates)), tuple(map(self._column, run.strata))
        cluster = ""
        if run.cluster is not None:
            # Numbers in place of their names, which may say where people are.
            cluster = self.columns.add("cluster", pd.Series(pd.factorize(run.cluster)[0] + 1, run.cluster.index))
        for row in rows:
            treated, control = row["contrast"] or (run.arms[1], run.arms[0])
            weights = weights_of(run.arms, treated, control)
            if run.weights:
                treated, control, weights = "", "", run.weights[str(row["id"]).removeprefix(f"{analysis.id}.")]
            self.decided.append(UsualRow(
                str(row["id"]), run.method, column, event, treated, control, run.arms, covariates, strata, run.vcov,
                weights, run.interacts, cluster, run.alternative, run.margin, run.pooled, title,
            ))  # fmt: skip
            self.expected += [_entry(row, name, value) for name, value in _figures(row).items() if value is not None]
        self._note_looks(rows)

    def take(self, analysis: Analysis, rows: Rows, run: ReplayedAnalysis) -> None:
        """Add an analysis with its rows.

        Raises:
            LookupError: why the scripts cannot compute it.
        """
        count = max(CELLS // len(self.data), LEAST)
        cut = count < len(run.codes)
        codes = run.codes[:count] if cut else run.codes
        found = {row.contrast: row for row in run.again(codes)}
        entries = [entry for row in rows for entry in self._entries(row, found.get(tuple(row["contrast"])), cut)]
        if cut:
            some = f"the first {len(codes)} of the {len(run.codes)} assignments that p rests on; {OF_FILE} is their p"
            self.notes += [f"{row['id']}: the file holds {some}" for row in rows]
        # An arm without people in this model is counted with the control, by the scripts as by the analysis.
        places = np.array([self.arms.index(label) for label in (*run.labels, run.labels[0])], dtype=np.uint8)
        everywhere = np.full((len(codes), len(run.kept)), NO_PLACE, dtype=np.uint8)
        everywhere[:, run.kept] = places[codes]
        outcome = self.prepared.fitted.outcome(analysis.outcome)
        self.models.append(RecomputedModel(
            outcome=outcome.id, title=outcome.title, column=self.columns.add(run.column, run.values),
            statistic=run.statistic, vcov=run.vcov, covariates=tuple(map(self._column, run.covariates)),
            strata=tuple(map(self._column, run.strata)), arms=run.labels,
            rows=tuple(
                (str(row["id"]), row["contrast"][0], run.weights.get(_pair(row), weights_of(run.labels, *_pair(row))))
                for row in rows
            ),
            file=self.files.add(everywhere),
            exact=run.exact and not cut, alternative=run.alternative, itself=run.itself,
            event=self._column(run.event) if run.event else "", horizon=run.horizon,
        ))  # fmt: skip
        self.expected += entries
        self._note_looks(rows)

    def _note_looks(self, rows: Rows) -> None:
        what = "detail's figures of a single look, for results.json has those after looks"
        self.notes += [f"{row['id']}: {what}" for row in rows if SINGLE in row["detail"]]

    def _column(self, name: str) -> str:
        return self.columns.add(name, self.data[name])

    def _entries(self, row: Mapping[str, Any], again: Any, cut: bool) -> list[dict[str, Any]]:
        """Return the figures of a row with what its analysis gives on the assignments of the file."""
        found = []
        for name, value in _figures(row).items():
            if value is None:
                raise LookupError("nothing varies within the arms, so that there is no standard error")
            own = getattr(again, quantity := name.removeprefix("single_look_"), None)
            if cut and own is not None and quantity == "p_value":
                found.append(_entry(row, OF_FILE, own))
                continue
            if own is None or abs(own - value) > SAME * max(1.0, abs(value)):
                raise LookupError(f"on these assignments its {quantity} is {own}, and in results.json {value}")
            found.append(_entry(row, name, value))
        return found

    def beside(self, estimates: Rows) -> tuple[UsualRow, ...]:
        """Add rows of usual functions; their analyses have no options and take everybody."""
        outcomes = {model.outcome for model in self.models}
        plain = {
            analysis.id: analysis for analysis in self.prepared.analyses
            if analysis.method in BESIDE and analysis.outcome in outcomes and analysis.population == "itt"
            and not (analysis.options or analysis.adjusted or analysis.contrast or analysis.role == "primary")
        }  # fmt: skip
        found = []
        for row in estimates:
            treated = (row["contrast"] or [""])[0]
            usual = plain.get(row["id"]) or plain.get(str(row["id"]).removesuffix(f".{treated}"))
            if usual is not None and row["method"] == usual.method and row["p_value"] is not None:
                found += self._usual(usual, row)
        return tuple(found)

    def _usual(self, analysis: Analysis, row: Mapping[str, Any]) -> list[UsualRow]:
        view, event = self.prepared.view, f"_event_{analysis.outcome}"
        timed = analysis.method != "welch_t"
        # The usual functions take people as independent, and after looks p is another than theirs.
        if "clusters" in row["detail"] or "looks" in row["detail"] or analysis.outcome in self.prepared.frame.censored:
            return []
        if timed and (len(view.arm_ids) > 2 or event not in self.data):
            return []
        treated, control = row["contrast"] or (view.arm_ids[1], view.arm_ids[0])
        self.expected += [_entry(row, name, row[name]) for name in QUANTITIES if row[name] is not None]
        column = self._column(analysis.outcome)
        return [UsualRow(row["id"], analysis.method, column, self._column(event) if timed else "", treated, control)]


def _figures(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures of a row of results.json: after looks those of its single look, which detail has."""
    if SINGLE not in row["detail"]:
        return {name: row[name] for name in QUANTITIES}
    looked = {name: row["detail"][name] for name in ("single_look_estimate", SINGLE)}
    return {"statistic": row["statistic"]} | looked


def _entry(row: Mapping[str, Any], quantity: str, value: float) -> dict[str, Any]:
    treated = (row["contrast"] or [""])[0]
    return {"id": row["id"], "outcome": row["outcome"], "method": row["method"], "treated": treated,
            "quantity": quantity, "value": value}  # fmt: skip
