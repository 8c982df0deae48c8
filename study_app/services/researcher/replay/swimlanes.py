"""The swimlanes of a replay: spells of typing, running, asking, waiting and being away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from study_app.dataset.measures.activity import absences
from study_app.domain.events.moments import moments
from study_app.services.researcher.replay.material import ReplayMaterial, Spell

PAUSE = 2.0
"""Seconds without a key that end a spell of typing."""
KEYSTROKE = 0.4
"""Seconds that a single edit takes on the timeline."""


def lanes(material: ReplayMaterial, length: float) -> dict[str, list[Spell]]:
    """Spells of typing, running, asking (writing a message), waiting (for a reply) and being away, in seconds."""
    edits = [t for t, event in zip(material.at, material.events, strict=True) if event.kind in ("edit", "answer_edit")]
    asked = [(material.seconds(turn.asked_at), turn) for turn in material.turns]
    running = [(material.seconds(run.started_at), run.wall_seconds or 0.0) for run in material.runs]
    found = {
        "typing": typing_spells(edits),
        "running": [(begun, begun + max(seconds, KEYSTROKE)) for begun, seconds in running],
        "asking": [(t - (turn.composing_seconds or KEYSTROKE), t) for t, turn in asked],
        "waiting": [(t, t + turn.total_seconds) for t, turn in asked if turn.total_seconds],
        "away": away_spells(material, length),
    }
    return {name: [(round(begun, 2), round(ended, 2)) for begun, ended in spells] for name, spells in found.items()}


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
    at = moments(material.events)
    found: list[Spell] = []
    for visit in material.visits:
        begun = material.seconds(visit.started_at)
        until = visit.ended_at or material.start + timedelta(seconds=length)
        spells = absences(visit, material.study, material.events, at, until)
        found += [(begun + spell.start, begun + spell.end) for spell in spells]
    return found
