"""A batch of requests at a model's provider: sent once, waited for, found again after an interruption, and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from study_app.domain.errors import NotAllowed
from study_app.ports.providers import BatchProvider
from study_app.services.context import StudyContext
from study_app.services.operation.held_acts import put_back_as_of

POLL_SECONDS = 20.0
"""Between two questions whether a batch has ended."""
NEW = "new"
"""Chosen in place of a batch: send what waits anew."""
MOST_REQUESTS = 50_000
"""Requests in one batch; those beyond wait for the next one."""


class _Named(Protocol):
    """A request, or the reply on it."""

    @property
    def custom_id(self) -> str: ...


Request = TypeVar("Request", bound=_Named)
Reply = TypeVar("Reply", bound=_Named)


@dataclass(frozen=True)
class CodingBatch(Generic[Request, Reply]):
    """One coder's batch, of one kind of text."""

    context: StudyContext
    coder: BatchProvider
    fact: str
    """Under which a batch that runs at the provider is remembered in the database."""
    version: str
    """Of the codebook; a batch by another one is not waited for."""
    submit: Callable[[Sequence[Request]], str]
    """Sends requests; returns the id of their batch."""
    replies: Callable[[str], Iterable[Reply]]
    """Fetches the replies of a batch that has ended."""
    store: Callable[[Sequence[tuple[Request, Reply]]], int]
    """Stores replies beside their requests; returns how many could be read."""
    chosen: str = ""
    """A batch whose replies to take, or `new`: what a person says after the database was put back."""

    def finish(self, waiting: Sequence[Request], *, seconds: float, pause: Callable[[float], None]) -> dict[str, Any]:
        """Send a batch, or go on with the one that was sent, and store its replies.

        Args:
            waiting: what is not coded yet.
            seconds: how long to wait for the batch to end.
            pause: waits for so many seconds.

        Returns:
            `batch`, `state` (`done`, `running`, or `nothing to code`), `coded`, `unreadable` and `left`: requests
            without a code, which the next call sends anew.

        Raises:
            UserError: the provider's key is not accepted.
            AssistantUnavailable: the provider cannot be reached; a batch that was sent is remembered.
            NotAllowed: the database was put back, and it is open whether a batch at the provider has these replies; or
                the provider does not have the batch that was chosen.
        """
        batch = self._under_way(waiting)
        if batch is None:
            return {"batch": "", "state": "nothing to code", "coded": 0, "unreadable": 0, "left": 0}
        left = seconds
        while not self.coder.ended(batch):
            if left <= 0:
                return {"batch": batch, "state": "running", "coded": 0, "unreadable": 0, "left": len(waiting)}
            pause(min(POLL_SECONDS, left))
            left -= POLL_SECONDS
        by_id = {each.custom_id: each for each in waiting}
        # What was coded or erased while the batch ran waits no more, and its reply is dropped.
        found = [(by_id[each.custom_id], each) for each in self.replies(batch) if each.custom_id in by_id]
        coded = self.store(found)
        # Behind the storing: a process that ends in between fetches the replies again, and none is paid for in vain.
        self._remember(None)
        counts = {"coded": coded, "unreadable": len(found) - coded, "left": len(waiting) - coded}
        return {"batch": batch, "state": "done", **counts}

    def _under_way(self, waiting: Sequence[Request]) -> str | None:
        """Return the batch to wait for: one that was sent, also right before an interruption, else a new one.

        None where there is nothing to code.
        """
        with self.context.registry.begin(write=False) as unit:
            known = unit.meta_value(self.fact)
        if isinstance(known, dict) and known["version"] == self.version:
            name = known["id"] or self.coder.find(known["requests"], datetime.fromisoformat(known["since"]))
            # Providers keep batches for some weeks: what one of them has dropped is sent anew.
            if name and self.coder.ended(name) is not None:
                return str(name)
        if not waiting:
            return None
        self._settle_lost(len(waiting))
        if self.chosen and self.chosen != NEW:
            self._remember(self._intent(self.chosen, len(waiting)))
            return self.chosen
        sent = waiting[:MOST_REQUESTS]
        # Before it is sent: a process that ends before it knows the batch's id finds it by this.
        intent = self._intent("", len(sent))
        self._remember(intent)
        batch = self.submit(sent)
        self._remember(intent | {"id": batch})
        return batch

    def _intent(self, batch: str, requests: int) -> dict[str, Any]:
        since = self.context.now().isoformat()
        return {"id": batch, "version": self.version, "since": since, "requests": requests}

    def _settle_lost(self, waiting: int) -> None:
        """Let a person say which batch has what is waited for, where a database that was put back does not know.

        A batch that was sent after the backup was made is paid for, and written down nowhere.
        """
        if self.chosen and self.chosen != NEW and self.coder.ended(self.chosen) is None:
            raise NotAllowed(f"the provider has no batch '{self.chosen}', or its replies are deleted")
        with self.context.registry.begin(write=False) as unit:
            put_back = put_back_as_of(unit)
            settled = unit.meta_value(f"{self.fact}:settled") or {"as_of": None, "taken": []}
        if put_back is None or settled["as_of"] == put_back:
            return
        taken = [*settled["taken"], self.chosen] if self.chosen not in ("", NEW) else settled["taken"]
        if not self.chosen:
            sent = [each for each in self.coder.sent_since(datetime.fromisoformat(put_back)) if each not in taken]
            if sent:
                raise NotAllowed(
                    f"the database was put back as of {put_back}, and does not know which batches were sent after "
                    f"that; the provider has {', '.join(sent)}. Take the replies of one with --batch ID where it was "
                    f"sent by this study and codebook, or send the {waiting} that wait anew with --batch {NEW}"
                )
        over = self.chosen in ("", NEW)
        with self.context.registry.begin() as unit:
            unit.set_meta_value(f"{self.fact}:settled", {"as_of": put_back if over else None, "taken": taken})

    def _remember(self, batch: dict[str, Any] | None) -> None:
        """Remember a batch, so that its replies are fetched after an interruption; None forgets it."""
        with self.context.registry.begin() as unit:
            unit.set_meta_value(self.fact, batch)
