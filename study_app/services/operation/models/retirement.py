"""What a study does once a provider serves a model no more: enrolment closes, or a recording answers from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from study_app.domain.assistants.served_models import ModelLook
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.errors import NotAllowed
from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import LOCK, keep_looks, looks
from study_app.services.operation.models.replacing import replace_model, replacement_of

ASK_AGAIN = timedelta(minutes=1)
"""After a provider that refused a question has said that it serves the model: not at every question."""


@dataclass(frozen=True)
class ProviderLooks:
    """Asks the provider about models, without a token."""

    all: Callable[[datetime], list[ModelLook]]
    """About each treatment's and interviewer's."""
    one: Callable[[str, AssistantSpec, datetime], ModelLook]
    """About one treatment's, also of a version before the one of now."""


class Retirement:
    """Acts on looks by `assistant_policy.on_retirement`.

    Args:
        context: the study.
        provider: asks it.
        close: closes enrolment for a reason.
    """

    def __init__(self, context: StudyContext, provider: ProviderLooks, close: Callable[[str], object]) -> None:
        self.context = context
        self._provider = provider
        self._close = close
        self._asking = threading.Lock()
        self._served_at: dict[tuple[str, str], datetime] = {}

    def act(self, found: Sequence[ModelLook], before: Iterable[ModelLook]) -> None:
        """Do what the study says where a look found a model gone.

        Args:
            found: the newest looks.
            before: all earlier ones.
        """
        policy = self.context.study.assistant_policy.on_retirement
        with self.context.registry.begin(write=False) as unit:
            launched = self.context.state(unit) == "launched"
        if policy == "refuse" or not launched:
            return
        served = {(each.treatment, each.model) for each in before if each.served}
        gone = [each for each in found if self._is_gone(each, known=(each.treatment, each.model) in served)]
        if policy == "stop":
            self._stop(gone)
            return
        specs, hashes = self.context.content.specs, self.context.content.materials()
        # Of an interviewer's model nothing is recorded: rules ask in its place.
        for look in (each for each in gone if each.treatment in specs):
            spec = specs[look.treatment]
            if spec.recording:
                replace_model(
                    self.context, look.treatment, spec, hashes.get(spec.recording, ""), _reason(look), "server"
                )

    def is_replaced(self, treatment: str, spec: AssistantSpec, recording_sha256: str) -> bool:
        """Whether a recording answers a treatment from now on, after the provider refused a question to its model.

        A refused question alone is not enough: the provider is asked about the model, too.
        """
        # One question to the provider at a time: when a model goes, the messages of many participants fail together,
        # and one answer is enough for all of them.
        with self._asking:
            with self.context.registry.begin(write=False) as unit:
                if replacement_of(unit, treatment, spec.model) is not None:
                    return True
                if self.context.state(unit) not in ("launched", "closed"):
                    return False
            now = self.context.now()
            served_at = self._served_at.get((treatment, spec.model))
            if served_at is not None and now - served_at < ASK_AGAIN:
                return False
            look = self._provider.one(treatment, spec, now)
            self._keep(look)
            if not self._is_gone(look, known=True):
                self._served_at[treatment, spec.model] = now
                return False
            replace_model(self.context, treatment, spec, recording_sha256, _reason(look), "server")
            return True

    def _is_gone(self, look: ModelLook, *, known: bool) -> bool:
        """Return whether the model is served no more; one that was never known may be a name that is wrong."""
        return look.is_retired(self.context.now()) or (look.is_unknown and known)

    def _keep(self, look: ModelLook) -> None:
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            before = next((each for each in reversed(looks(unit)) if each.treatment == look.treatment), None)
            # Of the treatments of now; what an earlier version names is in the audit log once it is replaced.
            if before is not None and before.model == look.model:
                keep_looks(unit, [look], "server")

    def _stop(self, gone: Sequence[ModelLook]) -> None:
        """Close enrolment where a treatment can no longer be given; who is in the study goes on."""
        if gone:
            # Another server may have closed it meanwhile, or a person.
            with suppress(NotAllowed):
                self._close(f"{_reason(gone[0])} (assistant_policy.on_retirement)")


def _reason(look: ModelLook) -> str:
    what = "is not served any more" if look.is_unknown else "is retired"
    return f"the model '{look.model}' of '{look.treatment}' {what}"
