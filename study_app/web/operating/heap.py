"""What the C library keeps of memory that was given back: little, in a server that runs for weeks.

glibc gives each thread an arena, up to eight a processor, and what is freed in one is reused by its threads alone. A
server whose requests are served by a hundred threads then grows for hours while what is alive stays the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

ARENAS = 2
"""Python's lock lets threads allocate nearly one after another, so that more would save no waiting."""
TRIMMED_SECONDS = 60.0
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def keep_few_arenas() -> None:
    """Let all threads share a few arenas; to be called before there are other threads."""
    if (mallopt := _function("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give whole free pages back to the system."""
    if (malloc_trim := _function("malloc_trim")) is not None:
        malloc_trim(ctypes.c_size_t(0))


def _function(name: str) -> Callable[..., object] | None:
    """Return a function of the C library, where it has it: it is glibc's own."""
    return getattr(ctypes.CDLL(None), name, None)
