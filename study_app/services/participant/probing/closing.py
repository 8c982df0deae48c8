"""The end of a probe: its unused seconds go back, so that no one gains time by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from study_app.domain.events import BrowserEvent
from study_app.domain.events.browser import Edit
from study_app.domain.events.server import ProbeAnswered
from study_app.domain.events.words import ProbeOutcome
from study_app.domain.interaction.asked_probes import PROBE_KINDS, AskedProbe, asked_probes
from study_app.ports import UnitOfWork
from study_app.services.position import AtStage

SETTLING = timedelta(seconds=5)
"""What was typed before the card was on the screen may arrive so much later."""


def probes_of(unit: UnitOfWork, participant_id: str, stage: str) -> list[AskedProbe]:
    """Return the probes that a participant was shown on a stage."""
    return asked_probes(unit.events_of(participant_id, PROBE_KINDS, stage))


def open_probe(unit: UnitOfWork, participant_id: str, stage: str, now: datetime) -> AskedProbe | None:
    """Return the probe that is on the participant's screen, or None."""
    return next((each for each in probes_of(unit, participant_id, stage) if each.is_open(now)), None)


def end_probe(
    unit: UnitOfWork,
    participant_id: str,
    probe: AskedProbe,
    now: datetime,
    outcome: ProbeOutcome,
    values: tuple[int | None, int | None, int | None] = (None, None, None),
) -> None:
    """Record what became of an open probe; the deadline comes back by the seconds that were not used."""
    stood = probe.stood(now)
    unit.extend_visit(participant_id, probe.stage, timedelta(seconds=stood - probe.shown.seconds))
    valence, arousal, calm_desperate = values
    answered = ProbeAnswered(
        minute=probe.shown.minute,
        outcome=outcome,
        seconds=stood,
        valence=valence,
        arousal=arousal,
        calm_desperate=calm_desperate,
    )
    unit.record(participant_id, probe.stage, now, answered)


def interrupt(unit: UnitOfWork, place: AtStage) -> None:
    """End a probe that is on, for the participant works on, or their stage ends or is paused."""
    if place.stage.kind == "tasks" and place.study.probes_at(place.stage.id):
        # Held before the look: an answer, or another act that ends the card, is seen or waits.
        unit.hold(place.participant)
        probe = open_probe(unit, place.participant.id, place.stage.id, place.now)
        if probe is not None:
            end_probe(unit, place.participant.id, probe, place.now, "interrupted")


def interrupt_by_work(unit: UnitOfWork, place: AtStage, events: Sequence[BrowserEvent]) -> None:
    """End a probe that is on where the participant changes the program: they do not work with the clock stopped."""
    worked = any(isinstance(event.details, Edit) and event.details.how != "agent" for event in events)
    if worked and place.stage.kind == "tasks" and place.study.probes_at(place.stage.id):
        probe = open_probe(unit, place.participant.id, place.stage.id, place.now)
        if probe is not None and place.now - probe.shown_at > SETTLING:
            end_probe(unit, place.participant.id, probe, place.now, "interrupted")
