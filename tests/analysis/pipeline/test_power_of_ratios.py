"""Power counts a restricted mean once, and its ratio nowhere."""

from __future__ import annotations

from analysis.pipeline.power.trial_power import _decided
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES


def row(name: str, method: str, role: str) -> dict[str, object]:
    return {
        "id": name, "outcome": "minutes", "contrast": ("ai", "no_ai"), "method": method, "role": role,
        "p_value": 0.01, "p_adjusted": None,
    }  # fmt: skip


def test_the_ratio_of_a_restricted_mean_does_not_count_as_a_secondary_row_and_a_regime_does():
    regime = row("minutes.regimes", METHODS_OF_REGIMES[0], "secondary")
    rows = [row("minutes.rmst", "rmst", "primary"), row("minutes.rmst.ratio", "rmst", "secondary"), regime]
    found = _decided(rows, 0.05)
    assert [name for name, *_ in found.rows] == ["minutes.rmst"]
    assert [name for name, *_ in found.beside] == ["minutes.regimes"]
