"""A study with all that one trial can have at once: factors, clusters, agent, probes, interview, two sessions."""

from __future__ import annotations

from pathlib import Path

from support.paths import ROOT

RICH = """
schema = "study/1"
id = "rich"
title = "Everything at once"
language = "en"
languages = ["en", "de"]
contact = "the research team"
researchers = "Dr A. Example, Department of Psychology, University of X"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[recruitment]
entry = "open"
target_n = 24
[[factors]]
id = "regime"
levels = { each = { assistant = "each" }, free = { assistant = "none" } }
[[factors]]
id = "note"
levels = { none = {}, calm = { pledge = "I take my time." } }
[arms_from]
factors = ["regime", "note"]
arm = { instructions = "You will now solve a task." }
[allocation]
method = "cluster"
cluster = "label"
base_method = "permuted_blocks"
block_sizes = [4]
[assistants.each]
file = "assistants/each.toml"
[assistants.none]
file = "assistants/none.toml"
[assistant_policy]
allow_embedded = true
[[sessions]]
id = "main"
[[sessions]]
id = "weeks"
delay_days = 9
[[stages]]
id = "consent"
kind = "consent"
body = "It takes up to about {total_minutes} minutes."
[[stages]]
id = "background"
kind = "survey"
[[stages.questions]]
id = "share_words"
kind = "choice"
prompt = "May your words be shared?"
options = [{ value = "yes", label = "Yes" }, { value = "no", label = "No" }]
[[stages.questions]]
id = "notes"
kind = "text"
prompt = "Anything else?"
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "tasks"
kind = "tasks"
minutes = 25
packs = ["tasks/trio_timer"]
assistant = true
[[stages]]
id = "quiz"
kind = "quiz"
minutes = 25
bank = "quizzes/trio"
confidence = true
[[stages]]
id = "exit"
kind = "survey"
exit = true
[[stages.questions]]
id = "feedback"
kind = "text"
prompt = "Feedback?"
[[stages]]
id = "talk"
kind = "interview"
session = "weeks"
plan = "interviews/exit.toml"
sharing = "share_words"
[[stages]]
id = "debrief"
kind = "debrief"
session = "weeks"
[[probes]]
at_minutes = [2, 6]
stages = ["tasks"]
[analysis]
primary = ["quiz_points"]
cluster = "label"
subgroups = []
"""


def rich_study(folder: Path) -> Path:
    """Write the study beside links to what it uses."""
    places = {name: ROOT / name for name in ("tasks", "quizzes", "interviews")}
    for name, place in (places | {"assistants": ROOT / "examples" / "approval_regimes" / "assistants"}).items():
        (folder / name).symlink_to(place)
    path = folder / "study.toml"
    path.write_text(RICH, encoding="utf-8")
    return path
