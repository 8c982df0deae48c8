"""A figure that a participant's program drew is sent to the page, in the log, in the export and in the replay."""

from __future__ import annotations

import csv
import json
import shutil

from support.clock import HandClock
from support.trials.export_world import ROOT, Walker, open_app

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.replay.timeline import timeline

DRAWING = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn')\n"


def test_a_figure_is_shown_logged_exported_and_replayed(tmp_path):
    for part in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / part, tmp_path / part)
    pack = tmp_path / "tasks" / "warmup" / "task.toml"
    pack.write_text(
        pack.read_text()
        .replace("packages = []", 'packages = ["matplotlib"]')
        .replace("cpu_seconds = 2", "cpu_seconds = 20")
    )
    shutil.copy(ROOT / "study.toml", tmp_path / "study.toml")
    clock = HandClock()
    app = open_app(tmp_path, clock, tmp_path / "study.toml")
    try:
        person = Walker(app, clock).consent().background()
        app.session.begin_stage(person.id, "warmup")
        person.open("warmup")
        person.replace_all(DRAWING)
        sent = []
        run = app.work.run
        app.work.run = lambda who, code, emit, *more: run(
            who, code, lambda line: (sent.append(line), emit(line)), *more
        )
        person.run()

        (figures,) = [line["figures"] for line in sent if line and line["type"] == "figures"]
        assert len(figures) == 1
        last = app.work.last_run(person.id, "warmup")
        assert app.work.figures_of(last) == figures, "after a reload the page shows it again"
        (shown,) = [one for one in timeline(app.context, person.id)["runs"].values() if one["figures"]]
        assert shown["figures"] == figures
        export(app.context, tmp_path / "dataset", include_preview=True)
    finally:
        app.close()
    (table,) = (tmp_path / "dataset" / "data").glob("*events_data.csv")
    rows = [row for row in csv.DictReader(table.open(encoding="utf-8")) if row["kind"] == "figure_shown"]
    assert [json.loads(row["payload"])["png"] for row in rows] == figures
    assert verify(tmp_path / "dataset").ok
