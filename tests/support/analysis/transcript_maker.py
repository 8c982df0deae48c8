"""Transcripts made up for tests, in the published form."""

import json
from pathlib import Path

SHARED = Path(__file__).parents[4] / "shared" / "transcripts"
"""Half of the published transcripts, where they are at hand."""


def seen(timestamp, kind, task="1", codes=None, description="", query=None):
    entry = {
        "timestamp": timestamp,
        "event_type": kind,
        "task_id": task,
        "description": description,
        "codes": [kind] if codes is None else codes,
    }
    return entry | ({"query": query} if query is not None else {})


def asked(timestamp, codes, query="how does it work?", task="1"):
    return seen(timestamp, "ai_query", task, codes, query=query)


def transcript(pid=1, condition="AI", events=None, minutes=20, complete=(True, True), **summary):
    observations = events or [
        seen("00:00:10", "task_start"),
        seen("00:05:00", "task_completion"),
        seen("00:05:30", "task_submission"),
        seen("00:05:40", "task_start", "2"),
        seen("00:19:00", "task_completion", "2"),
        seen("00:19:30", "task_submission", "2"),
    ]
    return {
        "pid": pid,
        "condition": condition,
        "main_task_minutes": minutes,
        "warmup_task_minutes": 5,
        "main_task_observations": observations,
        "summary": {
            "task1_total_time": minutes // 2,
            "task1_active_time": 2,
            "task1_complete": complete[0],
            "task2_total_time": minutes - minutes // 2,
            "task2_active_time": 3,
            "task2_complete": complete[1],
        }
        | summary,
    }


def write(folder, *transcripts):
    folder.mkdir(parents=True, exist_ok=True)
    for each in transcripts:
        (folder / f"p{each['pid']}.json").write_text(json.dumps(each), encoding="utf-8")
    return folder
