"""Whose word on the browser's address, host and scheme is believed: only that of the named proxies."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.domain.errors import Problem, ProblemsFound

SETTING = "STUDY_TRUSTED_PROXIES"
"""Environment variable: addresses or networks of the proxies, separated by commas; `none` for no proxy at all."""
DEFAULT = "127.0.0.1,::1"
FORWARDED = "study.forwarded"
"""In a request's scope: whether it says that it came through a proxy, trusted or not."""
PEER = "study.peer"
"""In a request's scope: the address that the connection came from."""
HEADERS = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"forwarded",
           b"x-real-ip", b"x-forwarded-server", b"x-forwarded-prefix")  # fmt: skip
Network = IPv4Network | IPv6Network


def trusted_networks(environment: Mapping[str, str]) -> tuple[Network, ...]:
    """Return the proxies that are believed.

    Raises:
        ProblemsFound: one of them is not an address or network.
    """
    text = environment.get(SETTING, "").strip() or DEFAULT
    if text == "none":
        return ()
    found, problems = [], []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError:
            what = f"'{part}' is not an address or a network"
            problems.append(Problem(SETTING, "", what, "write the proxy's address such as 10.0.0.5 or 10.0.0.0/24"))
    if problems:
        raise ProblemsFound(problems)
    return tuple(found)


class TrustedProxies:
    """ASGI middleware, the outermost: takes from a request what a stranger cannot know of it.

    A trusted proxy's headers name the browser: the last address before the proxies, and the scheme. From anybody else
    these headers are removed before another part sees them.
    """

    def __init__(self, app: ASGIApp, trusted: tuple[Network, ...]) -> None:
        self.app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else ""
        given = {name: value for name, value in scope["headers"] if name in HEADERS}
        # A copy, for the server keeps the scope it made; the two additions are for those who must not believe a proxy.
        scope = {**scope, PEER: peer, FORWARDED: bool(given)}
        if given and not self._believes(peer):
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in HEADERS]
        elif given:
            self._take(scope, given)
        await self.app(scope, receive, send)

    def _believes(self, address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        # A socket that takes IPv6 too names an IPv4 peer as ::ffff:10.0.0.5.
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in network for network in self._trusted if network.version == mapped.version)

    def _take(self, scope: Scope, given: Mapping[bytes, bytes]) -> None:
        hops = [hop.strip() for hop in given.get(b"x-forwarded-for", b"").decode("latin-1").split(",") if hop.strip()]
        # From the right: what stands before the first address that is not a proxy of ours, anybody may have written.
        client = next((hop for hop in reversed(hops) if not self._believes(hop)), hops[0] if hops else None)
        if client is not None:
            scope["client"] = (client, 0)
        scheme = given.get(b"x-forwarded-proto", b"").decode("latin-1").split(",")[-1].strip()
        if scheme in ("http", "https"):
            secure = scheme == "https"
            scope["scheme"] = ("wss" if secure else "ws") if scope["type"] == "websocket" else scheme
