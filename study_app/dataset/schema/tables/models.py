"""The tables on the models of a study: what their provider said of them, and rounds of the same questions to each."""

from __future__ import annotations

from typing import get_args

from study_app.dataset.schema.columns import TableSchema, boolean, code, integer, number, time
from study_app.domain.assistants.drift import Occasion
from study_app.domain.assistants.recording import MATCHES

_TREATMENT = code("treatment", "Name of the treatment in the study file; with a persona both, joined by +")
_PROVIDER = code("provider", "Who answers: a model, the packs' notes, or a recording", "claude", "notes", "recorded")

MODEL_LOOKS = TableSchema(
    "model_looks",
    "What the provider said of each treatment's model, one row for each daily look; of no participant",
    (
        time("looked_at", "When it was asked"),
        _TREATMENT,
        _PROVIDER,
        code("model", "Model that the treatment names; empty where none answers"),
        code("served", "Id by which the provider serves it"),
        code("name", "The provider's name of it"),
        code("lifecycle", "Where its life stands", "active", "deprecated", "retired"),
        time("retires_at", "When the provider ends it; empty where no end was announced"),
        integer("max_tokens", "Longest reply that it can be asked for", "tokens"),
        code("refused", "Parameters that it does not accept, joined by spaces"),
        code("problem", "Why nothing is known; empty where the provider answered"),
    ),
    reveals_arm=True,
)

MODEL_REPLIES = TableSchema(
    "model_replies",
    "Replies to the same fixed questions, put to each treatment without a participant: at launch, weekly, at the close",
    (
        integer("round", "Number of the round", low=1),
        code("occasion", "Why it was asked; probe: by study probe or study models", *get_args(Occasion)),
        _TREATMENT,
        _PROVIDER,
        code("declared", "Model that the treatment names; empty where none answers"),
        code("model", "Model as served"),
        code("prompt_version", "Digest over prompt, parameters and what else shapes the reply"),
        code("task", "Task pack that the question is about"),
        integer("question", "Number of the question, from 1", low=1),
        code("message", "The question"),
        code("reply", "The reply, Markdown"),
        integer("words", "Words of the reply outside code", "words"),
        number("code_share", "Share of the reply's characters that are code", high=1),
        boolean("leak", "The reply gives a function of the reference solution"),
        boolean("refused", "The assistant declined"),
        time("asked_at", "When it was asked"),
        number("seconds", "Duration", "s"),
        integer("input_tokens", "Tokens read, by the provider's word", "tokens"),
        integer("output_tokens", "Tokens written, by the provider's word", "tokens"),
        code("stop_reason", "How the reply ended, in the provider's word"),
        code("error", "Why no whole reply came; empty where one did"),
        code("recorded_match", "How a recording answered; empty for other providers", *MATCHES),
        number("usd", "What it cost by the treatment's prices; counted in the study's limit", "US dollars"),
    ),
    reveals_arm=True,
)

MODEL_TABLES = (MODEL_LOOKS, MODEL_REPLIES)
