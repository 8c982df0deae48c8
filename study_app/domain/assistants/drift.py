"""Does a treatment's provider still answer as it did? The same questions again, and what is compared of the replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, Literal

from study_app.domain.assistants.persona_checks.probing import MEASURES, SHARE_MARGIN, WORDS_MARGIN
from study_app.domain.assistants.served_models import same_model
from study_app.domain.trial_state import State

Occasion = Literal["launch", "weekly", "close", "probe"]
"""Why a round was asked; `probe`: by a person."""
EVERY = timedelta(days=7)
NEAR = 0.8
"""Least share of common words, 0 to 1, from which two replies count as nearly the same."""


STEP_TAKEN = "tool_use"
"""`stop_reason` of a reply that is the first step of an assistant that acts."""
OF_INTERVIEW = "interview "
"""How the name of a treatment begins that is an interviewer's model."""


@dataclass(frozen=True)
class RoundFacts:
    """What every reply of a round states."""

    number: int
    occasion: Occasion
    asked_at: str


@dataclass(frozen=True)
class ModelReply:
    """One question of a round to one treatment, and what came of it."""

    round: int
    occasion: Occasion
    treatment: str
    provider: str
    """Who answered: claude, notes or recorded."""
    declared: str
    """Model that the treatment names; empty where none answers."""
    model: str
    """As served; empty where the provider named none."""
    prompt_version: str
    task: str
    question: int
    message: str
    reply: str
    words: int
    code_share: float
    leak: bool
    refused: bool
    asked_at: str
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str = ""
    error: str = ""
    recorded_match: str = ""
    usd: float = 0.0

    @property
    def place(self) -> tuple[str, int]:
        """What pairs it with the replies of other rounds and treatments."""
        return self.task, self.question


@dataclass(frozen=True)
class Compared:
    """A treatment's replies of a round beside its first ones."""

    treatment: str
    first: int
    """Round of the launch; where that brought no answer, or the prompt was changed since, the first that did."""
    round: int
    pairs: int
    before: dict[str, float]
    now: dict[str, float]
    """Measure of `probing.MEASURES` -> its mean over the questions that both rounds answered."""
    exact: float
    near: float
    """Shares of the replies that are word for word the same, and of those that are nearly so."""
    served_before: tuple[str, ...]
    served_now: tuple[str, ...]
    failed: int
    """Questions of the round that the provider did not answer."""

    @property
    def another_model(self) -> bool:
        """Whether a model served a reply that served none at first."""
        known = self.served_before
        return bool(known) and any(not any(same_model(old, one) for old in known) for one in self.served_now)

    @property
    def drifts(self) -> list[str]:
        """What differs by more than the margins of `study probe`, a phrase each; empty where nothing does."""
        found = []
        if self.another_model:
            found.append(f"served by {', '.join(self.served_now)}, at first by {', '.join(self.served_before)}")
        for measure, title in MEASURES.items():
            was, now = self.before.get(measure, 0.0), self.now.get(measure, 0.0)
            margin = WORDS_MARGIN * was if measure == "words" else SHARE_MARGIN
            if abs(now - was) > margin + 1e-9:
                found.append(f"{title} {now:.3g}, at first {was:.3g}")
        return found


def helped_alike(replies: Iterable[ModelReply]) -> list[list[str]]:
    """Return the treatments whose help can be compared: those that answer, and those that act.

    A word of an answer and a word before a step are not the same help, and an interviewer gives none.
    """
    rows = [each for each in replies if not each.treatment.startswith(OF_INTERVIEW)]
    acting = {each.treatment for each in rows if each.stop_reason == STEP_TAKEN}
    names = dict.fromkeys(each.treatment for each in rows)
    return [[name for name in names if name not in acting], [name for name in names if name in acting]]


def compared(first: Sequence[ModelReply], later: Sequence[ModelReply]) -> Compared | None:
    """Return a treatment's replies of a round beside its first ones; None without a question that both answered."""
    before = {each.place: each for each in first if not each.error}
    pairs = [(before[each.place], each) for each in later if not each.error and each.place in before]
    if not pairs:
        return None
    alike = [likeness(old.reply, new.reply) for old, new in pairs]
    return Compared(
        treatment=later[0].treatment,
        first=first[0].round,
        round=later[0].round,
        pairs=len(pairs),
        before=_means(old for old, _ in pairs),
        now=_means(new for _, new in pairs),
        exact=sum(value == 1.0 for value in alike) / len(alike),
        near=sum(NEAR <= value < 1.0 for value in alike) / len(alike),
        served_before=_served(old for old, _ in pairs),
        served_now=_served(new for _, new in pairs),
        failed=sum(bool(each.error) for each in later),
    )


def served_otherwise(replies: Iterable[ModelReply]) -> dict[str, str]:
    """Return each treatment that another model answered than the one it names -> a phrase that says so."""
    found: dict[str, dict[str, None]] = {}
    named: dict[str, str] = {}
    for each in replies:
        if each.declared and each.model and not each.recorded_match and not same_model(each.declared, each.model):
            found.setdefault(each.treatment, {})[each.model] = None
            named[each.treatment] = each.declared
    return {name: f"served by {', '.join(sorted(of))}, declared is {named[name]}" for name, of in found.items()}


def rounds_compared(replies: Iterable[ModelReply]) -> list[Compared]:
    """Return each later round of each treatment beside its replies at the launch; under a new prompt, its first.

    A round in which the provider answered nothing is none to compare with: the first that it answered stands for it.
    """
    by: dict[tuple[str, str], dict[int, list[ModelReply]]] = {}
    for each in replies:
        by.setdefault((each.treatment, each.prompt_version), {}).setdefault(each.round, []).append(each)
    found = []
    for rounds in by.values():
        answered = [each for each in rounds.values() if any(not one.error for one in each)]
        if not answered:
            continue
        first = min(answered, key=lambda each: (each[0].occasion != "launch", each[0].round))
        later = [each for number, each in sorted(rounds.items()) if number > first[0].round]
        found += [made for each in later if (made := compared(first, each)) is not None]
    return sorted(found, key=lambda each: (each.round, each.treatment))


def likeness(one: str, other: str) -> float:
    """Return the share of words, 0 to 1, that two replies have in common; 1 only for the same in the same order."""
    old, new = one.split(), other.split()
    if old == new:
        return 1.0
    # Dice's coefficient over the words, each as often as it stands there; their order counts only for the value 1.
    common = (Counter(old) & Counter(new)).total()
    return min(2 * common / (len(old) + len(new)), 0.999)


def occasion_due(state: State, rounds: Sequence[tuple[Occasion, datetime]], now: datetime) -> Occasion | None:
    """Return which round is due.

    Args:
        state: where the trial's life stands.
        rounds: occasion and beginning of each round since the launch, in order.
        now: the present moment.
    """
    of_trial = [each for each in rounds if each[0] != "probe"]
    if state == "launched":
        if not of_trial:
            return "launch"
        return "weekly" if now - of_trial[-1][1] >= EVERY else None
    if state == "closed" and of_trial and of_trial[-1][0] != "close":
        return "close"
    return None


def reply_from(stored: dict[str, Any]) -> ModelReply:
    """Return a reply as it was kept."""
    return ModelReply(**stored)


def _means(replies: Iterable[ModelReply]) -> dict[str, float]:
    rows = list(replies)
    return {measure: fmean(float(getattr(each, measure)) for each in rows) for measure in MEASURES}


def _served(replies: Iterable[ModelReply]) -> tuple[str, ...]:
    return tuple(sorted({each.model for each in replies if each.model}))
