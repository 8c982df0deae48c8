"""The participants table: fixed columns in the contract's order, questions and item types by study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from study_app.dataset.schema.columns import Column, ColumnType, TableSchema, boolean, code, integer, number, revealing
from study_app.dataset.schema.participant_columns import (
    AGENT_COLUMNS,
    EXTRA,
    FIXED,
    HEAD,
    IDENTITY,
    INTERVIEW_COLUMNS,
    QUIZ,
    SECOND_DECISION_COLUMNS,
    TASKS,
    USE,
    VARIANT_COLUMNS,
)
from study_app.domain.quiz.items import Bank, ItemType
from study_app.domain.study.quiz_confidence import confidence_columns
from study_app.domain.study.quiz_roles import MAIN
from study_app.domain.study.sections import WITH_RANGE
from study_app.domain.study.study import DerivedScore, Question, Study


def participants_table(
    studies: Sequence[Study],
    quiz_types: Mapping[str, Sequence[str]],
    *,
    identified: bool = False,
    acts: bool = False,
    themes: Sequence[str] = (),
) -> TableSchema:
    """Return the participants table of a study.

    Args:
        studies: its versions, the current one first; columns of questions that only an earlier version asked follow.
        quiz_types: prefix of a quiz's columns -> types of its scored items (`quiz_types`); those of the main quiz are
            outcome columns, those of each stage stand at the end.
        identified: whether identities are exported.
        acts: whether an assistant of the study acts.
        themes: codes of the codebook of interviews in force.
    """
    background = question_columns(q for study in studies for q in study.background_questions)
    exits = question_columns(q for study in studies for q in study.exit_questions)
    scores = _scores(studies)
    main = _type_columns(MAIN, quiz_types.get(MAIN, ()))
    later = tuple(column for stage in quiz_types if stage != MAIN for column in _stage_quiz(stage, quiz_types[stage]))
    beside = _beside_quizzes(studies)
    talks = any(stage.kind == "interview" for study in studies for stage in study.stages)
    spoken = (*(INTERVIEW_COLUMNS if talks else ()), *_themes(themes))
    varied = VARIANT_COLUMNS if any(study.varied_tasks for study in studies) else ()
    known = IDENTITY if identified else ()
    again = SECOND_DECISION_COLUMNS if any(study.second_decision for study in studies) else ()
    more = (*(AGENT_COLUMNS if acts else ()), *spoken, *varied, *again, *known, *_factor_columns(studies))
    columns = (*HEAD, *background, *TASKS, *QUIZ, *main, *USE, *exits, *scores, *later, *beside, *EXTRA, *more)
    return TableSchema("participants", "One row for each participant", tuple({c.name: c for c in columns}.values()))


def factor_columns(study: Study) -> dict[str, str]:
    """Factor -> its column: its id, or with `factor_` before it where another column has that name."""
    asked = question_columns((*study.background_questions, *study.exit_questions))
    taken = {*FIXED, *(column.name for column in (*asked, *_scores([study])))}
    return {factor.id: f"factor_{factor.id}" if factor.id in taken else factor.id for factor in study.factors}


def _factor_columns(studies: Sequence[Study]) -> tuple[Column, ...]:
    found: dict[str, Column] = {}
    for study in studies:
        columns = factor_columns(study)
        for factor in study.factors:
            name = columns[factor.id]
            caption = f"Level of the factor: {factor.title}; empty before allocation, in a control outside the cells, "
            found.setdefault(name, code(name, f"{caption}or where arms are withheld", *factor.level_ids))
    return revealing(*found.values())


def _themes(codes: Sequence[str]) -> tuple[Column, ...]:
    how = "by people where they coded, else by a program, uncorrected"
    return revealing(*(boolean(f"theme_{code}", f"The interview has the theme {code}: {how}") for code in codes))


def quiz_types(studies: Sequence[Study], bank_of: Callable[[str], Bank | None]) -> dict[str, list[str]]:
    """Prefix of a quiz's columns -> types of its scored items, over all versions of a study.

    Args:
        studies: the versions, the current one first; the main quiz of each shares the columns `quiz_...`.
        bank_of: the bank of a folder, or None where it is not known any more.
    """
    found: dict[str, list[str]] = {}
    for study in studies:
        for quiz in study.quizzes:
            bank = bank_of(quiz.stage.bank)
            items = bank.items_of(quiz.stage.form or None) if bank is not None else ()
            for prefix in quiz.prefixes:
                types = found.setdefault(prefix, [])
                types += dict.fromkeys(i.type for i in items if i.type != "attention_check" and i.type not in types)
    return found


def types_over_versions(versions: Iterable[tuple[Study, Callable[[str], Bank | None]]]) -> dict[str, list[str]]:
    """Return what `quiz_types` does, each version's from its own item banks.

    Args:
        versions: each with the bank of a folder, the current one first.
    """
    found: dict[str, list[str]] = {}
    for study, bank_of in versions:
        for prefix, types in quiz_types([study], bank_of).items():
            found[prefix] = list(dict.fromkeys([*found.get(prefix, []), *types]))
    return found


def question_column(question: Question) -> str:
    """Return the column of a question: its id, or with `question_` before it where a fixed column has that name."""
    return f"question_{question.id}" if question.id in FIXED else question.id


def question_columns(questions: Iterable[Question]) -> tuple[Column, ...]:
    """Return a column for each question, by the first that has its id."""
    found: dict[str, Column] = {}
    for question in questions:
        for column in columns_of(question):
            found.setdefault(column.name, column)
    return tuple(found.values())


ABOUT_PERSON = ("choice", "multiple", "ranking", "number", "slider")
"""Kinds of questions whose answers may be facts that others know of a person; scales and matrices are opinions."""


def columns_of(question: Question) -> tuple[Column, ...]:
    """Return the columns of a question: one, or of a matrix one for each row."""
    if question.kind != "matrix":
        return (replace(_answer_column(question), about_person=question.kind in ABOUT_PERSON),)
    return tuple(_matrix_column(question, row.id, row.label) for row in question.rows)


def row_column(question: Question, row: str) -> str:
    """Return the column of a row of a matrix."""
    return f"{question_column(question)}_{row}"


def _matrix_column(question: Question, row: str, label: str) -> Column:
    caption = f"{question.caption or question.prompt}: {label}"
    return Column(row_column(question, row), _choice_type(question), caption, "", _levels(question), _labels(question))


def _answer_column(question: Question) -> Column:
    name, caption = question_column(question), question.caption or question.prompt
    if question.kind in WITH_RANGE:
        return Column(
            name, "number", caption, question.unit, low=question.low, high=question.high, labels=_ends(question)
        )
    if question.kind == "choice":
        return Column(name, _choice_type(question), caption, question.unit, _levels(question), labels=_labels(question))
    if question.kind in ("multiple", "ranking"):
        form = "JSON list" if question.kind == "multiple" else "JSON list, the first place first"
        return Column(name, "text", f"{caption} ({form})", question.unit, labels=_labels(question), closed=True)
    return Column(name, "text", caption, question.unit)


def _choice_type(question: Question) -> ColumnType:
    """Ordered scores are numbers."""
    return "integer" if all(isinstance(option.value, int) for option in question.options) else "text"


def _levels(question: Question) -> tuple[str, ...]:
    return tuple(str(option.value) for option in question.options)


def _labels(question: Question) -> tuple[tuple[str, str], ...]:
    """Return what each option means, as participants read it."""
    return tuple((str(option.value), option.label) for option in question.options)


def _ends(question: Question) -> tuple[tuple[str, str], ...]:
    """Return what the ends of a scale mean."""
    ends = ((question.low, question.low_label), (question.high, question.high_label))
    return tuple((str(value), label) for value, label in ends if value is not None and label)


def _scores(studies: Sequence[Study]) -> tuple[Column, ...]:
    found: dict[str, DerivedScore] = {}
    for study in studies:
        for stage in study.stages:
            for score in stage.scores:
                found.setdefault(score.id, score)
    return tuple(
        integer(score.id, score.caption or f"Correct answers among {', '.join(score.of)}", high=len(score.of))
        for score in found.values()
    )


def _type_columns(prefix: str, types: Sequence[str]) -> tuple[Column, ...]:
    ordered = [name for name in get_args(ItemType) if name in types]
    return tuple(
        number(f"{prefix}_{name}_points", f"Points in {name.replace('_', ' ')} items", "points") for name in ordered
    )


_BESIDE = {
    "confidence": ("Mean stated chance that an answer is right, over answers with points and confidence", 0, 1),
    "overconfidence": ("Mean confidence minus mean share of the points of the same answers", -1, 1),
    "brier": ("Mean squared distance of confidence and share of the points; 0 is best", 0, 1),
    "gamma": ("Goodman and Kruskal's gamma of confidence and points over the person's answers", -1, 1),
    "judgement": ("Share of the points that the person expected before the quiz", 0, 1),
    "judgement_error": ("Expected share of the points minus the share reached", -1, 1),
}
"""Ending -> caption without the quiz, lowest, highest."""


def _beside_quizzes(studies: Sequence[Study]) -> tuple[Column, ...]:
    """Columns on confidence and judgements of the quizzes that ask for them."""
    found: dict[str, Column] = {}
    for quiz in (quiz for study in studies for quiz in study.quizzes):
        for prefix in quiz.prefixes:
            for ending in confidence_columns(quiz.stage):
                caption, low, high = _BESIDE[ending]
                where = "main quiz" if prefix == MAIN else f"quiz {prefix}"
                name = f"{prefix}_{ending}"
                unit = "" if ending == "gamma" else "proportion"
                found.setdefault(name, number(name, f"{caption} ({where})", unit, low=low, high=high))
    return tuple(found.values())


def _stage_quiz(stage: str, types: Sequence[str]) -> tuple[Column, ...]:
    return (
        number(f"{stage}_points", f"Points in the quiz {stage}; empty where never opened", "points"),
        number(f"{stage}_max", f"Points that could be had in the quiz {stage}", "points"),
        number(f"{stage}_score", f"Points of the quiz {stage} divided by its most", "proportion", high=1),
        *_type_columns(stage, types),
    )
