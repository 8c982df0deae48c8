"""What can be the id of a panel: no placeholder, formula or address, and nothing that the eye does not see."""

from __future__ import annotations

import unicodedata

from study_app.domain.sentences import REFUSALS

PLACEHOLDER_SIGNS = frozenset("{}%")
FORMULA_STARTS = frozenset("=+-@")
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
"""Unicode categories of characters that leave a text looking like another."""


def panel_id_problem(text: str, *, plain: bool) -> str | None:
    """Return why a text cannot be a panel's id, or None where it can.

    Args:
        text: as the address brought it.
        plain: whether only letters and digits are taken, as Prolific gives them.
    """
    problem = placeholder_problem(text)
    if problem is not None:
        return problem
    if any(char.isspace() for char in text):
        return REFUSALS("space")
    if text[:1] in FORMULA_STARTS:
        return REFUSALS("begins", sign=text[0])
    if "@" in text or "://" in text:
        return REFUSALS("address")
    if plain and not (text.isascii() and text.isalnum()):
        return REFUSALS("not_plain")
    return None


def placeholder_problem(text: str) -> str | None:
    """Return why a text cannot be a panel's: a placeholder that was not filled in, or invisible characters."""
    if PLACEHOLDER_SIGNS & set(text):
        return REFUSALS("placeholder")
    if any(unicodedata.category(char) in UNSEEN for char in text):
        return REFUSALS("unseen")
    return None
