"""Was the treatment the same throughout? The section of the report, on turns of known kinds."""

from __future__ import annotations

import types

import pandas as pd
import pytest

from analysis.pipeline.description.treatment import treatment_section, treatment_warnings


def view(turns: pd.DataFrame, hidden: bool = False):
    people = pd.DataFrame({"participant_id": sorted(set(turns["participant_id"]))})
    return types.SimpleNamespace(participants=people, tables={"turns": turns}, hidden=hidden)


def turns(count: int = 60, change_at: int = 40) -> pd.DataFrame:
    asked = pd.date_range("2026-01-05", periods=count, freq="8h", tz="UTC")
    return pd.DataFrame(
        {
            "participant_id": ["p1", "p2"] * (count // 2),
            "treatment": "full",
            "model": ["m-1" if number < change_at else "m-2" for number in range(1, count + 1)],
            "asked_at": [moment.isoformat() for moment in asked],
            "first_token_seconds": [1.0 + number / 10 for number in range(count)],
            "total_seconds": 2.0,
            "reply": ["words " * 10] * count,
            "error": ["refused" if number == 3 else "timeout" if number == 5 else None for number in range(count)],
            "solution_share": [0.7 if number % 2 else 0.1 for number in range(count)],
        }
    )


def test_a_model_that_changes_at_turn_40_is_shown_with_the_day_of_its_first_reply():
    section = treatment_section(view(turns()))
    served = section["full"]["served"]
    assert [(one["model"], one["replies"]) for one in served] == [("m-1", 39), ("m-2", 21)]
    assert served[1]["first"] == pd.Timestamp("2026-01-18T00:00:00Z").isoformat().replace("+00:00", "Z")
    first_seconds = [one["means"]["first_token_seconds"] for one in served]
    assert first_seconds == [pytest.approx(2.9), pytest.approx(5.9)]
    assert "served by m-1, m-2" in treatment_warnings(section)[0]
    assert treatment_warnings(treatment_section(view(turns(change_at=99)))) == []


def test_each_week_has_its_means_and_each_measure_its_trend():
    found = treatment_section(view(turns()))["full"]
    assert [week["week"] for week in found["weeks"]] == ["2026-W02", "2026-W03", "2026-W04"]
    assert sum(week["questions"] for week in found["weeks"]) == 60
    assert found["overall"]["refused"] == found["overall"]["failed"] == 1 / 60
    assert found["overall"]["leaked"] == 0.5
    assert found["trend"]["first_token_seconds"]["rho"] == 1.0
    assert found["trend"]["total_seconds"]["rho"] is None


def test_few_replies_have_no_trend_and_a_masked_trial_no_section():
    few = treatment_section(view(turns(count=4)))["full"]
    assert few["trend"]["first_token_seconds"]["note"] == "fewer than 8 replies"
    assert set(treatment_section(view(turns(), hidden=True))) == {"note"}
    assert treatment_section(view(turns().iloc[:0])) == {}


def test_replayed_replies_are_counted_by_how_the_recording_answered():
    asked = turns().assign(recorded_match=["exact"] * 30 + ["near"] * 24 + ["none"] * 6)
    found = treatment_section(view(asked))["full"]["recorded"]
    assert found["replies"] == 60
    assert {match: (each["replies"], each["share"]) for match, each in found["matches"].items()} == {
        "exact": (30, 0.5),
        "near": (24, 0.4),
        "none": (6, 0.1),
    }
    assert "recorded" not in treatment_section(view(turns()))["full"]
    assert "recorded" not in treatment_section(view(turns().assign(recorded_match=None)))["full"]
