"""How often the provider said other than the day before."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.pipeline.description.models import models_section

LOOK = {"treatment": "full", "provider": "claude", "model": "m", "problem": None, "retires_at": None}


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        (["active"], 0),
        (["active", "active"], 0),
        (["active", "deprecated", "deprecated"], 1),
        (["active", "deprecated", "active"], 2),
        ([None], 0),
        ([None, "active"], 1),
    ],
)
def test_changes_are_counted_between_looks(said, changes):
    days = pd.date_range("2026-01-05", periods=len(said), tz="UTC").astype(str)
    rows = [
        LOOK | {"served": "m-1", "lifecycle": state, "looked_at": day} for state, day in zip(said, days, strict=True)
    ]
    table = pd.DataFrame(rows)
    section = models_section(SimpleNamespace(hidden=False, tables={"model_looks": table, "ratings": None}))
    (row,) = section["looks"]
    assert (row["looks"], row["changes"]) == (len(said), changes)
