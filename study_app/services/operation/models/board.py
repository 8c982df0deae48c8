"""What is known of the models, for console and command line; nothing here tells a participant's arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from study_app.domain.assistants.drift import Compared, rounds_compared, served_otherwise
from study_app.domain.assistants.served_models import ModelLook
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import Round, all_replies, looks, rounds
from study_app.services.operation.models.replacing import ModelReplacement, replaced_now

_OF_ROUND = ("number", "occasion", "began_at", "ended_at", "replies", "failed", "note")
IN_WORDS = {"launch": "at the launch", "weekly": "weekly", "close": "at the close", "probe": "study probe"}


@dataclass(frozen=True)
class ModelBoard:
    """The newest look at each treatment's model, and every round of questions."""

    looks: tuple[ModelLook, ...]
    rounds: tuple[Round, ...]
    compared: tuple[Compared, ...]
    now: datetime
    replaced: tuple[ModelReplacement, ...] = ()
    """Treatments that a recording answers in their model's place."""
    otherwise: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Round -> treatments that another model answered than the one they name, and by which."""

    def lines(self) -> list[str]:
        """Return it as lines for a person."""
        said = [f"{each.treatment}: {each.summary}{_left(each, self.now)}" for each in self.looks]
        said += [f"{each.treatment}: {each.summary}" for each in self.replaced]
        said = said or ["No look at the models yet: study models looks, and a running server does each day."]
        for each in self.rounds:
            moment = f"{each.began:%Y-%m-%d %H:%M} UTC"
            if not each.ended_at:
                asked = f"{each.asked} asked" + (
                    ", then its command was ended" if each.is_left(self.now) else " so far"
                )
                said.append(f"round {each.number}, {IN_WORDS[each.occasion]}, since {moment}: {asked}")
                continue
            ended = f" ({each.note})" if each.note else ""
            said.append(f"round {each.number}, {IN_WORDS[each.occasion]}, {moment}: {answered(each)}{ended}")
            said += [f"  {line}" for line in self._of(each)]
        return said

    def _of(self, one: Round) -> list[str]:
        found = [each for each in self.compared if each.round == one.number]
        other = [f"{name}: {what}" for name, what in self.otherwise.get(one.number, {}).items()]
        return [*other, *(f"{each.treatment}: {verdict(each)}" for each in found)]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "looks": [vars(each) | {"days_left": each.days_left(self.now)} for each in self.looks],
            "rounds": [{name: getattr(each, name) for name in _OF_ROUND} for each in self.rounds],
            "replaced": [vars(each) for each in self.replaced],
            "otherwise": self.otherwise,
            "compared": [vars(each) | {"drifts": each.drifts} for each in self.compared],
        }


def answered(one: Round) -> str:
    """Say how many questions of a round were answered, and how many not."""
    missing = f", {one.failed} questions not answered" if one.failed else ""
    return f"{one.replies - one.failed} replies{missing}"


def verdict(each: Compared) -> str:
    """Say how a treatment's replies of a round stand to its first ones."""
    alike = f"{each.exact:.0%} of {each.pairs} replies word for word, {each.near:.0%} nearly"
    if not each.drifts:
        return f"as in round {each.first} ({alike})"
    return f"differs from round {each.first}: {'; '.join(each.drifts)} ({alike})"


def model_board(context: StudyContext, unit: UnitOfWork) -> ModelBoard:
    """Return what is known of the models."""
    replies, listed = all_replies(unit), tuple(rounds(unit))
    compared = tuple(rounds_compared(replies))
    otherwise = {
        each.number: found
        for each in listed
        if (found := served_otherwise(one for one in replies if one.round == each.number))
    }
    replaced = tuple(replaced_now(context, unit))
    return ModelBoard(newest(unit), listed, compared, context.now(), replaced, otherwise)


def newest(unit: UnitOfWork) -> tuple[ModelLook, ...]:
    """Return the newest look at each treatment's model."""
    return tuple({each.treatment: each for each in looks(unit)}.values())


def _left(look: ModelLook, now: datetime) -> str:
    left = look.days_left(now)
    return "" if left is None else f", {left} days left"
