"""What a study holds its columns against: a cut, a margin or a threshold that no value reaches decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from study_app.dataset.schema.columns import Column
from study_app.domain.allocation.scheme import Factor
from study_app.domain.errors import Problem
from study_app.domain.study.study import Study

Range = tuple[float, float]
_Found = Iterator[tuple[str, str, str]]
BY_MARGIN = ("tost", "noninferiority")
OF_SHARES = ("fractional_logit", "beta_regression")
NUMBERS = ("scale", "slider", "number")
FINE = ("slider", "number")
_MOST = "the most that can be had"
MOST_NAMED = 3
"""A rule about more columns than these is not tried out at all their ends."""


def reach_problems(
    study: Study, columns: Mapping[str, Column], highest: Mapping[str, float], file: str
) -> list[Problem]:
    """Return everything in a study that divides, compares or adjusts by values that do not differ, by key.

    Args:
        study: a valid one.
        columns: of the participants table, by name.
        highest: the most that a column can be, by name, of those that follow from quizzes.
        file: for the messages.
    """
    ends, more = _ends(columns, highest), _filled_alike(study)
    found = [*_of_allocation(study, ends, _answered_alike(study) | more), *_of_response(study, ends)]
    # A dataset that is there is analysed in spite of these: such a covariate is left out, such a row is empty.
    found += [*_of_covariates(study, more), *_of_groups(study, more), *_of_shares(study, ends)]
    return [Problem(file, *each) for each in found] + plan_reach_problems(study, columns, highest, file)


def plan_reach_problems(
    study: Study, columns: Mapping[str, Column], highest: Mapping[str, float], file: str
) -> list[Problem]:
    """Return the same of a study's plan alone, which its author can still change once there are data."""
    ends, same = _ends(columns, highest), _answered_alike(study)
    found = [
        *_of_margins(study, ends),
        *_of_scales(study, ends),
        *_of_covariates(study, same),
        *_of_groups(study, same),
    ]
    return [Problem(file, *each) for each in found]


def _ends(columns: Mapping[str, Column], highest: Mapping[str, float]) -> dict[str, Range]:
    """Return the least and the most that a column can be, where both are known."""
    known = {
        name: (float(column.low), float(column.high))
        for name, column in columns.items()
        if column.low is not None and column.high is not None
    }
    for name, column in columns.items():
        levels = [float(level) for level in column.levels if level.removeprefix("-").isdecimal()]
        if levels and len(levels) == len(column.levels):
            known.setdefault(name, (min(levels), max(levels)))
    return known | {name: (0.0, top) for name, top in highest.items()}


def _answered_alike(study: Study) -> dict[str, object]:
    """Return the columns that everyone who goes on has alike, each with the value."""
    same: dict[str, object] = {} if study.allocation.stratified else {"stratum": "all"}
    same |= {} if len(study.offered) > 1 else {"language": study.language}
    return same | {
        question.id: question.eligible[0]
        for stage in study.before_allocation
        for question in stage.asked
        if question.kind == "choice" and len(question.eligible) == 1
    }


def _filled_alike(study: Study) -> dict[str, object]:
    """Return further columns that do not differ: what quizzes could give, and numbers of which a form takes one."""
    alike: dict[str, object] = {f"{prefix}_max": _MOST for quiz in study.quizzes for prefix in quiz.prefixes}
    return alike | {
        question.id: question.eligible[0]
        for stage in study.before_allocation
        for question in stage.asked
        if question.kind in NUMBERS and len(question.eligible) == 1
    }


def _of_allocation(study: Study, ends: Mapping[str, Range], same: Mapping[str, object]) -> _Found:
    for table in ("strata", "factors"):
        factors: tuple[Factor, ...] = getattr(study.allocation, table)
        for factor in factors:
            key = f"allocation.{table}.{factor.variable}"
            if factor.variable in same:
                what = _alike(factor.variable, same)
                yield key, what, "leave it out: it divides no one"
            elif factor.variable in ends:
                low, high = ends[factor.variable]
                for cut in factor.cuts:
                    if not low < cut <= high:
                        what = f"{cut:g} divides no one, for '{factor.variable}' lies between {low:g} and {high:g}"
                        yield f"{key}.cuts", what, "give cuts within"


def _of_response(study: Study, ends: Mapping[str, Range]) -> _Found:
    """Rules by which everyone responds, or no one can."""
    decision = study.second_decision
    if not decision or not decision.responds:
        return
    names = decision.rests_on
    if len(names) > MOST_NAMED or not set(names) <= set(ends):
        return
    condition = decision.condition
    held = {name: [n.value for n in condition.named if n.question == name] for name in names}
    tried = product(*(_around(ends[name], held[name]) for name in names))
    outcomes = {condition(dict(zip(names, values, strict=True))) for values in tried}
    if len(outcomes) == 1:
        who = "everyone responds" if outcomes == {True} else "no one can respond"
        listed = ", ".join(f"'{name}' lies between {ends[name][0]:g} and {ends[name][1]:g}" for name in names)
        yield "second_decision.responds", f"{who}, for {listed}", "give a threshold within"


def _around(ends: Range, values: Sequence[object]) -> list[float]:
    """Return the ends, and within them each value that a rule names and its neighbours."""
    low, high = ends
    near = [value + step for value in values if isinstance(value, int | float) for step in (-1e-9, 0.0, 1e-9)]
    return [low, high, *(value for value in near if low <= value <= high)]


def _of_margins(study: Study, ends: Mapping[str, Range]) -> _Found:
    """Margins as wide as the outcome itself: within them lies every difference that there can be."""
    plan = study.analysis
    given = [(f"margins.{entry.outcome}.margin", entry.outcome, entry.margin) for entry in plan.margins]
    given += [
        (f"analyses.{row.id}.options.margin", row.outcome, float(margin))
        for row in plan.analyses
        if row.method in BY_MARGIN
        and isinstance(margin := row.options.get("margin"), int | float)
        and not isinstance(margin, bool)
    ]
    known = {outcome.id for outcome in plan.outcomes}
    for key, name, margin in given:
        column = plan.outcome(name).name if name in known else ""
        if column in ends and margin >= ends[column][1] - ends[column][0]:
            low, high = ends[column]
            what = f"every difference lies within {margin:g}, for '{column}' lies between {low:g} and {high:g}"
            yield f"analysis.{key}", what, "give the largest difference that does not matter"


def _of_shares(study: Study, ends: Mapping[str, Range]) -> _Found:
    for row in study.analysis.analyses:
        column = study.analysis.outcome(row.outcome).name
        if row.method in OF_SHARES and column in ends and ends[column][0] < 0:
            what = f"{row.method} takes shares of the most there can be, and '{column}' can be {ends[column][0]:g}"
            yield f"analysis.analyses.{row.id}.method", what, "use lin, or name an outcome that begins at 0"


def _of_scales(study: Study, ends: Mapping[str, Range]) -> _Found:
    """Yield ends of a scale that a row states, and that are not those of its outcome."""
    plan = study.analysis
    for row in plan.analyses:
        column = plan.outcome(row.outcome).name
        for place, option in enumerate(("outcome_min", "outcome_max")):
            value = row.options.get(option)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if column in ends and number and value != ends[column][place]:
                what = f"'{column}' lies between {ends[column][0]:g} and {ends[column][1]:g}, found {value:g}"
                key = f"analysis.analyses.{row.id}.options.{option}"
                yield key, what, f"write {ends[column][place]:g}, or leave it out"


def _of_covariates(study: Study, same: Mapping[str, object]) -> _Found:
    """Covariates that do not differ between people, or say what another one says."""
    plan = study.analysis
    quiz_of: Callable[[str], str] = _quiz_of(study)
    known: dict[str, str] = {}
    for entry in plan.covariates:
        name, key = entry.column, f"analysis.covariates.{entry.column}"
        if name in same:
            yield key, _alike(name, same), "leave it out"
        if name == "stratum" and plan.strata and study.allocation.stratified:
            yield key, "strata are adjusted for already", "leave it out, or say strata = false"
        quiz = quiz_of(name)
        if quiz and quiz in known and known[quiz] != name:
            yield key, f"'{known[quiz]}' and '{name}' say the same of everyone", "name one of them"
        known.setdefault(quiz, name)


def _of_groups(study: Study, same: Mapping[str, object]) -> _Found:
    """Yield groups that would hold everyone."""
    plan = study.analysis
    named = [(f"subgroups.{entry.column}", entry.column) for entry in plan.subgroups]
    named += [
        (f"analyses.{row.id}.options.{option}", str(row.options.get(option)))
        for row in plan.analyses
        for option in ("moderator", "x")
    ]
    for key, name in named:
        if name in same:
            yield f"analysis.{key}", _alike(name, same), "name a variable that people differ in"


def subgroup_warnings(study: Study) -> Iterator[str]:
    """Yield groups that hold few people each, or one: the interaction takes them as a number, their rows are empty."""
    fine = {question.id for stage in study.stages for question in stage.asked if question.kind in FINE}
    for entry in study.analysis.subgroups:
        measured = entry.column in ("warmup_minutes", "allocation_index") or bool(_quiz_of(study)(entry.column))
        if measured or entry.column in fine:
            key = f"subgroups.{entry.column}"
            yield (
                f"analysis.{key}: almost every person has another value, so rows of single values "
                "hold few people or one; the interaction takes it as a number"
            )


def _alike(name: str, same: Mapping[str, object]) -> str:
    if same[name] == _MOST:
        return f"'{name}' is {_MOST}, the same for everyone"
    return f"everyone who takes part has {same[name]!r} as '{name}'"


def _quiz_of(study: Study) -> Callable[[str], str]:
    """Return what tells a quiz by its column of points or of their share, and gives no text for any other column."""
    stages = {prefix: quiz.prefixes[0] for quiz in study.quizzes for prefix in quiz.prefixes}

    def quiz(column: str) -> str:
        stem, _, end = column.rpartition("_")
        return stages.get(stem, "") if end in ("points", "score") else ""

    return quiz
