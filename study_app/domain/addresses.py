"""Web addresses that others wrote: read, or recognised as none."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

NONE = urlsplit("")


def parts_of(address: str) -> SplitResult:
    """Return the parts of an address; all empty where it cannot be read."""
    try:
        return urlsplit(address.strip())
    except ValueError:
        return NONE


def same_site(origin: str, host: str) -> bool:
    """Return whether a page of this origin is one of this host's.

    Args:
        origin: as the header Origin names it; `null` and what cannot be read are of no site.
        host: as the browser asked for it, with its port.
    """
    site = parts_of(origin).netloc.lower()
    return bool(site) and site == host.strip().lower()
