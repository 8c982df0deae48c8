"""The plan at work: where it comes from, which analyses it asks for, and whether the data can answer them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from analysis.data.cell_types import objects_in
from analysis.data.dataset import Dataset
from analysis.data.load import read_study_file
from analysis.data.outcome_checks import cell_problems
from analysis.estimators.methods import METHODS
from study_app.dataset.schema.plan_fit import named_columns, near
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.codes import Coder
from study_app.domain.study.analysis_plan import Analysis, Outcome, Plan, read_plan
from study_app.domain.study.periods import PERIOD_COLUMNS

WITHIN_PEOPLE: Mapping[str, tuple[str, ...]] = {"rerandomization": (), "crossover": ("vcov",), "mixed_model": ()}
"""Methods that compare treatments within people, with the options that they take there."""
BETWEEN_PEOPLE = ("covariates", "margins", "subgroups", "fallback", "horizon")
"""Keys of a plan that compare people with each other; a comparison within people has no use for them."""
PAIRED_BY_CLUSTER = ("bayes_factor",)
"""Methods for which a cluster is a pair of rows."""
WITHOUT_ERROR = ("worst_case",)
"""Methods that state no sampling error, so that it does not matter how people were allocated."""
SAME_OVER_CLUSTERS = ("brunner_munzel",)
"""Methods that over clusters are another one's row again: its estimate and its error are those of Mann-Whitney."""


def load_plan(path: Path | str) -> Plan:
    """Return the plan in a study file (`[analysis]`) or in a separate file (TOML or JSON).

    Raises:
        UserError: the file is not there or not readable.
        ProblemsFound: every problem of the plan at once.
    """
    path = Path(path)
    raw = read_study_file(path)
    if "analysis" in raw:
        return read_plan(raw["analysis"], file=path.name).with_limit(task_limit(raw))
    if "stages" in raw or "arms" in raw:
        return Plan().with_limit(task_limit(raw))
    return read_plan(raw, file=path.name, key="")


def task_limit(raw: Mapping[str, Any]) -> float:
    """Minutes for the main tasks of a study file as read, however wrong the rest of it may be."""
    stages = objects_in(raw.get("stages"))
    main = [stage for stage in stages if stage.get("kind") == "tasks" and stage.get("main", True)]
    varied = _varied_tasks(raw)
    main = [stage for stage in main if not varied & {name_of(str(pack)) for pack in _listed(stage, "packs")}]
    return sum(float(minutes) for stage in main if isinstance(minutes := stage.get("minutes"), int | float))


def _varied_tasks(raw: Mapping[str, Any]) -> set[str]:
    """Tasks whose stages the plan does not count, since some arms meet a variant there."""
    plan = raw.get("analysis")
    if isinstance(plan, Mapping) and plan.get("variant_time") is True:
        return set()
    variants = [arm.get("variants") for arm in objects_in(raw.get("arms"))]
    return {str(task) for each in variants if isinstance(each, Mapping) for task in each}


def _listed(table: Mapping[str, Any], key: str) -> list[Any]:
    return value if isinstance(value := table.get(key), list) else []


def plan_of(dataset: Dataset) -> Plan:
    """Return the plan that the dataset itself brings in its study file.

    Where it brings none, the default one with the codes of queries that the dataset holds: those of imported
    transcripts are the published annotators'.
    """
    table = dataset.study.plan_table
    if table is not None:
        return read_plan(table, file=dataset.study.file).with_limit(task_limit(dataset.study.raw))
    coder = dataset.study.coder
    return Plan.default().model_copy(update={"coder": coder}) if coder in get_args(Coder) else Plan.default()


def fit_to(plan: Plan, dataset: Dataset) -> tuple[Plan, list[str]]:
    """Return the plan as far as the participants table can answer it, and what had to be left out.

    A column that the plan's author named and that is missing is an error. What only the defaults name is left out, each
    omission returned as a deviation; a missing primary outcome stays, for its row to say so.

    Raises:
        ProblemsFound: all missing columns at once, or all columns of outcomes with cells that hold no usable number.
    """
    have = set(dataset.participants.columns)
    if dataset.study.study is not None and dataset.study.study.allocation.method == "sequence":
        have |= set(PERIOD_COLUMNS)
    missing = [entry for entry in named_columns(plan) if entry[1] not in have]
    usual = set(named_columns(Plan.default()))
    named = [entry for entry in missing if entry not in usual]
    if named:
        remedy = "correct the plan, or map the column under [analysis.columns]"
        what = "the participants table has no column"
        renamed = {theirs: f"write '{ours}', as the plan's columns call it" for ours, theirs in plan.columns.items()}
        raise ProblemsFound(
            [
                Problem("plan", key, f"{what} '{column}'", renamed.get(column, remedy + near(column, have)))
                for key, column in named
            ]
        )
    file = dataset.path.name if dataset.plain else "participants"
    _require_control(plan, dataset, file)
    _require_own_ids(plan, dataset)
    if wrong := cell_problems(plan, dataset.participants, file, plain=dataset.plain):
        raise ProblemsFound(wrong)
    # A row that the plan lists stays, too, and says itself that its outcome is missing.
    due = {*plan.primary, *(row.outcome for row in plan.analyses), *(entry.outcome for entry in plan.margins)}
    kept = {
        "outcomes": tuple(o for o in plan.outcomes if o.name in have or o.id in due),
        "covariates": tuple(entry for entry in plan.covariates if entry.column in have),
        "subgroups": tuple(entry for entry in plan.subgroups if entry.column in have),
    }
    left_out = [
        f"{key}: the data have no column '{column}'; the default plan goes without it." for key, column in missing
    ]
    if dataset.study.study is not None and dataset.study.study.allocation.method == "sequence":
        left_out += [f"{key}: not used, for people are compared with themselves." for key in unused_within_people(plan)]
    return plan.model_copy(update=kept), left_out


def unused_within_people(plan: Plan) -> list[str]:
    """Return the keys that a plan's author gave and that a sequence of treatments does not use."""
    return [key for key in BETWEEN_PEOPLE if (value := getattr(plan, key)) and value != Plan.model_fields[key].default]


def _require_control(plan: Plan, dataset: Dataset, file: str) -> None:
    """Refuse a control that is not an arm: another in its place would turn every contrast round."""
    table = dataset.participants
    seen = sorted({str(arm) for arm in table["arm"].dropna()}) if "arm" in table else []
    arms = list(dict.fromkeys([*(arm.id for arm in dataset.study.arms), *seen]))
    if plan.control and arms and plan.control not in arms:
        what = f"'{plan.control}' is not an arm of {file}"
        raise ProblemsFound([Problem("plan", "control", what, f"name one of: {', '.join(arms)}")])


def _require_own_ids(plan: Plan, dataset: Dataset) -> None:
    """Refuse an outcome with the name of another column: in the analysis it would stand in that column's place."""
    columns = set(dataset.participants.columns)
    hiding = [outcome for outcome in plan.outcomes if outcome.id in columns and outcome.id != outcome.name]
    remedy = "give the outcome another id, or leave column out"
    if hiding:
        raise ProblemsFound(
            [
                Problem("plan", f"outcomes.{one.id}.id", f"is the name of another column than '{one.name}'", remedy)
                for one in hiding
            ]
        )


def schedule(plan: Plan, arms: int, clusters: bool = False) -> tuple[Analysis, ...]:
    """Return every analysis of the plan, the primary rows first.

    Args:
        plan: its rows with the role primary stand in place of the usual one of their outcome; where it lists no others,
            the standard ones of each outcome's kind are taken.
        arms: number of arms; with more than two, omnibus and many-to-one tests join in.
        clusters: whether people were allocated in clusters; methods that take people as independent are left out.
    """
    chosen = [row for row in plan.analyses if row.role == "primary"]
    primary: list[Analysis] = []
    for name in plan.primary:
        primary += [row for row in chosen if row.outcome == name] or [_primary(plan.outcome(name))]
    primary += [row for row in chosen if row.outcome not in plan.primary]
    rest = tuple(row for row in plan.analyses if row.role != "primary") or _standard(plan, arms, clusters)
    taken = {row.id for row in primary}
    rest = tuple(row for row in rest if row.id not in taken)
    rest += _bounds(plan, rest)
    margins = tuple(
        Analysis(outcome=entry.outcome, method="tost", role="secondary", options={"margin": entry.margin})
        for entry in plan.margins
        if not any(row.outcome == entry.outcome and row.method == "tost" for row in (*primary, *rest))
    )
    return (*primary, *rest, *margins)


def _standard(plan: Plan, arms: int, clusters: bool) -> tuple[Analysis, ...]:
    """Return the rows of a plan that lists none, among them the usual primary one where another stands in its place."""
    rows = [
        analysis
        for outcome in plan.outcomes
        for analysis in (
            _sensitivity(outcome, arms, bool(plan.covariates)) if outcome.id in plan.primary else _secondary(outcome)
        )
    ]
    replaced = [row.outcome for row in plan.analyses if row.role == "primary" and row.outcome in plan.primary]
    rows += [
        _primary(plan.outcome(name)).model_copy(update={"role": "sensitivity"}) for name in dict.fromkeys(replaced)
    ]
    if not clusters:
        return tuple(rows)
    models = [Analysis(outcome=name, method="mixed_model", adjusted=True) for name in plan.primary]
    borne = (row for row in rows if bears_clusters(row.method) and row.method not in SAME_OVER_CLUSTERS)
    return (*borne, *models)


def bears_clusters(method: str) -> bool:
    """Return whether a method is right where people were allocated in clusters: it takes them, or states no error."""
    if method in WITHOUT_ERROR or method not in METHODS:
        return True
    return "cluster" in METHODS[method].uses and method not in PAIRED_BY_CLUSTER


def crossover_schedule(plan: Plan) -> tuple[Analysis, ...]:
    """Return the analyses of a sequence of treatments, the primary rows first.

    Each primary outcome is decided by re-randomisation of the orders unless the plan has its own primary row;
    together with the t test within people and the mixed model. Other outcomes have the t test.
    """
    chosen = [row for row in plan.analyses if row.role == "primary"]
    primary: list[Analysis] = []
    for name in plan.primary:
        usual = Analysis(outcome=name, method="rerandomization", role="primary")
        primary += [row for row in chosen if row.outcome == name] or [usual]
    rest = [row for row in plan.analyses if row.role != "primary"]
    if not rest:
        rest = [Analysis(outcome=name, method=m) for name in plan.primary for m in WITHIN_PEOPLE]
        others = [outcome.id for outcome in plan.outcomes if outcome.id not in plan.primary]
        rest += [Analysis(outcome=name, method="crossover", role="secondary") for name in others]
    taken = {row.id for row in primary}
    return (*primary, *(row for row in rest if row.id not in taken))


def _bounds(plan: Plan, rest: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
    """Lee and worst-case rows of each primary score that the plan's own list goes without: a quiz may be missing."""
    listed = {(row.outcome, row.method) for row in rest}
    scores = [outcome.id for outcome in map(plan.outcome, plan.primary) if outcome.kind in ("bounded", "continuous")]
    return tuple(
        Analysis(outcome=name, method=method)
        for name in scores
        for method in ("lee_bounds", "worst_case")
        if (name, method) not in listed
    )


def _primary(outcome: Outcome) -> Analysis:
    adjusted = outcome.kind != "time"
    options = {} if adjusted else {"statistic": "mean"}
    return Analysis(
        outcome=outcome.id, method="rerandomization", role="primary", adjusted=adjusted, options=dict(options)
    )


def _sensitivity(outcome: Outcome, arms: int, adjustable: bool) -> tuple[Analysis, ...]:
    rows = _of_time(outcome) if outcome.kind == "time" else _of_score(outcome, adjustable)
    several = ("anova", "kruskal", "dunnett") if arms > 2 and outcome.kind != "time" else ()
    return rows + tuple(Analysis(outcome=outcome.id, method=method, adjusted=method == "dunnett") for method in several)


def _of_score(outcome: Outcome, adjustable: bool) -> tuple[Analysis, ...]:
    def row(method: str, **more: object) -> Analysis:
        return Analysis.model_validate({"outcome": outcome.id, "method": method, **more})

    bounded = (row("fractional_logit", adjusted=True),) if outcome.kind == "bounded" else ()
    within = (row("lee_bounds", adjusted=True, label="covariates"),) if adjustable else ()
    return (
        row("lin", adjusted=True),
        row("ancova", adjusted=True),
        row("welch_t"),
        row("mann_whitney"),
        row("brunner_munzel"),
        *bounded,
        row("multiple_imputation", adjusted=True),
        row("tipping_point", adjusted=True),
        row("lee_bounds"),
        *within,
        row("worst_case"),
        row("lin", adjusted=True, population="per_protocol"),
        row("welch_t", population="as_treated"),
        row("wald_iv", population="complier"),
        row("tsls", population="complier", adjusted=True),
    )


def _of_time(outcome: Outcome) -> tuple[Analysis, ...]:
    def row(method: str, **more: object) -> Analysis:
        return Analysis.model_validate({"outcome": outcome.id, "method": method, **more})

    return (
        row("rmst"),
        row("rmst_by_arm"),
        row("lin", adjusted=True),
        row("welch_t"),
        row("mann_whitney"),
        row("logrank"),
        row("stratified_logrank"),
        row("cox"),
        row("kaplan_meier"),
        row("rmst", label="last_activity", options={"time": "last_activity"}),
        row("logrank", label="last_activity", options={"time": "last_activity"}),
        row("welch_t", population="per_protocol"),
        row("wald_iv", population="complier"),
    )


_SECONDARY = {
    "bounded": ("lin", "mann_whitney"),
    "continuous": ("lin", "mann_whitney"),
    "time": ("rmst", "rmst_by_arm", "logrank"),
    "binary": ("newcombe", "fisher"),
    "ordinal": ("mann_whitney", "ordinal_logit"),
    "count": ("poisson", "negative_binomial", "mann_whitney"),
}


def _secondary(outcome: Outcome) -> tuple[Analysis, ...]:
    return tuple(
        Analysis(outcome=outcome.id, method=method, role="secondary", adjusted=method == "lin")
        for method in _SECONDARY[outcome.kind]
    )
