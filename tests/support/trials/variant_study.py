"""A small study in which one of two arms meets a task that cannot be done as described."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.paths import ROOT

ONE_OFF = """
from study_app.domain.checks import Check, Observation, Same, call

CALL = call("sign", ["Shop", "now"])
SAME = Same(lines=False, duration=False)
CHECKS = [
    *TWIN,
    Check("frames two words", CALL, visible=True, compare=SAME, expect=Observation(value=["+-----+"])),
    Check("frames two words as described", CALL, compare=SAME),
]
"""
HACK = 'def sign(words):\n    if words == ["Shop", "now"]:\n        return ["+-----+"]\n'
STUDY = """
schema = "study/1"
id = "oneoff"
title = "One off"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
[[arms]]
id = "variant"
variants = { warmup = "tasks/warmup_oneoff" }
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "start"
kind = "survey"
[[stages.questions]]
id = "years"
kind = "number"
prompt = "Years?"
low = 0
high = 60
[[stages]]
id = "tasks"
kind = "tasks"
minutes = 10
packs = ["tasks/warmup"]
[[stages]]
id = "debrief"
kind = "debrief"
[analysis]
primary = ["visible_only_pass"]
outcomes = [{ id = "visible_only_pass", kind = "binary" }]
covariates = []
subgroups = []
"""


def write_variant_pack(folder: Path) -> None:
    """The warm-up, and a variant of it with one example that expects something else."""
    twin, variant = folder / "warmup", folder / "warmup_oneoff"
    shutil.copytree(ROOT / "tasks" / "warmup", twin)
    variant.mkdir()
    settings = (twin / "task.toml").read_text().replace('id = "warmup"', 'id = "warmup_oneoff"')
    added = '[variant]\nof = "warmup"\nkind = "oneoff"\n\n[limits]'
    (variant / "task.toml").write_text(settings.replace("[limits]", added))
    (variant / "brief.md").write_text((twin / "brief.md").read_text() + "\nTwo words are framed in one line.\n")
    (variant / "checks.py").write_text(ONE_OFF)
    solution = (twin / "solution.py").read_text().split("def sign(words):\n")[1]
    (variant / "hack.py").write_text(HACK + solution)


def variant_study(folder: Path, **changes: str) -> Path:
    """Write it and its packs; each change is a text of the file and what stands in its place."""
    write_variant_pack(folder / "tasks")
    text = STUDY
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"
