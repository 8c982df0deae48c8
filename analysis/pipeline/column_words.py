"""Names that the analysis gives to columns it adds, in the words that a plan has for them."""

from __future__ import annotations

import re

_OWN = (
    (r"_last_activity_minutes_(\w+)", r"\1 at the last activity"),
    (r"_missing_(\w+)", r"missing \1"),
    (r"_event_(\w+)", r"the event of \1"),
    (r"_(?:x|stratum|factor)_(\w+)", r"\1"),
    (r"_cluster", "cluster"),
)
"""Column of the analysis table -> what a reader knows of it."""


def in_words(text: str) -> str:
    """Return a note or a warning without names that only the analysis has.

    >>> in_words("dropped as redundant: _x_age, _stratum_site[b]")
    'dropped as redundant: age, site[b]'
    """
    for name, words in _OWN:
        text = re.sub(rf"(?<![\w.]){name}(?!\w)", words, text)
    return text
