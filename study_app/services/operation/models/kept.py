"""Where the database keeps looks at models and rounds of questions; the audit log has a digest of each round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from study_app.dataset.measures.models import reply_rows, round_digest
from study_app.domain.assistants.drift import ModelReply, Occasion, reply_from
from study_app.domain.assistants.served_models import ModelLook
from study_app.domain.records import AuditEntry
from study_app.ports import UnitOfWork
from study_app.services.spending import WATCHING_USD

LOCK = "model watch"
LOOKS, ROUNDS = "model_looks", "model_rounds"
ROUND_ENDED = "model round"
"""What the audit log calls the end of a round."""
LOOKED = "models looked at"
"""What the audit log calls a look that found other than the one before."""

LONGEST_BEFORE = timedelta(days=1)
"""Within which a round ended that an earlier version began, which stored nothing of when it would go on."""


@dataclass(frozen=True)
class Round:
    """A round of questions to each treatment, while it goes on and after."""

    number: int
    occasion: Occasion
    began_at: str
    ended_at: str = ""
    """Empty while it goes on."""
    asked: int = 0
    """Questions that are done, of every treatment together."""
    replies: int = 0
    """Those that failed among them."""
    failed: int = 0
    """Questions that the provider did not answer."""
    digest: str = ""
    note: str = ""
    """Why it ended early."""
    drifts: dict[str, list[str]] = field(default_factory=dict)
    """Treatment -> what differs from its first replies."""
    next_at: str = ""
    """Before this moment nothing is asked: the provider failed."""
    failures: int = 0
    """Of the question that is next."""
    expected_by: str = ""
    """The command that asks has stored the next reply by this moment, unless it is gone."""

    @property
    def began(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.began_at)

    def is_left(self, now: datetime) -> bool:
        """Return whether a command began it and is gone: nothing else goes on with a round that a person asked for."""
        expected = datetime.fromisoformat(self.expected_by) if self.expected_by else self.began + LONGEST_BEFORE
        return self.occasion == "probe" and not self.ended_at and now >= expected


def looks(unit: UnitOfWork) -> list[ModelLook]:
    """Return every look, oldest first."""
    return [ModelLook(**each) for each in unit.meta_value(LOOKS) or []]


def keep_looks(unit: UnitOfWork, found: Sequence[ModelLook], who: str) -> None:
    """Add looks, and note in the audit log what is other than before."""
    # The caller holds LOCK: the list is read and written as a whole, and one of two that add at once would be lost.
    before = {each.treatment: each for each in looks(unit)}
    unit.set_meta_value(LOOKS, [*(unit.meta_value(LOOKS) or []), *map(asdict, found)])
    new = [each for each in found if each.treatment not in before or each.differs_from(before[each.treatment])]
    if new:
        moment = datetime.fromisoformat(new[0].looked_at)
        unit.add_audit(AuditEntry(moment, who, LOOKED, "", {each.treatment: each.summary for each in new}))


def rounds(unit: UnitOfWork) -> list[Round]:
    """Return every round, oldest first."""
    return [Round(**each) for each in unit.meta_value(ROUNDS) or []]


def keep_round(unit: UnitOfWork, changed: Round) -> None:
    """Store a round in the place of what it was."""
    kept = {each.number: each for each in rounds(unit)} | {changed.number: changed}
    unit.set_meta_value(ROUNDS, [asdict(kept[number]) for number in sorted(kept)])


def replies_of(unit: UnitOfWork, number: int) -> list[ModelReply]:
    """Return the replies of a round, in the order of asking."""
    return [reply_from(each) for each in unit.meta_value(_key(number)) or []]


def all_replies(unit: UnitOfWork) -> list[ModelReply]:
    """Return the replies of every round that has ended."""
    return [reply for each in rounds(unit) if each.ended_at for reply in replies_of(unit, each.number)]


def add_replies(unit: UnitOfWork, number: int, made: Iterable[ModelReply]) -> None:
    """Add replies to a round; what they cost counts as the study's."""
    new = list(made)
    unit.set_meta_value(_key(number), [*(unit.meta_value(_key(number)) or []), *map(asdict, new)])
    cost = sum(each.usd for each in new)
    if cost:
        unit.set_meta_value(WATCHING_USD, float(unit.meta_value(WATCHING_USD) or 0.0) + cost)


def end_round(unit: UnitOfWork, ended: Round, now: datetime, who: str, drifts: dict[str, list[str]]) -> Round:
    """Store the end of a round, with its digest in the audit log."""
    replies = replies_of(unit, ended.number)
    done = replace(
        ended,
        ended_at=now.isoformat(),
        digest=round_digest(reply_rows(replies)),
        replies=len(replies),
        failed=sum(bool(each.error) for each in replies),
        drifts=drifts,
    )
    keep_round(unit, done)
    detail: dict[str, Any] = {"kind": done.occasion, "round": done.number, "n": done.replies, "digest": done.digest}
    unit.add_audit(AuditEntry(now, who, ROUND_ENDED, done.note, detail))
    return done


def put_back_watch(unit: UnitOfWork, found: Sequence[ModelLook], replies: Sequence[ModelReply], now: datetime) -> None:
    """Store what a dataset says of the models, each round with its digest in the audit log."""
    unit.set_meta_value(LOOKS, [*map(asdict, found)])
    for number in sorted({each.round for each in replies}):
        mine = [each for each in replies if each.round == number]
        add_replies(unit, number, mine)
        end_round(unit, Round(number, mine[0].occasion, mine[0].asked_at, asked=len(mine)), now, "reimport", {})


def is_watched(unit: UnitOfWork) -> bool:
    """Return whether anything is known of the models."""
    return bool(looks(unit)) or any(each.ended_at for each in rounds(unit))


def _key(number: int) -> str:
    return f"model_round:{number}"
