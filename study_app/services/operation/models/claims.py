"""One asks at a time: a server in its turn, or a command, claims in the database before a model is asked."""

from __future__ import annotations

from datetime import timedelta

from study_app.services.context import StudyContext
from study_app.services.operation.models.kept import LOCK

CLAIM = timedelta(minutes=5)
"""How long another waits for one that has begun to ask: longer than any reply takes."""
COMMAND = "command "
"""Beginning of the name by which a command claims; it gives no sign of life, so that its claim holds to its end."""
CLAIMED = "model_watch_claim"


class Claims:
    """Who asks the models now."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def take(self, by: str = "") -> bool:
        """Claim for this server, or for a command of that name; False while another asks that is there."""
        me, now = by or self.context.replicas.me.name, self.context.now()
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            claim = unit.meta_value(CLAIMED) or {}
            taken = claim.get("by") not in (None, "", me) and claim.get("until", "") > now.isoformat()
            if taken and (claim["by"].startswith(COMMAND) or not self.context.replicas.is_gone(unit, claim["by"])):
                return False
            unit.set_meta_value(CLAIMED, {"by": me, "until": (now + CLAIM).isoformat()})
        return True

    def release(self, by: str = "") -> None:
        """Let the next one ask."""
        with self.context.registry.begin() as unit:
            unit.lock(LOCK)
            if (unit.meta_value(CLAIMED) or {}).get("by") == (by or self.context.replicas.me.name):
                unit.set_meta_value(CLAIMED, {})
