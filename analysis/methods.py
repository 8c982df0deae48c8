"""The table of methods: every id a plan may name."""

from __future__ import annotations

from analysis.estimators import (  # noqa: F401  (importing registers)
    means,
    resampling,
)
from analysis.estimators.contract import REGISTRY, Method

METHODS: dict[str, Method] = dict(sorted(REGISTRY.items()))
