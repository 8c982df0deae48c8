"""Files that are copied into each dataset as they are; read.py and read.R are never imported here."""

from __future__ import annotations

from importlib.resources import files


def shipped(name: str) -> bytes:
    """Return the bytes of one of them."""
    return files(__name__).joinpath(name).read_bytes()
