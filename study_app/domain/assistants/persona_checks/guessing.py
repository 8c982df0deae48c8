"""Which persona wrote a reply? People guess it from the words alone: a check that personas are recognised."""

from __future__ import annotations

from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.personas import JOINT

RUBRIC = "persona-1"
"""Rubric of the guesses, whose object is a reply to a fixed question."""
OBJECT = "model_reply:"
UNSURE = "cannot_tell"


def object_of(reply: ModelReply) -> str:
    """Return what a guess is about."""
    return f"{OBJECT}{reply.round}/{reply.treatment}/{reply.task}/{reply.question}"


def persona_of(treatment: str) -> str:
    """Return the persona in the name of a treatment; empty without one."""
    return treatment.partition(JOINT)[2]


def guessable(replies: list[ModelReply]) -> list[ModelReply]:
    """Return the replies of the newest round in which two personas or more answered; empty without one."""
    spoken = [each for each in replies if persona_of(each.treatment) and each.reply and not each.error]
    for number in sorted({each.round for each in spoken}, reverse=True):
        found = [each for each in spoken if each.round == number]
        if len({persona_of(each.treatment) for each in found}) > 1:
            return found
    return []
