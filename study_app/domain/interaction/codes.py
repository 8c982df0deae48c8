"""One coding of a query from several: the adjudicated one, or what most people gave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codebook import LABELS

Coder = Literal["rules", "claude", "human"]
"""Whose codes a plan may name."""
RUBRIC = "codes"
"""Ratings of queries have this rubric; `object` is `turn:` and the turn's id, `value` its labels, separated by `;`."""
REASON_RUBRIC = "codes_reason"
"""Why an adjudicated coding is as it is."""
ADJUDICATED = "adjudicated"
"""The rater whose word is final."""
SAMPLER = "sampler"
"""The rater under whose name halves and samples of interviews are stored."""
PROGRAMS = frozenset({"rules", "claude", SAMPLER})
"""Raters that are not people."""


def people(raters: Iterable[str]) -> list[str]:
    """Return the raters that are people coding on their own, in order."""
    return [rater for rater in raters if rater not in PROGRAMS and rater != ADJUDICATED]


def check_coder(name: str, role: str = "coder") -> None:
    """Refuse a name that cannot be that of a person who codes, rates or audits.

    Raises:
        NotAllowed: the name stands for a decision or a program, is empty, or holds what cannot be seen.
    """
    if not people([name]) or not name.strip() or not name.isprintable():
        raise NotAllowed(f"there is no {role} named {name!r}; give the name of a person")


def agreed(given: Mapping[str, Collection[str]], labels: Sequence[str] = LABELS) -> tuple[str, ...] | None:
    """Return the coding of people: the adjudicated one, else the labels that more than half gave.

    None where no one coded.

    Args:
        given: rater -> labels.
        labels: of the code book.
    """
    if ADJUDICATED in given:
        return tuple(given[ADJUDICATED])
    votes = [given[rater] for rater in people(given)]
    if not votes:
        return None
    return tuple(label for label in labels if 2 * sum(label in vote for vote in votes) > len(votes))


def chosen(given: Mapping[str, tuple[str, ...]], coder: Coder) -> tuple[str, ...] | None:
    """Return the coding that was stored for a plan's coder; None where there is none.

    Codes by `rules` are not stored: they follow from the messages.
    """
    return agreed(given) if coder == "human" else given.get(coder)
