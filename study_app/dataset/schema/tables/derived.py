"""The tables that an export derives from what is stored; most of them only some studies have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from study_app.dataset.schema.columns import (
    Column,
    TableSchema,
    boolean,
    by_clocks,
    code,
    integer,
    json_,
    number,
    text,
    time,
)
from study_app.dataset.schema.tables.records import WHO
from study_app.domain.events.words import (
    Decision,
    InterviewAction,
    InterviewEnd,
    ProbeOutcome,
    Quality,
    QuestionSource,
    Tool,
)
from study_app.domain.study.compliance import UNITS
from study_app.domain.study.task_conditions.probes import CALM, DESPERATE, HIGH, LOW

COMPLIANCE = TableSchema(
    "compliance",
    "Evidence behind the column compliant, one row per piece; without a row, the log shows no breach of the rule",
    (
        WHO,
        integer("evidence", "Number of the piece among the participant's, in order of time", low=1),
        code("kind", "What it is", *UNITS),
        code("stage", "Stage at which it happened"),
        time("at", "When it happened or began; empty where a check was left out"),
        number("amount", "How much, in the unit of its kind"),
        code("unit", "What the amount counts", "answers", "characters", "minutes", "items"),
        number("threshold", "What the amounts of its kind may add up to by the plan's rule; empty where only listed"),
        boolean("breaks", "They add up to more, which makes the participant not compliant"),
        code("detail", "The question or item that it concerns; of outside text paste or drop"),
    ),
    reveals_arm=True,
)

PERIODS = TableSchema(
    "periods",
    "One row for each period of a sequence of treatments that a participant reached",
    (
        WHO,
        integer("period", "Number of the period in the participant's order", low=1),
        code("treatment", "Arm whose treatment the period had"),
        code("stage", "Stage that ends the period: its tasks, or its instructions where there are none"),
        number("minutes", "First task of the stage shown to last submission, without pauses, at most its limit", "min"),
        number("points", "Points in the period's quiz; empty unless every period has one", "points"),
        integer("errors", "Runs in the stage that ended with an exception or a coroutine never awaited", "errors"),
        integer("queries", "Messages to the assistant in the stage", "queries"),
        boolean("completed", "Every task of the stage passes its hidden checks within the limit"),
        number("completion_minutes", "minutes where completed, otherwise the stage's limit", "min"),
    ),
    reveals_arm=True,
)

SESSIONS = TableSchema(
    "sessions",
    "One row for each session that a participant was due for, of a study with several",
    (
        WHO,
        integer("number", "Number of the session, from 1", low=1),
        code("session", "Id of the session"),
        time("opens_at", "When it opened for the participant; empty for the first"),
        time("started_at", "When the participant opened its first stage"),
        time("completed_at", "When the participant handed its last stage in"),
        code("state", "Where it stands at the export", "completed", "begun", "due", "left"),
    ),
)

AGENT_ACTIONS = TableSchema(
    "agent_actions",
    "One row for each step of an assistant that acts: a call of a tool, and what became of it",
    (
        code("action_id", "Random identifier of the step"),
        code("turn_id", "Turn that the step belongs to"),
        WHO,
        code("stage", "Stage at which it was proposed"),
        integer("step", "Number of the step within its turn", low=1),
        text("tool", "Tool that it calls", *get_args(Tool)),
        json_("input", "Texts of the call: old and new, question or summary"),
        code("base_hash", "SHA-256 over the program that it was proposed for and the call"),
        time("proposed_at", "When it was written down, before anybody saw it"),
        boolean("waited", "It waited for the participant"),
        text("decision", "What became of it; empty while it waits", *get_args(Decision)),
        time("decided_at", "When that was stored"),
        number("seconds_to_decide", "From proposing to deciding, of a step that waited", "s"),
        text("reason", "Why the participant rejected it, or what they answered"),
        integer("diff_chars", "Characters that a change would insert", "characters"),
        integer("applied_chars", "Characters that it did insert", "characters"),
        code("run_id", "Run that it led to"),
        text("result", "Outcome as the assistant read it"),
        boolean("failed", "The step failed"),
        code("model", "Model id as served"),
        integer("input_tokens", "Tokens sent for the step, as the provider counted", "tokens"),
        integer("output_tokens", "Tokens of the step, as the provider counted", "tokens"),
    ),
    reveals_arm=True,
)
AGENT_TURN_COLUMNS = (
    integer("agent_steps", "Steps that the assistant took in the turn", "steps"),
    number("autonomous_seconds", "Time for which it worked without waiting for the participant", "s"),
    time("interrupted_at", "When the participant interrupted it; empty where they did not"),
)
"""Of `turns`, in a study with an assistant that acts."""

INTERVIEWS = TableSchema(
    "interviews",
    "One row for each interview that a participant began",
    (
        code("interview_id", "Random identifier of the interview"),
        WHO,
        code("stage", "Stage of the interview"),
        code("plan", "Id of the plan"),
        code("plan_version", "Version of the plan, as its author named it"),
        code("language", "Language in which it was held"),
        time("started_at", "When the first question was written down, before it was shown"),
        time("ended_at", "When it ended; empty while it goes on"),
        code("ended_by", "What ended it; for everybody, distress counts as stopped", *get_args(InterviewEnd)),
        integer("turns", "Questions that were asked", "questions"),
        integer("words", "Words of all answers", "words"),
        integer("skipped", "Questions that the participant skipped", "questions"),
        text("summary", "Summary that the participant was shown; empty where there was none"),
        code("summary_by", "Who wrote it: model or rule", "model", "rule"),
        integer("summary_rating", "How well it describes them, by their own word: 1 not at all, 4 very well", "", 1, 4),
        text("missing", "What is missing in it, by the participant"),
        integer("pasted_chars", "Characters pasted or dropped into answers", "characters"),
        boolean("shared", "The participant lets their words leave; empty where the study does not ask"),
    ),
    reveals_arm=True,
)

INTERVIEW_TURNS = TableSchema(
    "interview_turns",
    "One row for each question of an interview, with its answer",
    (
        code("turn_id", "Random identifier of the turn"),
        code("interview_id", "Interview that it belongs to"),
        WHO,
        integer("number", "Number of the turn within its interview, from 1", low=1),
        code("topic", "Topic or closing question of the plan"),
        code(
            "action",
            "core and closing: the plan's own question; probe: a follow-up; clarify: asked again in other words; "
            "redirect: back to the topic; fallback: the plan's next question, as a model's step broke a rule twice",
            *get_args(InterviewAction),
        ),
        text("question", "The question as it was shown"),
        text("answer", "The answer; empty where it was skipped, stopped or not given"),
        code("outcome", "What the participant did", "answered", "skipped", "stopped", "deadline"),
        time("asked_at", "When the question was written down, before it was shown"),
        time("answered_at", "When the answer was handed in"),
        *by_clocks(number("composing_seconds", "From the first change of the answer to handing it in", "s")),
        integer("pasted_chars", "Characters pasted or dropped into the answer", "characters"),
        *by_clocks(
            number("away_seconds", "Time away before the answer was changed next, or after its last change", "s")
        ),
        integer("words", "Words of the answer", "words"),
        code(
            "asked_by",
            "Who chose the question: plan, rule or model; fallback: the plan in a model's place",
            *get_args(QuestionSource),
        ),
        code("model", "Model id as served"),
        code("prompt_version", "Version of plan and instructions; empty where no model was asked"),
        integer("input_tokens", "Tokens sent for the step, all attempts together", "tokens"),
        integer("output_tokens", "Tokens of the step, all attempts together", "tokens"),
        code("stop_reason", "Why the model's last reply ended, in the provider's words"),
        code("rule_broken", "Rules that the model's steps broke before this question, each attempt's, separated by ;"),
        code("error", "Why the provider gave no step; the rules went on in its place"),
    ),
    reveals_arm=True,
)

PROBES = TableSchema(
    "probes",
    "One row for each probe of affect that a participant was shown during a task; the clock stood still meanwhile",
    (
        WHO,
        code("stage", "Stage of tasks"),
        code("task", "Task that was on"),
        number("minute", "Of the stage's clock at which it was due; it is shown later to those who were away", "min"),
        time("shown_at", "When it was shown"),
        time("answered_at", "When it was answered, skipped or interrupted; empty where it lapsed"),
        code(
            "outcome",
            "answered; skipped by the participant; interrupted: they worked on, or the stage ended; lapsed: not "
            "answered in time; empty while it is on the screen",
            *get_args(ProbeOutcome),
            "lapsed",
        ),
        number("seconds", "For which the stage's clock stood still", "s"),
        integer("valence", "1 unpleasant to 9 pleasant; empty where not answered", "", LOW, HIGH),
        integer("arousal", "1 low energy to 9 high energy; empty where not answered", "", LOW, HIGH),
        integer("calm_desperate", "0 calm to 100 desperate; empty where not answered", "", CALM, DESPERATE),
    ),
    reveals_arm=True,
)


def quality_columns(topics: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of `interviews` on what each topic brought."""
    return tuple(
        code(f"quality_{topic}", f"What the topic {topic} brought, by rule", *get_args(Quality)) for topic in topics
    )
