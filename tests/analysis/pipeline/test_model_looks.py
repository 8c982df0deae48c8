"""How often the provider said other than the day before."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from jinja2 import Environment, PackageLoader

from analysis.pipeline.description.models import model_warnings, models_section
from study_app.domain.assistants.persona_checks.probing import MEASURES

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


def reply(number, question, model):
    return {
        "occasion": "weekly", "treatment": "full", "provider": "claude", "declared": "claude-sonnet-5-5",
        "model": model,
        "prompt_version": "p", "task": "t", "message": "m", "reply": "a b c", "stop_reason": "end_turn", "error": None,
        "recorded_match": None, "code_share": 0.0, "seconds": 1.0, "usd": 0.0, "round": number, "question": question,
        "words": 3, "leak": False, "refused": False, "asked_at": f"2026-01-{number:02}T09:00:00Z",
    }  # fmt: skip


def test_a_round_that_another_model_answered_than_declared_is_named_in_the_section_and_among_the_warnings():
    table = pd.DataFrame([
        reply(1, 1, "claude-haiku-5-5"), reply(1, 2, "claude-haiku-5-5"), reply(2, 1, "claude-sonnet-5-5-20260101"),
        reply(2, 2, "claude-sonnet-5-5"),
    ])  # fmt: skip
    section = models_section(SimpleNamespace(hidden=False, tables={"model_replies": table, "ratings": None}))
    said = "served by claude-haiku-5-5, declared is claude-sonnet-5-5"
    assert section["otherwise"] == [{"round": 1, "treatment": "full", "what": said}]
    assert f"treatment 'full': round 1 of the fixed questions was {said}" in model_warnings(section)
    environment = Environment(loader=PackageLoader("analysis.report", "templates"))
    environment.filters["num"] = lambda value, digits: f"{value:.{digits}f}"
    environment.filters["p"] = str
    environment.globals["n"] = lambda _, shown: shown
    html = environment.get_template("models.html.j2").render(result={"models": section}, probe_measures=MEASURES)
    assert "Another model answered than declared:</strong> full in round" in html
    assert said in html
