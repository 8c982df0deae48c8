"""Columns of people and files of assignments, as the supplement of a result holds them: each once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""One sign an arm."""
NO_PLACE = 255
"""Position of people whom no model of a file has."""


class Columns:
    """Columns by name; another column of a name that is taken gets a longer one."""

    def __init__(self, arm: pd.Series) -> None:
        """Start with the arms."""
        self._made: dict[str, pd.Series] = {"arm": arm.astype(str)}

    def add(self, name: str, values: pd.Series) -> str:
        """Return the name under which the column is in the data."""
        # Names of the analysis table begin with an underscore, which a formula of R cannot hold.
        name = name.strip("_")
        while name in self._made and not self._made[name].equals(values):
            name += "_2"
        self._made[name] = values
        return name

    def table(self) -> pd.DataFrame:
        """Return all of them."""
        return pd.DataFrame(self._made)


@dataclass
class AssignmentFiles:
    """Files of assignments; models whose common people have the same ones share a file."""

    made: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def add(self, drawn: NDArray[np.uint8]) -> str:
        """Return the file that has these assignments (assignments, people), NO_PLACE for people who have none."""
        own = drawn[0] != NO_PLACE
        for name, held in self.made.items():
            if held.shape != drawn.shape:
                continue
            common = own & (held[0] != NO_PLACE)
            if common.any() and np.array_equal(held[:, common], drawn[:, common]):
                self.made[name] = np.where(drawn != NO_PLACE, drawn, held)
                return name
        name = f"assignments_{len(self.made) + 1}.txt" if self.made else "assignments.txt"
        self.made[name] = drawn
        return name


def lines_of(drawn: NDArray[np.uint8]) -> str:
    """Return one line an assignment, one sign a person, a hyphen for who has none."""
    signs = np.full(256, ord("-"), dtype=np.uint8)
    signs[: len(SYMBOLS)] = np.frombuffer(SYMBOLS.encode(), dtype=np.uint8)
    ends = np.full((len(drawn), 1), ord("\n"), dtype=np.uint8)
    return np.concatenate([signs[drawn], ends], axis=1).tobytes().decode("ascii")
