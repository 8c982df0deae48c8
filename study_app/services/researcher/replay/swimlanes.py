"""The swimlanes of a replay: spells of typing, running, asking, waiting, being asked how one feels and being away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from study_app.dataset.measures.activity import absences
from study_app.dataset.measures.turns.acting import Step, steps_of
from study_app.domain.events import Event
from study_app.domain.events.browser import AnswerEdit, Edit
from study_app.domain.events.moments import Timeline, moments
from study_app.domain.interaction.asked_probes import AskedProbe, asked_probes
from study_app.services.researcher.replay.material import ReplayMaterial, Spell

PAUSE = 2.0
"""Seconds without a key that end a spell of typing."""
KEYSTROKE = 0.4
"""Seconds that a single edit takes on the timeline."""


def lanes(material: ReplayMaterial, length: float) -> dict[str, list[Spell]]:
    """Spells of typing, running, asking (writing a message), waiting (for a reply) and being away, in seconds.

    Where an assistant acts there are spells of its steps as well, each from its proposal to its end; what it writes and
    runs is in no lane of the participant's. Where the participant was asked how they feel there are the spells for
    which the clock stood still for it.
    """
    edits = [t for t, event in zip(material.at, material.events, strict=True) if is_typing(event)]
    asked = [(material.seconds(turn.asked_at), turn) for turn in material.turns]
    running = [
        (material.seconds(run.started_at), run.wall_seconds or 0.0) for run in material.runs if run.kind != "agent"
    ]
    found = {
        "typing": typing_spells(edits),
        "running": [(begun, begun + max(seconds, KEYSTROKE)) for begun, seconds in running],
        "asking": [(t - (turn.composing_seconds or KEYSTROKE), t) for t, turn in asked],
        "waiting": [(t, t + turn.total_seconds) for t, turn in asked if turn.total_seconds],
        "away": away_spells(material, length),
    }
    if steps := steps_of(material.events):
        found["agent"] = [agent_spell(material, step) for step in steps]
    if probes := asked_probes(material.events):
        found["probe"] = [probe_spell(material, probe) for probe in probes]
    return {name: [(round(begun, 2), round(ended, 2)) for begun, ended in spells] for name, spells in found.items()}


def is_typing(event: Event) -> bool:
    """Return whether an event is a change of a text by the participant."""
    details = event.details
    return isinstance(details, AnswerEdit) or (isinstance(details, Edit) and details.action_id is None)


def agent_spell(material: ReplayMaterial, step: Step) -> Spell:
    """Return when a step was proposed and when it was over; one that is still open takes a keystroke."""
    begun = material.seconds(step.event.server_time)
    over = step.acted_at or step.decided_at
    return begun, max(begun + KEYSTROKE, begun if over is None else material.seconds(over))


def probe_spell(material: ReplayMaterial, probe: AskedProbe) -> Spell:
    """Return when a probe was shown and when the clock went on."""
    begun = material.seconds(probe.shown_at)
    return begun, begun + max(probe.seconds, KEYSTROKE)


def typing_spells(edits: Iterable[float]) -> list[Spell]:
    """Edits as spells: those less than PAUSE apart belong together."""
    spells: list[Spell] = []
    for t in edits:
        if spells and t - spells[-1][1] < PAUSE:
            spells[-1] = (spells[-1][0], max(spells[-1][1], t + KEYSTROKE))
        else:
            spells.append((t, t + KEYSTROKE))
    return spells


def away_spells(material: ReplayMaterial, length: float) -> list[Spell]:
    """Spells away on each stage, by the rule of the dataset's `away_seconds`."""
    timeline = Timeline.of(material.events, moments(material.events))
    found: list[Spell] = []
    for visit in material.visits:
        begun = material.seconds(visit.started_at)
        until = visit.ended_at or material.start + timedelta(seconds=length)
        spells = absences(visit, material.study, timeline, until)
        found += [(begun + spell.start, begun + spell.end) for spell in spells]
    return found
