"""Columns checked before they are used: names, missing cells, numbers; every problem named with its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study_app.domain.errors import Problem, ProblemsFound

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class AnalysisError(ProblemsFound):
    """The table or the request cannot be analysed as asked; each line names the column and the remedy."""

    @classmethod
    def of(cls, key: str, what: str, remedy: str) -> AnalysisError:
        """Return one problem of the data or of the call, e.g. `of("column 'score'", "is not in the table", "...")`."""
        return cls([Problem("data", key, what, remedy)])


class NotEstimable(Exception):
    """The request is sound but this quantity does not exist for these data; becomes a null estimate with the note."""


@contextmanager
def installed(what: str) -> Iterator[None]:
    """Around an import: a library that is missing becomes an AnalysisError that names it and what needs it."""
    try:
        yield
    except ImportError as error:
        raise AnalysisError.of(
            what, f"needs a library that is missing ({error})", "install the requirements"
        ) from error


def label_of(value: Any) -> str:
    """Return the text of an arm: 0, 0.0 and numpy's zero are all `0`."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def names(columns: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return one name, several or none as a tuple."""
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns)


def require_columns(data: pd.DataFrame, wanted: Iterable[str]) -> None:
    """Refuse names that are not columns, or of which there are two, all at once."""
    wanted = list(wanted)
    missing = [name for name in dict.fromkeys(wanted) if name not in data.columns]
    if missing:
        remedy = f"name one of: {', '.join(map(str, data.columns))}"
        raise AnalysisError([Problem("data", f"column {name!r}", "is not in the table", remedy) for name in missing])
    twice = [name for name in dict.fromkeys(wanted) if list(data.columns).count(name) > 1]
    if twice:
        what, remedy = "is there more than once", "keep one column of each name"
        raise AnalysisError([Problem("data", f"column {name!r}", what, remedy) for name in twice])


OF_METHODS = (
    "drop or impute those rows first, or use a method that takes missing values (lee_bounds, worst_case, "
    "inverse_probability)"
)
"""What to do about missing cells in a table of people."""


def complete(data: pd.DataFrame, column: str, remedy: str = OF_METHODS) -> pd.Series:
    """Return the column, refused where a cell is missing."""
    series: pd.Series = data[column]
    missing = int(series.isna().to_numpy().sum())
    if series.dtype == object or isinstance(series.dtype, pd.StringDtype):
        # An empty text cannot be a label: it would become another arm or stratum.
        missing += sum(isinstance(cell, str) and not cell.strip() for cell in series.tolist())
    if missing:
        raise AnalysisError.of(f"column {column!r}", f"{missing} of {len(series)} cells are empty", remedy)
    return series


def as_numbers(series: pd.Series) -> Floats:
    """Cells as floats, NaN kept; text that is not a number, dates and infinities are refused."""
    _refuse_dates(series)
    try:
        values = np.asarray(pd.to_numeric(series), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise AnalysisError.of(
            f"column {series.name!r}", f"is not numeric ({error})", "recode it as numbers"
        ) from error
    if np.isinf(values).any():
        raise AnalysisError.of(f"column {series.name!r}", "holds an infinite value", "fix or drop those rows")
    return values


def numbers(data: pd.DataFrame, column: str) -> Floats:
    """Return a complete numeric column."""
    return as_numbers(complete(data, column))


def is_numeric(series: pd.Series) -> bool:
    """Numbers or booleans, also as plain objects, but not categories spelled with numbers."""
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return True
    cells = series.dropna() if series.dtype == object else ()
    return len(cells) > 0 and all(isinstance(cell, Number) for cell in cells)


def groups(data: pd.DataFrame, columns: Sequence[str]) -> tuple[Ints, list[str]]:
    """Cells of one or several columns as codes 0..k-1 in sorted order, and their labels."""
    texts = [_coded(complete(data, column)) for column in columns]
    codes, levels = texts[0]
    for other, names_ in texts[1:]:
        codes = codes * len(names_) + other
        levels = [f"{first} / {second}" for first in levels for second in names_]
    # Combinations that no row has are left out, so that codes can size arrays and index columns without empty ones.
    seen, compact = np.unique(codes, return_inverse=True)
    return np.asarray(compact, dtype=np.int64), [levels[code] for code in seen]


def _coded(series: pd.Series) -> tuple[Ints, list[str]]:
    """Return one column as codes into its sorted texts."""
    # Labels are made of the distinct values and not of every cell, for tables of 100,000 rows have a handful of arms.
    codes, values = pd.factorize(series)
    texts = [label_of(value) for value in values]
    levels = sorted(set(texts))
    place = {text: index for index, text in enumerate(levels)}
    return np.asarray([place[text] for text in texts], dtype=np.int64)[codes], levels


def dummies(codes: Ints, count: int) -> Floats:
    """Return indicator columns of all levels but the first, (n, count - 1)."""
    columns: Floats = (codes[:, None] == np.arange(1, count)[None, :]).astype(np.float64)
    return columns


def covariate_columns(data: pd.DataFrame, covariates: Sequence[str]) -> tuple[Floats, list[str]]:
    """Covariates as numbers, (n, k): numeric ones as they are, others as indicators of all levels but the first."""
    blocks: list[Floats] = [np.empty((len(data), 0))]
    labels: list[str] = []
    for name in covariates:
        if is_numeric(data[name]):
            blocks.append(numbers(data, name)[:, None])
            labels.append(name)
            continue
        series = complete(data, name)
        _refuse_dates(series)
        _refuse_numbers_as_text(series)
        levels = levels_of(series)
        codes = np.asarray([levels.index(label_of(value)) for value in series], dtype=np.int64)
        blocks.append(dummies(codes, len(levels)))
        labels += [f"{name}[{level}]" for level in levels[1:]]
    return np.column_stack(blocks), labels


def _refuse_dates(series: pd.Series) -> None:
    """Refuse dates, durations and complex numbers, which pandas would take for counts of nanoseconds or cut in half."""
    cells = series.dropna()
    if series.dtype == object and len(cells):
        is_other = isinstance(cells.iloc[0], date | timedelta | complex)
    else:
        is_other = series.dtype.kind in "mMc" or isinstance(series.dtype, pd.PeriodDtype | pd.DatetimeTZDtype)
    if is_other:
        what, remedy = "holds dates, durations or complex numbers", "recode it as numbers, e.g. days since a date"
        raise AnalysisError.of(f"column {series.name!r}", what, remedy)


ROUNDED = 1e-12
"""Share of the size of numbers below which a difference between them is rounding."""
MANY_LEVELS = 20
"""Distinct numbers beyond which a text is not the name of a category."""
ROWS_OF_A_LEVEL = 5
"""Rows to a level, on average, from which a number with decimals, e.g. a dose, may be the name of a category."""


def _refuse_numbers_as_text(series: pd.Series) -> None:
    """Refuse a covariate whose numbers are text, as one word like NA makes them: each would become an indicator."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return
    levels = pd.Series(series.unique())
    values = pd.to_numeric(levels, errors="coerce")
    known = values[values.notna()]
    alike = (known % 1 == 0).all() or len(series) >= ROWS_OF_A_LEVEL * len(levels)
    if len(known) * 2 <= len(levels) or (len(known) <= MANY_LEVELS and alike):
        return
    others = [repr(level) for level in levels[values.isna()]][:3]
    what = "holds numbers as text" + (f", and {', '.join(others)}" if others else "")
    remedy = "recode it as numbers with empty cells for the missing, or as a pandas Categorical"
    raise AnalysisError.of(f"column {series.name!r}", what, remedy)


def mean_and_spread(columns: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column; 0 and 1 for indicators, and for what does not vary."""
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    # Rounding gives a constant of 0.1 a spread of 1e-17, whose multiples would be made a covariate of noise.
    taken = (spread > ROUNDED * np.abs(mean)) & ~np.isin(columns, (0.0, 1.0)).all(axis=0)
    return np.where(taken, mean, 0.0), np.where(taken, spread, 1.0)


def in_deviations(columns: Floats) -> Floats:
    """Columns about their mean, in standard deviations; indicators, and what does not vary, as they are."""
    mean, spread = mean_and_spread(columns)
    return np.asarray((columns - mean) / spread, dtype=np.float64)


def own_units(mean: Floats, spread: Floats) -> Floats:
    """Return the matrix (k, k) that makes coefficients of columns in deviations those of the columns as given.

    Args:
        mean: of each column, as `mean_and_spread` gives it; the first column is the intercept.
        spread: likewise.
    """
    found: Floats = np.diag(1 / spread)
    found[0] -= mean / spread
    return found


def levels_of(series: pd.Series) -> list[str]:
    """Labels of a column: in the order of its categories, else sorted by value."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return [label_of(level) for level in series.cat.categories]
    values = list(series.dropna().unique())
    try:
        return [label_of(value) for value in sorted(values)]
    except TypeError:
        return sorted(label_of(value) for value in values)
