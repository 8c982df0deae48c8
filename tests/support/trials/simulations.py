"""Simulated trials for tests, and what of their data must repeat."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from study_app.settings import Settings
from study_app.simulation import open_for_simulation, simulate

ROOT = Path(__file__).parents[3]
MEASURED = {"wall_seconds"}


def run(folder: Path, study: Path = ROOT / "study.toml", seed: int = 7, participants: int = 6, **options):
    """A simulated trial on a fresh database: the app and the summary."""
    app = open_for_simulation(Settings(study, f"sqlite:///{folder}/study.db", folder, environment={}), seed)
    return app, simulate_apart(app, participants=participants, seed=seed, **options)


def simulate_apart(*arguments, **options):
    """`simulate` in a separate thread: where a browser test ran before, Playwright's loop holds the main thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(simulate, *arguments, **options).result()


def data_of(app) -> dict[str, list[str]]:
    """Every row, without durations that were measured on this machine."""
    with app.context.registry.begin(write=False) as unit:
        tables = {
            "participants": unit.participants(),
            "visits": unit.visits(),
            "runs": unit.runs(),
            "turns": unit.turns(),
            "answers": unit.answers(),
            "events": list(unit.events()),
        }
        rows = {name: [_plain(asdict(row)) for row in table] for name, table in tables.items()}
        return rows | {"allocations": [_plain(row) for row in unit.allocations("simulated")]}


def _plain(row: dict) -> str:
    kept = {name: value for name, value in row.items() if name not in MEASURED}
    if isinstance(row.get("payload"), dict):
        kept["payload"] = {name: value for name, value in row["payload"].items() if name not in MEASURED}
    return json.dumps(kept, sort_keys=True, default=str)
