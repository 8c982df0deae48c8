"""Simulation of other studies: more arms, other packs and banks, strata, a session weeks later, slow assistants."""

from __future__ import annotations

from datetime import timedelta

from support.trials.simulations import ROOT, run

TEXT = """
schema = "study/1"
id = "threearms"
title = "Three arms"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "alone"
control = true
instructions = "Alone."
[[arms]]
id = "full"
assistant = "full"
instructions = "Ask."
weight = 2
[[arms]]
id = "late"
assistant = "late"
instructions = "Ask later."
[allocation]
method = "stratified_blocks"
block_sizes = [4, 8]
strata = ["warmup_passed"]
[assistants.full]
file = "{root}/assistants/hints.toml"
[assistants.late]
file = "{root}/assistants/delayed.toml"
[assistant_policy]
require = "claude"
[[sessions]]
id = "main"
[[sessions]]
id = "weeks_later"
delay_days = 14
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
[[stages.questions]]
id = "languages"
kind = "multiple"
prompt = "Which?"
options = [{{ value = "python", label = "Python" }}, {{ value = "c", label = "C" }}]
[[stages.questions]]
id = "age"
kind = "number"
prompt = "How old?"
low = 18
high = 99
[[stages]]
id = "practice"
kind = "tasks"
main = false
minutes = 5
packs = ["{root}/tasks/warmup"]
[[stages]]
id = "work"
kind = "tasks"
minutes = 20
packs = ["{root}/tasks/sorted_scores"]
assistant = true
[[stages]]
id = "quiz"
kind = "quiz"
minutes = 10
bank = "{root}/quizzes/sortedcontainers"
[[stages]]
id = "retention"
kind = "quiz"
session = "weeks_later"
minutes = 20
bank = "{root}/quizzes/trio_b"
[[stages]]
id = "debrief"
kind = "debrief"
session = "weeks_later"
"""


def test_a_study_with_three_arms_strata_and_a_retention_quiz(tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(TEXT.format(root=ROOT))
    app, summary = run(tmp_path, study, participants=5, effect_score=-2.0)
    assert summary.statuses == {"completed": 5}
    assert sum(summary.arms.values()) == 5
    assert set(summary.realised) == {"full", "late"}
    assert all(-2.5 < effect.score <= 0 for effect in summary.realised.values())
    with app.context.registry.begin(write=False) as unit:
        visits = {(visit.participant_id, visit.stage): visit for visit in unit.visits()}
        people = unit.participants()
        turns = unit.turns()
    for person in people:
        gap = visits[person.id, "retention"].started_at - visits[person.id, "quiz"].ended_at
        assert gap > timedelta(days=14)
    assert {person.stratum for person in people} <= {"warmup_passed=1", "warmup_passed=0", "1", "0"}
    assert all(turn.assistant == "notes" for turn in turns)
    app.close()
