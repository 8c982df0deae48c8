"""Tones by a model: each text that it has not coded, in batches that outlive an interruption, with replies kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from study_app.domain.interaction.tone import CLAUDE, KEPT_REPLY, VERSION, CodedTone, TextForTone
from study_app.domain.records import AuditEntry, Kind, Rating
from study_app.ports.providers import ToneCoder
from study_app.services.context import StudyContext
from study_app.services.researcher.blind_codes.tones import texts_of
from study_app.services.researcher.themes.programs import MOST_REQUESTS, POLL_SECONDS

_BATCH = "tone_batch:"
"""Fact under which a batch that runs at the provider is remembered, by kind of participant."""


class ToneBatches:
    """Codes texts that the model has not coded yet."""

    def __init__(self, world: StudyContext) -> None:
        self.world = world

    def by_batch(
        self, coder: ToneCoder, kind: Kind, *, seconds: float, pause: Callable[[float], None]
    ) -> dict[str, Any]:
        """Send a batch, or go on with the one that was sent, and store its replies.

        Args:
            coder: the model.
            kind: whose texts.
            seconds: how long to wait for the batch to end.
            pause: waits for so many seconds.

        Returns:
            `batch`, `state` (`done`, `running`, or `nothing to code`), `coded`, `unreadable` and `left`: texts without
            a tone, which the next call sends anew.

        Raises:
            UserError: the provider's key is not accepted.
            AssistantUnavailable: the provider cannot be reached; a batch that was sent is remembered.
        """
        waiting = self.waiting(kind)
        batch = self._under_way(coder, kind, waiting)
        if batch is None:
            return {"batch": "", "state": "nothing to code", "coded": 0, "unreadable": 0, "left": 0}
        left = seconds
        while not coder.ended(batch):
            if left <= 0:
                return {"batch": batch, "state": "running", "coded": 0, "unreadable": 0, "left": len(waiting)}
            pause(min(POLL_SECONDS, left))
            left -= POLL_SECONDS
        by_id = {each.custom_id: each for each in waiting}
        found = [(by_id[reply.custom_id], reply) for reply in coder.replies(batch) if reply.custom_id in by_id]
        coded = self._store(found, kind)
        self._remember(kind, None)
        counts = {"coded": coded, "unreadable": len(found) - coded, "left": len(waiting) - coded}
        return {"batch": batch, "state": "done", **counts}

    def waiting(self, kind: Kind) -> list[TextForTone]:
        """Return the texts that the model has not coded."""
        with self.world.registry.begin(write=False) as unit:
            done = {each.object for each in unit.ratings() if (each.rater, each.rubric) == (CLAUDE, VERSION)}
            return [each for each in texts_of(self.world, unit, kind) if f"turn:{each.name}" not in done]

    def _under_way(self, coder: ToneCoder, kind: Kind, waiting: Sequence[TextForTone]) -> str | None:
        """Return the batch to wait for: one that was sent, also right before an interruption, else a new one."""
        with self.world.registry.begin(write=False) as unit:
            known = unit.meta_value(_BATCH + kind)
        if isinstance(known, dict) and known["version"] == VERSION:
            name = known["id"] or coder.find(known["texts"], datetime.fromisoformat(known["since"]))
            if name and coder.ended(name) is not None:
                return str(name)
        if not waiting:
            return None
        sent = waiting[:MOST_REQUESTS]
        # Before it is sent: a process that ends before it knows the batch's id finds it by this.
        intent = {"id": "", "version": VERSION, "since": self.world.now().isoformat(), "texts": len(sent)}
        self._remember(kind, intent)
        batch = coder.submit(sent)
        self._remember(kind, intent | {"id": batch})
        return batch

    def _store(self, found: Sequence[tuple[TextForTone, CodedTone]], kind: Kind) -> int:
        """Store tones with the replies they were read from; a reply that cannot be read is kept, too."""
        with self.world.registry.begin() as unit:
            unit.lock("tones")
            # What was erased meanwhile has no code, and what another call coded has one.
            known = {each.name for each in texts_of(self.world, unit, kind)}
            done = {each.object for each in unit.ratings() if (each.rater, each.rubric) == (CLAUDE, VERSION)}
            count = 0
            for text, reply in found:
                name = f"turn:{text.name}"
                if text.name not in known or name in done:
                    continue
                raw, now = json.dumps(reply.raw, ensure_ascii=False, sort_keys=True), self.world.now()
                unit.add_rating(Rating(self.world.fresh_id(), name, CLAUDE, raw, KEPT_REPLY, now))
                if reply.tone is not None:
                    unit.add_rating(Rating(self.world.fresh_id(), name, CLAUDE, reply.tone, VERSION, now))
                    count += 1
            detail = {"version": VERSION, "texts": count, "kind": kind}
            unit.add_audit(AuditEntry(self.world.now(), CLAUDE, "code tones", "", detail))
        return count

    def _remember(self, kind: Kind, batch: dict[str, Any] | None) -> None:
        with self.world.registry.begin() as unit:
            unit.set_meta_value(_BATCH + kind, batch)
