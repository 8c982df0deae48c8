"""How much one browser, one address and all of them may ask of the server.

Buckets live in one process. A browser that takes part has its own bucket, whatever address it comes from: two
hundred people behind one address share nothing. Only requests without a known cookie are counted by address.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from study_app.web.admission.addresses import WEBSOCKET


@dataclass(frozen=True)
class Rate:
    """A bucket's size and how fast it fills."""

    burst: float
    per_second: float


STRANGERS = Rate(burst=1500, per_second=30)
"""Requests of one address without a known cookie: about four a person on the way in."""
ARRIVALS = Rate(burst=300, per_second=5)
"""Presses of Start from one address."""
KINDS: dict[str, Rate] = {
    # Each message lets the page's script run again.
    WEBSOCKET: Rate(burst=200, per_second=5),
    "/api/runs": Rate(burst=60, per_second=1),
    "/api/submit": Rate(burst=30, per_second=0.5),
    "/api/chat": Rate(burst=20, per_second=0.5),
}
"""Requests of one participant to routes that cost more than a row."""
REQUESTS = Rate(burst=400, per_second=10)
"""Requests of one participant to everything else."""
BYTES = Rate(burst=24_000_000, per_second=150_000)
"""Bytes that one participant sends: a day of typing is under a megabyte, a pasted program under 64 kB."""
MOST_KEPT = 20_000
"""Buckets and cookies that are remembered; the least recently used are forgotten."""
KNOWN_SECONDS = 300.0
"""How long a cookie counts as known after it was looked up."""


class Buckets:
    """Token buckets by name.

    Args:
        rate: of every bucket.
        clock: seconds, monotonic.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str | bytes, tuple[float, float]] = OrderedDict()

    def take(self, name: str | bytes, amount: float = 1.0) -> float:
        """Take from a bucket; returns 0, or the seconds after which it holds as much, having taken nothing."""
        now = self._clock()
        # Popped and put back last, so that the oldest entry is the least recently used one.
        left, at = self._left.pop(name, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - at) * self._rate.per_second)
        # What is larger than the whole bucket is let through when it is full.
        wanted = min(amount, self._rate.burst)
        wait = max(0.0, (wanted - left) / self._rate.per_second)
        # A refused request takes nothing: a client that insists would otherwise never be let in again.
        self._left[name] = (left if wait else left - wanted, now)
        if len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)
        return wait


class KnownCookies:
    """Cookies that were found in the database a short while ago; kept as hashes, see `hashed`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def holds(self, cookie: bytes) -> bool:
        """Whether it was found not long ago."""
        return self._until.get(cookie, 0.0) > self._clock()

    def add(self, cookie: bytes) -> None:
        """Note that it was found now."""
        self._until[cookie] = self._clock() + KNOWN_SECONDS
        # A cookie that is looked up again is the newest, or those in use would be forgotten first.
        self._until.move_to_end(cookie)
        if len(self._until) > MOST_KEPT:
            self._until.popitem(last=False)


class RequestLimits:
    """All of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.known = KnownCookies(clock)
        self._strangers = Buckets(STRANGERS, clock)
        self._arrivals = Buckets(ARRIVALS, clock)
        self._kinds = {path: Buckets(rate, clock) for path, rate in KINDS.items()}
        self._requests = Buckets(REQUESTS, clock)
        self._bytes = Buckets(BYTES, clock)

    def stranger(self, address: str, *, arrives: bool = False) -> float:
        """Seconds to wait for a request without a known cookie; 0 where it may pass."""
        return self._strangers.take(address) or (self._arrivals.take(address) if arrives else 0.0)

    def participant(self, cookie: bytes, path: str, size: int) -> float:
        """Seconds to wait for a request of a participant; 0 where it may pass."""
        # Bytes last: what is refused for its number has not yet used up its bytes.
        return self._kinds.get(path, self._requests).take(cookie) or self._bytes.take(cookie, size)


def hashed(cookie: str) -> bytes:
    """Return the name under which a cookie is counted: the memory of the server holds no cookie that could be used."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()
