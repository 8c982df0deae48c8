"""A short study with an interview: consent, a survey, instructions that differ by arm, the interview."""

from __future__ import annotations

from pathlib import Path

STUDY = """
schema = "study/1"
id = "talk"
title = "Talk"
language = "en"
languages = {languages}
contact = "help@lab.example"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
label = "Marmalade"
control = true
instructions = "Go."
[[arms]]
id = "other"
label = "Turquoise"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
title = "About you"
[[stages.questions]]
id = "share_words"
kind = "choice"
prompt = "May what you say be shared without names?"
options = [{{ value = "yes", label = "Yes" }}, {{ value = "no", label = "No" }}]
[[stages]]
id = "instructions"
kind = "instructions"
title = "What comes"
[[stages]]
id = "talk"
kind = "interview"
title = "In your own words"
plan = "talk.toml"
{stage}
[[stages]]
id = "debrief"
kind = "debrief"
"""
PLAN = """
id = "talk"
version = "1"
languages = ["en", "de"]
mode = "{mode}"
minutes = {minutes}
max_turns = {max_turns}
[[topics]]
id = "start"
goal = "How they began."
probes = {probes}
core = {{ en = "How did you begin with the work?", de = "Wie haben Sie mit der Arbeit begonnen?" }}
[[topics]]
id = "hard"
goal = "What was hard."
probes = {probes}
must = {must}
core = {{ en = "Which moment was the hardest for you?", de = "Welcher Moment war für Sie am schwierigsten?" }}
[[closing]]
id = "more"
core = {{ en = "What else would you like to add?", de = "Was möchten Sie noch ergänzen?" }}
"""
LONG = "First I read the task twice, then I wrote a small loop and looked at what it printed."
"""An answer of more than twelve words."""


def write_interview_study(
    folder: Path,
    *,
    languages: str = '["en", "de"]',
    stage: str = "",
    mode: str = "probing",
    minutes: float = 10,
    max_turns: int = 12,
    probes: int = 2,
    must: bool = True,
) -> Path:
    """The study file with its plan next to it."""
    plan = PLAN.format(mode=mode, minutes=minutes, max_turns=max_turns, probes=probes, must=str(must).lower())
    (folder / "talk.toml").write_text(plan, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(languages=languages, stage=stage), encoding="utf-8")
    return path
