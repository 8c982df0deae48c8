"""The second decision: what is known of a participant on the way in, whether they responded, what they get then."""

from __future__ import annotations

from typing import Any

from study_app.dataset.measures.baseline import quiz_so_far, survey_values
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.events.server import SecondDecided
from study_app.domain.ledger import ReplayCache
from study_app.domain.records import Participant
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.participant.allocation import allocate_again


def known_before(unit: UnitOfWork, content: ContentLibrary, study: Study, participant: Participant) -> dict[str, Any]:
    """Return the values that the response rule looks at, by name; None where there is none."""
    answers = unit.answers(participant.id)
    known = survey_values(study, answers)
    for quiz in study.quizzes:
        known |= quiz_so_far(content, quiz.stage, unit.visit(participant.id, quiz.stage.id), answers)
    return {name: known.get(name) for name in study.second_decision.rests_on}


def decide_again(
    context: StudyContext, unit: UnitOfWork, study: Study, participant: Participant, cache: ReplayCache
) -> dict[str, Any]:
    """Decide on a participant who comes to the second decision; return the columns that it fills.

    The caller holds the ledger's lock.

    Raises:
        SealingKeyMissing: the real seed cannot be opened.
        LedgerBroken: the stored ledger is not what the algorithm made.
    """
    known = known_before(unit, context.content_of(participant), study, participant)
    responded = study.second_decision.responded(known)
    changes: dict[str, Any] = {"responded": responded}
    if not responded:
        row = allocate_again(context, unit, study, participant, cache)
        changes |= {"second_treatment": row.arm, "second_index": row.allocation_index}
    said = SecondDecided(responded=responded, index=changes.get("second_index"), known=known)
    unit.record(participant.id, study.second_decision.stage, context.now(), said)
    return changes
