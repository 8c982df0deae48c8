"""Gathering what the database holds, one participant at a time."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from study_app.dataset.measures.record import Content, ParticipantRecord, newest
from study_app.dataset.schema import types_over_versions
from study_app.domain.events import Event
from study_app.domain.events.heard import last_heard
from study_app.domain.records import Kind, Participant, ProtocolVersion
from study_app.domain.study.interviewing.placement import topics_of
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext, draft_key, stored_version
from study_app.services.participant_status import current_status

OBJECTS_BETWEEN = 500_000
"""Objects that are made between two searches for circular garbage."""
_USUALLY = gc.get_threshold()


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for circular garbage rarely: millions of events are read, and searching them takes a third of the time.

    Nothing of an event refers back to it, so that their memory is free as soon as a participant is written.
    """
    gc.set_threshold(OBJECTS_BETWEEN, *_USUALLY[1:])
    try:
        yield
    finally:
        # Not what was found before: of two exports at once the second would find what the first has set.
        gc.set_threshold(*_USUALLY)


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
        return [self.studies[study_hash] for study_hash in self.hashes]

    @property
    def hashes(self) -> list[str]:
        """Of all, in the same order."""
        return [version.study_hash for version in (*reversed(self.locked), *self.drafts)]

    def study(self, study_hash: str) -> Study:
        """Return the version of that hash; the one in force where it was not kept."""
        return self.studies.get(study_hash, self.studies[self.newest.study_hash])


def versions_of(context: StudyContext, unit: UnitOfWork, people: Sequence[Participant] = ()) -> Versions:
    """Return the locked versions, before launch the study file as it is now, and the drafts these people began with."""
    locked = tuple(unit.versions()) or (
        ProtocolVersion(
            context.study_hash, context.study.canonical(), dict(context.content.materials()), 1, context.now(), ""
        ),
    )
    known = {version.study_hash for version in locked}
    hashes = dict.fromkeys(person.study_hash for person in people if person.study_hash not in known)
    drafts = tuple(
        ProtocolVersion(study_hash, text, {}, 1, context.now(), "draft")
        for study_hash in hashes
        if (text := unit.meta(draft_key(study_hash))) is not None
    )
    return Versions(locked, drafts, {v.study_hash: stored_version(v.study_hash, v.text) for v in (*locked, *drafts)})


class VersionContents:
    """Content of each version, as those who started with it met it."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._by_hash: dict[str, Content] = {}

    def of(self, study_hash: str) -> Content:
        """Return the content of a version; of one that was not kept, that of now."""
        if study_hash not in self._by_hash:
            self._by_hash[study_hash] = Content(self._context.edition(study_hash).content)
        return self._by_hash[study_hash]

    def quiz_types(self, versions: Versions) -> dict[str, list[str]]:
        """Return the types of items of each quiz, each version's from its own item banks."""
        studies = zip(versions.in_order, versions.hashes, strict=True)
        return types_over_versions((study, self.of(study_hash).bank) for study, study_hash in studies)

    def acts(self, versions: Versions) -> bool:
        """Return whether an assistant of any version acts."""
        return any(
            spec.acts
            for study_hash in versions.hashes
            for spec in self._context.edition(study_hash).content.specs.values()
        )

    def topics(self) -> tuple[str, ...]:
        """Return the topics of the interviews, as the study's plans have them now: the materials hold those plans."""
        content = self._context.content
        return topics_of(content.plan(file) for file in content.plan_files)


def included(unit: UnitOfWork, kinds: Sequence[Kind]) -> list[Participant]:
    """Participants of these kinds, in order of enrolment."""
    return [person for person in unit.participants() if person.kind in kinds]


def participant_records(
    context: StudyContext, unit: UnitOfWork, people: Sequence[Participant], versions: Versions
) -> Iterator[ParticipantRecord]:
    """Yield one record after the other; no more than one participant's events are in memory at once."""
    # Read once: nothing says of a rating whose it is, so that each person would need all of them.
    ratings = newest(unit.ratings())
    for person in people:
        # Their visits are in the database still, as moments without a word; out of it goes nothing of them.
        gone = person.data_withdrawn
        events = list(unit.events(person.id))
        yield ParticipantRecord(
            participant=person,
            status=current_status(context, _as_logged(person, events)),
            study=versions.study(person.study_hash),
            visits=[] if gone else unit.visits(person.id),
            runs=[] if gone else unit.runs(person.id),
            turns=[] if gone else unit.turns(person.id),
            answers=[] if gone else unit.answers(person.id),
            events=[] if gone else events,
            ratings=ratings,
        )


def _as_logged(person: Participant, events: Sequence[Event]) -> Participant:
    """Return a person as last heard of by the log: `last_seen_at` changes with each request and is in no chain."""
    return replace(person, last_seen_at=last_heard(events, person.enrolled_at))
