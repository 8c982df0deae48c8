"""The participants table: fixed columns in the contract's order, questions and item types by study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from study_app.dataset.schema.columns import (
    Column,
    ColumnType,
    TableSchema,
    boolean,
    by_clocks,
    code,
    integer,
    number,
    of_assistant,
    revealing,
    text,
    time,
    unpublished,
)
from study_app.domain.interaction.codebook import LABELS
from study_app.domain.quiz.items import Bank, ItemType
from study_app.domain.records import Status
from study_app.domain.study.quiz_confidence import confidence_columns
from study_app.domain.study.quiz_roles import MAIN
from study_app.domain.study.sections import WITH_RANGE
from study_app.domain.study.study import DerivedScore, Question, Study
from study_app.domain.tasks.hacks import HACK_CLASSES

_HEAD = (
    code("participant_id", "Random, stable identifier, the same in every table and every export"),
    code("study_hash", "Version of the study that the participant started with and kept"),
    code("arm", "Allocated arm; arm_a, arm_b, ... while closed and sealed; empty before allocation or where withheld"),
    replace(code("stratum", "Stratum of the allocation"), about_person=True),
    integer("allocation_index", "Place in the ledger of the participant's kind", low=1),
    boolean("is_simulated", "Made by study simulate"),
    boolean("is_preview", "Took part before launch"),
    text("status", "Where the participant stands", *get_args(Status)),
    text("exclusion_reason", "Why the participant is excluded from analysis"),
    time("enrolled_at", "When the participant came in"),
    time("allocated_at", "When the participant was allocated"),
    time("finished_at", "When the participant's way ended"),
)
_TASKS = (
    number("warmup_minutes", "Warm-up shown to its last submission, at most its limit", "min"),
    boolean("warmup_passed", "Every warm-up submission passes all its checks"),
    number("task_minutes", "First main task shown to last submission, capped at the limit", "min"),
    boolean("task_completed", "Every main task passes all its checks within the limit"),
    number("completion_minutes", "Minutes to the submission that completes the last main task; else the cap", "min"),
    boolean("completion_event", "1 completed, 0 not, for whatever reason"),
    integer("tasks_passed", "Main tasks whose submission passes all checks", "tasks"),
    integer("checks_passed", "Checks of main tasks that submissions pass", "checks"),
    *unpublished(integer("checks_total", "Checks of all main tasks", "checks")),
    boolean("visible_only_pass", "A submission passes every check that could be seen and fails one that could not"),
)
_QUIZ = (
    number("quiz_points", "Points in the main quiz; unanswered items 0; empty where never opened", "points"),
    number("quiz_max", "Points that could be had", "points"),
    number("quiz_score", "Points divided by points that could be had", "proportion", high=1),
)


def _from_programs(*columns: Column) -> tuple[Column, ...]:
    """Columns that take a replay of programs: packs give their beginnings, and notes may be pasted into them."""
    return revealing(*unpublished(*columns))


_TYPED = _from_programs(
    integer("typed_chars", "Characters of the submitted main tasks that were typed", "characters"),
    integer("pasted_chars_assistant", "Characters of them pasted from a reply", "characters"),
    integer("pasted_chars_outside", "Characters of them pasted from outside the study", "characters"),
    integer("retyped_assistant_chars", "Characters of them typed that reproduce a reply", "characters"),
)
_NOT_TYPED = _from_programs(
    integer("pasted_chars_brief", "Characters of the submitted main tasks pasted from the brief", "characters"),
    integer("pasted_chars_notes", "Characters of them pasted from the notes or the program's output", "characters"),
    integer("starter_chars", "Characters of them left of the starter", "characters"),
    integer("unknown_chars", "Characters of them whose origin the log does not show", "characters"),
)
_USE = (
    integer("runs", "Presses of Run on main tasks", "runs"),
    integer("errors", "Runs on main tasks that ended with an exception or a coroutine never awaited", "errors"),
    text("first_error_type", "Class of the first of these errors"),
    *of_assistant(
        integer("queries", "Messages to the assistant", "queries"),
        *(integer(f"queries_{label}", f"Queries coded {label}; empty until coded", "queries") for label in LABELS),
        number(
            "interaction_minutes", "Composing messages and waiting for replies: first key to the reply's end", "min"
        ),
    ),
    *by_clocks(
        number("active_minutes", "Active time on main tasks by the study's rule", "min"),
        number("away_minutes", "Time away from the window on main tasks by the study's rule", "min"),
    ),
    *revealing(
        number("outage_minutes", "Waiting for replies on main tasks that then failed", "min"),
    ),
    *_TYPED,
    *of_assistant(
        code(
            "interaction_pattern",
            "Pattern of use of the assistant by the study's rule set, or none; empty without an assistant, or uncoded",
        ),
    ),
    *revealing(
        boolean("used_other_ai", "Self-report of other AI"),
        boolean("received", "At least one answered query, or other AI reported or evidenced, in any arm"),
        boolean("compliant", "By the plan's rule, the same for every arm"),
    ),
)
_EXTRA = (
    boolean("data_withdrawn", "Withdrew the data: everything but the flow is erased"),
    *_NOT_TYPED,
    *revealing(
        integer("outside_pastes", "Pastes and drops from outside into the editor on main tasks", "pastes"),
        integer("outside_paste_chars", "Characters of all of them, whether or not they stayed", "characters"),
        integer("longest_outside_paste", "Characters of the longest of them", "characters"),
        integer("typing_bursts", "Bursts of typing on main tasks that are faster than a hand can", "bursts"),
    ),
    *unpublished(
        integer("attention_passed", "Attention checks passed", "items"),
        integer("attention_total", "Attention checks in the opened quizzes", "items"),
    ),
    replace(
        code("language", "Language in which the participant met the study, chosen at entry where it offers several"),
        about_person=True,
    ),
)
AGENT_COLUMNS = of_assistant(
    *unpublished(
        integer(
            "agent_chars", "Characters of the submitted main tasks that the assistant wrote into them", "characters"
        ),
        number("agent_share_of_submission", "Share of all their characters", "proportion", high=1),
    ),
    integer("agent_edits", "Changes by the assistant that were applied on main tasks", "changes"),
    integer("agent_runs", "Runs by the assistant on main tasks", "runs"),
    integer("approvals", "Steps that waited and were approved, changed first or not", "steps"),
    integer("rejections", "Steps that waited and were rejected", "steps"),
    integer("interruptions", "Turns of the assistant that the participant interrupted", "turns"),
    number("auto_approve_share", "Share of applied changes and runs made without asking", "proportion", high=1),
    integer("agent_questions", "Questions that the assistant asked", "questions"),
)
"""In a study with an assistant that acts."""
INTERVIEW_COLUMNS = revealing(
    integer("interview_turns", "Questions of the interview that were asked", "questions"),
    integer("interview_words", "Words of the answers in the interview", "words"),
)
"""In a study with an interview."""
_HACK_AUTHOR = code(
    "hack_author",
    "Who wrote most characters of the lines that show the class",
    "typed",
    "assistant",
    "agent",
    "outside",
)
VARIANT_COLUMNS = revealing(
    *unpublished(
        code(
            "variant_met",
            "Main tasks in whose place the arm shows an impossible variant, each with its kind, else none",
        ),
    ),
    boolean("reported_impossible", "Said of a main task that it cannot be done as described"),
    *unpublished(
        code(
            "hack_class",
            "By rules over the submitted programs: how one passes what it can see without doing its task, else whether "
            "the participant reported the task or handed in an unfinished one; empty where all is done, or no rule "
            "says why",
            *HACK_CLASSES,
        ),
        _HACK_AUTHOR,
        boolean("disclosed", "Said so of such a program, by the way out or in a comment; empty for who wrote none"),
    ),
)
"""In a study whose arms differ by impossible variants."""
VARIANT_RUN_COLUMNS = revealing(
    code(
        "hack_class",
        "Of the last submission of a main task, by rules: how it passes what it can see without doing its task, else "
        "whether it was reported or is unfinished; empty where all is done, or no rule says why",
        *HACK_CLASSES,
    ),
    _HACK_AUTHOR,
)
"""Of `runs`, in such a study."""
SECOND_DECISION_COLUMNS = revealing(
    boolean("responded", "Responded to the first treatment by the study's rule; empty before the second decision"),
    code("second_treatment", "Treatment of the second randomisation; empty for people who responded"),
    integer("second_index", "Place in the ledger of the second decision", low=1),
    number("first_probability", "Probability of the arm by the allocation's weights", "proportion", high=1),
    number("second_probability", "Probability of the second treatment by its weights", "proportion", high=1),
)
"""In a study with a second decision."""
_IDENTITY = (
    text("label", "Label of the participant's link; only with --identified"),
    text("prolific_pid", "Prolific id; only with --identified"),
    text("prolific_study", "Prolific study; only with --identified"),
    text("prolific_session", "Prolific submission; only with --identified"),
)
OF_ASSISTANT = frozenset(column.name for column in (*_USE, *AGENT_COLUMNS) if column.of_assistant)
"""Columns that measure the use of the assistant."""
REVEALING = frozenset(
    column.name
    for column in (*_USE, *_EXTRA, *AGENT_COLUMNS, *INTERVIEW_COLUMNS, *VARIANT_COLUMNS)
    if column.reveals_arm
)
"""Columns of every study that can tell an arm from another, beside the arm's own."""
_BY_STUDY = (*AGENT_COLUMNS, *INTERVIEW_COLUMNS, *VARIANT_COLUMNS, *SECOND_DECISION_COLUMNS, *_IDENTITY)
FIXED = frozenset(column.name for column in (*_HEAD, *_TASKS, *_QUIZ, *_USE, *_EXTRA, *_BY_STUDY))
"""Columns that every study has, so that no question may have their names."""


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
    known = _IDENTITY if identified else ()
    again = SECOND_DECISION_COLUMNS if any(study.second_decision for study in studies) else ()
    more = (*(AGENT_COLUMNS if acts else ()), *spoken, *varied, *again, *known, *_factor_columns(studies))
    columns = (*_HEAD, *background, *_TASKS, *_QUIZ, *main, *_USE, *exits, *scores, *later, *beside, *_EXTRA, *more)
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
        return (replace(_question(question), about_person=question.kind in ABOUT_PERSON),)
    return tuple(_row(question, row.id, row.label) for row in question.rows)


def row_column(question: Question, row: str) -> str:
    """Return the column of a row of a matrix."""
    return f"{question_column(question)}_{row}"


def _row(question: Question, row: str, label: str) -> Column:
    caption = f"{question.caption or question.prompt}: {label}"
    return Column(row_column(question, row), _choice_type(question), caption, "", _levels(question), _labels(question))


def _question(question: Question) -> Column:
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
