"""Rare answers made common: no value of a column is left to fewer than k people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from study_app.dataset.schema import Column, TableSchema, compact_json

RARE = "[rare]"
"""What stands for values that fewer than k people gave."""
DEFAULT_K = 5


@dataclass(frozen=True)
class Recoding:
    """What becomes of the values of one column."""

    column: str
    to: Mapping[str, Any]
    """Value as JSON -> what stands for it."""
    merged: tuple[tuple[str, tuple[str, ...]], ...]
    """What stands there now -> the values that it may be; only where something was merged."""
    method: str
    """How, as a sentence; empty where nothing was rare."""

    def of(self, value: Any) -> Any:
        """Return what stands for a value; a value that was not counted is rare."""
        return None if value is None else self.to.get(compact_json(value), RARE if self._texts else None)

    @property
    def _texts(self) -> bool:
        return any(isinstance(value, str) for value in self.to.values())

    @property
    def coarse(self) -> bool:
        """Whether any value changed."""
        return bool(self.method)

    def described(self, column: Column) -> Column:
        """Return the column as it is now: values that are left, and what they mean."""
        if not self.coarse:
            return column
        levels = column.levels
        if levels:
            stand = [str(value) for value in self.to.values() if value is not None]
            levels = tuple(dict.fromkeys([*(level for level in levels if level in stand), *stand]))
        known = dict(column.labels)
        labels = {value: label for value, label in column.labels if not levels or value in levels}
        for value, parts in self.merged:
            labels[value] = " or ".join(known.get(part, part) for part in parts)
        return replace(column, levels=levels, labels=tuple(labels.items()), caption=f"{column.caption}. {self.method}")


def recoded_levels(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the columns of `participants` that a dataset's manifest says were coarsened, with the values left.

    Every reader of a dataset asks this: the study file alone no longer says what may stand in these columns.
    """
    public = manifest.get("public")
    recoded = public.get("recoded") if isinstance(public, Mapping) else None
    entries = recoded.items() if isinstance(recoded, Mapping) else ()
    levels = {name: entry.get("levels") for name, entry in entries if isinstance(entry, Mapping)}
    return {str(name): tuple(map(str, found)) if isinstance(found, list) else () for name, found in levels.items()}


def recoded_table(table: TableSchema, levels: Mapping[str, Sequence[str]]) -> TableSchema:
    """Return the schema of a coarsened table: column -> values that are left."""
    if table.name != "participants":
        return table
    columns = (replace(c, levels=tuple(levels[c.name])) if c.name in levels else c for c in table.columns)
    return replace(table, columns=tuple(columns))


def recoding_of(column: Column, values: Iterable[Any], k: int) -> Recoding:
    """Return what makes every value of a column common.

    Args:
        column: whose values these are.
        values: one for each person; None is missing and stays so.
        k: least number of people who share a value.
    """
    given = [value for value in values if value is not None]
    counts = Counter(compact_json(value) for value in given)
    originals = {compact_json(value): value for value in given}
    if all(count >= k for count in counts.values()):
        return Recoding(column.name, originals, (), "")
    if len(given) < k:
        gone = RARE if column.type == "text" and not column.levels else None
        return Recoding(column.name, dict.fromkeys(originals, gone), (), f"Withheld: fewer than {k} people answered")
    if column.type in ("integer", "number"):
        return _neighbours(column, originals, counts, k)
    return _pooled(column, originals, counts, k)


def _pooled(column: Column, originals: Mapping[str, Any], counts: Counter[str], k: int) -> Recoding:
    """Unordered values: the rare ones become one, with the next rarest until they are common together."""
    order = sorted(counts, key=lambda key: (counts[key], key))
    pooled: list[str] = []
    # A pool of fewer than k people would itself be rare: the next rarest value joins it until it is not.
    while order and (counts[order[0]] < k or 0 < sum(counts[key] for key in pooled) < k):
        pooled.append(order.pop(0))
    to = {key: RARE if key in pooled else value for key, value in originals.items()}
    parts = tuple(sorted(str(originals[key]) if isinstance(originals[key], str) else key for key in pooled))
    return Recoding(column.name, to, ((RARE, parts),), f"Values of fewer than {k} people are {RARE}")


def _neighbours(column: Column, originals: Mapping[str, Any], counts: Counter[str], k: int) -> Recoding:
    """Ordered values: neighbours are put together until k people share them, and go by the middle person's value."""
    keys = sorted(originals, key=lambda key: originals[key])
    groups = _groups(keys, counts, k)
    to: dict[str, Any] = {}
    merged = []
    for group in groups:
        middle = _middle(group, counts)
        to |= dict.fromkeys(group, originals[middle])
        if len(group) > 1:
            parts = [compact_json(originals[key]) for key in group]
            shown = tuple(parts) if column.levels else (f"{parts[0]} to {parts[-1]}",)
            merged.append((compact_json(originals[middle]), shown))
    how = f"Neighbouring values that fewer than {k} people gave are put together, under the value of the middle person"
    return Recoding(column.name, to, tuple(merged), how)


def _groups(keys: Sequence[str], counts: Counter[str], k: int) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for key in keys:
        if sum(counts[member] for member in groups[-1]) >= k:
            groups.append([])
        groups[-1].append(key)
    # What is left at the end can be fewer than k people; they join the group below.
    if len(groups) > 1 and sum(counts[member] for member in groups[-1]) < k:
        last = groups.pop()
        groups[-1] += last
    return groups


def _middle(group: Sequence[str], counts: Counter[str]) -> str:
    half, seen = sum(counts[key] for key in group) / 2, 0
    for key in group:
        seen += counts[key]
        if seen >= half:
            return key
    return group[-1]


def smallest_cells(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], together: Sequence[int] = (1, 2, 3)
) -> list[tuple[int, int, int, tuple[str, ...]]]:
    """Return how small groups get that share their values, by how many columns are known together.

    Args:
        rows: one for each person.
        names: of the columns.
        together: how many of them may be known, beside all.

    Returns:
        For each size: (size, least group, people who are alone in theirs, the columns of the least);
        missing counts as a value. Of a combination in which a person is alone, these are counted once each.
    """
    # As JSON once, and not in each of some thousand combinations.
    known = {name: [compact_json(row.get(name)) for row in rows] for name in names}
    found = []
    for size in dict.fromkeys(min(size, len(names)) for size in (*together, len(names)) if names):
        least, alone, which = len(rows), set(), tuple(names[:size])
        for chosen in combinations(names, size):
            cells = list(zip(*(known[name] for name in chosen), strict=True))
            counts = Counter(cells)
            fewest = min(counts.values(), default=least)
            if fewest == 1:
                alone |= {index for index, cell in enumerate(cells) if counts[cell] == 1}
            if fewest < least:
                least, which = fewest, tuple(chosen)
        found.append((size, least, len(alone), which))
    return found
