"""The models over time: a look at the provider each day, and the same questions at launch, weekly and at the close.

Called every second by each server; one of them at a time does the work. A round goes on by one question a call, so that
it takes nothing from participants, and a server that ends in the middle leaves it to be gone on with.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Literal

from study_app.domain.assistants.drift import (
    OF_INTERVIEW,
    ModelReply,
    Occasion,
    RoundFacts,
    occasion_due,
    rounds_compared,
    served_otherwise,
)
from study_app.domain.assistants.served_models import ModelLook
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.errors import present
from study_app.ports import Assistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.asking import ModelQuestion, asked, watched
from study_app.services.operation.models.claims import CLAIM, COMMAND, Claims
from study_app.services.operation.models.kept import (
    LOCK,
    Round,
    add_replies,
    all_replies,
    end_round,
    keep_looks,
    keep_round,
    looks,
    replies_of,
    rounds,
)
from study_app.services.operation.models.replacing import answering
from study_app.services.operation.models.retirement import ProviderLooks, Retirement
from study_app.services.operation.models.steps import FollowUpQuestion, followed_up
from study_app.services.spending import spent_usd

LOOK_EVERY = timedelta(days=1)
LOOK_AGAIN = timedelta(hours=1)
"""After a look that found nothing out."""
PAUSE = timedelta(minutes=10)
ATTEMPTS = 3
"""At one question, the pause between; then its failure is kept in place of a reply."""
CLAIM_AGAIN = 0.2
"""Seconds between two tries of a command."""
AT_LIMIT = "the study's cost limit is reached"
LEFT = "the command that asked was ended before the last question"

Assistants = Callable[[], Mapping[str, Assistant]]


class ModelWatch:
    """Looks at models and asks them.

    Args:
        context: the study.
        looks: asks the provider about the treatments' models.
        assistants: opens what answers each treatment, without the pace that participants meet.
        close: closes enrolment for a reason.
    """

    def __init__(
        self, context: StudyContext, looks: ProviderLooks, assistants: Assistants, close: Callable[[str], object]
    ) -> None:
        self.context = context
        self.retirement = Retirement(context, looks, close)
        self.claims = Claims(context)
        self._look = looks.all
        self._open = assistants
        self._opened: tuple[str, Mapping[str, Assistant]] | None = None
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ask nothing more in this process."""
        self._stopped.set()

    def tick(self) -> None:
        """Look where a look is due, else ask the next question where a round is due or goes on."""
        if self._stopped.is_set():
            return
        if self._due() is None or not self.claims.take():
            return
        try:
            # Once more, for the server that had the claim may have done it meanwhile.
            due = self._due()
            if due == "left":
                self.end_left("server")
            elif due == "look":
                self.look("server")
            elif due == "round" and (going := self._going()) is not None:
                self._step(going, "server")
        finally:
            self.claims.release()

    def look(self, who: str) -> list[ModelLook]:
        """Ask the provider about every treatment's model now, and keep what it says."""
        found = self._look(self.context.now())
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            before = looks(unit)
            keep_looks(unit, found, who)
        self.retirement.act(found, before)
        return found

    def look_where_launched(self, who: str) -> None:
        """As `look`, where the study is launched."""
        with self.context.registry.begin(write=False) as unit:
            launched = self.context.state(unit) == "launched"
        if launched:
            self.look(who)

    def is_replaced(self, treatment: str, spec: AssistantSpec, recording_sha256: str) -> bool:
        """Whether a recording answers a treatment, whose provider has just said that it knows its model no more."""
        return self.retirement.is_replaced(treatment, spec, recording_sha256)

    def round(self, occasion: Occasion, who: str, said: Callable[[int, int], None] = lambda _done, _of: None) -> Round:
        """Ask a whole round now, without pauses, and return it; for a command.

        Args:
            occasion: why.
            who: who asks, for the audit log.
            said: is given how many questions are done, and of how many.
        """
        self.end_left(who)
        number = self._begin(occasion).number
        while True:
            found = self._step_alone(number, who)
            said(found.asked, len(watched(self.context)))
            if found.ended_at:
                return found

    def end_left(self, who: str) -> None:
        """End every round whose command is gone: nothing goes on with it."""
        with self.context.registry.begin(write=False) as unit:
            left = [each for each in rounds(unit) if each.is_left(self.context.now())]
        for each in left:
            self._end(replace(each, note=LEFT), who)

    def _step_alone(self, number: int, who: str) -> Round:
        """Ask the next question of a round while no server asks it, too: it would be paid for twice."""
        me = f"{COMMAND}{token_hex(8)}"
        while not self.claims.take(me):
            self._stopped.wait(CLAIM_AGAIN)
        try:
            return self._step(self._numbered(number), who, patient=False)
        finally:
            self.claims.release(me)

    # -- which is due --------------------------------------------------------------------------------------------------

    def _due(self) -> Literal["left", "look", "round"] | None:
        with self.context.registry.begin(write=False) as unit:
            if any(each.is_left(self.context.now()) for each in rounds(unit)):
                return "left"
            if self._look_due(unit):
                return "look"
            return "round" if self._round_due(unit) else None

    def _look_due(self, unit: UnitOfWork) -> bool:
        names = self._looked_at()
        if self.context.state(unit) != "launched" or not names:
            return False
        # Of each by itself: one treatment can be looked at alone, and a new version can name another.
        newest = {each.treatment: each for each in looks(unit)}
        mine = [newest.get(name) for name in names]
        if None in mine:
            return True
        known = [each for each in mine if each is not None]
        last = min(datetime.fromisoformat(each.looked_at) for each in known)
        failed = any(each.problem for each in known)
        return self.context.now() - last >= (LOOK_AGAIN if failed else LOOK_EVERY)

    def _looked_at(self) -> list[str]:
        """Return what a look finds something out about: each treatment, and each interviewer's model that is asked."""
        content = self.context.content
        plans = [content.plan(file) for file in content.plan_files] if self.context.interviewer is not None else []
        return [*content.specs, *(f"{OF_INTERVIEW}{plan.id}" for plan in plans if plan.asks_model)]

    def _round_due(self, unit: UnitOfWork) -> bool:
        if not self.context.study.assistant_policy.drift_probes:
            return False
        going, now = _of_trial(rounds(unit)), self.context.now()
        if going is not None:
            return not going.next_at or datetime.fromisoformat(going.next_at) <= now
        return self._occasion(unit) is not None and bool(watched(self.context))

    def _occasion(self, unit: UnitOfWork) -> Occasion | None:
        known = [(each.occasion, each.began) for each in rounds(unit)]
        return occasion_due(self.context.state(unit), known, self.context.now())

    # -- a round -------------------------------------------------------------------------------------------------------

    def _begin(self, occasion: Occasion) -> Round:
        """Begin a round; of the trial's own, the one that goes on is gone on with."""
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            known = rounds(unit)
            going = _of_trial(known)
            if going is not None and occasion != "probe":
                return going
            number, now = max((each.number for each in known), default=0) + 1, self.context.now()
            made = Round(number, occasion, now.isoformat(), expected_by=(now + CLAIM).isoformat())
            keep_round(unit, made)
        return made

    def _step(self, going: Round, who: str, *, patient: bool = True) -> Round:
        """Ask the next question of a round, or end it."""
        if going.ended_at:
            return going
        asking = watched(self.context)
        if going.asked >= len(asking):
            return self._end(going, who)
        with self.context.registry.begin(write=False) as unit:
            limit = self.context.study.assistant_policy.study_cost_limit
            over = limit is not None and spent_usd(unit, self.context.content, "real") >= limit
        if over:
            return self._end(replace(going, note=AT_LIMIT), who)
        reply = self._ask(going, asking[going.asked])
        if reply.error and patient and going.failures + 1 < ATTEMPTS:
            later = (self.context.now() + PAUSE).isoformat()
            return self._kept(replace(going, failures=going.failures + 1, next_at=later), [])
        done = self._kept(replace(going, asked=going.asked + 1, failures=0, next_at=""), [reply])
        return self._end(done, who) if done.asked >= len(asking) else done

    def _going(self) -> Round | None:
        """Return the trial's round that goes on, or the one that is due, begun; None where none is."""
        with self.context.registry.begin(write=False) as unit:
            going, occasion = _of_trial(rounds(unit)), self._occasion(unit)
        if going is not None or occasion is None:
            return going
        return self._begin(occasion)

    def _numbered(self, number: int) -> Round:
        with self.context.registry.begin(write=False) as unit:
            return next(each for each in rounds(unit) if each.number == number)

    def _ask(self, going: Round, question: ModelQuestion | FollowUpQuestion) -> ModelReply:
        context = self.context
        facts = RoundFacts(going.number, going.occasion, context.now().isoformat())
        if isinstance(question, FollowUpQuestion):
            return followed_up(question, present(context.interviewer, "the interviewer's model"), facts)
        spec = context.content.specs[question.treatment]
        with context.registry.begin(write=False) as unit:
            assistant = answering(unit, question.treatment, spec, self.assistants()[question.treatment])
        return asked(question, assistant, spec, facts)

    def assistants(self) -> Mapping[str, Assistant]:
        """Return what answers each treatment of the study as it is now."""
        if self._opened is None or self._opened[0] != self.context.study_hash:
            self._opened = (self.context.study_hash, self._open())
        return self._opened[1]

    def _kept(self, changed: Round, made: list[ModelReply]) -> Round:
        changed = replace(changed, expected_by=(self.context.now() + CLAIM).isoformat())
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            before = next((each for each in rounds(unit) if each.number == changed.number), None)
            # Another server that took the round over has stored this question already.
            if before is not None and (before.ended_at or before.asked > changed.asked - len(made)):
                return before
            add_replies(unit, changed.number, made)
            keep_round(unit, changed)
        return changed

    def _end(self, going: Round, who: str) -> Round:
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            before = next((each for each in rounds(unit) if each.number == going.number), going)
            if before.ended_at:
                return before
            of_now = replies_of(unit, going.number)
            found = rounds_compared([*all_replies(unit), *of_now])
            mine = {name: [what] for name, what in served_otherwise(of_now).items()}
            for each in found:
                if each.round == going.number and each.drifts:
                    mine[each.treatment] = [*mine.get(each.treatment, []), *each.drifts]
            return end_round(unit, going, self.context.now(), who, mine)


def _of_trial(known: Iterable[Round]) -> Round | None:
    """Return the round that goes on by itself; what a person asks ends with their command."""
    return next((each for each in known if not each.ended_at and each.occasion != "probe"), None)
