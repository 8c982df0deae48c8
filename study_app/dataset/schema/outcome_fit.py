"""The plan against what columns can hold: text is not an outcome, points are not a time, a bound is the true one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from study_app.dataset.schema.columns import Column
from study_app.dataset.schema.participants import columns_of
from study_app.domain.conditions import StageCondition
from study_app.domain.errors import Problem
from study_app.domain.quiz.items import Bank
from study_app.domain.study.analysis_plan import Covariate, Outcome, Plan
from study_app.domain.study.study import Question, Study

_Found = Iterator[tuple[str, str, str]]
OF_ROWS = ("is_simulated", "is_preview", "data_withdrawn")
"""Columns that say how a row came about and nothing of what people did."""
BOUNDED_BY = {"points": "max", "passed": "total"}
"""End of a column -> end of the column with the most that it can be, after the same beginning."""


def column_problems(
    plan: Plan, study: Study, columns: Mapping[str, Column], highest: Mapping[str, float], file: str
) -> list[Problem]:
    """Return everything in a plan that its columns cannot hold, by key.

    Args:
        plan: of the study; columns that are not known are not judged here.
        study: whose questions say which answers there are.
        columns: of the participants table, by name.
        highest: the most that a column can be, by name, of those that follow from quizzes.
        file: for the messages.
    """
    tops = {name: column.high for name, column in columns.items() if column.high is not None} | dict(highest)
    flags = two_valued(study, columns)
    found = [
        (f"outcomes.{outcome.id}.{key}", what, remedy)
        for outcome in plan.outcomes
        for key, what, remedy in (*_of_outcome(outcome, columns, flags), *_of_bounds(outcome, study, columns, tops))
    ]
    found += _primary_twice(plan, study)
    for entry in plan.covariates:
        found += _of_scores(entry, study, columns)
    found += _groups_of_text(plan, columns)
    return [Problem(file, f"analysis.{key}", what, remedy) for key, what, remedy in found]


def kind_problems_of_outcomes(study: Study, columns: Mapping[str, Column], file: str) -> list[Problem]:
    """Return outcomes of a study's plan that columns of this content do not bear, by key.

    A dataset that is there is analysed in spite of these: its rows say themselves what they cannot take.
    """
    halves = {question.id for stage in study.stages for question in stage.asked if _has_halves(question)}
    return [
        Problem(file, f"analysis.outcomes.{outcome.id}.{key}", what, remedy)
        for outcome in study.analysis.outcomes
        if (column := columns.get(outcome.name)) is not None
        for key, what, remedy in _of_content(outcome, column, outcome.name in halves)
    ]


def _of_content(outcome: Outcome, column: Column, halves: bool) -> _Found:
    name = f"'{outcome.name}'"
    if outcome.name in OF_ROWS:
        what = f"{name} says how a row came about, not what people did"
        yield "column", what, "name a column of what people did"
    elif outcome.kind == "count" and halves:
        what = f"count takes whole numbers, and {name} can be a fraction"
        yield "kind", what, 'use kind = "continuous", or ask for whole numbers'
    elif outcome.kind in ("time", "bounded") and (column.low or 0) < 0:
        what = f"{outcome.kind} begins at 0, and {name} can be {column.low:g}"
        yield "kind", what, 'use kind = "continuous"'


def two_valued(study: Study, columns: Mapping[str, Column]) -> frozenset[str]:
    """Return the columns that hold 0 and 1 and nothing else."""
    halves = {question.id for stage in study.stages for question in stage.asked if _has_halves(question)}
    return frozenset(
        name
        for name, column in columns.items()
        if column.type == "boolean"
        or (column.levels and set(column.levels) <= {"0", "1"})
        or (column.high == 1 and column.unit != "proportion" and column.low in (0, None) and name not in halves)
    )


def _bounds(columns: Mapping[str, Column]) -> set[str]:
    """Return the columns that say how much another could be."""
    ends = tuple((f"_{end}", f"_{most}") for end, most in BOUNDED_BY.items())
    return {name.removesuffix(end) + most for name in columns for end, most in ends if name.endswith(end)} & set(
        columns
    )


def _primary_twice(plan: Plan, study: Study) -> _Found:
    """Primary outcomes that are one and the same: a hypothesis that counts twice."""
    known: dict[str, str] = {}
    for outcome in map(plan.outcome, dict.fromkeys(plan.primary)):
        stem, _, end = outcome.name.rpartition("_")
        same = next((quiz.prefixes[0] for quiz in study.quizzes if stem in quiz.prefixes), stem)
        column = f"{same}_{end}"
        if column in known:
            what = f"'{known[column]}' and '{outcome.id}' are the same values"
            yield "primary", what, "name one of them"
        known.setdefault(column, outcome.id)


def _has_halves(question: Question) -> bool:
    return question.kind == "slider" or (question.kind == "number" and not question.whole)


def _of_outcome(outcome: Outcome, columns: Mapping[str, Column], flags: Collection[str]) -> _Found:
    column = columns.get(outcome.name)
    if column is not None and not column.numeric:
        holds = "moments" if column.type == "time" else "text"
        remedy = "name a column of numbers; a choice counts as one where its options have whole numbers as values"
        yield "column", f"'{outcome.name}' holds {holds}, which cannot be compared as an outcome", remedy
    elif column is not None and outcome.name in _bounds(columns):
        what = f"'{outcome.name}' is the most that can be had, the same whatever people do"
        yield "column", what, "name a column of what people reached"
    elif column is not None:
        yield from _of_kind(outcome, column, flags)
    if outcome.id in columns and outcome.id != outcome.name:
        # In the analysis each outcome is a column under its id, which must not hide one of the table.
        what = f"'{outcome.id}' is the name of another column than '{outcome.name}'"
        yield "id", what, "give the outcome another id, or leave column out"
    for key, name in (("event", outcome.event), ("upper_column", outcome.upper_column)):
        other = columns.get(name)
        if other is not None and (not other.numeric or (key == "event" and name not in flags)):
            holds = "0 and 1" if key == "event" else "numbers"
            yield key, f"'{name}' does not hold {holds}", f"name a column that holds {holds}, or leave {key} out"


def _of_kind(outcome: Outcome, column: Column, flags: Collection[str]) -> _Found:
    name = f"'{outcome.name}'"
    if outcome.kind == "binary" and outcome.name not in flags:
        kind = "bounded" if column.type == "number" else "count"
        yield "kind", f"binary takes 0 and 1, and {name} can be other numbers", f'use kind = "{kind}", or a yes or no'
    # A question may ask for a time in any unit; of the platform's own columns only those in minutes are times.
    elif outcome.kind == "time" and column.unit != "min" and not (column.about_person and column.type == "number"):
        measured = column.unit or "no time"
        yield "kind", f"time takes minutes, and {name} is measured in {measured}", 'use kind = "continuous"'
    elif outcome.kind == "count" and ((column.low or 0) < 0 or column.unit in ("proportion", "min")):
        yield "kind", f"count takes whole numbers from 0, and {name} can be others", 'use kind = "continuous"'


def _of_cap(outcome: Outcome, column: Column) -> _Found:
    """Caps of times that people state themselves: values above a cap are cut, silently."""
    if outcome.kind != "time" or outcome.cap is None or not column.about_person:
        return
    if column.low is not None and outcome.cap <= column.low:
        what = f"everyone counts with {outcome.cap:g}, for '{outcome.name}' begins at {column.low:g}"
        yield "cap", what, "give the longest time there can be"
    elif column.high is not None and outcome.cap < column.high:
        what = f"answers to '{outcome.name}' go up to {column.high:g}, and those above {outcome.cap:g} would be cut"
        yield "cap", what, f"write {column.high:g}, or lower the question's high"


def _of_bounds(outcome: Outcome, study: Study, columns: Mapping[str, Column], tops: Mapping[str, float]) -> _Found:
    top, name = tops.get(outcome.name), outcome.name
    if name in columns:
        yield from _of_cap(outcome, columns[name])
    if outcome.upper is not None and top is not None and abs(outcome.upper - top) > 1e-9:
        what = f"the highest possible value of '{name}' is {top:g}, found {outcome.upper:g}"
        yield "upper", what, f"write {top:g}, or leave it out"
    if outcome.upper_column and name in columns and outcome.upper_column in columns:
        stem, _, end = name.rpartition("_")
        # The main quiz has its columns twice, by its own name and by its stage's.
        stems = next((quiz.prefixes for quiz in study.quizzes if stem in quiz.prefixes), (stem,))
        right = [f"{each}_{BOUNDED_BY[end]}" for each in stems] if end in BOUNDED_BY else []
        if outcome.upper_column not in right:
            what = f"'{outcome.upper_column}' is not the most that '{name}' can be"
            known = [each for each in right if each in columns]
            given = f'write upper_column = "{known[0]}"' if known else "give the number as upper"
            yield "upper_column", what, f"{given}, or leave it out"


def _of_scores(entry: Covariate, study: Study, columns: Mapping[str, Column]) -> _Found:
    column = columns.get(entry.column)
    if column is None or not entry.scores:
        return
    key, levels = f"covariates.{entry.column}.scores", levels_of(study, column)
    if not levels:
        yield key, f"the values of '{entry.column}' have no levels to put in order", "remove scores"
        return
    strange = [level for level in entry.scores if level not in levels]
    lacking = [level for level in levels if level not in entry.scores]
    twice = sorted({level for level in entry.scores if entry.scores.count(level) > 1})
    listed = f"name each of {', '.join(levels)} once"
    for names, what in ((strange, "not an answer to"), (lacking, "missing, and is an answer to"), (twice, "twice of")):
        if names:
            yield key, f"{', '.join(map(repr, names))} is {what} '{entry.column}'", listed


def levels_of(study: Study, column: Column) -> tuple[str, ...]:
    """Return every value that a column can have, as text; empty where they are not a few."""
    if column.levels:
        return column.levels
    if column.name == "language":
        return study.offered
    question = next((q for stage in study.stages for q in stage.asked if q.id == column.name), None)
    if question is None or question.kind != "scale" or question.low is None or question.high is None:
        return ()
    return tuple(str(value) for value in range(question.low, question.high + 1))


def _groups_of_text(plan: Plan, columns: Mapping[str, Column]) -> _Found:
    """Text of people's own in the place of a group or a number."""
    named = [(f"covariates.{entry.column}", entry.column) for entry in plan.covariates]
    named += [(f"subgroups.{entry.column}", entry.column) for entry in plan.subgroups]
    named += [
        (f"analyses.{row.id}.options.{key}", value)
        for row in plan.analyses
        for key in ("moderator", "x", "exposure", "instruments")
        if isinstance(value := row.options.get(key), str)
    ]
    for key, name in named:
        column = columns.get(name)
        if column is not None and column.type == "text" and not column.levels and (column.free or column.labels):
            what = f"'{name}' holds text or several answers at once, which are neither groups nor numbers"
            yield key, what, "name a question with one answer of a few, or of a number"
        elif column is not None and key.endswith((".x", ".exposure")) and not column.numeric:
            yield key, f"'{name}' holds no numbers", "name a column of numbers"


def most_of_quizzes(study: Study, bank_of: Callable[[str], Bank | None]) -> dict[str, float]:
    """Return the most that each column of points can be, by the items of its quiz.

    Args:
        study: whose quizzes they are.
        bank_of: the bank of a folder, or None where it is not known.
    """
    found: dict[str, float] = {}
    for quiz in study.quizzes:
        bank = bank_of(quiz.stage.bank)
        items = [item for item in bank.items_of(quiz.stage.form or None) if item.points] if bank is not None else []
        for item in items:
            for prefix in quiz.prefixes:
                for column in (f"{prefix}_points", f"{prefix}_{item.type}_points"):
                    found[column] = found.get(column, 0.0) + item.points
    return found


def asked_by_course(study: Study) -> dict[str, str]:
    """Return columns that only some people have, by what they answered after allocation, each with its condition.

    An arm can change who is asked, so people with an answer are no longer comparable by arm.
    """
    if study.allocation_stage is None:
        return {}
    before = {question.id for stage in study.before_allocation for question in stage.asked}
    found: dict[str, str] = {}
    for stage in study.stages:
        for question in stage.asked:
            conditions = [text for text in (stage.when, question.when) if text]
            later = [text for text in conditions if any(n.question not in before for n in StageCondition(text).named)]
            if later:
                found |= dict.fromkeys((column.name for column in columns_of(question)), " and ".join(later))
    return found


def course_problems(plan: Plan, study: Study, file: str) -> list[Problem]:
    """Primary outcomes that only people are asked whom an arm may have brought there."""
    asked = asked_by_course(study)
    return [
        Problem(
            file,
            "analysis.primary",
            f"'{name}' is asked only where {asked[column]}, which an arm can change, so those asked are not comparable",
            "ask everybody, or ask by answers from before allocation",
        )
        for name in plan.primary
        if (column := plan.outcome(name).name) in asked
    ]


def course_warnings(study: Study) -> Iterator[str]:
    """Yield the same of outcomes that are not primary: their rows compare those who were asked."""
    asked, plan = asked_by_course(study), study.analysis
    for outcome in plan.outcomes:
        if outcome.name in asked and outcome.id not in plan.primary:
            yield (
                f"analysis.outcomes.{outcome.id}: asked only where {asked[outcome.name]}, which an arm can change, so "
                "its rows compare people who may differ for other reasons"
            )
