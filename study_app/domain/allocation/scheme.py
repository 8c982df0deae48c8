"""The [allocation] table of the study file: how arms are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from study_app.domain.file_tables import FileTable

Method = Literal[
    "simple",
    "permuted_blocks",
    "stratified_blocks",
    "minimisation",
    "biased_coin",
    "urn",
    "big_stick",
    "cluster",
    "sequence",
]
BaseMethod = Literal[
    "simple", "permuted_blocks", "stratified_blocks", "minimisation", "biased_coin", "urn", "big_stick"
]
Value = str | int | float | bool | None
Profile = Mapping[str, Any]
"""A newcomer's baseline values by variable."""
Levels = Mapping[str, str]
"""A newcomer's categories by variable: all that allocation looks at."""

MISSING = "missing"

_PARAMETERS: dict[str, frozenset[str]] = {
    "simple": frozenset(),
    "permuted_blocks": frozenset({"block_sizes", "replacement"}),
    "stratified_blocks": frozenset({"block_sizes", "strata", "replacement"}),
    "minimisation": frozenset({"factors", "metric", "probability", "ties", "replacement"}),
    "biased_coin": frozenset({"probability", "ties", "strata", "replacement"}),
    "urn": frozenset({"alpha", "beta", "strata", "replacement"}),
    "big_stick": frozenset({"bound", "strata", "replacement"}),
    "cluster": frozenset({"cluster", "base_method"}),
    "sequence": frozenset({"orders", "base_method"}),
}
_NEEDED = {"stratified_blocks": "strata", "minimisation": "factors", "cluster": "cluster"}


class Factor(FileTable):
    """A baseline variable that allocation balances, as categories."""

    variable: str = Field(min_length=1)
    """A background question's id, `<stage>_points` of a baseline quiz, `warmup_minutes`, `warmup_passed` or `label`."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Minimisation only: its share in the imbalance score."""
    cuts: tuple[float, ...] = ()
    """For a number: where categories end; (5, 10) makes `<5`, `5-10`, `>=10`."""

    @field_validator("cuts")
    @classmethod
    def _ascending(cls, cuts: tuple[float, ...]) -> tuple[float, ...]:
        if any(not math.isfinite(cut) for cut in cuts) or any(low >= high for low, high in pairwise(cuts)):
            raise ValueError(f"{list(cuts)} does not ascend; list finite numbers from small to large, each once")
        return cuts

    def level(self, value: Value) -> str:
        """Return the category of a value; `missing` for none, and for what is not a number where cuts are given."""
        if self.cuts:
            return self._between(value)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return format(value, ".15g") if math.isfinite(value) else MISSING
        return MISSING if value is None or value == "" else str(value)

    def _between(self, value: Value) -> str:
        try:
            number = math.nan if value is None else float(value)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            return MISSING
        below = [format(cut, "g") for cut in self.cuts if number >= cut]
        above = [format(cut, "g") for cut in self.cuts if number < cut]
        if not below:
            return f"<{above[0]}"
        return f"{below[-1]}-{above[0]}" if above else f">={below[-1]}"


class Scheme(FileTable):
    """How arms are drawn; frozen at launch, part of the study's hash and of the seed's commitment."""

    method: Method = "permuted_blocks"
    """simple, permuted_blocks, stratified_blocks, minimisation, biased_coin, urn, big_stick, cluster or sequence."""
    base_method: BaseMethod = "permuted_blocks"
    """For cluster and sequence: how clusters, or orders of arms, are drawn."""
    block_sizes: tuple[int, ...] = ()
    """Blocks: sizes drawn at random, each a multiple of the weights' sum; empty: two and three times that sum."""
    strata: tuple[Factor, ...] = ()
    """Variables within whose combinations allocation runs apart."""
    factors: tuple[Factor, ...] = ()
    """Minimisation: the variables whose margins are balanced."""
    metric: Literal["range", "sd", "variance"] = "range"
    """Minimisation: spread of the arms' counts at one level of one factor (sd and variance with K - 1)."""
    probability: float | None = Field(default=None, gt=0, le=1)
    """Of the arm that balances best: minimisation 0.8, biased coin 2/3 unless given; 1.0 makes it deterministic."""
    ties: Literal["random", "first"] = "random"
    """Which of several arms that balance equally well counts as best: each by its weight, or the first declared."""
    alpha: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Urn: balls of each arm at the start, per unit of weight."""
    beta: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Urn: balls added for the others after each allocation."""
    bound: int = Field(default=3, ge=1)
    """Big stick: the largest difference of counts (per unit of weight) that simple randomisation may reach."""
    cluster: str = ""
    """Cluster: the variable whose value people share who are allocated together, such as `label`."""
    orders: Literal["all", "williams", "latin_square"] | tuple[tuple[str, ...], ...] = "all"
    """Sequence: every order of the arms, a Williams design, a cyclic Latin square, or a list of orders."""
    replacement: Literal["none", "return_slot"] = "none"
    """What a withdrawal before the outcome does: nothing, or its slot goes back into the open block or the counts."""

    @field_validator("strata", "factors", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return tuple({"variable": entry} if isinstance(entry, str) else entry for entry in given)
        return given

    @field_validator(
        "base_method", "block_sizes", "strata", "factors", "metric", "probability", "ties", "alpha", "beta", "bound",
        "cluster", "orders", "replacement",
    )  # fmt: skip
    @classmethod
    def _used(cls, value: Any, info: ValidationInfo) -> Any:
        method = info.data.get("method", "")
        used = _PARAMETERS.get(method, frozenset())
        if "base_method" in used:
            used = used | (_PARAMETERS[info.data.get("base_method", "permuted_blocks")] - {"replacement"})
        if method and info.field_name not in used:
            able = " or ".join(name for name, parameters in _PARAMETERS.items() if info.field_name in parameters)
            raise ValueError(f"method '{method}' does not use it; remove it, or choose {able}")
        return value

    @field_validator("block_sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
            raise ValueError(f"{list(sizes)} holds a size below 1 or one twice; list each block size once")
        return sizes

    @field_validator("strata", "factors")
    @classmethod
    def _once(cls, factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
        names = [factor.variable for factor in factors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice; list each variable once")
        return factors

    @model_validator(mode="after")
    def _complete(self) -> Scheme:
        for method in dict.fromkeys((self.method, self.unit_method)):
            needed = _NEEDED.get(method, "")
            if needed and not getattr(self, needed):
                raise ValueError(f"method '{method}' needs {needed}; name baseline variables, or choose another method")
        return self

    @property
    def unit_method(self) -> BaseMethod:
        """The method by which units (people, clusters, orders) are drawn."""
        if self.method in ("cluster", "sequence"):
            return self.base_method
        return self.method  # type: ignore[return-value]

    @property
    def stratified(self) -> bool:
        """Whether baseline variables enter the allocation, so that the ledger has strata."""
        return bool(self.strata or self.factors)

    @property
    def preferred(self) -> float:
        """The probability of the arm that balances best."""
        if self.probability is not None:
            return self.probability
        return 2 / 3 if self.unit_method == "biased_coin" else 0.8

    @property
    def variables(self) -> tuple[str, ...]:
        """The baseline variables that must be saved before allocation, each once."""
        names = [factor.variable for factor in (*self.strata, *self.factors)]
        return tuple(dict.fromkeys([*names, self.cluster] if self.cluster else names))

    def levels(self, profile: Profile) -> dict[str, str]:
        """Return a newcomer's categories, by variable."""
        found = {
            factor.variable: factor.level(profile.get(factor.variable)) for factor in (*self.strata, *self.factors)
        }
        if self.cluster:
            found.setdefault(self.cluster, Factor(variable=self.cluster).level(profile.get(self.cluster)))
        return found

    def stratum(self, levels: Levels) -> str:
        """Return the label of the combination of strata (minimisation: of factors); `all` where there are none."""
        return "; ".join(f"{f.variable}={levels[f.variable]}" for f in (self.strata or self.factors)) or "all"
