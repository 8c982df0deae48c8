"""Gathering what the database holds, one participant at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from study_app.domain.participant import Kind, Participant
from study_app.domain.protocol import Study
from study_app.ports import ProtocolVersion, Rating, Unit
from study_app.services.lifecycle import current_status
from study_app.services.measures import Dossier
from study_app.services.world import World, draft_key, stored_version


@dataclass(frozen=True)
class Versions:
    """The versions of the study, by hash."""

    locked: tuple[ProtocolVersion, ...]
    """Oldest first; before launch the study file as it is now."""
    drafts: tuple[ProtocolVersion, ...]
    """Drafts that exported preview or simulated participants started with; what they named is not known any more."""
    studies: dict[str, Study]

    @property
    def newest(self) -> ProtocolVersion:
        """The version in force."""
        return self.locked[-1]

    @property
    def in_order(self) -> list[Study]:
        """All, the one in force first, so that its columns come first."""
        return [self.studies[version.study_hash] for version in (*reversed(self.locked), *self.drafts)]

    def study(self, study_hash: str) -> Study:
        """The version of that hash; the one in force where it was not kept."""
        return self.studies.get(study_hash, self.studies[self.newest.study_hash])


def versions_of(world: World, unit: Unit, people: Sequence[Participant] = ()) -> Versions:
    """The locked versions, before launch the study file as it is now, and the drafts that these people started with."""
    locked = tuple(unit.versions()) or (
        ProtocolVersion(world.study_hash, world.study.canonical(), dict(world.content.materials()), 1, world.now(), ""),
    )
    known = {version.study_hash for version in locked}
    hashes = dict.fromkeys(person.study_hash for person in people if person.study_hash not in known)
    drafts = tuple(
        ProtocolVersion(study_hash, text, {}, 1, world.now(), "draft")
        for study_hash in hashes
        if (text := unit.meta(draft_key(study_hash))) is not None
    )
    return Versions(locked, drafts, {v.study_hash: stored_version(v.study_hash, v.text) for v in (*locked, *drafts)})


def included(unit: Unit, kinds: Sequence[Kind]) -> list[Participant]:
    """Participants of these kinds, in order of enrolment."""
    return [person for person in unit.participants() if person.kind in kinds]


def newest(ratings: Iterable[Rating]) -> dict[tuple[str, str], dict[str, Rating]]:
    """(id of what was judged, rubric) -> rater -> their newest judgement, oldest first."""
    found: dict[tuple[str, str], dict[str, Rating]] = {}
    for rating in sorted(ratings, key=lambda rating: rating.rated_at):
        by_rater = found.setdefault(
            (rating.object.removeprefix("turn:").removeprefix("participant:"), rating.rubric), {}
        )
        by_rater.pop(rating.rater, None)
        by_rater[rating.rater] = rating
    return found


def dossiers(world: World, unit: Unit, people: Sequence[Participant], versions: Versions) -> Iterator[Dossier]:
    """One dossier after the other; no more than one participant's events are in memory at once."""
    ratings = newest(unit.ratings())
    for person in people:
        gone = person.data_withdrawn
        yield Dossier(
            participant=person,
            status=current_status(world, person),
            study=versions.study(person.study_hash),
            visits=[] if gone else unit.visits(person.id),
            runs=[] if gone else unit.runs(person.id),
            turns=[] if gone else unit.turns(person.id),
            answers=[] if gone else unit.answers(person.id),
            events=[] if gone else list(unit.events(person.id)),
            ratings=ratings,
        )
