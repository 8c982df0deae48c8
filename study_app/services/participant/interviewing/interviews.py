"""The way through an interview: what is asked next, what is skipped, how it ends."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal

from study_app.domain.errors import AssistantUnavailable, Malformed, NotAllowed
from study_app.domain.events.server import InterviewAsked, InterviewClosed
from study_app.domain.events.words import InterviewEnd
from study_app.domain.interviews.machine import (
    Ask,
    Choice,
    Close,
    Wait,
    by_rule,
    due,
    fallback_of,
    judge,
    rule_summary,
)
from study_app.domain.interviews.requests import InterviewReply, InterviewRequest
from study_app.domain.interviews.rules import broken_by_summary
from study_app.ports import Interviewer, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.answers import Handed
from study_app.services.participant.flow import ParticipantFlow, check_not_paused
from study_app.services.participant.handing_in import forget, note_handed_in
from study_app.services.participant.interviewing.state import Interview, interview_at
from study_app.services.participant.interviewing.turns import keep_answer, note_distress
from study_app.services.position import OnStage
from study_app.services.retrying import insisting, retried
from study_app.services.spending import spent_usd

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""Steps that a model may try: one that breaks a rule is asked for once more."""
SUMMARISED: frozenset[InterviewEnd] = frozenset({"completed", "turns", "time", "redirects"})
"""Ends after which the participant is shown a summary; who stops, or is in distress, is asked nothing more."""


@dataclass(frozen=True)
class Chosen:
    """The next move, and what was asked of a model for it."""

    move: Ask | Close
    replies: tuple[InterviewReply, ...] = ()
    broken: tuple[str, ...] = ()
    error: str | None = None
    model: str | None = None
    """That was asked; None where none was."""
    summary: str = ""
    summary_by: Literal["model", "rule"] = "rule"

    def tokens(self, name: str) -> int | None:
        """Return the sum of a count over all attempts; None where one is not known."""
        counts = [getattr(reply, name) for reply in self.replies]
        return sum(counts) if counts and None not in counts else None


class Interviews:
    """What participants are asked in interviews."""

    def __init__(self, context: StudyContext, flow: ParticipantFlow) -> None:
        self.context = context
        self.flow = flow
        # Two tabs of one person: the second waits, and finds the question there instead of asking a model again.
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def view(self, participant_id: str) -> tuple[OnStage, Interview] | None:
        """Return where the participant's interview stands, with its next question on record.

        None where the participant is not (any more) at one.
        """
        with self._locks[participant_id]:
            # Bounded: where another server takes every step first, the page is answered with what is there.
            for _ in range(ATTEMPTS + 1):
                found = self._standing(participant_id)
                if found is None or not self._waits_for_us(found[1]):
                    return found
                self._record(participant_id, found[1], self._chosen(*found))
            return self._standing(participant_id)

    @retried
    def leave_question(
        self, participant_id: str, stage: str, step: int, page: str, outcome: Literal["skipped", "stopped"]
    ) -> Handed:
        """Skip the question on the page, or stop the interview; pressed again it changes nothing.

        Raises:
            NotAllowed: the participant is not at an interview.
            Superseded: another page has taken over.
        """
        if outcome not in ("skipped", "stopped"):
            raise Malformed(f"act: '{outcome}' is not known; use skipped or stopped")
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, unit.known_participant(participant_id))
            if place.stage is None or (place.stage.id, place.participant.step) != (stage, step):
                return Handed(True)
            check_not_paused(place)
            if place.stage.kind != "interview" or not isinstance(place, OnStage):
                raise NotAllowed("this part of the study is not an interview")
            self.flow.check_page(unit, place, page)
            # Takes the participant's row: a second press waits here, and finds them gone.
            if not unit.move(place.participant, last_seen_at=place.now):
                return Handed(True)
            interview = interview_at(self.context, unit, place)
            question = interview.question(step)
            if question is None:
                raise NotAllowed("there is no question on this page")
            keep_answer(unit, place, interview, outcome, "")
            fields = tuple(field.id for field in interview.form(step))
            forget(unit, participant_id, stage, step, fields)
            note_handed_in(unit, place, fields, "participant")
            if outcome == "skipped":
                self.flow.next_step(unit, place)
                return Handed(True)
            self._close(unit, place, interview, Chosen(Close("stopped")))
            self.flow.advance(unit, place)
            return Handed(True)

    @retried
    def answer(self, participant_id: str, stage: str, step: int, given: dict[str, object]) -> None:
        """Hand in a page of an interview that no browser showed; where the participant is past it, nothing changes."""
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, unit.known_participant(participant_id))
            if not isinstance(place, OnStage) or place.stage.kind != "interview":
                return
            if (place.stage.id, place.participant.step) == (stage, step):
                self.flow.hand_in(unit, place, given)

    # -- what comes next -----------------------------------------------------------------------------------------------

    @retried
    def _standing(self, participant_id: str) -> tuple[OnStage, Interview] | None:
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, unit.known_participant(participant_id))
            if not isinstance(place, OnStage) or place.stage.kind != "interview":
                return None
            return place, interview_at(self.context, unit, place)

    def _waits_for_us(self, interview: Interview) -> bool:
        return not interview.closed and not isinstance(due(interview.standing), Wait)

    def _chosen(self, place: OnStage, interview: Interview) -> Chosen:
        """Return the next move; a model is asked outside any transaction, and not for simulated participants."""
        next_ = due(interview.standing)
        asker = (
            self.context.interviewer if place.participant.kind != "simulated" and interview.plan.asks_model else None
        )
        error = None
        if asker is not None and self._spent_all(place):
            asker, error = None, "budget"
        if isinstance(next_, Choice):
            chosen = self._by_model(interview, next_, asker) if asker is not None else None
            move = by_rule(interview.standing, next_, self._probe(interview))
            next_chosen = chosen or Chosen(move, error=error)
        elif isinstance(next_, Wait):
            raise NotAllowed("the question before waits for its answer")
        else:
            next_chosen = Chosen(next_)
        if isinstance(next_chosen.move, Close):
            return self._summarised(interview, next_chosen, asker)
        return next_chosen

    def _spent_all(self, place: OnStage) -> bool:
        """Return whether the study's limit on what models cost is reached."""
        limit = self.context.study.assistant_policy.study_cost_limit
        if limit is None:
            return False
        with self.context.registry.begin(write=False) as unit:
            return spent_usd(unit, self.context.content, place.participant.kind) >= limit

    def _probe(self, interview: Interview) -> str:
        own = interview.plan.texts.get(interview.language)
        return (own.probe if own is not None else "") or self.context.text(interview.language, "interview.probe")

    def _by_model(self, interview: Interview, choice: Choice, asker: Interviewer) -> Chosen:
        standing, plan = interview.standing, interview.plan
        replies: list[InterviewReply] = []
        broken: tuple[str, ...] = ()
        last: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            try:
                reply = asker.step(InterviewRequest(standing, choice, last))
            except AssistantUnavailable as error:
                log.warning("the interviewer failed, so a rule asks: %s", error)
                move = by_rule(standing, choice, self._probe(interview))
                return Chosen(move, tuple(replies), broken, error.kind, plan.model)
            replies.append(reply)
            if reply.step is None:
                last = ("refused",) if reply.stop_reason == "refusal" else ("unreadable",)
            else:
                judged = judge(standing, choice, reply.step)
                if judged.move is not None:
                    return Chosen(judged.move, tuple(replies), broken, None, reply.model or plan.model)
                last = judged.broken
            broken += last
        return Chosen(fallback_of(choice), tuple(replies), broken, None, replies[-1].model or plan.model)

    def _summarised(self, interview: Interview, chosen: Chosen, asker: Interviewer | None) -> Chosen:
        """Return the end with the summary that the participant is shown; by rule where no model gives a valid one."""
        move = chosen.move
        said = rule_summary(interview.standing)
        if not isinstance(move, Close) or move.ended_by not in SUMMARISED or not interview.plan.summary or not said:
            return chosen
        by_own_words = "\n\n".join(f"**{question}**\n\n{words}" for question, words in said)
        chosen = replace(chosen, summary=by_own_words)
        replies, broken = chosen.replies, chosen.broken
        last: tuple[str, ...] = ()
        for _ in range(ATTEMPTS if asker is not None else 0):
            try:
                reply = asker.summarise(InterviewRequest(interview.standing, None, last))  # type: ignore[union-attr]
            except AssistantUnavailable as error:
                return replace(chosen, error=error.kind, model=interview.plan.model)
            replies += (reply,)
            last = broken_by_summary(reply.summary, interview.language, interview.standing.forbidden)
            chosen = replace(chosen, replies=replies, model=reply.model or interview.plan.model)
            if not last:
                return replace(chosen, summary=reply.summary.strip(), summary_by="model", broken=broken)
            broken += last
        return replace(chosen, broken=broken)

    # -- on record -----------------------------------------------------------------------------------------------------

    # A model's choice was paid for, and would be asked for again.
    @insisting
    def _record(self, participant_id: str, before: Interview, chosen: Chosen) -> None:
        """Write the next question or the end down, unless another server was faster or the time is up."""
        with self.context.registry.begin() as unit:
            place = self.flow.arrive(unit, unit.known_participant(participant_id))
            if not isinstance(place, OnStage) or place.stage.kind != "interview":
                return
            # Takes the participant's row: another server that asks at the same time waits, and sees this question.
            if not unit.move(place.participant, last_seen_at=place.now):
                return
            interview = interview_at(self.context, unit, place)
            if interview.closed or len(interview.standing.exchanges) != len(before.standing.exchanges):
                return
            if isinstance(chosen.move, Close):
                self._close(unit, place, interview, chosen)
            else:
                self._ask(unit, place, interview, chosen.move, chosen)

    def _ask(self, unit: UnitOfWork, place: OnStage, interview: Interview, move: Ask, chosen: Chosen) -> None:
        plan, held = interview.plan, interview.held
        last = chosen.replies[-1] if chosen.replies else None
        asked = InterviewAsked(
            interview_id=held.id if held is not None else self.context.fresh_id(),
            turn_id=self.context.fresh_id(),
            number=len(interview.standing.exchanges) + 1,
            topic=move.topic,
            action=move.action,
            question=move.question,
            by=move.by,
            plan=plan.id,
            plan_version=plan.version,
            language=interview.language,
            model=chosen.model,
            prompt_version=plan.prompt_version,
            input_tokens=chosen.tokens("input_tokens"),
            output_tokens=chosen.tokens("output_tokens"),
            stop_reason=last.stop_reason if last is not None else None,
            request_id=last.request_id if last is not None else None,
            rule_broken=chosen.broken or None,
            error=chosen.error,
        )
        unit.record(place.participant.id, place.stage.id, place.now, asked)

    def _close(self, unit: UnitOfWork, place: OnStage, interview: Interview, chosen: Chosen) -> None:
        held, move = interview.held, chosen.move
        if held is None or not isinstance(move, Close):
            return
        closed = InterviewClosed(
            interview_id=held.id,
            ended_by=move.ended_by,
            summary=chosen.summary or None,
            summary_by=chosen.summary_by,
            model=chosen.model,
            input_tokens=chosen.tokens("input_tokens"),
            output_tokens=chosen.tokens("output_tokens"),
            rule_broken=chosen.broken or None,
        )
        unit.record(place.participant.id, place.stage.id, place.now, closed)
        if move.ended_by == "distress":
            note_distress(unit, place)
