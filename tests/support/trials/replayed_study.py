"""The shipped study with a recording that answers once its model is retired."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from support.clock import HandClock
from support.providers.fake_provider import FakeProvider
from support.trials.export_world import ROOT, Walker, ids, real_study

from study_app.bootstrap import App, start
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

KNOWN = "What is a nursery?"
TURNS = (
    {"message": KNOWN, "reply": "A nursery holds tasks, as recorded.", "model": "claude-sonnet-5-5"},
    {"message": "How do I stop a task after a time limit?", "reply": "Use a limit.", "model": "claude-sonnet-5-5"},
)
POLICY = "[assistant_policy]\n"
REPLAY = 'drift_probes = false\non_retirement = "replay"\n'


def replayed_study(folder: Path, turns: Any = TURNS, policy: str = REPLAY, **replaced: str) -> Path:
    """Return the study file; the treatment `full` names a recording of these turns where there are any."""
    path = real_study(folder, **{POLICY: f"{POLICY}{policy}"} | replaced)
    (folder / "assistants").unlink()
    shutil.copytree(ROOT / "assistants", folder / "assistants")
    if turns is not None:
        (folder / "recordings").mkdir()
        text = "".join(f"{json.dumps(turn)}\n" for turn in turns)
        (folder / "recordings" / "full.jsonl").write_text(text, encoding="utf-8")
        treatment = folder / "assistants" / "full.toml"
        said = treatment.read_text(encoding="utf-8")
        treatment.write_text(f'recording = "recordings/full.jsonl"\n{said}', encoding="utf-8")
    return path


def opened(path: Path, clock: HandClock, serving: FakeProvider, database: str = "", fresh: Any = None) -> App:
    """Start the study beside the provider; a second time on the same database it is another server."""
    folder = path.parent
    url = database or f"sqlite:///{folder}/study.db"
    settings = Settings(path, url, folder / "var", environment=serving.environment)
    return start(settings, clock=clock, ids=fresh or ids(), grading_clock="virtual", seconds_per_word=0.0)


def asking(app: App, clock: HandClock) -> Walker:
    """A participant on the main tasks of the arm with an assistant."""
    for _ in range(16):
        with app.context.registry.begin(write=False) as unit:
            launched = app.context.state(unit) != "draft"
        entry = EntryRequest(link=app.links.create(1)[0].secret) if launched else None
        walker = Walker(app, clock, entry).to_tasks(solve=False).begin_tasks()
        if walker.arm == "ai":
            return walker
    raise AssertionError("no participant was allocated to the assistant")
