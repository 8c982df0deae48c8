"""A planned look at trials of other designs: rehearsed on simulated people, and carried into the final analysis."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.trials.commands import study

EXAMPLES = Path(__file__).parents[2] / "examples"
RULE = '\n[analysis.stopping]\nkind = "obrien_fleming"\nlooks = [0.5, 1.0]\n'


@pytest.mark.slow
@pytest.mark.parametrize(("example", "said"), [("crossover", "people over 2 periods"), ("classes", "clusters")])
def test_a_look_respects_the_design_and_decides_the_final_p(tmp_path, example, said):
    shutil.copytree(EXAMPLES / example, tmp_path / "trial")
    home = tmp_path / "trial"
    (home / "study.toml").write_text((home / "study.toml").read_text() + RULE)
    simulated = ("simulate", "study.toml", "--effect-score", "3")
    study(*simulated, "--participants", 22, "--seed", 3, cwd=home)
    look = json.loads(study("interim", "study.toml", "--simulated", "--json", cwd=home).stdout)
    (row,) = look["rows"]
    assert (look["n"], look["target"], look["boundary"]) == (22, 40, pytest.approx(2.588153, abs=1e-5))
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    study(*simulated, "--participants", 20, "--seed", 4, cwd=home)
    study("export", "study.toml", "--include-simulated", "--out", "data", cwd=home)
    study("analyze", "data", "--include-simulated", "--out", "out", cwd=home)
    result = json.loads((home / "out" / "results.json").read_text())
    (primary,) = [row for row in result["estimates"] if row["role"] == "primary"]
    assert [look["n"] for look in result["interim"]["looks"]] == [22, 42]
    assert said in primary["note"]
    assert "by the stage-wise ordering, after 2 looks" in primary["note"]
    assert (primary["p_value"] <= 0.05) == primary["detail"]["crossed"]
    assert primary["ci_low"] < primary["estimate"] < primary["ci_high"]
    supplement = home / "out" / "supplement"
    expected = (supplement / "expected.csv").read_text()
    assert f"single_look_p_value,{primary['detail']['single_look_p_value']:.17g}" in expected
    done = subprocess.run([sys.executable, "-I", "recompute.py"], cwd=supplement, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # Welch's test takes people as independent, so that no script could give the row's error over clusters.
    assert "welch_t" not in expected
