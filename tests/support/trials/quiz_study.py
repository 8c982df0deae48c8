"""A small study with a quiz before allocation, one after it and one in a later session; no tasks, so it is fast."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

from study_app.clock import SystemClock
from study_app.dataset.schema.file_names import in_file_name
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation import open_for_simulation, simulate

ROOT = Path(__file__).parents[3]
HEAD = """
schema = "study/1"
id = "threequizzes"
title = "Three quizzes"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
{arms}
[allocation]
{allocation}
[[sessions]]
id = "main"
[[sessions]]
id = "later"
delay_days = 14
[[stages]]
id = "consent"
kind = "consent"
{before}
[[stages]]
id = "pretest"
kind = "quiz"
title = "Before"
minutes = 20
bank = "{bank}"
{pre}
[[stages]]
id = "instructions"
kind = "instructions"
{after}
[[stages]]
id = "posttest"
kind = "quiz"
title = "After"
minutes = 20
bank = "{bank}"
{post}
[[stages]]
id = "retention"
kind = "quiz"
title = "Two weeks later"
minutes = 20
bank = "{bank}"
session = "later"
{late}
[[stages]]
id = "debrief"
kind = "debrief"
session = "later"
[analysis]
{plan}
"""
ARMS = """
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
"""
PLAN = 'primary = ["quiz_points"]\nreplicates = 199\ncovariates = []\nsubgroups = []\n'
OUTCOME = '[[analysis.outcomes]]\nid = "quiz_points"\nkind = "bounded"\nunit = "points"\nupper_column = "quiz_max"\n'
BANK = ROOT / "quizzes" / "sortedcontainers"


def study_text(**parts: str) -> str:
    """The study file with some parts replaced."""
    usual = {
        "arms": ARMS, "allocation": 'method = "permuted_blocks"', "before": "", "after": "", "pre": "", "post": "",
        "late": "", "plan": PLAN + OUTCOME, "bank": BANK.name,
    }  # fmt: skip
    return HEAD.format(**usual | parts)


def keyed_bank(folder: Path) -> str:
    """The shipped bank without its items that a run of code scores, in the folder; its name there."""
    target = folder / "keyed"
    shutil.copytree(BANK, target)
    items = {path.stem: tomllib.loads(path.read_text()) for path in sorted((target / "items").glob("*.toml"))}
    for name in [name for name, item in items.items() if item["kind"] == "code"]:
        (target / "items" / f"{name}.toml").unlink()
        (target / "keys" / f"{name}.toml").unlink()
        del items[name]
    head = (target / "bank.toml").read_text()
    points = sum(item["points"] for item in items.values())
    head = head.replace('id = "sortedcontainers"', 'id = "keyed"').replace("points = 15", f"points = {points}")
    pages = json.dumps([[name] for name in items])
    (target / "bank.toml").write_text(head[: head.index("pages = [")] + f"pages = {pages}\n")
    return target.name


def with_content(folder: Path) -> None:
    """The shipped content beside a study file in that folder."""
    for source in (BANK, ROOT / "tasks", ROOT / "assistants"):
        if not (folder / source.name).exists():
            (folder / source.name).symlink_to(source)


def written(folder: Path, **parts: str) -> Path:
    """The study file in a folder, its content next to it.

    Paths in it are relative: they are part of the study's hash, from which preview and simulated allocations are drawn.
    """
    with_content(folder)
    path = folder / "study.toml"
    path.write_text(study_text(**parts))
    return path


def simulated(folder: Path, participants: int = 12, seed: int = 5, **options):
    """A simulated trial of the study in the folder, and its export: summary and the dataset's folder."""
    settings = Settings(folder / "study.toml", f"sqlite:///{folder}/study.db", folder, environment={})
    app = open_for_simulation(settings, seed)
    try:
        summary = simulate(app, participants=participants, seed=seed, **options)
        app.scoring.score_pending()
        app.context.clock = SystemClock()
        export(app.context, folder / "data", include_simulated=True)
    finally:
        app.close()
    return summary, folder / "data"


def rewrite_table(dataset: Path, table: str, change) -> None:
    """Change the text of one table of a dataset."""
    path = next((dataset / "data").glob(f"*_description-{in_file_name(table)}_data.csv"))
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def change_row(dataset: Path, table: str, which: Callable[[dict[str, str]], bool], **cells: str) -> None:
    """Change cells of the first row that a condition holds for."""

    def change(text: str) -> str:
        rows = list(csv.DictReader(io.StringIO(text)))
        next(row for row in rows if which(row)).update(cells)
        new = io.StringIO(newline="")
        writer = csv.DictWriter(new, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        return new.getvalue()

    rewrite_table(dataset, table, change)


def results(out: Path) -> dict:
    """results.json of an analysis."""
    return json.loads((out / "results.json").read_text(encoding="utf-8"))
