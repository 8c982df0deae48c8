"""What a model is asked in an interview, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.interviews.machine import Choice, ModelStep, Standing


@dataclass(frozen=True)
class InterviewRequest:
    """Everything that the next step, or the summary, may depend on."""

    standing: Standing
    choice: Choice | None = None
    """None where a summary is asked for."""
    broken: tuple[str, ...] = ()
    """Rules that the attempt before broke; empty for the first."""


@dataclass(frozen=True)
class InterviewReply:
    """An answer of a model; nothing of it is trusted."""

    step: ModelStep | None = None
    """None where the answer holds none, because it cannot be read or the model declined."""
    summary: str = ""
    model: str = ""
    """As served."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str | None = None
    request_id: str | None = None
