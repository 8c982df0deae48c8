"""Batches of requests at the provider: sent, found again after an interruption, looked at, and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import anthropic
import httpx2

from study_app.assistant.coders.replies import plain
from study_app.assistant.opening import BASE_URL_VARIABLE
from study_app.domain.assistants.treatments import API_KEY_VARIABLE, DEFAULT_MODEL
from study_app.domain.errors import AssistantUnavailable, UserError
from study_app.domain.themes.replies import UNREADABLE

MOST_LISTED = 100
"""Batches that are looked through for one that was sent right before an interruption."""
CLOCKS_DIFFER = timedelta(minutes=10)
"""By so much the provider's clock may differ from this machine's."""


class BatchCoder:
    """Claude, asked in batches.

    Args:
        environment: holds the key and, where set, the provider's address.
        model: which one.
        without_key: what to do where there is no key.

    Raises:
        UserError: no API key.
    """

    def __init__(self, environment: Mapping[str, str], model: str = DEFAULT_MODEL, without_key: str = "set it") -> None:
        key = environment.get(API_KEY_VARIABLE, "").strip()
        if not key:
            raise UserError(f"environment: {API_KEY_VARIABLE}: is not set; {without_key}")
        address = environment.get(BASE_URL_VARIABLE, "").strip() or None
        self._client = anthropic.Anthropic(api_key=key, base_url=address)
        self.model = model

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"

    def find(self, requests: int, since: datetime) -> str | None:
        """Return the batch of so many requests that was sent since a moment; None where there is none.

        Raises:
            UserError: the key is not accepted.
            AssistantUnavailable: the provider cannot be reached.
        """
        with failing("list its batches"):
            listed = self._listed(since)
            counted = (b for b in listed if sum(b.request_counts.model_dump().values()) == requests)
            return next(map(_id_of, counted), None)

    def sent_since(self, moment: datetime) -> list[str]:
        """Return the batches that were sent since a moment, the latest first, by all who have the key.

        Raises:
            UserError: the key is not accepted.
            AssistantUnavailable: the provider cannot be reached.
        """
        with failing("list its batches"):
            return [_id_of(batch) for batch in self._listed(moment)]

    def _listed(self, since: datetime) -> list[Any]:
        listed = self._client.messages.batches.list(limit=MOST_LISTED).data
        return [batch for batch in listed if batch.created_at >= since - CLOCKS_DIFFER]

    def ended(self, batch: str) -> bool | None:
        """Return whether a batch has ended; None where the provider does not have it any more.

        Raises:
            UserError: the key is not accepted.
            AssistantUnavailable: the provider cannot be reached.
        """
        with failing("say how far the batch is"):
            try:
                found = self._client.messages.batches.retrieve(batch)
            except anthropic.NotFoundError:
                return None
            # Results are deleted after some weeks; the batch itself stays in the provider's list.
            if found.archived_at is not None:
                return None
            return bool(found.processing_status == "ended")

    def _send(self, requests: Iterable[tuple[str, Mapping[str, Any]]], what: str) -> str:
        """Send a batch of (custom id, parameters); returns its id."""
        given: Any = [{"custom_id": name, "params": params} for name, params in requests]
        with failing(f"take {what}"):
            batch = self._client.messages.batches.create(requests=given)
            return _id_of(batch)

    def _replies(self, batch: str, prompt_version: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (custom id, reply as it is kept) of each request of a batch that has ended.

        Raises:
            UserError: the key is not accepted.
            AssistantUnavailable: the provider cannot be reached, or what it sends cannot be read.
        """
        with failing("hand out the replies"):
            for entry in self._client.messages.batches.results(batch):
                yield str(entry.custom_id), {"batch": batch, "prompt_version": prompt_version, **plain(entry.result)}


def _id_of(batch: Any) -> str:
    if not isinstance(batch.id, str) or not batch.id:
        raise ValueError("a batch without an id")
    return batch.id


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Turn what the client raises into an error of ours."""
    again = "try again, what is there is kept"
    try:
        yield
    except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as error:
        raise UserError(f"environment: {API_KEY_VARIABLE}: is not accepted; copy the key again") from error
    except (anthropic.AnthropicError, httpx2.HTTPError) as error:
        raise AssistantUnavailable("other", f"Claude could not {what}: {type(error).__name__}; {again}") from error
    except UNREADABLE as error:
        said = f"Claude could not {what}: its answer cannot be read ({type(error).__name__}); {again}"
        raise AssistantUnavailable("other", said) from error
