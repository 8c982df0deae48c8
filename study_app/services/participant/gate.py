"""The explain-first gate of a treatment: what was judged so far, the verdict on a message, and a reply without code."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from study_app.domain.assistants.gate import EXPLAINED, OPEN, VERSION, Judged, judged_by_rules
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyBrokenOff, ReplyEnd
from study_app.domain.assistants.withheld_code import CodeFilter
from study_app.domain.errors import AssistantUnavailable
from study_app.domain.events import saying
from study_app.domain.events.server import GateJudged
from study_app.domain.records import Turn
from study_app.ports import Assistant, ExplanationJudge, UnitOfWork

log = logging.getLogger(__name__)


def gate_open(unit: UnitOfWork, spec: AssistantSpec, turn: Turn, before: Iterable[Turn]) -> bool | None:
    """Return whether the participant has explained their idea of a task; None where the treatment has no gate.

    Args:
        unit: the transaction.
        spec: the treatment.
        turn: that has just been asked.
        before: the earlier turns with this treatment.
    """
    if spec.gate == "none":
        return None
    mine = {each.id for each in before if each.task == turn.task}
    verdicts = saying(unit.events_of(turn.participant_id, {GateJudged.kind}), GateJudged)
    return any(verdict.turn_id in mine and verdict.verdict == EXPLAINED for _, verdict in verdicts)


def verdict_event(turn: Turn, verdict: Judged) -> GateJudged:
    """Return the event of the verdict on a turn's message."""
    return GateJudged(
        turn_id=turn.id,
        task=turn.task,
        verdict=verdict.verdict,
        by=verdict.by,
        reason=verdict.reason,
        version=VERSION,
        model=verdict.model or None,
        input_tokens=verdict.input_tokens,
        output_tokens=verdict.output_tokens,
    )


STILL_OPEN = Judged(OPEN, "", "")
"""The verdict on a message that needs none any more."""


async def judged(assistant: Assistant, request: AssistantRequest) -> Judged:
    """Return the verdict on a request's message: the assistant's where it can judge, else that of the rules.

    A model that was asked in vain is named with its tokens: they are billed.
    """
    billed: ReplyEnd | None = None
    if isinstance(assistant, ExplanationJudge):
        try:
            return await assistant.judge(request)
        except AssistantUnavailable as error:
            log.warning("the gate's judge failed, so rules judge: %s", error)
            billed = error.end if isinstance(error, ReplyBrokenOff) else None
    task = f"{request.brief}\n{request.starter}"
    replies = [reply for _, reply in request.history]
    # Beside the event loop, for a message may have 20,000 characters.
    verdict = await asyncio.to_thread(judged_by_rules, request.message, task, replies, request.language)
    if billed is None:
        return verdict
    return replace(verdict, model=billed.model, input_tokens=billed.input_tokens, output_tokens=billed.output_tokens)


class GatedReply:
    """Lets a reply through as it comes; while the gate is closed without its code, and with a sentence at its end.

    Args:
        closed: whether code is withheld.
        closing: the sentence, in the participant's language.
    """

    def __init__(self, closed: bool, closing: str) -> None:
        self._filter = CodeFilter() if closed else None
        self._closing = closing

    @property
    def withheld(self) -> int | None:
        """Characters of code that were left out; None where none had to be."""
        return None if self._filter is None else self._filter.withheld

    def feed(self, text: str) -> str:
        """Return what the participant sees of another piece."""
        return text if self._filter is None else self._filter.feed(text)

    def rest(self, *, whole: bool) -> str:
        """Return what is left at the end; `whole`: the reply was neither stopped nor broken off."""
        if self._filter is None:
            return ""
        return self._filter.end() + (f"\n\n{self._closing}" if whole else "")
