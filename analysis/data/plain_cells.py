"""Cells of a table collected elsewhere: marks of missing values, decimal commas, numbers that one word makes text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import pandas as pd

MISSING = ("NA", "NaN", "nan", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null")
"""What other programs write where a value is missing."""
_AMONG_NUMBERS = (".", "-", "--", "?", "na", "None", "missing", "Missing")
"""Marks among numbers only: elsewhere they may be labels. The word none is not among them: it may mean 0."""
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?([eE][+-]?\d+)?")
"""A number with a comma for the decimal point, thousands perhaps set off by points."""
_LIKE_A_NUMBER = re.compile(r"[+-]?\s{0,3}\d[\d.,' ]*([eE][+-]?\d+)?\s*%?")
FEW = 10
"""Whole numbers up to which a column with a word may be of categories that are spelled with numbers."""


def without_marks(raw: pd.DataFrame, file: str, kept: Mapping[str, Collection[str]]) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells with marks of missing values taken as missing, and a sentence that says which and where.

    Args:
        raw: the cells.
        file: the table as the user knows it.
        kept: column -> words that are labels in it.
    """
    cleaned, counts, found = raw.copy(), {}, dict[str, None]()
    for name in raw.columns:
        if pd.api.types.is_numeric_dtype(raw[name]):
            continue
        text = raw[name].map(lambda cell: cell.strip() if isinstance(cell, str) else cell, na_action="ignore")
        marked = text.isin([*MISSING, ""])
        among = text.isin(_AMONG_NUMBERS)
        if among.any() and all(map(_is_number, text[~marked & ~among].dropna())):
            marked |= among
        marked &= ~text.isin(list(kept.get(str(name), ())))
        if not marked.any():
            continue
        cleaned[name] = raw[name].where(~marked, None)
        counts[str(name)] = int(marked.sum())
        found |= dict.fromkeys(f"'{word}'" if word else "nothing but blanks" for word in text[marked].unique())
    if not counts:
        return cleaned, []
    listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
    sentence = f"{file}: cells that say {', '.join(found)} are taken as missing: {listed}"
    if any(not all(map(_is_number, cleaned[name].dropna())) for name in counts):
        sentence += "; a label among them is kept where the plan names it: an arm as control, a level in scores"
    return cleaned, [sentence]


def _is_number(cell: object) -> bool:
    return not isinstance(cell, str) or cell == "" or bool(_LIKE_A_NUMBER.fullmatch(cell))


def with_points(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells with points in columns of numbers with decimal commas, and the names of these columns."""
    found, names = cells.copy(), []
    for name in cells.columns:
        known = cells[name].dropna()
        if not all(isinstance(cell, str) and _with_comma(cell) for cell in known) or not any("," in c for c in known):
            continue
        found[name] = cells[name].str.strip().str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        names.append(str(name))
    return found, names


def _with_comma(cell: str) -> bool:
    return bool(_COMMA.fullmatch(cell.strip())) and any(character.isdigit() for character in cell)


def words_among_numbers(cells: pd.Series) -> pd.Series:
    """Return which cells are words in a column that otherwise holds numbers; none where it holds categories.

    As a covariate such a column would be an indicator for each of its numbers.
    """
    nothing = pd.Series(False, index=cells.index)
    if pd.api.types.is_numeric_dtype(cells):
        return nothing
    levels = cells.dropna().astype(str)
    distinct = levels.unique()
    alike = [level for level in distinct if _LIKE_A_NUMBER.fullmatch(level.strip())]
    if 2 * len(alike) <= len(distinct) or (len(alike) <= FEW and all(level.strip().isdigit() for level in alike)):
        return nothing
    return cells.notna() & pd.to_numeric(cells, errors="coerce").isna()
