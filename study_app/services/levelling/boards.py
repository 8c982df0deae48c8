"""Levels what boards show of many participants while arms are hidden, with one look at the log for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from study_app.domain.events.server import Outage
from study_app.domain.records import Kind, Participant
from study_app.domain.shown_times import assistant_seconds, limits
from study_app.domain.study.study import Study
from study_app.ports import Stay, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.times import is_past, stage_after


def shown_elsewhere(context: StudyContext, unit: UnitOfWork, people: Iterable[Participant]) -> dict[str, str]:
    """Return where those are shown who are on a stage only in time that some arms are given back, by participant."""
    now = context.now()
    bounded: dict[str, dict[str, float]] = {}
    found: dict[str, str] = {}
    for one in people:
        study = context.study_of(unit, one)
        if one.study_hash not in bounded:
            bounded[one.study_hash] = limits(study)
        bounds = bounded[one.study_hash]
        if one.over or one.stage not in bounds:
            continue
        visit = unit.visit(one.id, one.stage)
        if visit is not None and is_past(unit, visit, now, bounds):
            found[one.id] = stage_after(study, visit.stage)
    return found


def levelled_stays(
    studies: Mapping[str, Study], people: Iterable[Participant], elsewhere: dict[str, str], stays: Iterable[Stay]
) -> list[Stay]:
    """Return stays that end at the limit of a stage whose times could tell the arm, where they lasted as long.

    Args:
        studies: the versions that these people began with, by hash; the stages of each have limits.
        people: the participants, where they are.
        elsewhere: from `shown_elsewhere`; as many open stays are shown as ended.
        stays: of these people.
    """
    seconds = {
        (name, stage): 60 * minutes for name, study in studies.items() for stage, minutes in limits(study).items()
    }
    over = Counter((one.study_hash, one.stage) for one in people if one.id in elsewhere)
    found: list[Stay] = []
    for stay in stays:
        place = (stay.study_hash, stay.stage)
        limit = seconds.get(place)
        ends = stay.seconds is None and over[place] > 0
        over[place] -= ends
        beyond = ends or (stay.seconds is not None and limit is not None and stay.seconds > limit)
        found.append(stay._replace(seconds=limit) if beyond else stay)
    return found


def given_back_to(unit: UnitOfWork, kind: Kind) -> frozenset[str]:
    """Return all to whom an outage of the assistant gave time back."""
    return frozenset(who for who, _ in assistant_seconds(unit.events_of_kind(kind, Outage.kind)))
