"""Arguments of a call held against the annotations of the method, and its numbers and words against their domains."""

from __future__ import annotations

import math
import types
from collections.abc import Hashable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import pandas as pd

from analysis.estimators.core.option_domains import DOMAINS, SCALES, Numbers
from analysis.estimators.core.validation import AnalysisError, Floats
from study_app.domain.errors import Problem

SHARE = Numbers(above=0, below=1)
"""Levels and powers."""
_SCALARS = {bool: "True or False", int: "a whole number", float: "a number", str: "text", type(None): "None"}


def option_problems(
    method: str, options: Mapping[str, Any], hints: Mapping[str, Any], clustered: bool
) -> list[Problem]:
    """Return what is wrong with the options of a call: their kinds, else what their values can be.

    Args:
        method: its name.
        options: as given.
        hints: annotations of the method's options.
        clustered: whether the call names clusters.
    """
    found = []
    for name, value in options.items():
        wanted = hints.get(name, Any)
        names_column = fits("", wanted) and name not in DOMAINS.get(method, {})
        if not fits(value, wanted) and not (names_column and fits(value, int)):
            found.append(Problem("data", name, *_unfit(value, wanted)))
            continue
        domain = SCALES if name == "prior_scale" and isinstance(value, str) else DOMAINS.get(method, {}).get(name)
        problem = domain.problem(_plain(value), clustered) if domain is not None else None
        found += [Problem("data", name, *problem)] if problem else []
    return found


def shared_problems(
    columns: Mapping[str, Any], names: Mapping[str, Any], level: Any, horizon: Any, seed: Any
) -> Iterator[Problem]:
    """Yield what is wrong with the kinds of the arguments that all methods share.

    Args:
        columns: those that name one column.
        names: those that name several.
        level: of the intervals.
        horizon: None where it is not given.
        seed: likewise.
    """
    for key, value in columns.items():
        if value is not None and not isinstance(value, Hashable):
            yield Problem("data", key, f"{_shown(value)} is not the name of a column", "give one name")
    for key, value in names.items():
        entries = [] if value is None or isinstance(value, str) else value
        if not isinstance(entries, Iterable) or not all(isinstance(entry, Hashable) for entry in entries):
            what = f"{_shown(value)} are not names of columns"
            yield Problem("data", key, what, "give one name, or a list of them")
    for key, value in (("level", level), ("horizon", horizon)):
        if not fits(value, float) and not (key == "horizon" and value is None):
            yield Problem("data", key, f"{_shown(value)} is not a number", "give a number")
    if seed is not None and not (fits(seed, int) and seed >= 0):
        yield Problem("data", "seed", f"{_shown(seed)} is not a whole number from 0 on", "give one, e.g. 1")


def kept(value: Any, wanted: Any = Iterable[str]) -> Any:
    """Return a list of names as a tuple, which can be read more than once and compared; anything else as it is.

    >>> kept(name for name in "ab"), kept(pd.Index(["a"])), kept("ab"), kept(np.ones(1), list[float])
    (('a', 'b'), ('a',), 'ab', array([1.]))
    """
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return tuple(value) if is_list and (isinstance(value, Iterator) or _is_names(wanted)) else value


def _is_names(wanted: Any) -> bool:
    if get_origin(wanted) in (Union, types.UnionType):
        return any(map(_is_names, get_args(wanted)))
    return str in get_args(wanted)


def fits(value: Any, wanted: Any) -> bool:
    """Return whether a value is of an annotated kind: numpy's scalars are numbers, truth values are not.

    >>> fits(np.float32(1), float | None), fits(True, float), fits([1, 2], list[float]), fits("ab", list[str])
    (True, False, True, False)
    """
    if wanted is Any:
        return True
    if wanted in _SCALARS:
        return _is_scalar(value, wanted)
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return any(fits(value, entry) for entry in get_args(wanted))
    if origin is Literal:
        return isinstance(value, str) and value in get_args(wanted)
    if origin is None:
        return isinstance(value, wanted)
    inner = (get_args(wanted) or (Any,))[0]
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return False
    return all(inner is object or (fits(entry, inner) and (inner is not float or math.isfinite(entry)))
               for entry in value)  # fmt: skip


def number(name: str, value: Any, within: Numbers | None = None) -> float:
    """Return an argument that has to be a finite number, refused by its name where it is none or out of bounds."""
    if value is None:
        raise AnalysisError.of(name, "is not given", f"give a number for {name}")
    if not fits(value, float):
        raise AnalysisError.of(name, f"{value!r} is not a number", f"give a number for {name}")
    problem = (within or Numbers()).problem(float(value), clustered=False)
    if problem:
        raise AnalysisError.of(name, *problem)
    return float(value)


def whole(name: str, value: Any, within: Numbers) -> int:
    """Return an argument that has to be a whole number within bounds, such as a count."""
    if number(name, value, within) % 1:
        raise AnalysisError.of(name, f"{value!r} is not a whole number", f"give a whole number for {name}")
    return int(value)


def word(name: str, value: Any, words: Iterable[str]) -> str:
    """Return an argument that has to be one of a few words."""
    known = list(words)
    if not isinstance(value, str) or value not in known:
        raise AnalysisError.of(name, f"{value!r} is not known", f"use one of {', '.join(known)}")
    return value


def unused(name: str, value: Any, beside: str) -> None:
    """Refuse an argument that is given and would change nothing."""
    if value is not None:
        raise AnalysisError.of(name, f"is not used by {beside}", "leave it out")


def share(name: str, value: Any) -> float:
    """Return an argument between 0 and 1, as levels, powers and coverages are."""
    return number(name, value, SHARE)


def numbers_of(name: str, values: Any, dimensions: int = 1) -> Floats:
    """Return numbers as an array of so many dimensions, None and NA as NaN; refused where they are none."""
    try:
        cells = np.atleast_1d(np.asarray(values, dtype=object))
        found = np.where(pd.isna(cells), np.nan, cells).astype(np.float64)
    except (TypeError, ValueError):
        raise AnalysisError.of(name, "are not all numbers", f"give {name} as numbers") from None
    if found.ndim != dimensions:
        raise AnalysisError.of(name, f"shape {found.shape}", f"give {dimensions} dimension(s)")
    return found


def sample_of(name: str, values: Any, least: int = 1, *, endless: bool = False) -> Floats:
    """Return numbers without gaps, at least so many; infinite ones only where they mean something (`endless`)."""
    # An array of floats is taken as it is: the methods call with these, many times in a simulation.
    known = isinstance(values, np.ndarray) and values.dtype == np.float64 and values.ndim == 1
    found = np.asarray(values) if known else numbers_of(name, values)
    unfit = np.isnan(found) if endless else ~np.isfinite(found)
    if np.ndim(values) == 0 or len(found) < least or unfit.any():
        what = "are not all numbers" if endless else "are not all finite numbers"
        raise AnalysisError.of(name, what, f"give {least} or more, without gaps")
    return np.asarray(found, dtype=np.float64)


def table_of(name: str, values: Any) -> pd.DataFrame:
    """Return a table of rows and columns, refused where the values are none."""
    if isinstance(values, pd.DataFrame):
        return values
    try:
        return pd.DataFrame(np.asarray(values))
    except (TypeError, ValueError):
        raise AnalysisError.of(name, f"a {type(values).__name__} is not a table", "give rows and columns") from None


def _unfit(value: Any, wanted: Any) -> tuple[str, str]:
    """Return what is wrong with a value, and what to give in its place."""
    if get_origin(wanted) is Literal and isinstance(value, str):
        return f"{value!r} is not known", f"use {described(wanted)}"
    return f"{_shown(value)} is not {described(wanted)}", f"give {described(wanted)}"


def _is_scalar(value: Any, wanted: Any) -> bool:
    if wanted is bool:
        return isinstance(value, bool | np.bool_)
    kinds: dict[Any, type] = {int: Integral, float: Real, str: str, type(None): type(None)}
    return isinstance(value, kinds[wanted]) and not isinstance(value, bool | np.bool_)


def described(wanted: Any) -> str:
    """Return the English name of an annotated type.

    >>> described(float | str | None), described(list[float])
    ('a number or text', 'a list of numbers')
    """
    if wanted in _SCALARS:
        return _SCALARS[wanted]
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return " or ".join(described(entry) for entry in inner if entry is not type(None))
    if origin is Literal:
        return " or ".join(map(str, inner))
    return {float: "a list of numbers", str: "a list of names"}.get((inner or (Any,))[0], "a list")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    text = repr(_plain(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
