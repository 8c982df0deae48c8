"""Time of each board of the console on a generated database of many participants, run as the server runs it.

python benchmarks/bench_console.py [PARTICIPANTS]
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from study_app.bootstrap import App, install, start
from study_app.services.researcher.monitoring import Monitor
from study_app.settings import Settings
from study_app.storage import tables

ROOT = Path(__file__).parents[1]
BOARDS = (
    "overview participants replay grading verdicts coding interviews.board protocol sessions.board recruiting.board "
    "links allocation reporting.results downloads releasing.texts audit accounts"
).split()
STUDIES = {"study.toml": set(BOARDS) - {"sessions.board"}, "examples/pre_post_retention/study.toml": {"sessions.board"}}
"""Study -> boards that are drawn of it; only a study with several sessions has something on the board of that name."""
VISITS, EVENTS, RUNS, ANSWERS, QUERIES = 8, 30, 6, 12, 3
"""Rows of each table a participant."""
LIMIT_SECONDS = 1.0


def people(count: int, app: App) -> None:
    """Fill the tables as `count` participants would: a tenth there now, the rest over."""
    rng, now = random.Random(7), app.context.now()
    stages = [stage.id for stage in app.study.stages][:-1]
    filled = (
        tables.ParticipantRow, tables.VisitRow, tables.EventRow, tables.RunRow, tables.AnswerRow, tables.TurnRow,
        tables.AuditRow,
    )  # fmt: skip
    rows: dict[Any, list[dict[str, Any]]] = {each: [] for each in filled}
    for number in range(count):
        name = f"person{number:06d}"
        _one(rows, name, number, rng, now, stages, app.context.study_hash)
        rows[tables.AnswerRow] += _sheet(app, name)
    engine = create_engine(app.settings.database)
    with engine.begin() as connection:
        for table, found in rows.items():
            for start_at in range(0, len(found), 20_000):
                connection.execute(table.__table__.insert(), found[start_at : start_at + 20_000])  # type: ignore[attr-defined]
    engine.dispose()


def _one(rows: Any, name: str, number: int, rng: random.Random, now: datetime, stages: list[str], version: str) -> None:
    here, waiting = rng.random() < 0.1, rng.random() < 0.3
    began = now - timedelta(minutes=rng.uniform(5, 100) if here else rng.uniform(3000, 90_000))
    over = not here and not waiting
    reached = rng.randrange(1, len(stages)) if here else len(stages) - 1
    seen = now - timedelta(minutes=rng.uniform(0, 20)) if here else began + timedelta(minutes=70)
    rows[tables.ParticipantRow].append({
        "id": name, "kind": "real", "study_hash": version, "status": "completed" if over else "in_progress",
        "stage": "end" if over else stages[reached], "step": 0, "enrolled_at": began, "last_seen_at": seen,
        "arm": rng.choice(["ai", "no_ai"]), "stratum": "all", "allocation_index": number + 1, "allocated_at": began,
        "finished_at": seen if over else None, "opens_at": now - timedelta(days=1) if waiting and not here else None,
        "prolific_pid": f"{number:024x}", "prolific_study": "s" * 24, "prolific_session": f"{number + 1:024x}",
        "data_withdrawn": False, "language": "", "page": None, "label": None, "link": None, "exclusion_reason": None,
        "place": "used", "place_until": None, "paused_at": None,
    })  # fmt: skip
    for at, stage in enumerate(stages[: reached + 1][:VISITS]):
        opened = began + timedelta(minutes=7 * at)
        ended = None if at == reached and not over else opened + timedelta(minutes=rng.uniform(1, 7))
        rows[tables.VisitRow].append({
            "participant_id": name, "stage": stage, "started_at": opened, "deadline_at": None, "ended_at": ended,
            "ended_by": None if ended is None else "participant",
        })  # fmt: skip
    for seq in range(EVENTS):
        rows[tables.EventRow].append({
            "participant_id": name, "page": "server", "seq": seq, "kind": rng.choice(["stage_opened", "task_shown"]),
            "stage": stages[min(seq, reached)], "server_time": began + timedelta(minutes=seq),
            "payload": {"minutes": 5, "task": "t"},
        })  # fmt: skip
    for run in range(RUNS):
        rows[tables.RunRow].append({
            "id": f"{name}-{run}", "participant_id": name, "task": "warmup", "stage": "warmup",
            "kind": "submission" if run == 0 else "run", "code": "print(1)\n" * 20, "stdout": "", "stderr": "",
            "started_at": began + timedelta(minutes=run),
            "ended_by": "infrastructure" if rng.random() < 0.01 else "exit",
            "checks": [], "output_order": "", "review": "",
        })  # fmt: skip
    for item in range(ANSWERS):
        rows[tables.AnswerRow].append({
            "participant_id": name, "stage": "background", "item": f"q{item}", "response": 3, "bank": "", "form": "",
            "points": None, "max_points": None,
            "changes": 0,
        })  # fmt: skip
    for query in range(QUERIES):
        rows[tables.TurnRow].append({
            "id": f"{name}-{query}", "participant_id": name, "task": "warmup", "assistant": "full", "treatment": "full",
            "model": "embedded", "prompt_version": "0", "message": "How do I start two tasks at once?",
            "reply": "Open a nursery. " * 40, "code": "print(1)\n" * 20, "asked_at": began + timedelta(minutes=query),
            "complete": True, "stopped_by_participant": False, "parameters": {},
        })  # fmt: skip
    rows[tables.AuditRow].append({
        "at": began, "who": "anna", "what": "note", "why": "a note", "detail": {"participant_id": name},
        "previous_hash": "", "row_hash": f"{number:064x}",
    })  # fmt: skip


def _sheet(app: App, name: str) -> list[dict[str, Any]]:
    """Return a participant's answers to the main quiz, none of which is scored yet."""
    stage = next(quiz.stage for quiz in app.study.quizzes if quiz.role == "main")
    return [
        {
            "participant_id": name, "stage": stage.id, "item": item.id, "response": "it waits for both tasks",
            "bank": stage.bank, "form": "", "changes": 0, "points": None, "max_points": 1.0,
        }
        for item in app.context.content.bank(stage.bank).items
    ]  # fmt: skip


def draw(board: str, query: dict[str, str]) -> float:
    """Return the processor seconds that one drawing of a board takes, or those by the clock where fewer."""
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        import importlib
        import os

        from study_app.bootstrap import current
        from study_app.secrets.console_accounts import ConsoleUser
        from study_app.services.researcher.monitoring import Monitor
        from study_app.ui.console.session import ConsoleSession

        module = importlib.import_module(f"study_app.ui.console.pages.{os.environ['BENCH_BOARD']}")
        module.render(ConsoleSession(current(), ConsoleUser("anna", "full"), Monitor(current().context)))

    os.environ["BENCH_BOARD"] = board
    page = AppTest.from_function(script, default_timeout=120)
    for key, value in query.items():
        page.query_params[key] = value
    before = time.perf_counter(), _cpu()
    page.run()
    if page.exception:
        raise SystemExit(f"{board}: {page.exception[0].message}")
    return min(time.perf_counter() - before[0], _cpu() - before[1])


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(count: int) -> None:
    """Generate, draw each board three times, print the medians."""
    seconds: dict[str, float] = {}
    for study, boards in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(ROOT / study, f"sqlite:///{folder}/study.db", Path(folder), environment={})
            app = start(settings)
            with app.context.registry.begin() as unit:
                unit.set_meta("state", "launched")
            people(count, app)
            # The boards themselves are drawn, not the question whether to open them.
            for what in ("queries", "interviews", "texts for release"):
                Monitor(app.context).record_unblinding("anna", what, "real")
            install(app)
            wanted: list[tuple[str, dict[str, str]]] = [(board, {}) for board in BOARDS if board in boards]
            if "participants" in boards:
                wanted.append(("participants", {"who": "person000042"}))
            for board, query in wanted:
                name = f"{board} of one" if query else board
                seconds[name] = round(statistics.median(draw(board, query) for _ in range(3)), 3)
                print(name, seconds[name], file=sys.stderr)
            app.close()
    slow = sorted(name for name, value in seconds.items() if value > LIMIT_SECONDS)
    figures = {"participants": count, "seconds": seconds, "limit_seconds": LIMIT_SECONDS, "over_the_limit": slow}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
