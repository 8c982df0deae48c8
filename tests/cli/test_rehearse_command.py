"""`study rehearse` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from study_app.cli import app

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["rehearse", *(str(argument) for argument in arguments)])
    return done.exit_code, done.output


def test_a_rehearsal_prints_what_it_assumed_and_its_json_says_the_same(tmp_path):
    out = tmp_path / "trials.jsonl"
    options = (
        ROOT / "study.toml",
        "--trials",
        2,
        "--participants",
        16,
        "--effect-score",
        -4,
        "--workers",
        1,
        "--out",
        out,
    )
    code, text = command(*options)
    assert code == 0, text
    assert "2 trials of each scenario, 16 people each, level outcomes" in text
    assert "Rule: holm over 2 primary tests at 0.05\n" in text
    assert "), two-sided: type I error" in text
    assert "Scenario given: effect score -4" in text
    assert "type I error" in text
    code, text = command(*options, "--json")
    assert code == 0
    table = json.loads(text)
    assert [entry["id"] for entry in table["scenarios"]] == ["null", "given"]
    assert table["scenarios"][1]["assumed"]["effect_score"] == -4.0


def test_an_unknown_scenario_is_one_line_and_exit_2(tmp_path):
    code, text = command(ROOT / "study.toml", "--scenario", "later", "--trials", 1)
    assert code == 2
    assert "error: --scenario: 'later' is not declared" in text
