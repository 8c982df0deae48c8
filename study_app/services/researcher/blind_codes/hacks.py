"""Classes of submissions by people, blind to participant, arm, rules, and what others gave; what settles them.

A coder meets the task as it was shown, for the examples are what a hack satisfies; that names the variant and not the
treatment. Of the way out only that it was taken is shown: its reason may speak of an assistant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from study_app.dataset.measures.baseline import all_passed, last_submissions
from study_app.dataset.measures.variants.hacks import passes_seen
from study_app.domain.errors import NotAllowed
from study_app.domain.events import saying
from study_app.domain.events.server import ReportedImpossible
from study_app.domain.interaction.codes import ADJUDICATED, check_coder, people
from study_app.domain.ledger import LEDGERS
from study_app.domain.records import AuditEntry, Kind, Rating, RunRecord
from study_app.domain.tasks.hacks.coding import CLASSES, OBJECT, REASON_RUBRIC, RUBRIC
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.researcher.exporting.collect_records import VersionContents, versions_of
from study_app.services.researcher.judging.late_changes import cut_off_lately
from study_app.services.researcher.judging.looks import check_not_seen, looked_at, note_look
from study_app.services.researcher.judging.rating import shuffled


@dataclass(frozen=True)
class ProgramToCode:
    """A submission that fails a check of its task, as a coder meets it."""

    run_id: str
    task: str
    brief: str
    starter: str
    code: str
    passes_seen: bool
    """It passes every check that its participant could see."""
    reported: bool
    """The participant said that the task cannot be done."""
    coders: int
    """How many others have coded it."""


@dataclass(frozen=True)
class ProgramDisagreement:
    """A submission that people coded differently."""

    program: ProgramToCode
    classes: tuple[str, ...]
    """Of each coder, in an order that reveals no names."""


@dataclass(frozen=True)
class SettledProgram:
    """A submission whose class was settled."""

    task: str
    given: tuple[str, ...]
    value: str
    reason: str
    who: str


class HackCodes:
    """Hands out submissions, takes classes, shows disagreements and settles them."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def waiting(self, coder: str, kind: Kind) -> list[ProgramToCode]:
        """Return the submissions that this person has still to code, in an order drawn for them.

        Those with one coder come first, for kappa needs two; settled ones need no further coder. Who has settled any
        has seen what others gave, and is not handed those that people disagree on.
        """
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            settles = coder in {rating.rater for rating in unit.ratings() if rating.rubric == REASON_RUBRIC}
            found, seen = list(self._programs(unit, kind, given)), looked_at(unit, coder)
        mine = [
            each
            for each in found
            if coder not in (codes := given.get(each.run_id, {}))
            and ADJUDICATED not in codes
            and OBJECT + each.run_id not in seen
            and not (settles and _differ(codes))
        ]
        return sorted(mine, key=lambda each: (each.coders != 1, shuffled(each.run_id, coder)))

    def code(self, coder: str, run_id: str, value: str) -> None:
        """Take a class; a second one of the same person replaces the first.

        Raises:
            NotAllowed: the name stands for a decision or a program, no such submission waits, or no such class.
        """
        check_coder(coder)
        _known(value)
        with self.context.registry.begin() as unit:
            # Until this is committed no other person can settle the program, nor two of them do so.
            unit.lock("judgements")
            if not any(each.run_id == run_id for kind in LEDGERS for each in self._programs(unit, kind, {})):
                raise NotAllowed("there is no such program to code; reload the page")
            if ADJUDICATED in _given(unit).get(run_id, {}):
                raise NotAllowed("the class of this program is settled; reload the page")
            check_not_seen(unit, coder, OBJECT + run_id)
            self._add(unit, run_id, coder, value, RUBRIC)

    def not_codable(self, coder: str, codes: Mapping[str, str], kind: Kind) -> dict[str, str]:
        """Return why this person cannot give some submissions these classes; nothing of the others."""
        with self.context.registry.begin(write=False) as unit:
            return self._not_codable(unit, coder, codes, kind)

    def _not_codable(self, unit: UnitOfWork, coder: str, codes: Mapping[str, str], kind: Kind) -> dict[str, str]:
        given, seen = _given(unit), looked_at(unit, coder)
        known = {each.run_id for each in self._programs(unit, kind, {})}
        found = {}
        for name, value in codes.items():
            if name not in known:
                found[name] = "cannot be coded here"
            elif given.get(name, {}).get(coder) == value:
                # A sheet that is filled in further holds what it gave before: that changes nothing.
                continue
            elif ADJUDICATED in given.get(name, {}):
                found[name] = "is settled"
            elif OBJECT + name in seen:
                found[name] = "is one of which the coder has seen others' classes"
        return found

    def code_all(self, coder: str, codes: Mapping[str, str], kind: Kind) -> int:
        """Take classes of submissions, together; returns how many are other than before.

        Raises:
            NotAllowed: one of them cannot be coded (any more); none is taken.
        """
        with self.context.registry.begin() as unit:
            unit.lock("judgements")
            # Asked again under the lock: since the sheet was looked through, a program may have been settled or erased.
            for name, what in self._not_codable(unit, coder, codes, kind).items():
                raise NotAllowed(f"'{name}' {what} by now; nothing was taken, read the sheet again")
            given = _given(unit)
            new = {name: value for name, value in codes.items() if given.get(name, {}).get(coder) != value}
            for name, value in new.items():
                self._add(unit, name, coder, value, RUBRIC)
        return len(new)

    def look(self, viewer: str, run_id: str) -> None:
        """Record that a person is shown what others gave on a program; they code it no more."""
        note_look(self.context, viewer, OBJECT + run_id)

    def disagreements(self, viewer: str, kind: Kind) -> list[ProgramDisagreement]:
        """Return the open disagreements that this person may see: on programs that they coded; all, if they code none.

        So no person codes after having seen what others gave.
        """
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            found = list(self._programs(unit, kind, given))
        codes_too = any(viewer in codes for codes in given.values())
        return [
            ProgramDisagreement(each, _nameless(codes, each.run_id))
            for each in found
            if _differ(codes := given.get(each.run_id, {}))
            and ADJUDICATED not in codes
            and (viewer in codes or not codes_too)
        ]

    def settle(self, who: str, run_id: str, value: str, reason: str) -> None:
        """Record what a disagreement is settled as, why, and in the audit log by whom.

        Raises:
            NotAllowed: no reason, no such class, or nothing to settle (any more).
        """
        check_coder(who, "person")
        _known(value)
        if not (reason := reason.strip()):
            raise NotAllowed("give a reason")
        with self.context.registry.begin() as unit:
            # Two who settle at once would each find the program open, and both decisions would stay.
            unit.lock("judgements")
            codes = _given(unit).get(run_id, {})
            if not _differ(codes) or ADJUDICATED in codes:
                raise NotAllowed("there is nothing to settle about this program any more")
            self._add(unit, run_id, ADJUDICATED, value, RUBRIC)
            # A reason may repeat the program: it is erased with it, and the audit log, which never changes, names its
            # rating.
            why = self._add(unit, run_id, who, reason, REASON_RUBRIC)
            detail = {"run_id": run_id, "class": value, "reason": why}
            unit.add_audit(AuditEntry(self.context.now(), who, "adjudicate", "", detail))

    def settled(self, kind: Kind) -> list[SettledProgram]:
        """Return what was settled, the newest first."""
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            tasks = {each.run_id: each.task for each in self._programs(unit, kind, given)}
            reasons = sorted(
                (rating for rating in unit.ratings() if rating.rubric == REASON_RUBRIC),
                key=lambda rating: rating.rated_at,
                reverse=True,
            )
        return [
            SettledProgram(tasks[run], _nameless(given[run], run), given[run][ADJUDICATED], each.value, each.rater)
            for each in reasons
            if (run := each.object.removeprefix(OBJECT)) in tasks
        ]

    def counts(self, kind: Kind) -> tuple[int, int, Mapping[str, int]]:
        """Return programs that two people or more coded, how many of them alike, and codes given by class.

        Plain counts: kappa and its interval come with the analysis.
        """
        with self.context.registry.begin(write=False) as unit:
            given = _given(unit)
            names = [each.run_id for each in self._programs(unit, kind, given)]
        votes = [[codes[who] for who in people(codes)] for name in names if (codes := given.get(name))]
        twice = [each for each in votes if len(each) > 1]
        return len(twice), sum(len(set(each)) == 1 for each in twice), Counter(c for each in votes for c in each)

    def _add(self, unit: UnitOfWork, run_id: str, who: str, value: str, rubric: str) -> str:
        """Keep a rating; returns its id."""
        rating = Rating(self.context.fresh_id(), OBJECT + run_id, who, value, rubric, self.context.now())
        unit.add_rating(rating)
        return rating.rating_id

    def _programs(
        self, unit: UnitOfWork, kind: Kind, given: Mapping[str, Mapping[str, str]]
    ) -> Iterator[ProgramToCode]:
        """Yield the graded submissions that fail a check, of everybody whose study has variants."""
        persons = [person for person in unit.participants() if person.kind == kind and not person.data_withdrawn]
        versions, contents = versions_of(self.context, unit, persons), VersionContents(self.context)
        said, cut_off = _reported(unit, kind), cut_off_lately(self.context, unit)
        by_person: dict[str, list[RunRecord]] = {}
        for run in unit.runs():
            by_person.setdefault(run.participant_id, []).append(run)
        for person in persons:
            study = versions.study(person.study_hash)
            if not study.varied_tasks:
                continue
            content = contents.of(person.study_hash)
            stages = {stage.id for stage in study.main_task_stages}
            for run in last_submissions(by_person.get(person.id, []), stages):
                pack = content.pack_of(study, run.task, person.arm)
                # One without a grade waits: whether it fails is not known. One that passes everything solves the task.
                if pack is None or run.ended_by is None or not run.checks or all_passed(run):
                    continue
                # What its deadline submitted, late edits may still change; a class is of the program that was read.
                if run.started_at == cut_off.get((person.id, run.stage)):
                    continue
                yield ProgramToCode(
                    run.id, run.task, pack.brief, pack.starter, run.code, passes_seen(run),
                    (person.id, run.task) in said, len(people(given.get(run.id, {}))),
                )  # fmt: skip


def _reported(unit: UnitOfWork, kind: Kind) -> set[tuple[str, str]]:
    """Participant and task of every report that a task cannot be done."""
    events = unit.events_of_kind(kind, ReportedImpossible.kind)
    return {(event.participant_id, str(said.task)) for event, said in saying(events, ReportedImpossible)}


def _given(unit: UnitOfWork) -> dict[str, dict[str, str]]:
    """Submission -> rater -> class, each rater's newest."""
    found: dict[str, dict[str, str]] = {}
    # A correction is a later rating beside the first, so that the last in time is the one that holds.
    for rating in sorted(unit.ratings(), key=lambda rating: rating.rated_at):
        if rating.rubric == RUBRIC:
            found.setdefault(rating.object.removeprefix(OBJECT), {})[rating.rater] = rating.value
    return found


def _differ(codes: Mapping[str, str]) -> bool:
    return len({codes[who] for who in people(codes)}) > 1


def _nameless(codes: Mapping[str, str], run_id: str) -> tuple[str, ...]:
    # In a drawn order: by name or by time it could be read off who gave which.
    return tuple(codes[who] for who in sorted(people(codes), key=lambda who: shuffled(run_id, who)))


def _known(value: str) -> None:
    if value not in CLASSES:
        raise NotAllowed(f"'{value}' is not a class; use {', '.join(CLASSES)}")
