"""Every table but participants: its columns are the same for every study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from study_app.dataset.schema.columns import (
    Column,
    TableName,
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
from study_app.domain.assistants.recording import MATCHES
from study_app.domain.events.words import (
    Decision,
    InterviewAction,
    InterviewEnd,
    ProbeOutcome,
    Quality,
    QuestionSource,
    RunEnd,
    StageEnd,
    Tool,
)
from study_app.domain.ledger import LEDGERS
from study_app.domain.study.compliance import UNITS
from study_app.domain.study.task_conditions.probes import CALM, DESPERATE, HIGH, LOW

_WHO = code("participant_id", "Random, stable identifier of the participant, the same in every table and every export")

ALLOCATIONS = TableSchema(
    "allocations",
    "The ledgers of allocations: one row for each participant and decision, chained by hashes",
    (
        code("participant_id", "Who was allocated; empty once erased on request"),
        integer("decision", "1 to an arm; 2 the second randomisation, of those who did not respond", low=1),
        integer("allocation_index", "Place in its ledger of this decision, 1 to n", low=1),
        text("ledger", "Which of the three ledgers the row belongs to", *LEDGERS),
        code("method", "Allocation method of the study file"),
        code("stratum", "Stratum in which the participant was allocated; all without strata"),
        code(
            "arm",
            "Arm (for a crossover the order of arms; at decision 2 the treatment); arm_a, ... while sealed",
        ),
        json_("probabilities", "Probability of each arm at this allocation, in the study file's order", closed=True),
        number("draw", "Uniform number that chose among them", low=0, high=1),
        code("study_hash", "Version of the study whose scheme allocated"),
        time("allocated_at", "Moment of the allocation"),
        code("previous_hash", "Row hash of the row before; of the first: the ledger's genesis hash"),
        code("row_hash", "SHA-256 over the row and its predecessor's hash"),
        json_("levels", "Categories that the rule looked at, by variable", closed=True),
        json_("imbalance", "Minimisation: score of each arm", closed=True),
        json_("returned", "Allocations whose slots went back just before this one", closed=True),
        code("algorithm", "Version of the allocation rules and generator"),
        json_("profile", "Baseline values that the categories come from; empty once erased"),
        code("salt", "Salt of the payload hash; empty once erased"),
        code(
            "payload_hash",
            "Salted SHA-256 of who and profile, so that both can be erased and the chain still holds",
        ),
    ),
    reveals_arm=True,
).revealing("probabilities", "draw", "imbalance", "profile", "salt", "payload_hash")

VISITS = TableSchema(
    "visits",
    "One row for each stage that a participant opened",
    (
        _WHO,
        code("stage", "Id of the stage in the study file"),
        time("started_at", "When the stage opened and its clock began"),
        time("ended_at", "When it ended; empty while open"),
        text("ended_by", "What ended it", *get_args(StageEnd)),
        *by_clocks(
            number("active_seconds", "Time with acts no further apart than the study's idle threshold", "s"),
            number(
                "away_seconds", "Time with the window hidden, unfocused or closed for longer than the threshold", "s"
            ),
        ),
        time("deadline_at", "When the stage had to end; empty where untimed"),
        number("paused_seconds", "Time for which the clock stood still, as in outages; empty where untimed", "s"),
    ),
    reveals_arm=True,
)

EVENTS = TableSchema(
    "events",
    "The append-only log: everything that a page or the server saw",
    (
        _WHO,
        integer("event_id", "Unique number of the event, rising in the order of storing", low=1),
        code("page", "Random id of the browser page, made at each load; `server` for the server's own events"),
        integer("seq", "Number of the event on its page: 1, 2, 3, ... without gap", low=1),
        code("kind", "Kind of event, which decides what its payload holds; the codebook lists the keys"),
        code("stage", "Stage at which the participant was when the event arrived"),
        time("server_time", "When the server stored it"),
        time("client_time", "When it happened by the browser's clock; empty for the server's own"),
        json_("payload", "What happened, as a JSON object"),
        number("mono_ms", "When it happened by the page's monotonic clock", "ms since the page loaded", low=None),
        boolean("arrived_late", "It came after its stage's deadline, happened before it, and counts"),
    ),
    reveals_arm=True,
)

RUNS = TableSchema(
    "runs",
    "Runs and submissions of participants' programs",
    (
        code("run_id", "Random identifier of the run"),
        _WHO,
        code("task", "Task pack"),
        text("code", "The program, exactly as run"),
        text("stdout", "What it printed"),
        text("stderr", "What it printed as errors"),
        text("error_type", "Class of the exception that ended it, or RuntimeWarning for a coroutine never awaited"),
        number("wall_seconds", "Duration", "s"),
        code("isolation", "Isolation of the sandbox as observed", "strong+", "strong", "medium", "weak", "off"),
        integer("scheduler_seed", "Seed of the program's scheduler and random numbers", low=None),
        code(
            "kind",
            "run: pressed Run; submission: what was graded; agent: run by the assistant",
            "run",
            "submission",
            "agent",
        ),
        json_("checks", "Checks as a list of {name, visible, passed}; of a run the visible ones only", closed=True),
        code("stage", "Stage of the run"),
        time("started_at", "When it began"),
        text("ended_by", "How it ended", *get_args(RunEnd)),
        text("error_message", "Message of the exception"),
        integer("error_line", "Line of the program where it was raised", low=1),
        boolean("visible_only_pass", "Submission passes every check that could be seen and fails one that could not"),
        code("page", "Browser page whose editor held the program"),
        integer("seq", "Last edit of that page that the program contains; empty where the page did not say", low=0),
        text(
            "grading",
            "Why a submission has no verdict: failed (its grading did), inconclusive (the machine was too busy to time "
            "it); its outcomes are then missing",
            "failed",
            "inconclusive",
        ),
        text("grading_reason", "The same as a sentence"),
        integer("repeats", "Calls that the grading of a submission made again, because the machine lagged", low=0),
        text("review", "Imports of a submission that honest solutions do not need, joined by semicolons"),
    ),
    reveals_arm=True,
).revealing("code", "stdout", "stderr", "error_message", "error_line", "page", "seq")

TURNS = TableSchema(
    "turns",
    "Messages to the assistant and its replies",
    (
        code("turn_id", "Random identifier of the turn"),
        _WHO,
        code("task", "Task on which it was asked"),
        code("assistant", "Provider that answered: claude, notes or recorded"),
        code("model", "Model id as served"),
        code("prompt_version", "Version of the treatment's prompt"),
        text("message", "The participant's message"),
        text("reply", "The reply, or what came of it"),
        text("code", "The editor's text at the moment of asking"),
        time("asked_at", "When the message was sent"),
        number("first_token_seconds", "From asking to the reply's first piece", "s"),
        number("total_seconds", "From asking to the reply's end", "s"),
        number("composing_seconds", "From the first key in the empty message box to sending", "s"),
        integer("input_tokens", "Tokens sent, as the provider counted", "tokens"),
        integer("output_tokens", "Tokens of the reply, as the provider counted", "tokens"),
        code("stop_reason", "Why the reply ended, in the provider's words"),
        boolean("stopped_by_participant", "The participant pressed Stop"),
        code("error", "Kind of failure; empty where none"),
        code("codes", "Interaction codes of the message by the plan's coder, separated by ;; empty where it gave none"),
        code("treatment", "Id of the assistant's file, the treatment"),
        boolean("complete", "The reply has ended"),
        json_("parameters", "Parameters sent to the model", closed=True),
        integer(
            "reply_code_chars", "Characters of code in the reply: in fenced blocks, the fences left out", "characters"
        ),
        integer(
            "inserted_pasted_chars",
            "Most characters pasted from the reply that the programs of the main tasks held at any one time",
            "characters",
        ),
        integer(
            "inserted_retyped_chars",
            "Most characters typed that reproduce the reply, in any program that was run or submitted",
            "characters",
        ),
        integer(
            "kept_chars", "Characters of both kinds in the submitted programs; empty until submitted", "characters"
        ),
        number(
            "solution_share",
            "Largest share of any one function of the reference solution that the reply reproduces; a leak from 0.6",
            high=1,
        ),
        text(
            "gate",
            "Verdict of the explain-first gate; open: an earlier message explained the idea; empty without a gate",
            "explained",
            "not_explained",
            "open",
        ),
        code("gate_by", "Who judged: claude, or rules"),
        text("gate_reason", "Why, in the judge's words"),
        integer("withheld_chars", "Characters of code that the gate kept out of the reply", "characters"),
        code("persona", "Persona in which the assistant spoke; empty where it has none"),
        code(
            "recorded_match",
            "How a recording answered: by the same question, a near one, or none; empty for other providers",
            *MATCHES,
        ),
    ),
    reveals_arm=True,
)

ANSWERS = TableSchema(
    "answers",
    "Answers to survey questions and quiz items, one row each",
    (
        _WHO,
        code("bank", "Item bank; empty for survey questions"),
        code("form", "Form of the bank; empty for survey questions"),
        code("item", "Id of the item or question"),
        text(
            "type",
            "Type of the item; empty for survey questions",
            "conceptual",
            "code_reading",
            "debugging",
            "code_writing",
            "attention_check",
        ),
        code("concept", "Concept of the item; empty for survey questions"),
        text("response", "The answer: text as given, numbers and lists as JSON; empty where left out"),
        number("points", "Points it earned; empty while it waits for scoring", "points"),
        number("max_points", "Points it could earn", "points"),
        code(
            "scored_by", "key, human, or inconclusive: the machine was too busy to run its checks; empty while it waits"
        ),
        code("key_version", "Version of the key that scored it"),
        number("seconds", "From the page before to saving it", "s"),
        integer("changes", "Edits and choices that made the answer; 0 where it was left empty"),
        code("stage", "Stage at which it was asked"),
        time("saved_at", "When it was handed in"),
        integer("pasted_chars", "Characters pasted or dropped into it; empty where no browser showed it", "characters"),
        *by_clocks(
            number("away_seconds", "Time away before it was changed next, or after its last change on the form", "s")
        ),
        code("about_task", "Task pack that the item is about; empty for an item of none and for survey questions"),
        code("family", "Isomorphic items of parallel forms share it; empty where the item has none"),
        text("scoring_reason", "Why its checks decided nothing"),
        integer("repeats", "Runs of its checks that were made again, because the machine was too busy", low=0),
        number(
            "confidence",
            "Stated chance that the answer is right; empty where not asked or left out",
            "proportion",
            high=1,
        ),
    ),
)

RATINGS = TableSchema(
    "ratings",
    "Judgements by people",
    (
        code("rating_id", "Random identifier of the rating"),
        code("object", "What was judged, such as turn:ID or answer:PARTICIPANT:STAGE:ITEM"),
        text("rater", "Pseudonym of the rater"),
        text("value", "The judgement"),
        code("rubric", "By which rubric"),
        time("rated_at", "When"),
    ),
    reveals_arm=True,
)

COMPLIANCE = TableSchema(
    "compliance",
    "Evidence behind the column compliant, one row per piece; without a row, the log shows no breach of the rule",
    (
        _WHO,
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
        _WHO,
        integer("period", "Number of the period in the participant's order", low=1),
        code("treatment", "Arm whose treatment the period had"),
        code("stage", "Stage that ends the period: its tasks, or its instructions where there are none"),
        number("minutes", "First task of the stage shown to last submission, without pauses, at most its limit", "min"),
        number("points", "Points in the period's quiz; empty unless every period has one", "points"),
        integer("errors", "Runs in the stage that ended with an exception or a coroutine never awaited", "errors"),
        integer("queries", "Messages to the assistant in the stage", "queries"),
    ),
    reveals_arm=True,
)

SESSIONS = TableSchema(
    "sessions",
    "One row for each session that a participant was due for, of a study with several",
    (
        _WHO,
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
        _WHO,
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
        _WHO,
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
        _WHO,
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
        _WHO,
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


STATIC_TABLES: tuple[TableSchema, ...] = (ALLOCATIONS, VISITS, EVENTS, RUNS, TURNS, ANSWERS, RATINGS, COMPLIANCE)


IDS: dict[TableName, tuple[str, ...]] = {
    "participants": ("participant_id",),
    "visits": ("participant_id", "stage"),
    "events": ("event_id",),
    "runs": ("run_id",),
    "turns": ("turn_id",),
    "answers": ("participant_id", "stage", "item"),
    "ratings": ("rating_id",),
    "compliance": ("participant_id", "evidence"),
    "periods": ("participant_id", "period"),
    "sessions": ("participant_id", "number"),
    "agent_actions": ("action_id",),
    "interviews": ("interview_id",),
    "interview_turns": ("turn_id",),
    "probes": ("participant_id", "stage", "minute"),
    "model_looks": ("looked_at", "treatment"),
    "model_replies": ("round", "treatment", "task", "question"),
}
"""What no two rows of a table share."""

ADDED_LATER: dict[TableName, tuple[str, ...]] = {
    "visits": ("paused_seconds",),
    "runs": ("grading", "grading_reason", "repeats", "review", "hack_class", "hack_author"),
    "turns": ("gate", "gate_by", "gate_reason", "withheld_chars", "persona", "recorded_match"),
    "answers": ("about_task", "family", "scoring_reason", "repeats", "confidence"),
}
"""Columns that datasets of earlier versions do not have; without them a table is whole."""
