"""The rows of results.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, SupportsIndex, overload

import pandas as pd


@dataclass(frozen=True)
class EffectSize:
    """A standardised or response-scale companion of an estimate."""

    name: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class Estimate:
    """One row of `estimates`; numbers unrounded, None where not computable (with a note)."""

    id: str = ""
    role: str = "exploratory"
    """primary, secondary, sensitivity or exploratory."""
    outcome: str = ""
    population: str = "itt"
    """itt, with_excluded, per_protocol, as_treated or complier."""
    method: str = ""
    contrast: tuple[str, str] | None = None
    """(treated, control); None for an omnibus test."""
    estimate: float | None = None
    unit: str = ""
    std_error: float | None = None
    df: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_level: float = 0.95
    effect_size: EffectSize | None = None
    n: dict[str, int] = field(default_factory=dict)
    """Analysed per arm."""
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further figures of the method by name, e.g. `first_stage_f`; `docs/reference/methods.md` lists them."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row; see `Estimates.to_frame`."""
        return Estimates([self]).to_frame()

    def plot(self, ax: Any = None) -> Any:
        """Return the estimate with its interval; see `Estimates.plot`."""
        return Estimates([self]).plot(ax)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON types; NaN and infinity become None, for JSON has neither."""
        row: dict[str, Any] = _finite(asdict(self))
        return row


class Estimates(list[Estimate]):
    """Rows of one call, with a table and a forest plot of them; so are its slices and sums."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Estimate: ...

    @overload
    def __getitem__(self, index: slice) -> Estimates: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Estimate | Estimates:
        found = super().__getitem__(index)
        return Estimates(found) if isinstance(found, list) else found

    def __add__(self, others: Any) -> Any:
        return Estimates(super().__add__(others))

    def copy(self) -> Estimates:
        """Return the same rows as another list."""
        return Estimates(self)

    def to_frame(self) -> pd.DataFrame:
        """One row an estimate: its fields, the contrast as `treated` and `control`, the figures of `detail` by name.

        `n` is the people of all arms of the row; `n_ARM` those of one.
        """
        return pd.DataFrame([_flat(row) for row in self])

    def plot(self, ax: Any = None) -> Any:
        """Return a forest plot: each row's estimate and interval; rows without an estimate show their interval alone.

        Args:
            ax: matplotlib axes to draw on; new ones where there are none.

        Returns:
            The axes.
        """
        # Without pyplot, whose figures stay in a global list until they are closed.
        from matplotlib.figure import Figure

        shown = [row for row in self if row.estimate is not None or row.ci_low is not None]
        if ax is None:
            ax = Figure(figsize=(6, 1 + 0.4 * max(len(shown), 1)), layout="constrained").subplots()
        for place, row in enumerate(shown):
            ends = [row.estimate if end is None else end for end in (row.ci_low, row.ci_high)]
            ax.plot(ends, [place, place], color="black", linewidth=1)
            if row.estimate is not None:
                ax.plot([row.estimate], [place], "s", color="black", markersize=5)
        ax.set_yticks(range(len(shown)), [_label(row) for row in shown])
        ax.invert_yaxis()
        ax.axvline(1 if any("ratio" in row.unit and "log" not in row.unit for row in shown) else 0, color="0.6", lw=0.8)
        ax.set_xlabel(f"estimate and {100 * shown[0].ci_level:g}% interval" if shown else "no estimate")
        return ax


def _label(row: Estimate) -> str:
    return f"{row.method}: {' - '.join(row.contrast)}" if row.contrast else f"{row.method} {row.id}".strip()


def _flat(row: Estimate) -> dict[str, Any]:
    cells = {key: value for key, value in vars(row).items() if key not in ("contrast", "effect_size", "n", "detail")}
    treated, control = row.contrast or (None, None)
    effect = row.effect_size or EffectSize("", None)
    return {
        **cells, "treated": treated, "control": control, "effect_size": effect.name or None,
        "effect_size_value": effect.value, "effect_size_ci_low": effect.ci_low, "effect_size_ci_high": effect.ci_high,
        "n": sum(row.n.values()), **{f"n_{arm}": count for arm, count in row.n.items()},
        **{key: value for key, value in row.detail.items() if key not in cells},
    }  # fmt: skip


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
