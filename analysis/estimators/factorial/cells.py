"""The cells of a factorial table, and the contrasts of their means that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product

import numpy as np

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Bools, Floats, Ints, label_of, levels_of

CELL = "_cell"
"""Column of the cell's name in the tables made here."""
KINDS = ("main", "interaction", "simple", "control")


@dataclass(frozen=True)
class Effect:
    """One contrast of cell means."""

    kind: str
    name: str
    """Of the row: `approval`, `approval_x_variant`, `free_calm_vs_each_calm`."""
    factors: tuple[str, ...]
    contrast: tuple[str, str] | None
    """Levels, or arms; None for an interaction."""
    weights: Floats
    """Of each cell's mean, the nested control's last where the table has one; they add up to 0."""
    coding: float = 1.0
    """The effect is this times its coefficient in a model with factors coded -1 and 1."""


@dataclass(frozen=True)
class Cells:
    """A table of people by the levels of their factors.

    Attributes:
        trial: The request, whose rows are everybody.
        factors: Columns, each with its levels in order, the reference first.
        nested: Name of the control outside the cells.
    """

    trial: AnalysisRequest
    factors: dict[str, tuple[str, ...]]
    nested: str

    @classmethod
    def of(cls, trial: AnalysisRequest, factors: Sequence[str] | None, nested: str) -> Cells:
        """Read the factors' columns.

        Raises:
            AnalysisError: no factors, an unknown column, one level alone, levels known in part, a cell without rows.
        """
        names = [factors] if isinstance(factors, str) else list(factors or ())
        if not names or len(set(names)) < len(names):
            raise AnalysisError.of("factors", f"{names} name no factors", "name one column for each factor, once")
        for name in names:
            if name not in trial.data.columns:
                raise AnalysisError.of(f"column {name!r}", "is not in the table", "name the columns of the factors")
        known = trial.data[names].notna().to_numpy()
        partly = np.flatnonzero(known.any(axis=1) & ~known.all(axis=1))
        if len(partly):
            name = names[int(np.argmin(known[partly[0]]))]
            what = "is missing in a row that has a level of another factor"
            raise AnalysisError.of(f"column {name!r}", what, "give every row all levels, or none for a nested control")
        inside = trial.data[known.all(axis=1)]
        levels = {name: tuple(levels_of(inside[name])) for name in names}
        found = cls(trial, levels, nested)
        found.refuse_gaps()
        return found

    def refuse_gaps(self) -> None:
        """Refuse factors with one level, and cells without rows."""
        for name, levels in self.factors.items():
            if len(levels) < 2:
                raise AnalysisError.of(f"column {name!r}", f"has the levels {list(levels)}", "a factor needs two")
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        if not counts.all():
            name = self.names[int(np.argmin(counts))]
            raise AnalysisError.of("factors", f"cell {name!r} has no rows", "every combination of levels needs rows")

    @cached_property
    def combinations(self) -> list[tuple[str, ...]]:
        """The cells in order, each by its levels."""
        return list(product(*self.factors.values()))

    @cached_property
    def names(self) -> list[str]:
        """The cells' names: levels joined by an underscore, as the arms of a study are named."""
        return ["_".join(levels) for levels in self.combinations]

    @cached_property
    def codes(self) -> Ints:
        """Each row's cell, -1 outside the cells."""
        place = {levels: number for number, levels in enumerate(self.combinations)}
        columns = [self.trial.data[name] for name in self.factors]
        rows = zip(*columns, strict=True)
        inside = ~columns[0].isna().to_numpy()
        return np.asarray(
            [
                place[tuple(label_of(value) for value in row)] if cell else -1
                for row, cell in zip(rows, inside, strict=True)
            ],
            dtype=np.int64,
        )

    @cached_property
    def has_control(self) -> bool:
        """Whether some rows stand outside the cells."""
        return bool((self.codes < 0).any())

    @property
    def inside(self) -> Bools:
        """Rows of the cells."""
        return np.asarray(self.codes >= 0)

    def request(self, *, with_control: bool) -> AnalysisRequest:
        """Return the request over cells as arms: of the cells alone, or with the nested control as the last."""
        labels = np.asarray([*self.names, self.nested], dtype=object)[self.codes]
        data = self.trial.data.assign(**{CELL: labels})
        rows = np.ones(len(data), dtype=bool) if with_control else self.inside
        return replace(self.trial, data=data[rows].reset_index(drop=True), arm=CELL, control=self.names[0], notes=[])

    # -- contrasts -----------------------------------------------------------------------------------------------------

    def effects(self, kind: str) -> list[Effect]:
        """Return every contrast of a kind, over the cells' means in their order."""
        made = {"main": self._main, "interaction": self._interactions, "simple": self._simple, "control": self._control}
        return list(made[kind]())

    def _main(self) -> Iterator[Effect]:
        for factor, levels in self.factors.items():
            for level in levels[1:]:
                yield self._crossed("main", {factor: level}, (level, levels[0]))

    def _interactions(self) -> Iterator[Effect]:
        for size in range(2, len(self.factors) + 1):
            for chosen in combinations(self.factors, size):
                for levels in product(*(self.factors[name][1:] for name in chosen)):
                    yield self._crossed("interaction", dict(zip(chosen, levels, strict=True)), None)

    def _crossed(self, kind: str, moved: dict[str, str], contrast: tuple[str, str] | None) -> Effect:
        """Return the difference (of differences) between levels and references, over the others' levels alike."""
        parts = []
        for factor, levels in self.factors.items():
            if factor in moved:
                parts.append([-1.0 if n == 0 else float(level == moved[factor]) for n, level in enumerate(levels)])
            else:
                # Equal weights, whatever the cells' sizes: the effect then does not depend on how many people happened
                # to be in each cell.
                parts.append([1 / len(levels)] * len(levels))
        # The same order of the product as in `combinations`, so that weights and cells' means align.
        weights = np.asarray([float(np.prod(row)) for row in product(*parts)])
        several = [f"{name}.{level}" if len(self.factors[name]) > 2 else name for name, level in moved.items()]
        # From -1 to 1 are two steps, in each factor moved.
        coding = 2.0 ** len(moved) if all(len(levels) == 2 for levels in self.factors.values()) else 1.0
        return Effect(kind, "_x_".join(several), tuple(moved), contrast, weights, coding)

    def _simple(self) -> Iterator[Effect]:
        for factor, levels in self.factors.items():
            place = list(self.factors).index(factor)
            for number, cell in enumerate(self.combinations):
                if cell[place] != levels[0]:
                    reference = (*cell[:place], levels[0], *cell[place + 1 :])
                    other = self.combinations.index(reference)
                    weights = np.zeros(len(self.names))
                    weights[number], weights[other] = 1.0, -1.0
                    pair = (self.names[number], self.names[other])
                    yield Effect("simple", "_vs_".join(pair), (factor,), pair, weights)

    def _control(self) -> Iterator[Effect]:
        """Yield all cells together, then each level of each factor, with the nested control."""
        everyone = np.full(len(self.names), 1 / len(self.names))
        yield self._against("cells", (), everyone)
        for place, (factor, levels) in enumerate(self.factors.items()):
            for level in levels:
                members = np.asarray([cell[place] == level for cell in self.combinations], dtype=np.float64)
                yield self._against(level, (factor,), members / members.sum())

    def _against(self, name: str, factors: tuple[str, ...], weights: Floats) -> Effect:
        pair = (name, self.nested)
        name = ".".join([*factors, "_vs_".join(pair)])
        return Effect("control", name, factors, pair, np.append(weights, -1.0))
