"""What was true of second treatments and regimes among simulated people, whose potential outcomes are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.study.study import Study
from study_app.simulation.participant import SimulatedParticipant
from study_app.simulation.summary import Realised


@dataclass(frozen=True)
class AllocatedWalk:
    """A person with an arm, and how far they came."""

    walk: SimulatedParticipant
    arm: str
    responded: bool | None
    """None: they left before it was decided."""
    scored: bool
    """Whether they came to the end of the main quiz."""
    worked: bool
    """Whether they came to the end of the last main task; who did not counts with the limit, whatever they got."""

    def score(self, arm: str, treatment: str) -> float | None:
        """Return the points under a regime; None where the quiz was not finished."""
        study = self.walk.app.study
        if study.main_quiz is None or not self.scored:
            return None
        return self.walk.filled(study.main_quiz, study.arm(arm), self._given(treatment)).points

    def minutes(self, arm: str, treatment: str) -> float | None:
        """Return the time outcome under a regime; None in a study without main tasks."""
        cap = self.walk.setting.scales.cap
        if not cap or not self.worked:
            return cap or None
        return self.walk.time(self.walk.app.study.arm(arm), second=self._given(treatment))

    def _given(self, treatment: str) -> str:
        return treatment if self.responded is False else ""


def realised_treatments(study: Study, people: Iterable[AllocatedWalk]) -> dict[str, Realised]:
    """Return the mean effect of each second treatment against the first, of who did not respond, in their arm."""
    return _against_the_first(study, [person for person in people if person.responded is False])


def realised_within_arms(study: Study, people: Sequence[AllocatedWalk]) -> dict[str, Realised]:
    """Return the same of each arm alone, by `within`; an arm in which everybody responded has none."""
    found: dict[str, Realised] = {}
    for arm in study.arms:
        again = [person for person in people if person.arm == arm.id and person.responded is False]
        effects = _against_the_first(study, again) if again else {}
        found |= {within(arm.id, name): effect for name, effect in effects.items()}
    return found


def within(arm: str, treatment: str) -> str:
    """Return how the effect of a second treatment within one arm is named; no regime and no treatment reads so."""
    return f"{treatment} in {arm}"


def _against_the_first(study: Study, again: Sequence[AllocatedWalk]) -> dict[str, Realised]:
    listed = [each.id for each in study.second_decision.treatments]
    return {
        name: Realised(
            _mean(_minus(person.score(person.arm, name), person.score(person.arm, listed[0])) for person in again),
            _mean(_minus(person.minutes(person.arm, name), person.minutes(person.arm, listed[0])) for person in again),
        )
        for name in listed[1:]
    }


def realised_regimes(study: Study, people: Sequence[AllocatedWalk]) -> dict[str, Realised]:
    """Return the mean outcomes of each regime, as if everybody had been on it."""
    return {
        f"{arm.id}{DECISION_MARK}{each.id}": Realised(
            _mean(person.score(arm.id, each.id) for person in people),
            _mean(person.minutes(arm.id, each.id) for person in people),
        )
        for arm in study.arms
        for each in study.second_decision.treatments
    }


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None
