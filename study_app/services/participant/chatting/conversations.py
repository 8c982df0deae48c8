"""The conversation with one treatment: a participant can have another one in another period."""

from __future__ import annotations

from collections.abc import Iterable

from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.records import Turn


def with_treatment(turns: Iterable[Turn], spec: AssistantSpec) -> list[Turn]:
    """Return the turns that a treatment answered: the assistant, and the persona that it speaks as.

    What a treatment is sent, may still answer and is shown beside must not depend on the treatment that came before it:
    otherwise the platform itself would carry the first over into the second.
    """
    persona = None if spec.persona is None else spec.persona.id
    return [turn for turn in turns if turn.treatment == spec.id and turn.parameters.get("persona") == persona]
