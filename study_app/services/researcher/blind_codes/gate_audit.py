"""Verdicts of the explain-first gate, audited by people who do not see them before they have judged for themselves."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.assistants.gate import OPEN, VERSION
from study_app.domain.errors import NotAllowed
from study_app.domain.events import saying
from study_app.domain.events.server import GateJudged
from study_app.domain.interaction.codes import check_coder, people
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import Kind, Rating
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.judging.rating import shuffled

YES, NO = "1", "0"
"""Values of a rating: the message explains an idea, or does not."""


@dataclass(frozen=True)
class MessageToAudit:
    """A message that the gate judged, without its verdict."""

    turn_id: str
    task: str
    message: str
    audits: int
    """How many people have judged it."""


@dataclass(frozen=True)
class Audit:
    """A message that people have judged, beside the gate's verdict."""

    message: str
    verdict: str
    by: str
    reason: str
    explained: int
    """People for whom it explains an idea."""
    audits: int

    @property
    def agrees(self) -> bool:
        """Whether most people say what the gate said; a tie agrees with neither."""
        # Doubled and not halved: no fraction is compared, and a tie is neither more nor less than half.
        return self.explained * 2 > self.audits if self.verdict == "explained" else self.explained * 2 < self.audits


class GateAudits:
    """Hands out judged messages, takes what people say of them, and lays both side by side."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def waiting(self, auditor: str, kind: Kind) -> list[MessageToAudit]:
        """Return the messages that this person has still to judge, in an order drawn for them."""
        with self.context.registry.begin(write=False) as unit:
            audits, verdicts = _audits(unit), _verdicts(unit, kind)
            turns = {turn.id: turn for turn in unit.turns() if turn.id in verdicts}
        open_ones = [turn for turn in turns.values() if auditor not in audits.get(turn.id, {})]
        open_ones.sort(key=lambda turn: shuffled(turn.id, auditor))
        return [MessageToAudit(t.id, t.task, t.message, len(audits.get(t.id, {}))) for t in open_ones]

    def audit(self, auditor: str, turn_id: str, *, explained: bool) -> None:
        """Take a person's verdict; a second one of the same person replaces the first.

        Raises:
            NotAllowed: the name is one that stands for a program, or the gate did not judge the message.
        """
        check_coder(auditor, "auditor")
        with self.context.registry.begin() as unit:
            # With it an erasure either comes first, and the message is not found, or takes this verdict along.
            unit.lock("judgements")
            if not any(turn_id in _verdicts(unit, kind) for kind in LEDGERS):
                raise NotAllowed("the gate has not judged this message; reload the page")
            value = YES if explained else NO
            name = f"turn:{turn_id}"
            unit.add_rating(Rating(self.context.fresh_id(), name, auditor, value, VERSION, self.context.now()))

    def audited(self, viewer: str, kind: Kind) -> list[Audit]:
        """Return what this person, and others with them, have judged, those that differ from the gate first.

        What they have still to judge shows neither the gate's verdict nor another person's.
        """
        with self.context.registry.begin(write=False) as unit:
            audits, verdicts = _audits(unit), _verdicts(unit, kind)
            messages = {turn.id: turn.message for turn in unit.turns()}
        found = [
            Audit(
                messages.get(turn, ""),
                verdict.verdict,
                verdict.by,
                verdict.reason,
                sum(value == YES for value in audits[turn].values()),
                len(audits[turn]),
            )
            for turn, verdict in verdicts.items()
            if viewer in audits.get(turn, {})
        ]
        return sorted(found, key=lambda audit: audit.agrees)


def has_gate(context: StudyContext) -> bool:
    """Return whether an assistant of the study has the gate."""
    return any(spec.gate != "none" for spec in context.content.specs.values())


def _audits(unit: UnitOfWork) -> dict[str, dict[str, str]]:
    """Turn -> person -> their newest verdict."""
    found: dict[str, dict[str, str]] = {}
    for rating in sorted(unit.ratings(), key=lambda rating: rating.rated_at):
        # The gate's own verdicts are ratings by the same rubric: they are what people are compared with.
        if rating.rubric == VERSION and people([rating.rater]):
            found.setdefault(rating.object.removeprefix("turn:"), {})[rating.rater] = rating.value
    return found


def _verdicts(unit: UnitOfWork, kind: Kind) -> dict[str, GateJudged]:
    """Turn -> the verdict on its message; messages after the gate has opened have none."""
    known = [person.id for person in unit.participants() if person.kind == kind and not person.data_withdrawn]
    events = (event for person in known for event in unit.events_of(person, {GateJudged.kind}))
    return {judged.turn_id: judged for _, judged in saying(events, GateJudged) if judged.verdict != OPEN}
