"""As whom an address counts: of the sixth version a household has 2^64 of them and is one."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_SHARED_BITS = 64


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return an address of the fourth version itself, and of the sixth the network that one client is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _SHARED_BITS << _SHARED_BITS)}/{_SHARED_BITS}"
