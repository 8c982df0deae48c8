"""The tables of what the database stores of participants: one row for each record.

A column that an export computes is marked: the chain of records holds what was stored.
"""

from __future__ import annotations

from typing import get_args

from study_app.dataset.schema.columns import (
    TableSchema,
    boolean,
    by_clocks,
    code,
    computed,
    integer,
    json_,
    number,
    text,
    time,
)
from study_app.domain.assistants.recording import MATCHES
from study_app.domain.events.words import RunEnd, StageEnd
from study_app.domain.ledger import LEDGERS

WHO = code("participant_id", "Random, stable identifier of the participant, the same in every table and every export")

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
        WHO,
        code("stage", "Id of the stage in the study file"),
        time("started_at", "When the stage opened and its clock began"),
        time("ended_at", "When it ended; empty while open"),
        text("ended_by", "What ended it", *get_args(StageEnd)),
        *computed(
            *by_clocks(
                number("active_seconds", "Time with acts no further apart than the study's idle threshold", "s"),
                number(
                    "away_seconds",
                    "Time with the window hidden, unfocused or closed for longer than the threshold",
                    "s",
                ),
            ),
        ),
        time("deadline_at", "When the stage had to end; empty where untimed"),
        *computed(
            number("paused_seconds", "Time for which the clock stood still, as in outages; empty where untimed", "s"),
        ),
    ),
    reveals_arm=True,
)

EVENTS = TableSchema(
    "events",
    "The append-only log: everything that a page or the server saw",
    (
        WHO,
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
        WHO,
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
        WHO,
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
        integer(
            "input_tokens",
            "Tokens sent, as the provider counted; estimated where the reply was cut, see `parameters`",
            "tokens",
        ),
        integer(
            "output_tokens",
            "Tokens of the reply, as the provider counted; estimated where the reply was cut, see `parameters`",
            "tokens",
        ),
        code("stop_reason", "Why the reply ended, in the provider's words"),
        boolean("stopped_by_participant", "The participant pressed Stop"),
        code("error", "Kind of failure; empty where none"),
        *computed(
            code(
                "codes",
                "Interaction codes of the message by the plan's coder, separated by ;; empty where it gave none",
            ),
        ),
        code("treatment", "Id of the assistant's file, the treatment"),
        boolean("complete", "The reply has ended"),
        json_("parameters", "Parameters sent to the model", closed=True),
        *computed(
            integer(
                "reply_code_chars",
                "Characters of code in the reply: in fenced blocks, the fences left out",
                "characters",
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
                "Largest share of any one function of the reference solution that the reply reproduces; "
                "a leak from 0.6",
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
            code("gate_model", "Model that was asked to judge the message, as served"),
            integer("gate_input_tokens", "Tokens that it was sent, as the provider counted", "tokens"),
            integer("gate_output_tokens", "Tokens of its verdict, as the provider counted", "tokens"),
        ),
    ),
    reveals_arm=True,
)

ANSWERS = TableSchema(
    "answers",
    "Answers to survey questions and quiz items, one row each",
    (
        WHO,
        code("bank", "Item bank; empty for survey questions"),
        code("form", "Form of the bank; empty for survey questions"),
        code("item", "Id of the item or question"),
        *computed(
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
        ),
        text("response", "The answer: text as given, numbers and lists as JSON; empty where left out"),
        number("points", "Points it earned; empty while it waits for scoring", "points"),
        number("max_points", "Points it could earn", "points"),
        code(
            "scored_by", "key, human, or inconclusive: its checks could not be run to their end; empty while it waits"
        ),
        code("key_version", "Version of the key that scored it"),
        number("seconds", "From the page before to saving it", "s"),
        integer("changes", "Edits and choices that made the answer; 0 where it was left empty"),
        code("stage", "Stage at which it was asked"),
        time("saved_at", "When it was handed in"),
        *computed(
            integer(
                "pasted_chars", "Characters pasted or dropped into it; empty where no browser showed it", "characters"
            ),
            *by_clocks(
                number(
                    "away_seconds", "Time away before it was changed next, or after its last change on the form", "s"
                )
            ),
            code("about_task", "Task pack that the item is about; empty for an item of none and for survey questions"),
            code("family", "Isomorphic items of parallel forms share it; empty where the item has none"),
        ),
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
    "Judgements of texts and programs, by people, rules and models",
    (
        code("rating_id", "Random identifier of the rating"),
        code("object", "What was judged, such as turn:ID or answer:PARTICIPANT:STAGE:ITEM"),
        text("rater", "Pseudonym of the rater; rules and claude are programs, adjudicated what people settled"),
        text("value", "The judgement"),
        code("rubric", "By which rubric"),
        time("rated_at", "When"),
    ),
    reveals_arm=True,
)
