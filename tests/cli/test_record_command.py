"""`study record`, and a study that replays what was recorded."""

from __future__ import annotations

import json
import shutil

import pytest
from support.paths import ROOT
from support.trials.commands import study
from support.trials.export_world import table

from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study

TREATMENT = """
id = "replay"
version = "1"
label = "Assistant"
provider = "recorded"
recording = "recording.jsonl"
"""


def folder_with(path, assistant: str):
    """The shipped study in a separate folder, whose arm has this assistant."""
    path.mkdir()
    for name in ("tasks", "quizzes"):
        (path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "assistants", path / "assistants")
    (path / "assistants" / "replay.toml").write_text(TREATMENT)
    text = (ROOT / "study.toml").read_text().replace("allow_embedded = false", "allow_embedded = true")
    (path / "study.toml").write_text(text.replace('"assistants/full.toml"', f'"assistants/{assistant}.toml"'))
    return path


def simulated(path, seed: int, people: int = 4) -> None:
    study("simulate", "study.toml", "--participants", people, "--seed", seed, cwd=path)


@pytest.mark.slow
def test_a_trial_is_recorded_and_replayed_without_a_provider(tmp_path):
    first = folder_with(tmp_path / "first", "full")
    nothing = study("record", "study.toml", "--of", "simulated", cwd=first, expect=2).stderr
    assert nothing.startswith("error: ")
    simulated(first, seed=1)
    out = tmp_path / "recording.jsonl"
    done = json.loads(study("record", "study.toml", "--of", "simulated", "--out", out, "--json", cwd=first).stdout)
    assert done["turns"] == len(out.read_text().splitlines()) > 0
    again = study("record", "study.toml", "--of", "simulated", "--out", out, cwd=first, expect=2).stderr
    assert again == f"error: {out}: is there already; give another name by --out\n"

    second = folder_with(tmp_path / "second", "replay")
    shutil.copy(out, second / "recording.jsonl")
    study("check", "study.toml", cwd=second)
    simulated(second, seed=1, people=5)
    study("export", "study.toml", "--include-simulated", "--out", second / "data", cwd=second)
    study("verify", second / "data", cwd=second)
    turns = table(second / "data", "turns")
    assert {turn["assistant"] for turn in turns} == {"recorded"}
    found = {turn["recorded_match"] for turn in turns}
    assert found <= {"exact", "near", "none"}
    assert "exact" in found, "the same people ask the same, and one more joins them"
    replies = {json.loads(line)["reply"] for line in out.read_text().splitlines()}
    assert all(turn["reply"] in replies for turn in turns if turn["recorded_match"] in ("exact", "near"))
    manifest = json.loads((second / "data" / "manifest.json").read_text())
    assert done["sha256"] in json.dumps(manifest), "the recording's hash is part of the protocol"
    study("analyze", second / "data", "--include-simulated", "--out", second / "results", cwd=second)
    section = json.loads((second / "results" / "results.json").read_text())["treatment"]["replay"]["recorded"]
    assert section["replies"] == len(turns)
    assert sum(each["replies"] for each in section["matches"].values()) == len(turns)
    assert "A recording answered" in (second / "results" / "report.html").read_text()


def test_a_recording_that_changes_changes_the_protocol(tmp_path):
    path = folder_with(tmp_path / "study", "replay")
    recording = path / "recording.jsonl"
    recording.write_text('{"message": "Hi", "reply": "One."}\n')

    def materials():
        return FolderLibrary(read_study(path / "study.toml"), path, "study.toml").materials()

    before = materials()["recording.jsonl"]
    recording.write_text('{"message": "Hi", "reply": "Two."}\n')
    assert materials()["recording.jsonl"] != before
