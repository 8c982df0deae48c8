"""What someone needs to compute the primary results again without this package: data, models, assignments, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.methods import METHODS
from analysis.estimators.numerics.assignments import ReplicateAssignments, replicate
from analysis.estimators.resampling import variance_of
from analysis.pipeline.planning.unmade import unmade_rows
from analysis.pipeline.prepare import Prepared
from analysis.pipeline.replication_files import NO_PLACE, SYMBOLS, AssignmentFiles, Columns
from analysis.pipeline.runner import AnalysisRunner
from analysis.pipeline.trial_ledger import ledger_of
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
QUANTITIES = ("estimate", "statistic", "p_value")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RecomputedModel:
    """One primary analysis: its people, its columns, its assignments, and the rows that it gave."""

    outcome: str
    title: str
    column: str
    """The outcome in the data; empty for people who are not in this analysis."""
    statistic: str
    """lin, ancova or mean."""
    vcov: str
    covariates: tuple[str, ...]
    """Columns of the data, in order."""
    strata: tuple[str, ...]
    arms: tuple[str, ...]
    """Those of its people, its control first."""
    rows: tuple[tuple[str, str], ...]
    """Id of each row, and the arm that it compares with the control."""
    file: str
    """Of its assignments."""
    exact: bool
    """Whether the file holds every possible assignment, the observed one among them."""
    alternative: str


@dataclass(frozen=True)
class UsualRow:
    """A row of a usual function, for a primary outcome that has a model."""

    id: str
    method: str
    column: str
    event: str
    """Column that says 1 where the event happened; empty where the method takes none."""
    treated: str
    control: str


@dataclass(frozen=True)
class ReplicationMaterial:
    """Everything of one trial."""

    data: pd.DataFrame
    """One row a person of the analysis set: arm, outcomes, events, covariates, strata; without ids."""
    arms: tuple[str, ...]
    """Control first."""
    assignments: Mapping[str, NDArray[np.uint8]]
    """File -> positions in `arms`, (assignments, people); `NO_PLACE` for people whom none of its models has."""
    models: tuple[RecomputedModel, ...]
    beside: tuple[UsualRow, ...]
    expected: pd.DataFrame
    """id, outcome, method, treated, quantity, value."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Primary row of results.json that the scripts do not compute -> why."""
    notes: tuple[str, ...] = ()
    """What else a reader must know of single rows."""


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
    view, frame = prepared.view, prepared.frame
    everybody = frame.population("itt").reset_index(drop=True)
    maker = _Maker(prepared, everybody, _runner(prepared, seed), Columns(everybody["arm"]), AssignmentFiles(), seed)
    for analysis, rows in made:
        try:
            maker.take(analysis, rows)
        except (LookupError, StudyError) as error:
            reason = "; ".join(str(error.args[0] if isinstance(error, LookupError) else error).splitlines())
            maker.left_out |= dict.fromkeys((str(row["id"]) for row in rows), reason)
    beside = maker.beside(estimates)
    expected = pd.DataFrame(maker.expected, columns=["id", "outcome", "method", "treated", "quantity", "value"])
    return ReplicationMaterial(
        maker.columns.table(), view.arm_ids, maker.files.made, tuple(maker.models), beside, expected,
        maker.left_out, tuple(dict.fromkeys(maker.notes)),
    )  # fmt: skip


def _runner(prepared: Prepared, seed: int) -> AnalysisRunner:
    ledger, note = ledger_of(prepared.dataset, prepared.view)
    unmade = unmade_rows(prepared.dataset.study.study, prepared.plan, prepared.analyses)
    return AnalysisRunner(prepared.frame, prepared.fitted, prepared.view, ledger, note, seed, False, unmade=unmade)


def _primary(prepared: Prepared, estimates: Rows) -> list[tuple[Analysis, list[Mapping[str, Any]]]]:
    """Return each primary analysis with those of its rows that have a p."""
    found: dict[str, tuple[Analysis, list[Mapping[str, Any]]]] = {}
    for analysis, row in prepared.deciding(estimates):
        if row["p_value"] is not None:
            found.setdefault(analysis.id, (analysis, []))[1].append(row)
    return list(found.values())


@dataclass
class _Maker:
    """Collects models one by one."""

    prepared: Prepared
    everybody: pd.DataFrame
    runner: AnalysisRunner
    columns: Columns
    files: AssignmentFiles
    seed: int
    models: list[RecomputedModel] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, analysis: Analysis, rows: Rows) -> None:
        """Add an analysis with its rows.

        Raises:
            LookupError: why the scripts cannot compute it.
        """
        data, given = self._call(analysis)
        control = analysis.contrast[1] if analysis.contrast else self.prepared.view.control
        trial = _request(data, given, control, self.seed)
        drawn = replicate(trial, given.get("scheme"), int(given["replicates"]), given.get("arms"))
        if drawn.weights is not None:
            raise LookupError("the possible assignments are not equally likely, and the scripts count each once")
        count = max(CELLS // len(self.everybody), LEAST)
        cut = count < len(drawn.codes)
        codes = drawn.codes[:count] if cut else drawn.codes
        found = {row.contrast: row for row in _again(data, given, control, self.seed, codes, trial.labels)}
        entries = [entry for row in rows for entry in self._entries(row, found.get(tuple(row["contrast"])), cut)]
        if cut:
            some = f"the first {len(codes)} of the {len(drawn.codes)} assignments that p rests on; {OF_FILE} is their p"
            self.notes += [f"{row['id']}: the file holds {some}" for row in rows]
        kept = self.everybody["participant_id"].isin(set(data["participant_id"])).to_numpy()
        whole = replace_codes(drawn, codes, exact=drawn.exact and not cut)
        self.models.append(self._model(analysis, trial, given, rows, whole, kept))
        self.expected += entries

    def _call(self, analysis: Analysis) -> tuple[pd.DataFrame, dict[str, Any]]:
        if self.prepared.sequence:
            raise LookupError("treatments are compared within people, and the scripts compare people with each other")
        if analysis.method != "rerandomization":
            raise LookupError(f"the plan decides by {analysis.method}, and the scripts compute re-randomisation tests")
        data, given = self.runner.prepared_call(analysis)
        if given.get("statistic") == "rmst":
            raise LookupError("it compares restricted means, and the scripts compute regressions")
        if len(self.prepared.view.arm_ids) > len(SYMBOLS):
            raise LookupError(f"there are more than {len(SYMBOLS)} arms, and a file has one sign for each")
        return data, given

    def _model(
        self, analysis: Analysis, trial: AnalysisRequest, given: Mapping[str, Any], rows: Rows,
        drawn: ReplicateAssignments, kept: NDArray[np.bool_],
    ) -> RecomputedModel:  # fmt: skip
        outcome = self.prepared.fitted.outcome(analysis.outcome)
        statistic = str(given.get("statistic", "lin"))
        regressed = statistic in ("lin", "ancova")
        name = f"{given['outcome']}.{analysis.population}" if analysis.population != "itt" else str(given["outcome"])
        arms = self.prepared.view.arm_ids
        # An arm without people in this model is counted with the control, by the scripts as by the analysis.
        places = np.array([*(arms.index(label) for label in trial.labels), arms.index(trial.labels[0])], dtype=np.uint8)
        everywhere = np.full((len(drawn.codes), len(kept)), NO_PLACE, dtype=np.uint8)
        everywhere[:, kept] = places[drawn.codes]
        return RecomputedModel(
            outcome=outcome.id,
            title=outcome.title,
            column=self.columns.add(name, self.everybody[given["outcome"]].where(kept)),
            statistic=statistic,
            vcov=variance_of(trial, statistic, given.get("vcov"), bool(given.get("studentised", True))),
            covariates=tuple(self._column(column) for column in trial.covariates) if regressed else (),
            strata=tuple(self._column(column) for column in trial.strata) if regressed else (),
            arms=trial.labels,
            rows=tuple((str(row["id"]), str(row["contrast"][0])) for row in rows),
            file=self.files.add(everywhere),
            exact=drawn.exact,
            alternative=str(given.get("alternative", "two-sided")),
        )

    def _column(self, name: str) -> str:
        return self.columns.add(name, self.everybody[name])

    def _entries(self, row: Mapping[str, Any], again: Any, cut: bool) -> list[dict[str, Any]]:
        """Return the figures of a row of results.json: after looks those of its single look, which detail has."""
        looked = "single_look_p_value" in row["detail"]
        wanted = {
            name: row["detail"][f"single_look_{name}"] if looked and name != "statistic" else row[name]
            for name in QUANTITIES
        }
        if wanted["statistic"] is None:
            raise LookupError("nothing varies within the arms, so that there is no standard error")
        if looked:
            self.notes.append(f"{row['id']}: detail's figures of a single look, for results.json has those after looks")
        found = []
        for name, value in wanted.items():
            own = getattr(again, name, None)
            if cut and own is not None and name == "p_value":
                found.append(_entry(row, OF_FILE, own))
                continue
            if own is None or abs(own - value) > SAME * max(1.0, abs(value)):
                raise LookupError(f"on these assignments its {name} is {own}, and in results.json {value}")
            found.append(_entry(row, f"single_look_{name}" if looked and name != "statistic" else name, value))
        return found

    def beside(self, estimates: Rows) -> tuple[UsualRow, ...]:
        """Add rows of usual functions; their analyses have no options and take everybody."""
        outcomes = {model.outcome for model in self.models}
        plain = {
            analysis.id: analysis for analysis in self.prepared.analyses
            if analysis.method in BESIDE and analysis.outcome in outcomes and analysis.population == "itt"
            and not (analysis.options or analysis.adjusted or analysis.contrast)
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
        if timed and (len(view.arm_ids) > 2 or event not in self.everybody):
            return []
        treated, control = row["contrast"] or (view.arm_ids[1], view.arm_ids[0])
        self.expected += [_entry(row, name, row[name]) for name in QUANTITIES if row[name] is not None]
        column = self._column(analysis.outcome)
        return [UsualRow(row["id"], analysis.method, column, self._column(event) if timed else "", treated, control)]


def replace_codes(drawn: ReplicateAssignments, codes: NDArray[np.int8], *, exact: bool) -> ReplicateAssignments:
    """Return some of the assignments."""
    return ReplicateAssignments(codes, exact, drawn.how)


def _request(data: pd.DataFrame, given: Mapping[str, Any], control: str, seed: int) -> AnalysisRequest:
    """Return the request that the method makes of the same call, so that it draws the same assignments."""
    return AnalysisRequest(
        data.reset_index(drop=True), "rerandomization", str(given["outcome"]), "arm", control,
        covariates=tuple(given.get("covariates", ())), strata=tuple(given.get("stratum") or ()),
        cluster=given.get("cluster"), event=given.get("event"), horizon=given.get("horizon"), seed=seed,
    )  # fmt: skip


def _again(
    data: pd.DataFrame, given: Mapping[str, Any], control: str, seed: int, codes: NDArray[np.int8], arms: Sequence[str]
) -> list[Any]:
    """Return the rows of the analysis on the assignments of the file."""
    call = {key: value for key, value in given.items() if key not in ("replicates", "scheme", "arms", "interval")}
    named = [*arms, "of no one here"]
    codes = np.where(codes < 0, len(arms), codes)
    found: Any = METHODS["rerandomization"](
        data, arm="arm", control=control, seed=seed, scheme=codes, arms=named, interval=False, **call
    )
    return list(found) if isinstance(found, list) else [found]


def _entry(row: Mapping[str, Any], quantity: str, value: float) -> dict[str, Any]:
    treated = (row["contrast"] or [""])[0]
    return {"id": row["id"], "outcome": row["outcome"], "method": row["method"], "treated": treated,
            "quantity": quantity, "value": value}  # fmt: skip
