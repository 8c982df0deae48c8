"""The code book for participants' queries: what each label means. Humans and the Claude coder read the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable

VERSION = "queries-1"
"""Changes with any change of a label or its definition; stored beside every coding."""

DEFINITIONS = {
    "explanation": (
        "Asks to understand: a concept, how a library or a piece of code works, its syntax, what an instruction means, "
        "whether an own idea is right. Also a bare search phrase."
    ),
    "generation": (
        "Asks the assistant to produce or change code of the task, or hands it the task's text to be carried out. "
        "Wanting the code is what counts, not the wording as a question."
    ),
    "debugging": (
        "Reports something that fails (an error message, a traceback, wrong behaviour of one's own code) and wants the "
        "cause or a fix. Mentioning error handling as part of the task is not debugging."
    ),
    "capability": "Asks what the assistant itself knows, sees or can do (does it know the library, see the file).",
    "appreciation": "Thanks or praises the assistant.",
}
"""Label -> definition. A query may carry several labels, and none where none fits."""

LABELS = tuple(DEFINITIONS)

_SEPARATORS = re.compile(r"[;,|\s]+")


def join(labels: Iterable[str]) -> str:
    """Labels as a cell's text, in the code book's order, separated by `;`."""
    chosen = set(labels)
    return ";".join(label for label in LABELS if label in chosen)


def split(text: object) -> tuple[str, ...]:
    """Labels in a cell, in the code book's order; an empty or missing cell has none.

    Raises:
        ValueError: the cell holds something that is not a label.
    """
    if not isinstance(text, str) or not text.strip():
        return ()
    found = set(_SEPARATORS.split(text.strip().strip("[]").replace('"', "").replace("'", "")))
    unknown = found - set(LABELS) - {""}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no label of the code book ({', '.join(LABELS)})")
    return tuple(label for label in LABELS if label in found)
