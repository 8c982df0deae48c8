"""How simulated participants deal with an assistant that acts: they look at each step, and decide."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from study_app.domain.assistants.acting import Replacement
from study_app.domain.events.browser import AgentAnswered, Edit
from study_app.domain.events.changes import Change, utf16_length

Choice = Literal["approve", "edited", "reject", "stop"]


@dataclass(frozen=True)
class AgentRates:
    """Shares of the steps that wait for a participant; the rest is approved as it is."""

    reject: float = 0.10
    edited: float = 0.05
    stop: float = 0.03
    seconds: tuple[float, float] = (2.0, 15.0)
    """To look at a step, from the quickest to the slowest."""


RATES = AgentRates()
ANSWER = "Please write all of it."


def choice(rates: AgentRates, rng: Random) -> Choice:
    """Return what a participant does with a step that waits."""
    drawn = rng.random()
    if drawn < rates.stop:
        return "stop"
    if drawn < rates.stop + rates.reject:
        return "reject"
    return "edited" if drawn < rates.stop + rates.reject + rates.edited else "approve"


def carried_out(task: str, text: str, step: dict[str, Any], *, edited: bool) -> tuple[Edit, str] | None:
    """Return the edit by which a page carries a change out, and the text after it; None where it does not fit."""
    new = ("# Checked.\n" if edited else "") + step["input"]["new"]
    change = Replacement(step["start"], step["end"], new, step["input"]["old"], step["line"])
    if utf16_length(text) != step["length"]:
        return None
    after = change.applied(text)
    made = Change(change.start, change.end, new, change.old or None)
    edit = Edit(
        task=task,
        how="agent",
        changes=(made,),
        length=utf16_length(after),
        user_event="input.agent",
        action_id=step["action_id"],
    )
    return edit, after


def answered(step: dict[str, Any], decision: str, words: str | None = None) -> AgentAnswered:
    """Return the event of a decision that no edit shows."""
    return AgentAnswered(action_id=step["action_id"], decision=decision, words=words)
