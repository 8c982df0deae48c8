"""Looks as a dataset's manifest tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.data.dataset import Dataset
from analysis.design.sequential import TakenLook


def opened(dataset: Dataset, kinds: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the looks that a dataset tells of, with what they found; those at the people who are analysed."""
    listed = dataset.manifest.get("interim_looks")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    return [entry["opened"] for entry in entries if entry.get("kind") in kinds and "opened" in entry]


def taken_looks(entries: Sequence[Mapping[str, Any]], went_on: bool) -> list[TakenLook]:
    """Return recorded looks as a sequential test takes them.

    Args:
        entries: the looks, in order.
        went_on: whether people came after the last of them.
    """
    last = len(entries) - (not went_on)
    return [
        TakenLook(int(entry["look"]), int(entry["n"]), float(entry["information"]),
                  place < last and entry["result"]["decision"] == "futility")
        for place, entry in enumerate(entries)
    ]  # fmt: skip


def histories(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Row -> its z at each look; 0 where a look could not make it."""
    ids = dict.fromkeys(row["id"] for entry in entries for row in entry["result"]["rows"])
    each = [{row["id"]: float(row["z"] or 0.0) for row in entry["result"]["rows"]} for entry in entries]
    return {name: [z.get(name, 0.0) for z in each] for name in ids}
