"""Turns of a trial as a recording: whole replies, without who asked, when, and in which arm."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from study_app.dataset.measures.turns.acting import Step, steps_of
from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import AgentDecided, AgentProposed
from study_app.domain.records import AuditEntry, Kind, Participant, Turn
from study_app.domain.study.study import Study
from study_app.domain.trial_state import State, hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.recordings.lines import cleaned, left_out_because, recorded_lines
from study_app.services.researcher.recordings.without_identities import Identities

NO_PERSONA = "none"
"""What is said of turns of an assistant without a persona."""


@dataclass(frozen=True)
class RecordedTrial:
    """A recording and what is to be said of it."""

    content: bytes
    treatment: str
    turns: int
    questions: int
    """Different ones, by task."""
    left_out: dict[str, int]
    """Why turns, or steps of turns, are not in it -> how many."""
    changed: int
    """Turns of which something that could tell a person was taken out."""

    @property
    def sha256(self) -> str:
        """What the protocol of a study that replays it states of it."""
        return hashlib.sha256(self.content).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return everything but the content."""
        names = ("treatment", "turns", "questions", "left_out", "changed")
        return {name: getattr(self, name) for name in names} | {"sha256": self.sha256}

    def lines(self) -> list[str]:
        """Return it as lines for a person."""
        said = [f"{self.turns} turns with the assistant '{self.treatment}', {self.questions} different questions"]
        said += [f"Left out: {count} {why}" for why, count in sorted(self.left_out.items())]
        if self.changed:
            said.append(f"Identities were taken out of {self.changed} turns")
        return [*said, f"SHA-256: {self.sha256}", "Read it before others get it: names and stories need a reader"]


def record_turns(context: StudyContext, who: str, kind: Kind, treatment: str = "", persona: str = "") -> RecordedTrial:
    """Return the turns of these participants as a recording, and note in the audit log that it was made.

    Args:
        context: the study.
        who: who asked for it, for the audit log.
        kind: whose turns.
        treatment: id of the assistant; empty where only one was asked anything.
        persona: id of the persona in which it spoke, `none` for none; empty where it spoke in one way only.

    Raises:
        NotAllowed: the study is launched and not closed; it is closed and still sealed, and arms have different
            assistants; there is nothing to record; which assistant or persona is meant is not clear.
    """
    with context.registry.begin() as unit:
        state = context.state(unit)
        people = {each.id: each for each in unit.participants()}
        asked = [turn for turn in unit.turns() if _belongs(people, turn, kind)]
        # Before anything is said of what was asked: while the trial runs even a list of assistants would tell.
        _check_state(state, context, unit, kind)
        chosen = _chosen(context, {turn.treatment for turn in asked}, kind, treatment)
        # By the id and not by the name in the study: two names may stand for one treatment in two personas.
        acts = any(spec.id == chosen and spec.acts for spec in context.content.specs.values())
        of_treatment = [turn for turn in asked if turn.treatment == chosen]
        meant = _spoken_as(of_treatment, chosen, persona, acts=acts)
        actions = _steps(unit, meant) if acts else None
        found = _recorded(chosen, meant, people.values(), actions)
        # Without counts: while a trial is sealed, how much was asked is not to be read from its audit log.
        unit.add_audit(AuditEntry(context.now(), who, "record", "", {"kind": kind, "sha256": found.sha256}))
    return found


def _belongs(people: dict[str, Participant], turn: Turn, kind: Kind) -> bool:
    owner = people.get(turn.participant_id)
    return owner is not None and owner.kind == kind and not owner.data_withdrawn


def _check_state(state: State, context: StudyContext, unit: UnitOfWork, kind: Kind) -> None:
    if state == "launched":
        raise NotAllowed("the study is launched, and turns are recorded once it is over: close it first (study close)")
    # Every version: people keep the one that they began with, so that its arms count as well.
    if hides_arms(state, kind) and len(_assistants(context.versions_met(unit))) > 1:
        raise NotAllowed(
            "the study is closed and still sealed, and its arms have different assistants, so that a recording would "
            "tell arms apart: unseal it first (study unseal)"
        )


def _assistants(studies: Iterable[Study]) -> set[tuple[str, str | None]]:
    """Return every assistant that an arm of any version has, with the persona in which it speaks."""
    return {(arm.assistant, arm.persona) for study in studies for arm in study.arms_met if arm.assistant}


def _chosen(context: StudyContext, asked: set[str], kind: Kind, treatment: str) -> str:
    """Return the treatment that is recorded."""
    if not asked:
        other = ", ".join(f"--of {each}" for each in ("real", "simulated", "preview") if each != kind)
        raise NotAllowed(f"no {kind} participant asked an assistant anything; whose turns are meant, say by {other}")
    listed = ", ".join(sorted(asked))
    if treatment and treatment not in asked:
        raise NotAllowed(f"--treatment: no {kind} participant asked '{treatment}' anything; asked was {listed}")
    if not treatment and len(asked) > 1:
        raise NotAllowed(f"participants asked {len(asked)} assistants ({listed}); choose one by --treatment")
    chosen = treatment or next(iter(asked))
    return chosen


def _spoken_as(turns: list[Turn], treatment: str, persona: str, *, acts: bool) -> list[Turn]:
    """Return the turns in one persona: a recording of several would answer each person in all of their voices."""
    heard = {turn.id: str(turn.parameters.get("persona") or NO_PERSONA) for turn in turns}
    # Of whole replies alone: a persona that only failed need not be chosen against.
    recorded = {heard[turn.id] for turn in turns if not left_out_because(turn, acts=acts)}
    listed = ", ".join(sorted(recorded))
    if persona and persona not in recorded:
        raise NotAllowed(f"--persona: '{treatment}' did not speak as '{persona}'; it spoke as {listed}")
    if not persona and len(recorded) > 1:
        raise NotAllowed(f"'{treatment}' spoke in several personas ({listed}); choose one by --persona")
    return [turn for turn in turns if not persona or heard[turn.id] == persona]


def _steps(unit: UnitOfWork, turns: Collection[Turn]) -> dict[str, list[Step]]:
    """Return the steps of each turn."""
    found: dict[str, list[Step]] = {turn.id: [] for turn in turns}
    for person in {turn.participant_id for turn in turns}:
        for step in steps_of(unit.events_of(person, (AgentProposed.kind, AgentDecided.kind))):
            found.get(step.proposed.turn_id, []).append(step)
    return found


def _recorded(
    treatment: str,
    turns: list[Turn],
    people: Iterable[Participant],
    actions: Mapping[str, list[Step]] | None,
) -> RecordedTrial:
    """Return the recording.

    Args:
        treatment: Its id.
        turns: Every turn with it.
        people: Every participant of the study.
        actions: Turn -> its steps, where the assistant acts.
    """
    reasons = {turn.id: left_out_because(turn, acts=actions is not None) for turn in turns}
    whole = sorted((turn for turn in turns if reasons[turn.id] is None), key=lambda turn: turn.asked_at)
    if not whole:
        raise NotAllowed(f"no question to the assistant '{treatment}' was answered by a whole reply")
    identities = Identities(people, whole)
    every = [cleaned(turn, identities, None if actions is None else actions[turn.id]) for turn in whole]
    clean = [each for each in every if not each.is_empty]
    if not clean:
        raise NotAllowed(f"no question to the assistant '{treatment}' was answered by a whole reply")
    lines = recorded_lines(clean)
    left_out = Counter(reason for reason in reasons.values() if reason is not None)
    left_out["without a whole reply"] += len(every) - len(clean)
    left_out["steps that could tell a person"] = sum(turn.steps_left_out for turn in every)
    return RecordedTrial(
        content="".join(f"{line}\n" for line in lines).encode(),
        treatment=treatment,
        turns=len(lines),
        questions=len({(each.turn.task, each.message) for each in clean}),
        left_out=dict(+left_out),
        changed=sum(each.changed for each in clean),
    )
