"""The whole row of one participant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study_app.domain.compliance import Evidence
from study_app.domain.timing import TimeUse
from study_app.services.measures import Content, Dossier, identity_and_flow, questions
from study_app.services.measures_assistant import compliance, queries
from study_app.services.measures_origin import Programs, origins, outside
from study_app.services.measures_quiz import quizzes
from study_app.services.measures_tasks import runs_and_errors, task_outcomes, warm_up
from study_app.services.measures_time import activity


def participant_row(
    dossier: Dossier, content: Content, use: dict[str, TimeUse], programs: Programs, evidence: Sequence[Evidence]
) -> dict[str, Any]:
    """Every column of the participants table that is known; of who withdrew their data, the flow only.

    Args:
        dossier: what the database holds.
        content: packs and banks.
        use: time use by stage (`measures_time.uses`).
        programs: of the main tasks (`measures_origin.programs`).
        evidence: on compliance (`measures_compliance.evidence_of`).
    """
    row = identity_and_flow(dossier)
    if dossier.participant.data_withdrawn:
        return row
    for part in (
        questions(dossier),
        warm_up(dossier),
        task_outcomes(dossier, content),
        quizzes(dossier, content),
        runs_and_errors(dossier),
        queries(dossier),
        activity(dossier, use),
        origins(programs),
        outside(dossier, evidence),
        compliance(dossier, evidence),
    ):
        row |= part
    return row
