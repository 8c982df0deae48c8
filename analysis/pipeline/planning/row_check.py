"""Rows of a plan that no data of its study can answer: refused by `check` and `launch`, before anything is frozen."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping

from analysis.estimators.methods import METHODS
from analysis.pipeline.planning.option_domains import MADE_HERE, OF_COLUMNS
from analysis.pipeline.planning.plan import WITHIN_PEOPLE, bears_clusters, unused_within_people
from study_app.dataset.schema.plan_fit import Measured, near
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Outcome, OutcomeKind, Plan
from study_app.domain.study.periods import period_column
from study_app.domain.study.plan_sections import BY_RECEIVED
from study_app.domain.study.study import Study

TAKES: Mapping[str, tuple[str, tuple[OutcomeKind, ...]]] = {
    **dict.fromkeys(("fisher", "newcombe", "cmh"), ("yes or no", ("binary",))),
    "poisson": ("counts", ("count", "binary", "ordinal")),
    "negative_binomial": ("counts", ("count", "ordinal")),
    "ordinal_logit": ("ordered levels", ("ordinal", "binary", "count")),
}
"""Method -> what it takes, and the kinds of outcomes that are that; others take any number."""
LESS_IS_BETTER = ("time", "count")
"""Kinds of outcomes of which a plan has to say whether more or less of it is better."""
ALLOCATED = ("itt", "with_excluded")
"""Populations that nothing after allocation but an exclusion defines."""
OF_SHARES = ("fractional_logit", "beta_regression")
_BY_INSTRUMENT = ("wald_iv", "tsls")
_ALLOCATED_WHOLE = ("cluster_robust", "mixed_model")
_Found = Iterator[tuple[str, str, str]]


def row_problems(study: Study, measured: Measured, file: str) -> list[Problem]:
    """Return everything in the rows of a study's plan that its design or its outcomes do not bear, by key."""
    within = _within_people(study.analysis) if study.allocation.method == "sequence" else []
    what = "people are compared with themselves, which does not use it"
    return [Problem(file, f"analysis.{key}", what, f"remove {key}") for key in within] + [
        Problem(file, f"analysis.analyses.{row.id}.{key}", what, remedy)
        for row in study.analysis.analyses
        if row.method in METHODS
        for key, what, remedy in _of_row(row, study, measured)
    ]


def _within_people(plan: Plan) -> list[str]:
    """Keys that a comparison within people does not use; of `strata`, which has a usual value, where it is written."""
    return [*unused_within_people(plan), *(["strata"] if "strata" in plan.model_fields_set else [])]


def of_times(method: str) -> bool:
    """Return whether a method takes nothing but times and their events."""
    return "event" in METHODS[method].uses and method not in ("rerandomization", "permutation")


def restricted(row: Analysis, outcome: Outcome) -> bool:
    """Return whether a row compares times up to the plan's horizon, or to the cap where it has none."""
    if outcome.kind != "time" or row.method not in METHODS or "horizon" not in METHODS[row.method].uses:
        return False
    # Censored times have no mean, so the runner compares restricted ones; the row itself does not say so.
    censored = row.method == "rerandomization" and outcome.censored == "right"
    return of_times(row.method) or censored or row.options.get("statistic") == "rmst"


def population_problems(study: Study, rows: Iterable[Analysis], file: str) -> list[Problem]:
    """Return what is asked of what participants received and no one's receipt can answer, by key, of any rows."""
    found = [(row, each) for row in rows for each in _of_population(row, study)]
    return [Problem(file, f"analysis.analyses.{row.id}.{key}", what, remedy) for row, (key, what, remedy) in found]


def direction_problems(plan: Plan, file: str) -> list[Problem]:
    """Return rows on a loss that do not say which direction is one: the test would be of the other side."""
    found = [(row, each) for row in plan.analyses for each in _of_direction(row, plan.outcome(row.outcome))]
    return [Problem(file, f"analysis.analyses.{row.id}.{key}", what, remedy) for row, (key, what, remedy) in found]


def _of_direction(row: Analysis, outcome: Outcome) -> _Found:
    if row.method == "noninferiority" and outcome.kind in LESS_IS_BETTER and "better" not in row.options:
        what = f"'{outcome.id}' is {outcome.kind}, of which less is usually better, and higher is taken"
        yield "options.better", what, 'say better = "lower", or "higher" where more is better'


def _of_row(row: Analysis, study: Study, measured: Measured) -> _Found:
    yield from _of_design(row, study)
    if study.allocation.method == "sequence":
        yield from (found for found in of_sequence(row) if not _of_no_method(row, found[0]))
        yield from _of_periods(row, study.analysis.outcome(row.outcome), measured)
        return
    yield from _of_outcome(row, study.analysis.outcome(row.outcome))
    yield from _of_adjustment(row, study, measured.columns)
    yield from _of_population(row, study)
    for name in OF_COLUMNS:
        column = row.options.get(name)
        if isinstance(column, str) and column not in measured.columns:
            remedy = "correct the plan" + near(column, measured.columns)
            yield f"options.{name}", f"the study will have no column '{column}'", remedy


def _of_design(row: Analysis, study: Study) -> _Found:
    method, scheme = row.method, study.allocation
    if scheme.method == "sequence":
        if method not in WITHIN_PEOPLE:
            what = f"{method} does not compare treatments within people"
            yield "method", what, f"use {', '.join(WITHIN_PEOPLE)}"
    elif method == "crossover":
        yield "method", "each participant has one treatment", 'use welch_t, or allocate by method = "sequence"'
    elif scheme.method == "cluster":
        if not bears_clusters(method):
            what = f"{method} takes people as independent, and they are allocated in clusters"
            yield "method", what, "use rerandomization, cluster_robust or mixed_model"
    elif method in _ALLOCATED_WHOLE:
        yield "method", f"{method} needs clusters, and people are allocated one by one", "use lin or welch_t"
    if method == "stratified_logrank" and not scheme.stratified:
        yield "method", "the allocation has no strata", "use logrank"


def of_sequence(row: Analysis) -> _Found:
    """Yield what a comparison within people does not use of a row: key, what is wrong, what to do."""
    if row.adjusted:
        what = "people are compared with themselves, so nothing is adjusted for but the period"
        yield "adjusted", what, "remove adjusted"
    if row.population not in ALLOCATED:
        what = f"treatments are compared over all periods of everyone, not {row.population}"
        yield "population", what, 'use population = "itt"'
    taken = WITHIN_PEOPLE.get(row.method, row.options)
    for name in row.options:
        if name not in taken:
            yield f"options.{name}", f"{row.method} within people does not take it", "remove it"


def _of_no_method(row: Analysis, key: str) -> bool:
    """Return whether a key is an option that the method never takes, in whatever design, which is said elsewhere."""
    name = key.removeprefix("options.")
    return name != key and (name in MADE_HERE or name not in inspect.signature(METHODS[row.method]).parameters)


def _of_periods(row: Analysis, outcome: Outcome, measured: Measured) -> _Found:
    if measured.by_period is not None and period_column(outcome.name) not in measured.by_period:
        what = f"'{outcome.id}' is measured once for all periods, so it says nothing of one treatment"
        listed = ", ".join(sorted(measured.by_period))
        yield "outcome", what, f"name an outcome that each period has: {listed}" if listed else "give periods tasks"


def _of_outcome(row: Analysis, outcome: Outcome) -> _Found:
    method, kind = row.method, outcome.kind
    name = f"'{outcome.id}' is {kind}"
    if of_times(method) and kind != "time":
        yield "method", f"{method} takes times, and {name}", 'use welch_t, or give the outcome kind = "time"'
    takes, kinds = TAKES.get(method, ("", (kind,)))
    if kind not in kinds:
        yield "method", f"{method} takes {takes}, and {name}", f'use welch_t, or give the outcome kind = "{kinds[0]}"'
    if method == "beta_regression" and kind == "binary":
        yield "method", f"{method} takes shares between 0 and 1, and each of these is 0 or 1", "use fractional_logit"
    if kind != "time" and row.options.get("statistic") == "rmst":
        yield "options.statistic", f"a restricted mean is of times, and {name}", 'use statistic = "mean" or "lin"'
    yield from _of_direction(row, outcome)
    if kind != "time" and "time" in row.options:
        yield "options.time", f"only a time has a last activity, and {name}", "remove it"
    if method in OF_SHARES and outcome.upper is None and not outcome.upper_column and kind != "binary":
        yield "method", f"{method} needs the highest possible value of '{outcome.id}'", "give upper or upper_column"


def _of_adjustment(row: Analysis, study: Study, columns: Collection[str]) -> _Found:
    if not row.adjusted:
        return
    uses = METHODS[row.method].uses
    given = {
        "covariates": any(entry.column in columns for entry in study.analysis.covariates),
        "strata": study.analysis.strata and study.allocation.stratified,
    }
    lacking = [what for what, argument in (("covariates", "covariates"), ("strata", "stratum")) if argument not in uses]
    if refused := [what for what in lacking if given[what]]:
        what = f"{row.method} does not adjust for {' and '.join(refused)}"
        yield "adjusted", what, "remove adjusted, or use lin or ancova"


def _of_population(row: Analysis, study: Study) -> _Found:
    key = "method" if row.method in _BY_INSTRUMENT else "population"
    if (row.population not in ALLOCATED or row.method in _BY_INSTRUMENT) and not study.main_task_stages:
        what = "the study has no main tasks, so what participants received will not be known"
        yield key, what, 'use population = "itt" and a method that compares the arms as allocated'
    elif (row.population in BY_RECEIVED or row.method in _BY_INSTRUMENT) and not _offered_apart(row, study):
        what = "the arms that are compared are all offered an assistant, or none, so what was received is not allocated"
        yield key, what, 'use population = "itt" and a method that compares the arms as allocated'
    if row.population == "as_treated" and row.method == "rerandomization":
        what = "a re-randomisation replays allocation, and what was received was not allocated"
        yield "population", what, 'use population = "itt", or welch_t'


def _offered_apart(row: Analysis, study: Study) -> bool:
    """Return whether of any two arms that a row compares one is offered an assistant and the other is not."""
    offered = {arm.id: study.has_assistant(arm.id) for arm in study.arms}
    control = study.analysis.control or study.control.id
    pairs = [row.contrast] if row.contrast else [(arm, control) for arm in offered if arm != control]
    return any(offered.get(one, False) != offered.get(two, False) for one, two in pairs)


def role_problems(plan: Plan, file: str) -> list[Problem]:
    """Return keys that name the column of a primary outcome: adjusted for itself, it would have nothing to compare."""
    own = {plan.outcome(name).name: name for name in plan.primary}
    named = [(f"covariates.{entry.column}", entry.column) for entry in plan.covariates]
    named += [(f"subgroups.{entry.column}", entry.column) for entry in plan.subgroups]
    named += [("cluster", plan.cluster)] if plan.cluster else []
    what, remedy = "is the column of the primary outcome '{}'", "name a column known before allocation, or leave it out"
    return [Problem(file, f"analysis.{key}", what.format(own[name]), remedy) for key, name in named if name in own]
