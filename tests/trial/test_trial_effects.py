"""Over many seeds the whole chain finds what the simulator put in: `scripts/simulate_seeds.py` writes the figures."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import simulate_seeds  # noqa: E402

SEEDS = 200


def three_errors(share: float) -> float:
    return 3 * math.sqrt(share * (1 - share) / SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_an_effect_of_minus_four_points_is_found_with_its_sign_and_covered(tmp_path):
    found = simulate_seeds.over_seeds(tmp_path, range(1, SEEDS + 1), effect_score=-4.0)
    assert found["right_sign"] >= 0.97
    assert found["coverage"] >= 0.95 - three_errors(0.95)


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_null_trials_are_declared_effects_at_five_percent(tmp_path):
    found = simulate_seeds.over_seeds(tmp_path, range(1, SEEDS + 1), effect_score=0.0)
    for outcome in ("quiz_points", "completion_minutes"):
        assert abs(found["rejected"][outcome] - 0.05) <= three_errors(0.05)
