"""A trial's life: draft, launched, closed, unsealed; every step recorded, none undone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from study_app.domain.errors import NotAllowed, Problem, ProblemsFound, present
from study_app.domain.events.server import Excluded
from study_app.domain.ledger import Anchor, LedgerRow, head
from study_app.domain.ledger.commitment import commitment_of
from study_app.domain.records import AuditEntry, Participant, ProtocolVersion
from study_app.domain.study.amending.changes import StudyChange, material_changes, study_changes
from study_app.domain.study.amending.frozen import frozen_problems
from study_app.domain.trial_state import State
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext, keep_codes, stored_values, stored_version
from study_app.services.operation.head_signing import HEAD_KEY
from study_app.services.operation.package_watch import PACKAGES
from study_app.services.participant_status import CLOSED_WAVE, closed_wave, is_under_way
from study_app.services.places import LOCK_ALLOCATION
from study_app.services.reasons import ERASED_REASON, add_act, require_reason
from study_app.services.researcher.faults_of_before import faults_of_before
from study_app.services.researcher.fitness import launch_problems, study_problems
from study_app.services.researcher.interim.kept import kept_looks, open_looks
from study_app.services.researcher.registration import preregistration
from study_app.services.retrying import retried
from study_app.services.version_content import keep_content, kept_texts

_LINKS = "linked_folders:"
"""Begins the fact that names, of a locked version, the links to folders that it had."""


@dataclass(frozen=True)
class Launched:
    """What `launch` gives to the researcher."""

    study_hash: str
    commitment: str
    prereg: dict[str, Any]
    """prereg.json."""
    prereg_text: str
    """prereg.md."""
    recovery_copy: str
    """Shown once."""


class Lifecycle:
    """The steps of a trial's life."""

    def __init__(
        self,
        context: StudyContext,
        end_if_silent: Callable[[UnitOfWork, Participant, int | None], bool] = lambda _unit, _person, _last: False,
    ) -> None:
        """Make them; `end_if_silent` ends the way of who fell silent up to a session, and is false of who did not."""
        self.context = context
        self._end_if_silent = end_if_silent

    def check_draft(self) -> None:
        """Refuse what only a draft can do.

        Raises:
            NotAllowed: the study is launched already.
        """
        with self.context.registry.begin(write=False) as unit:
            self._check_draft(unit)

    def _check_draft(self, unit: UnitOfWork) -> None:
        if self.context.state(unit) != "draft":
            raise NotAllowed(f"a study is launched once; this one is {_state_and_remedy(self.context.state(unit))}")

    def launch(self, who: str = "cli") -> Launched:
        """Lock the protocol: its hash, the sealed seed and the seed's commitment.

        Raises:
            ProblemsFound: the study is not fit for real participants.
            NotAllowed: it is launched already.
        """
        study = self.context.study
        with self.context.registry.begin() as unit:
            # One act of a trial's life at a time: two launches, one from the console, would draw two seeds.
            unit.lock("life")
            self._check_draft(unit)
            problems = launch_problems(self.context)
            if problems:
                raise ProblemsFound(problems)
            # Drawn in the launch itself: no one can look at a sequence first and launch with another seed instead.
            seed = self.context.seal.new_seed()
            promise = commitment_of(seed, study)
            sealed_signing_key, export_key = self.context.seal.new_signing_key()
            head_key = self.context.seal.new_seed()
            chain_key = hashlib.sha256(head_key).hexdigest()
            now = self.context.now()
            packages = dict(self.context.package_versions())
            keys = (promise, export_key, chain_key)
            document, text = preregistration(study, self.context.content, self.context.study_hash, *keys, now, packages)
            for key, value in {
                "state": "launched",
                "study_id": study.id,
                "sealed_seed": self.context.seal.seal(seed),
                "commitment": promise,
                "launched_at": now.isoformat(timespec="milliseconds"),
                "sealed_signing_key": sealed_signing_key,
                HEAD_KEY: self.context.seal.seal(head_key),
                "prereg_text": text,
            }.items():
                unit.set_meta(key, value)
            unit.set_meta_value("prereg", document)
            unit.set_meta_value(PACKAGES, packages)
            self._lock_version(unit, "launch")
            self._audit(unit, who, "launch", "", {"study_hash": self.context.study_hash, "commitment": promise})
            # This transaction still holds the heads of before: it signs them itself, every later one by the registry.
            self.context.registry.sign_heads(head_key)
            unit.sign_heads(head_key)
        return Launched(self.context.study_hash, promise, document, text, self.context.seal.recovery_copy())

    def amend(self, reason: str, who: str = "cli") -> None:
        """Take the study file as it is now for everybody who comes from now on.

        Raises:
            ProblemsFound: a launch would refuse the study as it is now, or something differs that is fixed for ever.
            NotAllowed: nothing changed, not launched, or something that may never change did.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            unit.lock("life")
            if self.context.state(unit) != "launched":
                raise NotAllowed(
                    f"only a launched study is amended; this one is {_state_and_remedy(self.context.state(unit))}"
                )
            current = unit.versions()[-1]
            if current.study_hash == self.context.study_hash:
                raise NotAllowed("the study file is the locked one; change it first, then amend")
            if unit.meta("study_id") != self.context.study.id:
                raise NotAllowed("an amendment cannot change the study's id; start another study with another database")
            problems = self._amendment_problems(unit, current)
            if problems:
                raise ProblemsFound(problems)
            self._lock_version(unit, reason)
            unit.set_meta_value(PACKAGES, dict(self.context.package_versions()))
            detail = {"from": current.study_hash, "to": self.context.study_hash}
            self._audit(unit, who, "amend", reason, detail)

    def _amendment_problems(self, unit: UnitOfWork, current: ProtocolVersion) -> list[Problem]:
        """Return what keeps the study file as it is now from being the next version."""
        locked = stored_version(current.study_hash, current.text)
        looked = bool(kept_looks(unit, "real"))
        frozen = frozen_problems(locked, self.context.study, "study.toml", looked=looked)
        # How arms are drawn is fixed for ever: what a newer version has against it keeps no amendment back.
        passed = self._faults_of_before(unit, current)
        found = [each for each in study_problems(self.context) if not each.key.startswith("allocation.")]
        return frozen + [each for each in found if each not in passed]

    def _faults_of_before(self, unit: UnitOfWork, current: ProtocolVersion) -> list[Problem]:
        locked = stored_version(current.study_hash, current.text)
        links = unit.meta_value(_LINKS + current.study_hash)
        study, content = self.context.study, self.context.content
        return faults_of_before(locked, current.materials, study, content, "study.toml", links=links)

    def passed_over(self) -> tuple[list[Problem], Mapping[str, str]]:
        """Return the findings that an amendment passes over, for the locked version has them too; and its texts."""
        with self.context.registry.begin(write=False) as unit:
            current = unit.versions()[-1]
            texts = kept_texts(unit, current.study_hash)
            return self._faults_of_before(unit, current), texts

    def amendment(self) -> tuple[list[StudyChange], list[Problem]]:
        """Return what `amend` would change, and what it would refuse.

        Raises:
            NotAllowed: the study is not launched.
        """
        with self.context.registry.begin(write=False) as unit:
            if self.context.state(unit) != "launched":
                raise NotAllowed(
                    f"only a launched study is amended; this one is {_state_and_remedy(self.context.state(unit))}"
                )
            current = unit.versions()[-1]
            texts = kept_texts(unit, current.study_hash)
            problems = self._amendment_problems(unit, current)
        changes = study_changes(stored_values(current), self.context.study.published())
        content = self.context.content
        changes += material_changes(current.materials, content.materials(), texts, content.texts())
        return changes, problems

    def close(self, reason: str, who: str = "cli") -> Anchor | None:
        """No more enrolment; returns the ledger's end, to be written down elsewhere, or None where it is empty.

        Raises:
            NotAllowed: the study is not launched.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            unit.lock("life")
            if self.context.state(unit) != "launched":
                raise NotAllowed(
                    f"only a launched study is closed; this one is {_state_and_remedy(self.context.state(unit))}"
                )
            return self._close(unit, reason, who)

    def _close(self, unit: UnitOfWork, reason: str, who: str) -> Anchor | None:
        unit.set_meta("state", "closed")
        unit.set_meta("closed_at", self.context.now().isoformat(timespec="milliseconds"))
        # Those who are in progress go on and may still be allocated: this is an anchor for what came before.
        anchor = head(LedgerRow.parse(row) for row in unit.allocations("real"))
        detail = {"ledger_head": anchor.row_hash if anchor else None, "allocated": anchor.index if anchor else 0}
        self._audit(unit, who, "close", reason, detail)
        return anchor

    @retried
    def close_wave(self, number: int, reason: str, who: str = "cli") -> int:
        """End enrolment and every session up to this one, so that what they gave can be analysed while later ones run.

        Returns:
            How many participants who had fallen silent in one of them have left by it.

        Raises:
            NotAllowed: there is no such session, people are allocated later, or some are still in one of them.
        """
        require_reason(reason)
        study = self.context.study
        if not 1 <= number <= len(study.sessions):
            raise NotAllowed(f"this study has {len(study.sessions)} session(s); there is no wave {number}")
        if study.allocation_stage is not None and study.wave(study.allocation_stage) > number:
            raise NotAllowed(f"participants are allocated in session {study.wave(study.allocation_stage)}; close that")
        second = study.wave(study.stage(study.second_decision.stage)) if study.second_decision else 0
        if second > number:
            # Unsealing after this wave publishes the seed that the second decision of those to come rests on, too.
            raise NotAllowed(f"participants are randomised a second time in session {second}; close that")
        with self.context.registry.begin() as unit:
            unit.lock("life")
            state = self.context.state(unit)
            # Unsealed after an earlier wave, the later ones still run.
            if state == "draft" or (state == "unsealed" and not closed_wave(unit)):
                raise NotAllowed(
                    f"only a launched or closed study's waves are closed; this one is {_state_and_remedy(state)}"
                )
            if closed_wave(unit) >= number:
                raise NotAllowed(f"wave {number} is closed already")
            busy, left = self._end_silent(unit, number)
            if busy:
                raise NotAllowed(
                    f"{len(busy)} participant(s) are still in a session up to this one ({', '.join(busy[:3])}...); "
                    f"wait until they have finished it, or for {study.recruitment.abandoned_after_hours:g} hours "
                    "of silence"
                )
            if state == "launched":
                self._close(unit, reason, who)
            # A wave stays closed though later ones run: from here on its rows are what an analysis may rest on.
            unit.set_meta(CLOSED_WAVE, str(number))
            detail = {"wave": number, "session": study.sessions[number - 1].id, "abandoned": left}
            self._audit(unit, who, "close wave", reason, detail)
        return left

    def _end_silent(self, unit: UnitOfWork, last: int | None) -> tuple[list[str], int]:
        """End the ways of real participants who fell silent up to a session; who is still in one, and how many left."""
        # No allocation under way meanwhile: who waits for this lock finds that they have left.
        unit.lock(f"{LOCK_ALLOCATION}:real")
        under_way = [person for person in unit.participants() if person.kind == "real" and not person.over]
        busy = [person.id for person in under_way if not self._end_if_silent(unit, person, last)]
        return busy, sum(unit.known_participant(person.id).status == "abandoned" for person in under_way)

    def not_allocated_yet(self) -> int:
        """Real participants in progress who may still be allocated; also excluded ones, whose session goes on."""
        with self.context.registry.begin(write=False) as unit:
            people = [person for person in unit.participants() if person.kind == "real" and person.arm is None]
        return sum(is_under_way(self.context, person) for person in people)

    @retried
    def unseal(self, reason: str, who: str = "cli") -> int:
        """Show arms and seed.

        Returns:
            How many participants who had fallen silent have left by it.

        Raises:
            NotAllowed: not closed, or participants are still in progress.
            SealingKeyMissing: the seed cannot be opened.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            unit.lock("life")
            if self.context.state(unit) != "closed":
                raise NotAllowed(
                    f"only a closed study is unsealed; this one is {_state_and_remedy(self.context.state(unit))}"
                )
            # People of a later session than the last closed wave go on: what is analysed now is locked.
            busy, left = self._end_silent(unit, closed_wave(unit) or None)
            if busy:
                raise NotAllowed(
                    f"{len(busy)} participant(s) are still in progress ({', '.join(busy[:3])}...); wait until they "
                    f"have finished, or for {self.context.study.recruitment.abandoned_after_hours:g} hours of silence"
                )
            # First of all writes: without the key nothing may be marked as unsealed.
            seed = self.context.seal.open(present(unit.meta("sealed_seed"), "the sealed seed"))
            unit.set_meta("revealed_seed", seed.hex())
            open_looks(unit, self.context.seal)
            unit.set_meta("state", "unsealed")
            self._audit(unit, who, "unseal", reason, {"seed": seed.hex(), "abandoned": left})
        return left

    def exclude(self, participant_id: str, reason: str, who: str) -> None:
        """Exclude a participant from the analysis, blind to their arm; recorded with its reason.

        Of a person whose data were deleted the reason is not kept.

        Raises:
            NotAllowed: no reason, no such participant, or the arms are known.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            # Of two at the same moment the second would put its reason in the place of the first.
            unit.lock("life")
            participant = unit.participant(participant_id)
            if participant is None:
                raise NotAllowed(f"there is no participant {participant_id}")
            # An erasure is seen or waits. It leaves of an exclusion the act, who did it and when, for a reason could
            # repeat what was erased: so also of one that comes after it.
            participant = unit.hold(participant)
            reason = ERASED_REASON if participant.data_withdrawn else reason
            if participant.kind == "real" and self.context.state(unit) == "unsealed":
                what = "the arms are known, so that no exclusion is blind any more"
                raise NotAllowed(f"{what}; report the primary analysis with this participant, and one without as well")
            if participant.exclusion_reason is not None:
                raise NotAllowed(f"this participant is excluded already: {participant.exclusion_reason}")
            unit.touch(participant_id, exclusion_reason=reason)
            now = self.context.now()
            unit.record(participant_id, participant.stage, now, Excluded(reason=reason, who=who))
            add_act(unit, AuditEntry(now, who, "exclude", reason, {"participant_id": participant_id}), [participant_id])

    def unblind(self, participant_id: str, reason: str, who: str) -> str:
        """Show one participant's arm; recorded and reported.

        Raises:
            NotAllowed: no reason, no such participant, or not allocated.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            participant = unit.participant(participant_id)
            if participant is None or participant.arm is None:
                raise NotAllowed(f"participant {participant_id} is not known or not allocated")
            # Of people before the launch, and of simulated ones, arms are shown anyway: only a real one is unblinded.
            detail = {"participant_id": participant_id, "kind": participant.kind}
            entry = AuditEntry(self.context.now(), who, "unblind", reason, detail)
            add_act(unit, entry, [participant_id])
            return participant.arm

    def audit(self, who: str, what: str, why: str = "", detail: Mapping[str, Any] | None = None) -> None:
        """Record an act that changes or shows data."""
        with self.context.registry.begin() as unit:
            self._audit(unit, who, what, why, detail or {})

    def _audit(self, unit: UnitOfWork, who: str, what: str, why: str, detail: Mapping[str, Any]) -> None:
        unit.add_audit(AuditEntry(self.context.now(), who, what, why, dict(detail)))

    def _lock_version(self, unit: UnitOfWork, reason: str) -> None:
        # Within the act that locks it: people keep the version that they begin with, and its files may change tomorrow.
        keep_codes(unit, self.context.study, self.context.study_hash)
        keep_content(unit, self.context.study_hash, self.context.content)
        unit.set_meta_value(_LINKS + self.context.study_hash, sorted(self.context.content.linked_folders()))
        unit.add_version(
            ProtocolVersion(
                study_hash=self.context.study_hash,
                text=self.context.study.canonical(),
                materials=dict(self.context.content.materials()),
                # From which row of the ledger on it holds: who was allocated before was allocated by another version.
                from_index=len(unit.allocations("real")) + 1,
                locked_at=self.context.now(),
                reason=reason,
            )
        )


def _state_and_remedy(state: State) -> str:
    """Return a state, and what can be done in it."""
    remedies = {
        "draft": "its file may change freely; when it is ready, study launch",
        "launched": "record a change with study amend, end enrolment with study close",
        "closed": "once no participant is in progress, run study unseal",
        "unsealed": "nothing changes it any more; study export shows everything",
    }
    return f"{state}; {remedies[state]}"
