"""What readers see of the analysis table: its columns under the names of the plan, whatever unit they have."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tomli_w

from analysis.cli import analyze
from analysis.pipeline.column_words import in_words
from analysis.report.wording import note

PLAN = {"control": "a", "outcomes": [{"id": "score", "kind": "continuous"}], "subgroups": [], "replicates": 99,
        "covariates": [{"column": "age"}, {"column": "seen_at"}]}  # fmt: skip


def analysed(folder, data, **plan):
    data.to_csv(folder / "data.csv", index=False)
    (folder / "plan.toml").write_text(tomli_w.dumps(PLAN | plan))
    analyze(folder / "data.csv", folder / "out", plan=folder / "plan.toml")
    return json.loads((folder / "out" / "results.json").read_text())


def people(n=40):
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {"participant_id": [f"p{i}" for i in range(n)], "arm": np.array(["a", "b"])[np.arange(n) % 2],
         "score": rng.normal(10, 3, n).round(2), "age": rng.integers(20, 60, n),
         "seen_at": 1_700_000_000_000 + rng.integers(0, 10**5, n), "room": np.arange(n) // 6,
         "stratum": np.where(np.arange(n) == 0, "site=z", "site=u")}
    )  # fmt: skip


def test_deviations_name_columns_as_the_plan_does_and_a_covariate_in_milliseconds_stays(tmp_path):
    result = analysed(tmp_path, people(), cluster="room")
    # Notes of rows keep the names, as results.json must not change from commit to commit; the report rewords them.
    said = result["deviations"] + result["warnings"]
    assert any("has people in more than one arm" in row["note"] for row in result["estimates"])
    assert not [
        text for text in said for name in ("_x_", "_stratum_", "_cluster", "_event_", "_missing_") if name in text
    ]
    assert not [text for text in said if "seen_at" in text and "is left out" in text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "column '_cluster': cluster 'k' has people in two arms",
            "column 'cluster': cluster 'k' has people in two arms",
        ),
        ("lin.no_x_here and my_x_y stay", "lin.no_x_here and my_x_y stay"),
        ("_missing_age and _last_activity_minutes_time", "missing age and time at the last activity"),
    ],
)
def test_only_names_of_the_analysis_table_are_said_otherwise(text, words):
    assert in_words(text) == words
    assert note(text, {}, {}) == words
