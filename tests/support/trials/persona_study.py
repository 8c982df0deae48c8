"""The shipped study with one task, and an arm for each of the two shipped personas."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w
from support.paths import ROOT
from support.trials.export_world import real_study

VOICES = ("warm", "matter_of_fact")


def voiced(folder: Path) -> Path:
    path = real_study(folder, **{'["tasks/trio_timer", "tasks/trio_users"]': '["tasks/trio_timer"]'})
    (folder / "personas").mkdir()
    for name in VOICES:
        (folder / "personas" / f"{name}.toml").write_bytes((ROOT / "personas" / f"{name}.toml").read_bytes())
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    arms = [{"id": name, "assistant": "full", "persona": name, "instructions": "Go."} for name in VOICES]
    raw |= {
        "arms": [arms[0] | {"control": True}, arms[1]],
        "personas": {name: {"file": f"personas/{name}.toml"} for name in VOICES},
        "allocation": {"method": "permuted_blocks", "block_sizes": [2]},
    }
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    return path
