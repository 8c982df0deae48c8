"""A small study of two arms whose one task asks twice how people feel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.trials.export_world import Walker
from support.trials.variant_study import variant_study

from study_app.bootstrap import App
from study_app.domain.interaction.asked_probes import AskedProbe
from study_app.domain.records import Visit
from study_app.services.participant.probing.closing import probes_of

PROBES = "[[probes]]\nat_minutes = [2, 5]\n"


def probe_study(folder: Path, probes: str = PROBES, **changes: str) -> Path:
    """Write it and its packs."""
    return variant_study(
        folder,
        **{
            "control = true": 'control = true\ninstructions = "Work."',
            'variants = { warmup = "tasks/warmup_oneoff" }': 'instructions = "Work."',
            '[[stages]]\nid = "tasks"': '[[stages]]\nid = "read"\nkind = "instructions"\n[[stages]]\nid = "tasks"',
            "[analysis]": f"{probes}[analysis]",
        }
        | changes,
    )


def at_task(app: App, clock: Any) -> Walker:
    """A participant at the task, its clock just started."""
    walker = Walker(app, clock)
    app.session.where(walker.id)
    app.session.consent(walker.id, True)
    app.answers.submit_survey(walker.id, "start", {"years": 3})
    app.session.where(walker.id)
    app.session.continue_(walker.id, "read")
    app.session.where(walker.id)
    walker.open("warmup")
    return walker


def visit_of(app: App, who: str, stage: str = "tasks") -> Visit:
    with app.context.registry.begin(write=False) as unit:
        visit = unit.visit(who, stage)
    assert visit is not None
    return visit


def stood(app: App, who: str) -> float:
    """Seconds by which the deadline lies beyond the limit of ten minutes."""
    visit = visit_of(app, who)
    assert visit.deadline_at is not None
    return (visit.deadline_at - visit.started_at).total_seconds() - 600


def asked(app: App, who: str) -> list[AskedProbe]:
    with app.context.registry.begin(write=False) as unit:
        return probes_of(unit, who, "tasks")
