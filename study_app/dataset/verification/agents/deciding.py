"""Decisions on an agent's steps, derived from the log once more: what pages sent, and what was the program then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from study_app.dataset.measures.turns.acting import Step, as_proposed
from study_app.dataset.verification.agents.programs_in_log import ProgramsInLog
from study_app.domain.assistants.acting import base_hash
from study_app.domain.events import Event, EventDetails, saying
from study_app.domain.events.browser import AgentAnswered, Edit, TextEvent
from study_app.domain.events.server import AgentDecided, AgentProposed, TurnEnded
from study_app.domain.events.words import Decision

POSSIBLE: Mapping[str, frozenset[Decision]] = {
    "view": frozenset({"auto"}),
    "edit": frozenset({"approve", "reject", "edited", "auto", "stale", "interrupted", "expired"}),
    "run": frozenset({"approve", "reject", "auto", "stale", "interrupted", "expired"}),
    "ask": frozenset({"answered", "interrupted", "expired"}),
    "report": frozenset({"auto"}),
}
"""Tool -> what can become of a call of it."""
_BY_THE_SERVER: frozenset[Decision] = frozenset({"interrupted", "expired"})
"""Said as a turn ends; a participant's word that comes later counts instead."""
_NOT_SENT: frozenset[Decision] = frozenset({"stale", "interrupted", "expired"})
"""Of which a page sends nothing."""
_CARRIED_OUT: frozenset[Decision] = frozenset({"approve", "edited", "auto"})
"""Decisions that a page may take on the program alone that the step was proposed for."""
_SLACK = timedelta(seconds=0.05)
"""Moments are kept to the millisecond."""
_ONE_TRANSACTION = timedelta(seconds=1)
"""Between the moment of a page's event and that of the decision that it is: both are taken in one transaction."""


def wrong_decisions(
    events: Sequence[Event], steps: Sequence[Step], in_time: Callable[[Event], bool]
) -> Iterator[tuple[Step, str]]:
    """Yield each step whose decision is not what the rest of the log leads to, and why.

    Args:
        events: the participant's.
        steps: of their agent.
        in_time: whether an event of a page came while its stage was open.
    """
    sent = _Sent(in_time).follow(events)
    ends = {ended.turn_id: ended for _, ended in saying(events, TurnEnded)}
    last = {step.proposed.turn_id: step for step in steps}
    for step in steps:
        if step.decided is None or step.decided_at is None:
            continue
        decision, action = step.decided.decision, step.proposed.action_id
        # One finding a step, the plainest first: the later tests take for granted what the earlier ones found in order.
        if decision not in POSSIBLE.get(step.proposed.tool, frozenset()):
            yield step, f"the decision is {decision}, which a call of {step.proposed.tool} cannot have"
        elif decision == "approve" and not step.proposed.waits:
            yield step, "the decision is approve, and the participant was not asked"
        elif sent.decisions.get(action, decision) != decision:
            yield step, f"the decision is {decision}, and the page sent {sent.decisions[action]}"
        elif decision in _CARRIED_OUT and action in sent.elsewhere and action not in sent.decisions:
            yield step, f"the decision is {decision}, and the program was another than it was proposed for"
        elif decision == "stale" and action in sent.never_stale:
            yield step, "the decision is stale, and the program was the one that it was proposed for"
        elif decision in _BY_THE_SERVER and (what := _at_the_end(step, decision, last, ends)):
            yield step, what
        elif action in sent.again:
            yield step, "it was decided a second time, after a decision that counts"
        elif abs(timedelta(seconds=step.decided.seconds) - (step.decided_at - step.event.server_time)) > _SLACK:
            yield step, f"the decision took {step.decided.seconds} s by its own word, and another time by the log"
        elif what := _by_page(step, step.decided, sent.said.get(action, [])):
            yield step, what


def _by_page(step: Step, decided: AgentDecided, said: Sequence[Event]) -> str | None:
    """Return what is wrong with the moment, the words or the size of a decision, by the page's own event of it."""
    decision = decided.decision
    if decision == "auto" and step.proposed.tool != "edit":
        late = step.decided_at - step.event.server_time > _ONE_TRANSACTION
        return "it went on without asking, and was decided later than proposed" if late else None
    same = [event for event in said if _meant(step.proposed, event.details) == decision]
    if decision in _NOT_SENT or not same:
        return None
    if all(abs(step.decided_at - event.server_time) > _ONE_TRANSACTION for event in same):
        return f"the decision is of {step.decided_at}, and the page sent it at {same[0].server_time}"
    stated = (decided.words, decided.applied_chars)
    if all(stated != _stated(event.details) for event in same):
        return "its words, or the characters that it put in, are not those that the page sent"
    return None


def _stated(said: EventDetails) -> tuple[str | None, int | None]:
    """Return the words and the size that a decision of a page's event has."""
    if isinstance(said, Edit):
        return None, sum(len(change.insert) for change in said.changes)
    return (said.words or "" if isinstance(said, AgentAnswered) else None), None


def _at_the_end(step: Step, decision: Decision, last: Mapping[str, Step], ends: Mapping[str, TurnEnded]) -> str | None:
    """Return what is wrong with a decision that the server makes as a turn ends."""
    if last[step.proposed.turn_id] is not step:
        return f"the decision is {decision}, and the turn went on"
    ended = ends.get(step.proposed.turn_id)
    if ended is None:
        return None
    due = "interrupted" if ended.stopped or ended.error is not None else "expired"
    return None if decision == due else f"the decision is {decision}, and by the turn's end it is {due}"


class _Sent:
    """What the page that owned the attempt decided, in the order of the log."""

    def __init__(self, in_time: Callable[[Event], bool]) -> None:
        self._in_time = in_time
        self._log = ProgramsInLog()
        self._left: dict[str, AgentProposed] = {}
        self._over: set[str] = set()
        self.decisions: dict[str, Decision] = {}
        self.never_stale: set[str] = set()
        self._changed: set[str] = set()
        """Open steps for which the program was another at some moment, also if it is no more."""
        self.elsewhere: set[str] = set()
        """Steps that a page decided on while it had another program."""
        self.again: set[str] = set()
        """Steps that were decided once more after a decision that counts."""
        self.said: dict[str, list[Event]] = defaultdict(list)
        """Step -> whatever pages sent of it."""

    def follow(self, events: Sequence[Event]) -> _Sent:
        for event in events:
            match event.details:
                case AgentProposed(action_id=action) as proposed:
                    self._left[action] = proposed
                case AgentDecided(action_id=action) as decided:
                    self._decided(action, decided)
                case Edit(action_id=str(action)) as edit:
                    self._page_said(event, action, edit)
                case AgentAnswered(action_id=action) as answered:
                    self._page_said(event, action, answered)
            # Behind the match: an edit that decides on a step is held against the program that it met, not the one it
            # made.
            self._log.see(event)
            if isinstance(event.details, TextEvent):
                self._changed |= {
                    each for each in self._left.keys() - self._changed if not self._holds(self._left[each])
                }
        return self

    def _decided(self, action: str, decided: AgentDecided) -> None:
        if action in self._over:
            self.again.add(action)
        proposed = self._left.get(action)
        if proposed is None:
            return
        if decided.decision == "stale" and action not in self._changed and self._holds(proposed):
            self.never_stale.add(action)
        # After the server's own word the step stays open: a participant's word that was on its way counts instead.
        if decided.decision not in _BY_THE_SERVER:
            del self._left[action]
            self._over.add(action)

    def _page_said(self, event: Event, action: str, said: Edit | AgentAnswered) -> None:
        """Note what a page said of a step that was open, for the program that it was proposed for."""
        self.said[action].append(event)
        proposed = self._left.get(action)
        owned = self._log.owner in (None, event.page)
        if proposed is None or action in self.decisions or not owned or not self._in_time(event):
            return
        meant = _meant(proposed, said)
        if self._holds(proposed, event.page):
            if meant is not None:
                self.decisions[action] = meant
        elif meant in _CARRIED_OUT and self._log.of_page(event.page, proposed.task) is not None:
            self.elsewhere.add(action)

    def _holds(self, proposed: AgentProposed, page: str | None = None) -> bool:
        """Return whether a program is known, and is the one that a step was proposed for."""
        if proposed.tool not in ("edit", "run"):
            return True
        text = self._log.of_page(page or self._log.owner, proposed.task)
        texts = {name: str(value) for name, value in proposed.input.items()}
        return text is not None and base_hash(text, proposed.tool, texts) == proposed.base_sha256


def _meant(proposed: AgentProposed, said: EventDetails) -> Decision | None:
    """Return the decision that an event of a page is, None where it is none on such a call."""
    if isinstance(said, Edit):
        if proposed.tool != "edit":
            return None
        return "edited" if not as_proposed(proposed, said) else "approve" if proposed.waits else "auto"
    if not isinstance(said, AgentAnswered):
        return None
    if proposed.tool == "ask":
        return "answered" if said.decision == "answered" else None
    if said.decision == "approve":
        return "approve" if proposed.tool == "run" else None
    return "reject" if said.decision == "reject" else None
