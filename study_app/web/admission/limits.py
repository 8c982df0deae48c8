"""How much one browser, one address and all of them may ask of the server.

Buckets live in one process; servers of one study tell each other of those who ask much. A participant has their own
bucket, whatever address they come from and however many browsers and cookies they have: two hundred people behind one
address share nothing. Only requests without a known cookie are counted by address.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from study_app.web.admission.addresses import WEBSOCKET
from study_app.web.admission.networks import network_of


@dataclass(frozen=True)
class Rate:
    """A bucket's size and how fast it fills."""

    burst: float
    per_second: float


STRANGERS = Rate(burst=1500, per_second=30)
"""Requests of one address without a known cookie: about four a person on the way in."""
ARRIVALS = Rate(burst=300, per_second=5)
"""Presses of Start from one address."""
SIGN_INS = Rate(burst=60, per_second=0.5)
"""Passwords, and words of an identity provider, that one address brings to the console."""
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
SILENT_SHARE = 0.1
"""Of what flows into a bucket: who takes less for long is not worth a word to the other servers."""
MOST_SAID = 500
"""Names of one kind that a server tells the others of at once."""
NAME_DIGITS = 16
"""Of the hash of a participant's id: enough that no two participants share a bucket."""
ADDRESS_DIGITS = 5
"""Of an address's hash: 4,096 addresses of the fourth version share each name."""
KNOWN_SECONDS = 300.0
"""How long a cookie counts as known after it was looked up."""


@dataclass
class _Bucket:
    """What is left in it, and when that was so."""

    left: float
    at: float
    busy: float = 0.0
    """What was taken at this server, less a small share of what flowed in meanwhile."""
    taken: float | None = None
    """At this server, as the others hear it; None where they hear nothing of this bucket."""


class Buckets:
    """Token buckets by name.

    Of those of whom much is taken for long, the other servers are to hear: `said` and `hear`. Where one is kept below
    that at each of several servers, they give all together a little more than one, by `SILENT_SHARE` for each.

    Args:
        rate: of every bucket.
        clock: seconds, monotonic.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._busy: dict[str, None] = {}
        """Names of which the others are to hear, the oldest first."""
        # Requests are counted in the loop; what servers tell each other is read and written in threads.
        self._lock = Lock()

    def take(self, name: str, amount: float = 1.0) -> float:
        """Take from a bucket; returns 0, or the seconds after which it holds as much, having taken nothing."""
        with self._lock:
            bucket = self._filled(name)
            # What is larger than the whole bucket is let through when it is full.
            wanted = min(amount, self._rate.burst)
            wait = max(0.0, (wanted - bucket.left) / self._rate.per_second)
            # A refused request takes nothing: a client that insists would otherwise never be let in again.
            if not wait:
                bucket.left -= wanted
                bucket.busy += wanted
                self._count(name, bucket, wanted)
            return wait

    def said(self) -> dict[str, float]:
        """Return what was taken here of the buckets that are busy, each since it was quiet."""
        with self._lock:
            found: dict[str, float] = {}
            for name in list(self._busy):
                bucket = self._buckets.get(name)
                if bucket is not None:
                    self._flow(bucket)
                if bucket is None or bucket.taken is None:
                    del self._busy[name]
                elif len(found) < MOST_SAID:
                    found[name] = round(bucket.taken, 1)
            return found

    def hear(self, name: str, taken: float) -> None:
        """Take from a bucket what was taken of it at another server, up to as much below nothing as it holds."""
        with self._lock:
            bucket = self._filled(name)
            bucket.left = max(-self._rate.burst, bucket.left - taken)

    def _count(self, name: str, bucket: _Bucket, amount: float) -> None:
        """Count what was taken for the others to hear, once it is much."""
        if bucket.taken is not None:
            bucket.taken += amount
        elif bucket.busy > self._rate.burst / 2:
            # What has flowed in again since it was taken does not concern the others.
            bucket.taken = self._rate.burst - bucket.left
            self._busy[name] = None

    def _flow(self, bucket: _Bucket) -> None:
        now = self._clock()
        flowed, bucket.at = (now - bucket.at) * self._rate.per_second, now
        bucket.left = min(self._rate.burst, bucket.left + flowed)
        bucket.busy = max(0.0, bucket.busy - flowed * SILENT_SHARE)
        if not bucket.busy:
            bucket.taken = None

    def _filled(self, name: str) -> _Bucket:
        """Return a bucket with what has flowed in."""
        # Popped and put back last, so that the oldest entry is the least recently used one.
        bucket = self._buckets.pop(name, None) or _Bucket(self._rate.burst, self._clock())
        self._flow(bucket)
        self._buckets[name] = bucket
        if len(self._buckets) > MOST_KEPT:
            self._buckets.popitem(last=False)
        return bucket


class KnownCookies:
    """Cookies that were found in the database a short while ago, and whose they are; as hashes, see `hashed`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def holds(self, cookie: bytes) -> bool:
        """Return whether the cookie was found not long ago."""
        return self.owner(cookie) is not None

    def owner(self, cookie: bytes) -> str | None:
        """Return whom the cookie belongs to; None where it was not found, or not lately."""
        who, until = self._found.get(cookie, ("", 0.0))
        return who if until > self._clock() else None

    def add(self, cookie: bytes, who: str) -> None:
        """Note that it was found now, and whose it is."""
        self._found[cookie] = (who, self._clock() + KNOWN_SECONDS)
        # A cookie that is looked up again is the newest, or those in use would be forgotten first.
        self._found.move_to_end(cookie)
        if len(self._found) > MOST_KEPT:
            self._found.popitem(last=False)


class RequestLimits:
    """All of a process, and what it knows of the other servers of the study.

    A server takes what others say was taken there from its own buckets, so that who asks at several gets no more
    in the end than at one. They hear of it with the signs of life, some three seconds late, and only of those who ask
    much. A proxy that keeps a browser at one server leaves it the whole of its limits there.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.known = KnownCookies(clock)
        self._kinds = {path: Buckets(rate, clock) for path, rate in KINDS.items()}
        self._strangers = Buckets(STRANGERS, clock)
        self._arrivals = Buckets(ARRIVALS, clock)
        self._requests = Buckets(REQUESTS, clock)
        self._bytes = Buckets(BYTES, clock)
        self._shared = self._kinds | {
            "strangers": self._strangers, "arrivals": self._arrivals, "requests": self._requests, "bytes": self._bytes,
        }  # fmt: skip
        self._heard: dict[tuple[str, str, str], float] = {}
        """Server, kind and name -> what it said last."""
        self._servers: frozenset[str] = frozenset()
        """Those that were there at the last look."""

    def stranger(self, address: str, *, arrives: bool = False) -> float:
        """Seconds to wait for a request without a known cookie; 0 where it may pass."""
        name = _neighbourhood(address)
        return self._strangers.take(name) or (self._arrivals.take(name) if arrives else 0.0)

    def participant(self, who: str, path: str, size: int) -> float:
        """Seconds to wait for a request of a participant; 0 where it may pass."""
        name = hashed(who).hex()[:NAME_DIGITS]
        # Bytes last: what is refused for its number has not yet used up its bytes.
        return self._kinds.get(path, self._requests).take(name) or self._bytes.take(name, size)

    def said(self) -> dict[str, dict[str, float]] | None:
        """Return what the other servers are to know; None where nothing is, as it is nearly always."""
        return {kind: taken for kind, buckets in self._shared.items() if (taken := buckets.said())} or None

    def hear(self, others: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
        """Take from the buckets what others say was taken there since they last said so.

        Args:
            others: what each server that is there says, nothing included.
        """
        servers, self._servers = self._servers, frozenset(others)
        before, self._heard = self._heard, {
            (server, kind, name): taken
            for server, kinds in others.items()
            for kind, names in kinds.items()
            # A server of another version may have kinds that this one has not.
            if kind in self._shared
            for name, taken in names.items()
        }  # fmt: skip
        for (server, kind, name), taken in self._heard.items():
            # What a server says first may have been taken over hours, and most of it has flowed in again: a server that
            # has just started would turn people away for it.
            if server not in servers:
                continue
            known = before.get((server, kind, name), 0.0)
            # A smaller number than before: the bucket was full in between, and it counts anew.
            if new := taken - known if taken >= known else taken:
                self._shared[kind].hear(name, new)


class DoorLimits:
    """How often one address may come to the console without a sign-in; of the sixth version, one network of 2^64.

    Who is signed in is not counted: a team behind one address works on while another machine there tries passwords.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._strangers = Buckets(STRANGERS, clock)
        self._sign_ins = Buckets(SIGN_INS, clock)

    def stranger(self, address: str, *, signs_in: bool = False) -> float:
        """Seconds to wait for a request without a sign-in; 0 where it may pass."""
        name = network_of(address)
        return self._strangers.take(name) or (self._sign_ins.take(name) if signs_in else 0.0)


def _neighbourhood(address: str) -> str:
    """Return the name under which an address is counted: one that some thousands of addresses share.

    The servers tell it to each other by way of the database, where no address may stand, nor what leads back to one.
    """
    return hashlib.sha256(network_of(address).encode("utf-8", "replace")).hexdigest()[:ADDRESS_DIGITS]


def hashed(cookie: str) -> bytes:
    """Return the name under which a cookie is counted: the memory of the server holds no cookie that could be used."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()
