"""A recorded trial, replayed by the real services without a provider: what its turns, dataset and report say."""

from __future__ import annotations

import json
import shutil

from support.clock import HandClock
from support.paths import ROOT
from support.trials.export_world import Walker, open_app, table

from study_app.dataset.verification import verify
from study_app.domain.assistants.recording import RECORDED
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.recordings.record_turns import record_turns

TREATMENT = """
id = "replay"
version = "1"
label = "Assistant"
provider = "recorded"
recording = "recording.jsonl"
"""
ASKED = "How does a nursery start two tasks at once?"


def at_the_task(app, clock) -> Walker:
    for _ in range(20):
        walker = Walker(app, clock).to_tasks().begin_tasks()
        if walker.arm == "ai":
            return walker
    raise AssertionError("no one of twenty was allocated to the arm with an assistant")


def replaying(folder, recording: bytes):
    """The shipped study, whose assistant is a recording."""
    folder.mkdir()
    for name in ("tasks", "quizzes"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "assistants", folder / "assistants")
    (folder / "assistants" / "replay.toml").write_text(TREATMENT)
    (folder / "recording.jsonl").write_bytes(recording)
    text = (ROOT / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace('"assistants/full.toml"', '"assistants/replay.toml"'))
    return folder / "study.toml"


def test_replayed_turns_say_exact_near_or_none_and_the_dataset_is_verified(tmp_path):
    clock = HandClock()
    (tmp_path / "first").mkdir()
    first = open_app(tmp_path / "first", clock)
    replied = at_the_task(first, clock).ask(ASKED)
    made = record_turns(first.context, "cli", "preview")
    first.close()

    app = open_app(tmp_path / "second", clock, replaying(tmp_path / "second", made.content))
    assert app.context.content.materials()["recording.jsonl"] == made.sha256
    walker = at_the_task(app, clock)
    assert walker.ask(f"  {ASKED.upper()} ") == replied
    assert walker.ask("How can a nursery start tasks, two at once, please?") == replied
    assert walker.ask("What is the capital of France?") == RECORDED("none")
    export(app.context, tmp_path / "data", include_preview=True)
    app.close()
    turns = sorted(table(tmp_path / "data", "turns"), key=lambda turn: turn["asked_at"])
    assert [turn["recorded_match"] for turn in turns] == ["exact", "near", "none"]
    assert [turn["model"] for turn in turns] == ["notes-2", "notes-2", ""]
    assert 0.4 <= json.loads(turns[1]["parameters"])["recorded_nearness"] <= 1
    report = verify(tmp_path / "data")
    assert report.ok, report.lines()
