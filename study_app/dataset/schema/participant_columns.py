"""Columns that the participants of every study have, and of every study of a kind, each declared once."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from study_app.dataset.schema.columns import (
    Column,
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
from study_app.domain.records import Status
from study_app.domain.tasks.hacks import HACK_CLASSES

HEAD = (
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
TASKS = (
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
QUIZ = (
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
USE = (
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
EXTRA = (
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
IDENTITY = (
    text("label", "Label of the participant's link; only with --identified"),
    text("prolific_pid", "Prolific id; only with --identified"),
    text("prolific_study", "Prolific study; only with --identified"),
    text("prolific_session", "Prolific submission; only with --identified"),
)
OF_ASSISTANT = frozenset(column.name for column in (*USE, *AGENT_COLUMNS) if column.of_assistant)
"""Columns that measure the use of the assistant."""
REVEALING = frozenset(
    column.name for column in (*USE, *EXTRA, *AGENT_COLUMNS, *INTERVIEW_COLUMNS, *VARIANT_COLUMNS) if column.reveals_arm
)
"""Columns of every study that can tell an arm from another, beside the arm's own."""
_BY_STUDY = (*AGENT_COLUMNS, *INTERVIEW_COLUMNS, *VARIANT_COLUMNS, *SECOND_DECISION_COLUMNS, *IDENTITY)
FIXED = frozenset(column.name for column in (*HEAD, *TASKS, *QUIZ, *USE, *EXTRA, *_BY_STUDY))
"""Columns that every study has, so that no question may have their names."""
