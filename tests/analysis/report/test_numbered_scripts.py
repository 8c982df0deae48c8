"""The numbered scripts show the model behind each row, and refuse as the command line does."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPTS = sorted((Path(__file__).parents[3] / "analysis" / "scripts").glob("[0-9]*.py"))
PLAN = """
control = "old"
covariates = [{ column = "age" }]
subgroups = []
replicates = 99
[[outcomes]]
id = "score"
"""


def run(monkeypatch, script: Path, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", [script.name, *map(str, arguments)])
    runpy.run_path(str(script), run_name="__main__")


def named(number: str) -> Path:
    (found,) = [path for path in SCRIPTS if path.name.startswith(number)]
    return found


def test_each_row_has_the_model_and_the_formula_behind_it(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"arm": ["new", "old"] * 20, "age": rng.normal(40, 8, 40), "score": rng.normal(50, 9, 40)})
    table.to_csv(tmp_path / "marks.csv", index=False)
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    found = {}
    for number in ("01", "04"):
        run(monkeypatch, named(number), tmp_path / "marks.csv", "--plan", tmp_path / "plan.toml")
        found |= {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["score.rerandomization"]["formula"] == "score ~ d * c(x_age), HC3"
    assert found["score.ancova"]["formula"].startswith("y = a + arm + covariates + strata by least squares")
    assert found["score.welch_t"]["formula"].startswith("t = (m1 - m0) / sqrt(s1^2/n1 + s0^2/n0)")
    assert all(row["model"] and row["formula"] for row in found.values())


@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.name[:2] != "10"], ids=lambda path: path.name)
def test_a_wrong_path_gives_a_sentence_and_status_2(script, tmp_path, monkeypatch, capsys):
    out = [tmp_path / "out"] if script.name[:2] == "09" else []
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, script, tmp_path / "nothing", *out)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "no dataset is there" in said


def test_a_part_that_validation_does_not_have_is_refused_with_those_that_it_has(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, named("10"), tmp_path / "page.md", "5", "no_such_part")
    assert ended.value.code == 2
    assert "no part is called no_such_part; they are null_simple" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
