"""Tones by a model: each text that it has not coded, in batches that outlive an interruption, with replies kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from study_app.domain.interaction.tone import CLAUDE, KEPT_REPLY, VERSION, CodedTone, TextForTone
from study_app.domain.records import AuditEntry, Kind, Rating
from study_app.ports.providers import ToneCoder
from study_app.services.context import StudyContext
from study_app.services.researcher.blind_codes.tones import texts_of
from study_app.services.researcher.provider_batches import CodingBatch

_BATCH = "tone_batch:"
"""Fact under which a batch that runs at the provider is remembered, by kind of participant."""


class ToneBatches:
    """Codes texts that the model has not coded yet."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def by_batch(
        self, coder: ToneCoder, kind: Kind, *, seconds: float, pause: Callable[[float], None], chosen: str = ""
    ) -> dict[str, Any]:
        """Send a batch, or go on with the one that was sent, and store its replies.

        Args:
            coder: the model.
            kind: whose texts.
            seconds: how long to wait for the batch to end.
            pause: waits for so many seconds.
            chosen: a batch whose replies to take, or `new`, after the database was put back.

        Returns, Raises: as `CodingBatch.finish`.
        """
        batch = CodingBatch(
            self.context,
            coder,
            fact=_BATCH + kind,
            chosen=chosen,
            version=VERSION,
            submit=coder.submit,
            replies=coder.replies,
            store=partial(self._store, kind=kind),
        )
        return batch.finish(self.waiting(kind), seconds=seconds, pause=pause)

    def waiting(self, kind: Kind) -> list[TextForTone]:
        """Return the texts that the model has not coded."""
        with self.context.registry.begin(write=False) as unit:
            done = {each.object for each in unit.ratings() if (each.rater, each.rubric) == (CLAUDE, VERSION)}
            # A text whose reply could not be read has no code, and is sent again.
            return [each for each in texts_of(self.context, unit, kind) if f"turn:{each.name}" not in done]

    def _store(self, found: Sequence[tuple[TextForTone, CodedTone]], kind: Kind) -> int:
        """Store tones with the replies they were read from; a reply that cannot be read is kept, too."""
        with self.context.registry.begin() as unit:
            unit.lock("tones")
            # What was erased meanwhile has no code, and what another call coded has one.
            known = {each.name for each in texts_of(self.context, unit, kind)}
            done = {each.object for each in unit.ratings() if (each.rater, each.rubric) == (CLAUDE, VERSION)}
            count = 0
            for text, reply in found:
                name = f"turn:{text.name}"
                if text.name not in known or name in done:
                    continue
                raw, now = json.dumps(reply.raw, ensure_ascii=False, sort_keys=True), self.context.now()
                # Beside the code and under another rubric: what was read from it can be checked, and no agreement
                # counts it.
                unit.add_rating(Rating(self.context.fresh_id(), name, CLAUDE, raw, KEPT_REPLY, now))
                if reply.tone is not None:
                    unit.add_rating(Rating(self.context.fresh_id(), name, CLAUDE, reply.tone, VERSION, now))
                    count += 1
            detail = {"version": VERSION, "texts": count, "kind": kind}
            unit.add_audit(AuditEntry(self.context.now(), CLAUDE, "code tones", "", detail))
        return count
