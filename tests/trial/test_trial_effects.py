"""Over many seeds the whole chain finds what the simulator put in: `scripts/simulate_seeds.py` writes the figures."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
from support.trials.simulations import run

from analysis.data.load import load
from analysis.pipeline.analyse import analyse, primary_rows
from analysis.pipeline.prepare import prepare
from study_app.services.researcher.exporting.export import export

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import simulate_seeds  # noqa: E402

SEEDS = 200


def three_errors(share: float) -> float:
    return 3 * math.sqrt(share * (1 - share) / SEEDS)


@pytest.mark.slow
def test_the_primary_rows_alone_are_those_of_the_whole_analysis(tmp_path):
    app, _ = run(tmp_path, participants=8, effect_score=-4.0)
    export(app.context, tmp_path / "dataset", include_simulated=True)
    app.close()
    dataset = load(tmp_path / "dataset")
    whole = [row for row in analyse(dataset, include_simulated=True)["estimates"] if row["role"] == "primary"]
    alone = primary_rows(prepare(load(tmp_path / "dataset"), include_simulated=True))
    assert [row["outcome"] for row in alone] == ["quiz_points", "completion_minutes"]
    assert json.dumps(alone) == json.dumps(whole)


def trial(seed: int, quiz: tuple[float, ...], minutes: tuple[float, ...]) -> dict:
    rows = {}
    for name, (estimate, low, high, p) in (("quiz_points", quiz), ("completion_minutes", minutes)):
        rows[name] = {"estimate": estimate, "ci_low": low, "ci_high": high, "p_value": p, "p_adjusted": 2 * p}
    return {"seed": seed, "realised": {"ai": {"score": -4.0, "minutes": -2.0}}, "rows": rows}


def test_figures_count_signs_coverage_of_the_realised_effect_and_rejections():
    trials = [
        trial(1, (-3.0, -5.0, -1.0, 0.01), (-1.0, -3.0, 1.0, 0.3)),
        trial(2, (-6.0, -7.0, -5.0, 0.04), (1.0, -1.0, 3.0, 0.3)),
    ]
    found = simulate_seeds.figures(trials)
    quiz, minutes = found["quiz_points"], found["completion_minutes"]
    assert (quiz["right_sign"][0], quiz["coverage"][0], quiz["rejected"][0]) == (1.0, 0.5, 1.0)
    assert quiz["rejected_adjusted"][0] == found["any_rejected_adjusted"][0] == 0.5
    assert quiz["mean_error"] == pytest.approx([-0.5, 1.5])
    assert quiz["coverage"][1] == pytest.approx(math.sqrt(0.25 / 2))
    assert (minutes["right_sign"][0], minutes["coverage"][0], minutes["rejected"][0]) == (0.5, 0.5, 0.0)


def test_a_seed_that_is_written_down_is_read_and_not_done_again(tmp_path):
    out = tmp_path / "trials.jsonl"
    out.write_text("".join(json.dumps(trial(seed, (1, 0, 2, 0.1), (1, 0, 2, 0.1))) + "\n" for seed in (6, 5)))
    written = out.read_text()
    found = simulate_seeds.run_trials(out, (5, 6), participants=4, workers=1)
    assert found == list(reversed(simulate_seeds.read_trials(out)))
    assert out.read_text() == written


@pytest.mark.slow  # by default: what is written down, above
def test_a_trial_that_is_done_is_written_down_beside_those_before(tmp_path):
    out = tmp_path / "trials.jsonl"
    known = trial(5, (-3.0, -5.0, -1.0, 0.01), (-1.0, -3.0, 1.0, 0.3))
    out.write_text(json.dumps(known) + "\n")
    found = simulate_seeds.run_trials(out, (5, 6), participants=4, workers=1)
    assert [each["seed"] for each in found] == [5, 6]
    assert found[0] == known
    assert found[1] == simulate_seeds.read_trials(out)[1]


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_effects_on_points_and_minutes_are_found_with_their_sign_and_covered(tmp_path):
    effects = {"effect_score": -4.0, "effect_minutes": -3.0}
    found = simulate_seeds.figures(simulate_seeds.run_trials(tmp_path / "t.jsonl", range(1, SEEDS + 1), **effects))
    assert found["quiz_points"]["right_sign"][0] >= 0.97
    for outcome in simulate_seeds.OUTCOMES:
        assert found[outcome]["coverage"][0] >= 0.95 - three_errors(0.95), outcome


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_null_trials_are_declared_effects_at_five_percent(tmp_path):
    found = simulate_seeds.figures(simulate_seeds.run_trials(tmp_path / "t.jsonl", range(SEEDS + 1, 2 * SEEDS + 1)))
    for outcome in simulate_seeds.OUTCOMES:
        assert abs(found[outcome]["rejected"][0] - 0.05) <= three_errors(0.05), outcome
        assert found[outcome]["coverage"][0] >= 0.95 - three_errors(0.95), outcome
