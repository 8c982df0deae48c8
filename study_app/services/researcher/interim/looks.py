"""Interim looks: each taken once, at its planned number of people, recorded; what it found stays sealed until the end.

The services hand out a dataset and keep what the analysis made of it; they compute no effect. The audit log holds the
digest of every result, the database the result itself, encrypted under the sealing key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from study_app.domain.errors import NotAllowed, SealingKeyMissing, present
from study_app.domain.records import AuditEntry, Kind, Participant
from study_app.domain.study.plan_sections import Stopping
from study_app.domain.study.study import canonical_json
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.grading.scoring import INCONCLUSIVE, QuizScoring
from study_app.services.grading.submissions import Grading
from study_app.services.participant_status import current_status
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.interim.kept import keep_looks, kept_looks

ACT = "interim look"
"""The verb in the audit log."""
NOT_COUNTED = ("excluded", "in_progress")


@dataclass(frozen=True)
class DueLook:
    """A look that may be taken now."""

    look: int
    """Its place among the planned looks, from 1."""
    n: int
    """People whose outcomes are known."""
    target: int
    kind: Kind

    @property
    def information(self) -> float:
        """Fraction of the planned information; a look before the end never counts as the end."""
        return self.n / self.target


@dataclass(frozen=True)
class PlannedLook:
    """A look of the plan, as anyone at the console may see it: nothing that it found."""

    look: int
    due: int
    """People with known outcomes from which on it may be taken."""
    known: int
    """People whose outcomes are known now."""
    taken_at: str = ""
    n: int | None = None
    decision: str = ""


class InterimLooks:
    """Takes looks at real participants, or at simulated ones to rehearse them."""

    def __init__(self, context: StudyContext, grading: Grading, scoring: QuizScoring) -> None:
        self.context = context
        self._grading = grading
        self._scoring = scoring

    def due(self, kind: Kind, look: int | None = None) -> DueLook:
        """Return the look that may be taken now.

        Args:
            kind: whose outcomes; real, or simulated for a rehearsal.
            look: the look that is meant; None for the one that is due.

        Raises:
            NotAllowed: no looks are planned, none is due, it was taken, the trial has ended, outcomes wait for their
                grades, or the sealing key is missing.
        """
        # First: outcomes that wait only for this server would otherwise keep the look from being due.
        self._grading.grade_pending()
        self._scoring.score_pending()
        with self.context.registry.begin(write=False) as unit:
            rule = self.context.study.analysis.stopping
            if not rule.interim:
                raise NotAllowed("the plan has no interim looks; they are written under [analysis.stopping]")
            if kind == "real":
                self._check_life(unit)
            people = [person for person in unit.participants() if self._counts(person, kind)]
            found = self._chosen(rule, kept_looks(unit, kind), len(people), look, kind)
            _check_grades(unit, {person.id for person in people})
        return found

    def planned(self, kind: Kind) -> list[PlannedLook]:
        """Return the plan's looks before the final analysis: when each is due, and whether it was taken."""
        rule, target = self.context.study.analysis.stopping, self.context.study.recruitment.target_n
        if not rule.interim:
            return []
        with self.context.registry.begin(write=False) as unit:
            taken = {entry["look"]: entry for entry in kept_looks(unit, kind)}
            known = sum(self._counts(person, kind) for person in unit.participants())
        found = []
        for look in range(1, len(rule.interim) + 1):
            plain = PlannedLook(look, rule.due_at(look, target), known)
            entry = taken.get(look)
            more = {"taken_at": entry["at"][:10], "n": entry["n"], "decision": entry["decision"]} if entry else {}
            found.append(replace(plain, **more))
        return found

    def _check_life(self, unit: UnitOfWork) -> None:
        state = self.context.state(unit)
        if state == "draft":
            raise NotAllowed("the study is a draft, so no real participant is there; rehearse a look with --simulated")
        if state != "launched":
            raise NotAllowed(f"the trial is {state}: looks are over; the final analysis is study unseal, then analyze")
        try:
            # Opened and thrown away: who has the key could unseal the trial, and only they may look.
            self.context.seal.open(present(unit.meta("sealed_seed"), "the sealed seed"))
        except SealingKeyMissing as error:
            raise NotAllowed(f"a look needs the right to unseal, which is the sealing key: {error}") from None

    def _counts(self, person: Participant, kind: Kind) -> bool:
        known = person.kind == kind and person.arm is not None and not person.data_withdrawn
        return known and current_status(self.context, person) not in NOT_COUNTED

    def _chosen(
        self, rule: Stopping, taken: list[dict[str, Any]], n: int, look: int | None, kind: Kind
    ) -> DueLook:  # fmt: skip
        target = self.context.study.recruitment.target_n
        dates = {entry["look"]: entry["at"][:10] for entry in taken}
        last = max(dates, default=0)
        reached = [place for place in range(1, len(rule.interim) + 1) if rule.due_at(place, target) <= n]
        if look is not None and not 1 <= look <= len(rule.interim):
            raise NotAllowed(f"--look: the plan has looks 1 to {len(rule.interim)} before the final analysis")
        if look in dates:
            raise NotAllowed(f"look {look} was taken on {dates[look]}; a look is taken once")
        # Without new people a second look would test the same data again.
        if taken and taken[-1]["n"] >= n:
            raise NotAllowed(f"look {last} was taken on {dates[last]} with {n} people, and there are no more since")
        if n >= target:
            raise NotAllowed(f"all {target} planned people have finished: what is left is the final analysis")
        if last == len(rule.interim):
            raise NotAllowed(f"every planned look was taken, the last on {dates[last]}; what is left is the final one")
        # The latest that is reached: one that was missed is not taken any more, for its number of people is past.
        due = max(reached, default=0)
        following = look or max(last, due) + (due <= last)
        if due <= last or (look is not None and look > due):
            share, needed = rule.looks[following - 1], rule.due_at(following, target)
            raise NotAllowed(
                f"look {following} is due at {needed} of {target} people with known outcomes ({share:.0%}); "
                f"there are {n}"
            )
        if look is not None and look != due:
            raise NotAllowed(f"look {look} was not taken when it was due; {n} people have finished, so look {due} is")
        return DueLook(due, n, target, kind)

    def dataset(self, due: DueLook, folder: Path) -> Path:
        """Write the dataset of a look, arms and earlier looks included, for the analysis alone.

        Args:
            due: the look.
            folder: private and short-lived: the dataset tells everybody's arm.
        """
        target = folder / "dataset"
        export(self.context, target, only=due.kind)
        return target

    def record(self, due: DueLook, result: Mapping[str, Any], who: str = "cli") -> dict[str, Any]:
        """Keep what a look found, and say in the audit log that it was taken.

        Raises:
            NotAllowed: another process took it meanwhile, or the trial has ended.
        """
        with self.context.registry.begin() as unit:
            # The analysis ran without a lock, for it takes minutes: what was true when it began is asked anew.
            unit.lock("life")
            if due.kind == "real":
                self._check_life(unit)
            taken = kept_looks(unit, due.kind)
            if any(entry["look"] >= due.look for entry in taken):
                raise NotAllowed(f"look {due.look} was taken meanwhile by another process; a look is taken once")
            at = self.context.now()
            facts = {
                **asdict(due), "information": due.information, "at": at.isoformat(timespec="milliseconds"),
                "study_hash": self.context.study_hash, "decision": result["decision"], "boundary": result["boundary"],
            }  # fmt: skip
            # Salted: few results are possible, and their digests could be tried one by one against the audit log's.
            whole = {**facts, "result": dict(result), "salt": self.context.seal.new_salt()}
            text = canonical_json(whole)
            digest = hashlib.sha256(text.encode()).hexdigest()
            hidden = due.kind == "real"
            kept = {"sealed": self.context.seal.seal(text.encode())} if hidden else {"opened": whole}
            keep_looks(unit, due.kind, [*taken, {**facts, "digest": digest, **kept}])
            self._audit(unit, who, {**facts, "digest": digest})
        return {**facts, "digest": digest}

    def _audit(self, unit: UnitOfWork, who: str, facts: Mapping[str, Any]) -> None:
        """Say in the audit log that a look was taken and what was decided; not what was seen."""
        unit.add_audit(AuditEntry(self.context.now(), who, ACT, "", dict(facts)))


def _check_grades(unit: UnitOfWork, people: set[str]) -> None:
    """Refuse a look while outcomes of people who count wait for a grade.

    Raises:
        NotAllowed: some do.
    """
    waiting = [answer for answer in unit.unscored() if answer.participant_id in people]
    answers = sum(answer.scored_by != INCONCLUSIVE for answer in waiting)
    programs = sum(run.participant_id in people for run in unit.ungraded())
    named = [f"{answers} quiz answer(s)"] * bool(answers) + [f"{programs} submission(s)"] * bool(programs)
    if named:
        raise NotAllowed(f"{' and '.join(named)} wait for a grade; grade them on the console, then look")
