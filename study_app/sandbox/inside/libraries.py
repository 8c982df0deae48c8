"""What libraries need so that they work without /proc, and the figures that a program drew.

`make_ready` runs once in the fork server, after the packages were imported; `figures` in a run, at its end.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

_INCHES, _DOTS = 10.0, 100.0
"""A figure is drawn at most this large and this finely, so that its picture stays small."""
_BY_REPR = (
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("uuid", "UUID"),
)
"""Classes of the standard library whose `repr` says everything."""


def make_ready(readable: Sequence[str]) -> None:
    """Prepare the imported libraries.

    Args:
        readable: the only files and folders that programs may read.
    """
    with contextlib.suppress(AttributeError):
        _only_readable_fonts(tuple(f"{path}/" for path in readable))
    with contextlib.suppress(AttributeError):
        _know_thread_pools()


def _only_readable_fonts(kept: tuple[str, ...]) -> None:
    """Let matplotlib know of no font that a program could not open."""
    manager = sys.modules.get("matplotlib.font_manager")
    if manager is not None:
        fonts = manager.fontManager
        fonts.ttflist = [font for font in fonts.ttflist if os.path.realpath(font.fname).startswith(kept)]
        fonts.afmlist = [font for font in fonts.afmlist if os.path.realpath(font.fname).startswith(kept)]


def _know_thread_pools() -> None:
    """Look now for the thread pools that scikit-learn bounds: later, /proc/self/maps cannot be read."""
    module = sys.modules.get("threadpoolctl")
    if module is None or not hasattr(module.ThreadpoolController, "_load_libraries"):
        return
    found = list(module.ThreadpoolController().lib_controllers)

    def known(controller: Any) -> None:
        controller.lib_controllers = list(found)

    module.ThreadpoolController._load_libraries = known


def as_builtin(value: Any) -> Any:
    """Return a number or table of a numerical library, a date, a fraction or bytes as builtin values.

    None for anything else.

    A number becomes a plain one. Other things become a tuple of their kind's name and their content, so that an array
    does not equal a list.
    """
    kind = type(value)
    numpy, pandas, polars = (sys.modules.get(name) for name in ("numpy", "pandas", "polars"))
    if numpy is not None and isinstance(value, numpy.generic):
        plain = value.item()
        return None if isinstance(plain, numpy.generic) else plain
    if numpy is not None and kind is numpy.ndarray:
        return ("array", value.tolist())
    if pandas is not None and kind is pandas.DataFrame:
        return ("DataFrame", value.to_dict("split"))
    if pandas is not None and kind is pandas.Series:
        return ("Series", value.tolist(), value.index.tolist())
    if polars is not None and kind in (polars.DataFrame, polars.Series):
        return (kind.__name__, value.to_dict(as_series=False) if kind is polars.DataFrame else value.to_list())
    if kind in (bytes, complex, range) or _of_standard_library(kind):
        return (kind.__name__, repr(value))
    return None


def _of_standard_library(kind: type) -> bool:
    """Return whether it is a class of dates or exact numbers itself, not one derived from it."""
    return any(kind is getattr(sys.modules.get(module), name, None) for module, name in _BY_REPR)


def figures() -> Iterator[bytes]:
    """PNG of each open matplotlib figure, in the order in which they were made; the reader keeps the first few."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in list(pyplot.get_fignums()) if pyplot is not None else ():
        figure = pyplot.figure(number)  # type: ignore[union-attr]
        longest = max(figure.get_size_inches())
        if longest > _INCHES:
            figure.set_size_inches(*(side * _INCHES / longest for side in figure.get_size_inches()))
        picture = io.BytesIO()
        # Without the version of the library in it, equal figures have equal bytes.
        figure.savefig(picture, format="png", dpi=min(figure.dpi, _DOTS), metadata={"Software": None})
        yield picture.getvalue()
