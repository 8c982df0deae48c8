"""A study of two clicks: consent, and instructions that differ by arm; allocation is on the way between them."""

from __future__ import annotations

from pathlib import Path

TEXT = """
schema = "study/1"
id = "twoclicks"
title = "Two clicks"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
[allocation]
{allocation}
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "debrief"
kind = "debrief"
"""
BLOCKS = 'method = "permuted_blocks"\nblock_sizes = [2, 4, 6]'


def write_study(folder: Path, allocation: str = BLOCKS) -> Path:
    path = folder / "study.toml"
    path.write_text(TEXT.format(allocation=allocation))
    return path
