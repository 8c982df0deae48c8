"""What an assistant that acts did, in the report: shares and quantiles with their intervals, and simulated rates."""

from __future__ import annotations

import json
import types
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.trials.agent_study import agent_study
from support.trials.commands import study
from support.trials.export_world import table

from analysis.pipeline.description.acting import acting_section
from study_app.clock import SystemClock
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation import open_for_simulation, simulate
from study_app.simulation.behaviour import workspace

PEOPLE = [f"p{number}" for number in range(8)]


def view(seconds, *, hidden: bool = False):
    """Eight people with ten steps each: every fourth change is rejected, every second turn interrupted."""
    turns = pd.DataFrame(
        {
            "turn_id": [f"t{number}" for number in range(len(seconds))],
            "participant_id": [PEOPLE[number % len(PEOPLE)] for number in range(len(seconds))],
            "autonomous_seconds": seconds,
            "interrupted_at": ["2026-01-01T00:00:00.000Z" if number % 2 else None for number in range(len(seconds))],
        }
    )
    steps = [
        {
            "participant_id": person,
            "turn_id": f"t{PEOPLE.index(person)}",
            "tool": "edit",
            "waited": 1,
            "decision": "reject" if (10 * PEOPLE.index(person) + number) % 4 == 0 else "approve",
            "seconds_to_decide": 10.0 - number,
            "diff_chars": 20,
            "applied_chars": 10,
        }
        for person in PEOPLE
        for number in range(10)
    ]
    steps.append(steps[0] | {"tool": "ask", "decision": "answered", "diff_chars": None, "applied_chars": None})
    people = pd.DataFrame(
        {
            "participant_id": PEOPLE,
            "rejections": [2] * 4 + [0] * 4,
            "interruptions": 0,
            "agent_edits": 8,
            "quiz_points": [4.0] * 4 + [2.0] * 4,
            "agent_chars": 100,
            "agent_share_of_submission": 0.5,
        }
    )
    tables = {"agent_actions": pd.DataFrame(steps), "turns": turns}
    return types.SimpleNamespace(participants=people, tables=tables, hidden=hidden)


def test_stated_rates_come_out_exactly():
    found = acting_section(view(np.arange(1.0, 41.0)))
    assert (found["turns"], found["steps"]) == (40, 81)
    assert found["interrupts"]["share"] == 0.5
    assert found["questions"]["share"] == 1 / 40
    assert {(row["tool"], row["decision"]): row["steps"] for row in found["decisions"]} == {
        ("ask", "answered"): 1,
        ("edit", "approve"): 60,
        ("edit", "reject"): 20,
    }
    assert sum(row["approved"]["count"] for row in found["by_decile"]) == 60
    assert [row["seconds"]["value"] for row in found["by_decile"]] == [10.0 - number for number in range(10)]
    assert found["text"] | {"share_of_submission": None} == {
        "proposed_chars": 1600,
        "applied_chars": 800,
        "kept_chars": 800,
        "share_of_submission": None,
    }
    assert [row["quiz_points"]["mean"] for row in found["oversight"]] == [4.0, 2.0]


def test_quantiles_have_distribution_free_intervals_and_none_where_people_are_too_few():
    seconds = np.random.default_rng(1).lognormal(3, 1, 400)
    rows = acting_section(view(seconds))["autonomous_seconds"]
    assert [row["at"] for row in rows] == [0.5, 0.9, 0.99, 0.999]
    for row in rows[:2]:
        # scipy.stats.quantile_test(seconds, p=at).confidence_interval(0.95)
        interval = stats.quantile_test(seconds, q=0, p=row["at"]).confidence_interval(0.95)
        assert (row["ci_low"], row["ci_high"]) == (interval.low, interval.high)
        assert row["value"] == np.quantile(seconds, row["at"])
        assert "note" not in row
    assert rows[3]["ci_high"] is None
    assert rows[3]["note"] == "too few turns for both ends of the interval"


def test_while_arms_are_hidden_steps_are_withheld():
    assert acting_section(view(np.arange(1.0, 41.0), hidden=True)) == {
        "note": "withheld until unsealing: steps of the assistant tell the arms apart"
    }


@pytest.mark.slow
def test_what_simulated_people_chose_is_what_the_report_counts(tmp_path, monkeypatch):
    chosen: Counter[str] = Counter()
    draw = workspace.choice

    def noted(rates, rng):
        choice = draw(rates, rng)
        chosen[choice] += 1
        return choice

    monkeypatch.setattr(workspace, "choice", noted)
    file = agent_study(tmp_path)
    app = open_for_simulation(Settings(file, f"sqlite:///{tmp_path}/study.db", tmp_path, environment={}), 1)
    simulate(app, participants=10, seed=1)
    app.scoring.score_pending()
    app.context.clock = SystemClock()
    export(app.context, tmp_path / "data", include_simulated=True)
    app.close()
    decisions = Counter(row["decision"] for row in table(tmp_path / "data", "agent_actions") if row["waited"] == "1")
    assert sum(chosen.values()) > 20
    assert sum(decisions.values()) >= sum(chosen.values())
    study("analyze", "data", "--include-simulated", "--out", "results", cwd=tmp_path)
    section = json.loads((tmp_path / "results" / "results.json").read_text())["acting"]
    counted: Counter[str] = Counter()
    for row in section["decisions"]:
        counted[row["decision"]] += row["steps"]
    # A step other than a change is rejected, answered or approved; only a change can be edited first.
    assert counted["edited"] <= chosen["edited"]
    assert counted["reject"] == chosen["reject"]
    assert counted["interrupted"] >= chosen["stop"]
    assert section["interrupts"]["count"] >= chosen["stop"]
    assert "What the assistant did by itself" in (tmp_path / "results" / "report.html").read_text()
