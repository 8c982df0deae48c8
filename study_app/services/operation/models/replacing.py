"""Recordings that answer in a running trial in place of models that their provider serves no more.

Which treatments they are stands in the database, so that every server answers alike from the next question on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.records import AuditEntry
from study_app.ports import Assistant, ReplaceableAssistant, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import LOCK

REPLACED = "model replaced"
"""What the audit log calls it."""
_KEPT = "model_replacements"


@dataclass(frozen=True)
class ModelReplacement:
    """A treatment that a recording answers from a moment on."""

    treatment: str
    """Its name in the study file."""
    assistant: str
    """The id in the assistant's file, as turns name it."""
    model: str
    """That the treatment names; under another model it is another treatment, and not replaced."""
    recording: str
    """The file, as the treatment names it."""
    sha256: str
    """Of that file."""
    at: str
    why: str

    @property
    def summary(self) -> str:
        """One line for people."""
        return f"answered by {self.recording} since {self.at[:16].replace('T', ' ')} UTC: {self.why}"


def replacements(unit: UnitOfWork) -> list[ModelReplacement]:
    """Return every treatment that was replaced, in the order of replacing."""
    return [ModelReplacement(**each) for each in unit.meta_value(_KEPT) or []]


def replacement_of(unit: UnitOfWork, treatment: str, model: str) -> ModelReplacement | None:
    """Return what replaced a treatment under this model; None where the model answers."""
    return next((each for each in replacements(unit) if (each.treatment, each.model) == (treatment, model)), None)


def replaced_now(context: StudyContext, unit: UnitOfWork) -> list[ModelReplacement]:
    """Return the replacements of treatments as the study names them now."""
    models = {name: spec.model for name, spec in context.content.specs.items()}
    return [each for each in replacements(unit) if models.get(each.treatment) == each.model]


def answering(unit: UnitOfWork, treatment: str, spec: AssistantSpec, assistant: Assistant) -> Assistant:
    """Return what answers a treatment: its assistant, or the recording in its place."""
    if isinstance(assistant, ReplaceableAssistant) and replacement_of(unit, treatment, spec.model) is not None:
        return assistant.stand_in
    return assistant


def replace_model(
    context: StudyContext, treatment: str, spec: AssistantSpec, recording_sha256: str, why: str, who: str
) -> None:
    """Let the recording answer a treatment from now on, in every server; a second time it changes nothing."""
    with context.registry.begin() as unit:
        unit.lock(LOCK)
        if context.state(unit) not in ("launched", "closed") or replacement_of(unit, treatment, spec.model):
            return
        now = context.now()
        at = now.isoformat(timespec="milliseconds")
        made = ModelReplacement(treatment, spec.id, spec.model, spec.recording, recording_sha256, at, why)
        unit.set_meta_value(_KEPT, [*map(asdict, replacements(unit)), asdict(made)])
        facts = {name: getattr(made, name) for name in ("treatment", "assistant", "model", "recording", "sha256")}
        unit.add_audit(AuditEntry(now, who, REPLACED, why, facts))
