"""Whose codes of the queries stand in the dataset."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

STUDY = Path(sys.executable).with_name("study")
ROOT = Path(__file__).parents[2]


def study(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([STUDY, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"study-triolearning_description-{name}_data.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_where_nobody_coded_the_plans_coder_did_and_two_exports_agree(tmp_path):
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    file = str(ROOT / "study.toml")
    study("simulate", file, *database, "--participants", "6", "--seed", "3", cwd=tmp_path)
    for out in ("one", "two"):
        study("export", file, *database, "--out", out, "--include-simulated", cwd=tmp_path)
    turns = table(tmp_path / "one", "turns")
    assert turns
    assert any(turn["codes"] for turn in turns)
    for person in table(tmp_path / "one", "participants"):
        mine = [turn for turn in turns if turn["participant_id"] == person["participant_id"]]
        coded = sum("generation" in turn["codes"].split(";") for turn in mine)
        assert person["queries_generation"] == str(coded)
    for path in (tmp_path / "one" / "data").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "data" / path.name).read_bytes()
    study("verify", "one", cwd=tmp_path)
    study("analyze", "one", "--out", "an", "--include-simulated", cwd=tmp_path)
    assert json.loads((tmp_path / "an" / "results.json").read_text())["styles"].get("note") is None
