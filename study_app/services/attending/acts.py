"""What a researcher does for one participant: each with a reason, in the audit log, and blind to the arm."""

from __future__ import annotations

from datetime import timedelta

from study_app.domain.errors import NotAllowed
from study_app.domain.events.server import DeadlineExtended
from study_app.domain.records import AuditEntry, Participant
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.attending.pausing import pause, resume
from study_app.services.attending.single_answers import erase_answer
from study_app.services.context import StudyContext
from study_app.services.levelling.times import in_given_time, stage_shown
from study_app.services.messages import set_message
from study_app.services.participant.enrolment import Enrol
from study_app.services.participant.probing.closing import interrupt
from study_app.services.participant.session import ParticipantSession
from study_app.services.position import AtStage
from study_app.services.reasons import add_act, require_reason
from study_app.services.researcher.judging.unblinding import note_way_in, way_in
from study_app.services.retrying import retried

LONGEST_MESSAGE = 1_000
NOTE, MESSAGE, EXTEND, ADMIT, END, ERASE, PAUSE, RESUME, ERASE_ANSWER = (
    "note", "message to participant", "extend deadline", "let in again", "end participation", "erase data",
    "pause participant", "resume participant", "erase answer",
)  # fmt: skip
"""What the audit log calls them."""


class ParticipantActs:
    """Acts on one participant.

    Raises, in each: NotAllowed where the reason is missing, the id is unknown, or the act is not possible now.
    """

    def __init__(self, context: StudyContext, session: ParticipantSession, enrol: Enrol) -> None:
        self.context = context
        self._session = session
        self._enrol = enrol

    def extend(self, participant_id: str, minutes: float, reason: str, who: str) -> None:
        """Give the stage that a participant is on more time; the cap of the time outcome stays where it is."""
        require_reason(reason)
        if not 0 < minutes <= 24 * 60:
            raise NotAllowed("give more than 0 and at most 1440 minutes")
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            # Who is shown at the next stage is refused as they would be in every arm.
            study = self.context.study_of(unit, person)
            past = in_given_time(self.context, unit, study, person)
            if past or not unit.extend_visit(person.id, person.stage, timedelta(minutes=minutes)):
                raise NotAllowed("the participant is on no stage with a deadline now; to reopen one, use Reopen")
            unit.record(person.id, person.stage, self.context.now(), DeadlineExtended(minutes=minutes))
            self._audit(unit, who, EXTEND, reason, person, stage=self._shown(unit, person), minutes=minutes)

    def pause(self, participant_id: str, reason: str, who: str) -> None:
        """Stop a participant's clock: their pages say so, what they wrote is kept, and no deadline passes."""
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            # Ends a stage whose time was up before the pause.
            place = self._session.flow.place(unit, person)
            person = place.participant
            if isinstance(place, AtStage):
                # Else its time would be given back twice.
                interrupt(unit, place)
            stage = self._shown(unit, person)
            pause(unit, person, self.context.now())
            self._audit(unit, who, PAUSE, reason, person, stage=stage)

    def resume(self, participant_id: str, reason: str, who: str) -> None:
        """Let a paused participant go on where they were, with the time that was left."""
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            stage = self._shown(unit, person)
            seconds = resume(unit, person, self.context.now())
            self._audit(unit, who, RESUME, reason, person, stage=stage, seconds=seconds)

    def erase_answer(self, participant_id: str, stage: str, item: str, reason: str, who: str) -> None:
        """Erase one answer to a survey, and every trace of it in the log, as the participant asked."""
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            if person.data_withdrawn:
                raise NotAllowed("the data of this participant have been deleted already")
            erase_answer(self.context, unit, person, stage, item)
            self._audit(unit, who, ERASE_ANSWER, reason, person, stage=stage, item=item)
        self.context.registry.forget_erased()

    def let_in_again(self, participant_id: str, reason: str, who: str) -> str:
        """Return a secret for an address with which the participant goes on in another browser, for a day.

        Their pages show the arm: while it is hidden, who makes the link counts as unblinded.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            if person.data_withdrawn:
                raise NotAllowed("the data of this participant have been deleted; there is nothing to go on with")
            self._audit(unit, who, ADMIT, reason, person)
            note_way_in(self.context, unit, who, person.kind, way_in(person.id))
            return self._enrol.moving_token_in(unit, participant_id)

    def end(self, participant_id: str, reason: str, who: str) -> None:
        """End a participation on the participant's behalf: as if they had left, their data stay."""
        self._leave(participant_id, reason, who, END, erase=False)

    def erase(self, participant_id: str, reason: str, who: str) -> None:
        """Delete what a participant wrote, as they were promised; also of a person who has completed the study."""
        self._leave(participant_id, reason, who, ERASE, erase=True)

    @retried
    def _leave(self, participant_id: str, reason: str, who: str, what: str, *, erase: bool) -> None:
        require_reason(reason)
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            if person.over and not erase:
                raise NotAllowed(f"this participation has ended already: {person.status.replace('_', ' ')}")
            if person.data_withdrawn:
                raise NotAllowed("the data of this participant have been deleted already")
            self._session.withdraw_in(unit, participant_id, erase)
            # In one transaction: of a server that ends in between neither is left. In this order: judging and purging
            # take the lock of the audit log last, and would block an erasure that holds it.
            self._audit(unit, who, what, reason, person)

    def message(self, participant_id: str, text: str, reason: str, who: str) -> None:
        """Show a message above every page of a participant from now on; an empty one takes it away."""
        require_reason(reason)
        text = text.strip()
        if len(text) > LONGEST_MESSAGE or "\x00" in text:
            raise NotAllowed(f"a message has at most {LONGEST_MESSAGE} characters")
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            if person.data_withdrawn:
                raise NotAllowed("the data of this participant have been deleted; no message is kept for them")
            set_message(unit, person.id, text)
            detail = {"participant_id": person.id}
            add_act(unit, AuditEntry(self.context.now(), who, MESSAGE, reason, detail), [person.id], {"text": text})

    def note(self, participant_id: str, text: str, who: str) -> None:
        """Keep a note on a participant, for researchers."""
        if not text.strip():
            raise NotAllowed("the note is empty")
        with self.context.registry.begin() as unit:
            person = self._known(unit, participant_id)
            if person.data_withdrawn:
                raise NotAllowed("the data of this participant have been deleted; no note is kept on them")
            self._audit(unit, who, NOTE, text.strip(), person)

    def _known(self, unit: UnitOfWork, participant_id: str) -> Participant:
        # One act at a time: of two that resume the same participant each would give the time of the pause back.
        unit.lock("acts")
        person = unit.participant(participant_id)
        if person is None:
            raise NotAllowed(f"there is no participant {participant_id}")
        # A deadline that passes at this moment, or an erasure, is seen or waits.
        return unit.hold(person)

    def _shown(self, unit: UnitOfWork, person: Participant) -> str:
        """Return the stage that the audit log names: while arms are hidden, where the participant is shown."""
        visit = unit.visit(person.id, person.stage)
        if visit is None or person.over or not hides_arms(self.context.state(unit), person.kind):
            return person.stage
        return stage_shown(unit, self.context.study_of(unit, person), visit, self.context.now())

    def _audit(self, unit: UnitOfWork, who: str, what: str, why: str, person: Participant, **more: object) -> None:
        detail = {"participant_id": person.id, **more}
        add_act(unit, AuditEntry(self.context.now(), who, what, why, detail), [person.id])
