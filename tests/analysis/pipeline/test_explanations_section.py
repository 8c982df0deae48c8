"""The explain-first gate in the report: its verdicts against those of the people who audited them."""

from __future__ import annotations

import json
import types

import pandas as pd
import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined
from support.paths import ROOT
from support.trials.commands import study
from support.trials.export_world import real_study, table

from analysis.measurement.agreement import cohen_kappa
from analysis.pipeline.description.explanations import explanations_section
from analysis.report.wording import number

GATE = [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]
ANNA = [1, 1, 0, 1, 0, 0, 1, 0, 0, None]
BEN = [1, 1, 0, 1, 0, 0, None, 1, 0, None]
"""On the eighth message Anna and Ben say different things: a tie."""


def view(hidden: bool = False, audits: bool = True):
    words = {1: "explained", 0: "not_explained"}
    rows = [("p1", f"t{n}", words[said], "rules") for n, said in enumerate(GATE)]
    rows += [("p1", "t98", "open", ""), ("elsewhere", "t99", "explained", "rules")]
    turns = pd.DataFrame(rows, columns=["participant_id", "turn_id", "gate", "gate_by"])
    given = [(f"turn:t{n}", "rules", str(said), "2026-01-01") for n, said in enumerate(GATE)]
    given += [("turn:t0", "anna", "0", "2026-01-02")]  # which she corrects
    for name, values in (("anna", ANNA), ("ben", BEN)):
        given += [(f"turn:t{n}", name, str(v), "2026-01-03") for n, v in enumerate(values) if v is not None]
    ratings = pd.DataFrame(given if audits else given[: len(GATE)], columns=["object", "rater", "value", "rated_at"])
    ratings["rubric"] = "gate-1"
    people = pd.DataFrame({"participant_id": ["p1"]})
    return types.SimpleNamespace(participants=people, tables={"turns": turns, "ratings": ratings}, hidden=hidden)


def test_verdicts_are_compared_with_the_majority_of_the_people_who_audited_them():
    found = explanations_section(view())["rules"]
    assert (found["messages"], found["explained"], found["audited"], found["tied"]) == (10, 5, 9, 1)
    assert found["explained_people_explained"] == 3
    assert found["explained_people_not_explained"] == 1
    assert found["not_explained_people_explained"] == 1
    assert found["not_explained_people_not_explained"] == 3
    assert found["percent_agreement"] == 75.0
    expected = cohen_kappa([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 1, 0])
    assert found["kappa"]["value"] == pytest.approx(float(expected))
    assert found["kappa"]["ci_low"] == pytest.approx(expected.ci_low)
    assert found["between_people"]["objects"] == 8
    assert 0 < found["between_people"]["krippendorff_alpha"]["value"] < 1


def test_without_audits_there_is_a_reason_and_without_a_gate_no_section():
    found = explanations_section(view(audits=False))["rules"]
    assert (found["audited"], found["kappa"]["value"]) == (0, None)
    assert found["kappa"]["note"] == "not estimable: none was audited"
    assert explanations_section(view(hidden=True)) == {"note": "withheld until unsealing: only some arms have the gate"}
    none = view()
    none.tables["turns"]["gate"] = None
    assert explanations_section(none) == {}


@pytest.mark.parametrize("given", [view(), view(audits=False), view(hidden=True)])
def test_the_section_is_on_the_page(given):
    environment = Environment(loader=PackageLoader("analysis.report"), autoescape=True, undefined=StrictUndefined)
    # The page's macros name filters that this section does not use.
    others = ("p", "note", "analysis_name", "shown", "bounds_note", "population", "counts", "compact")
    environment.filters |= {"num": number} | dict.fromkeys(others, str)
    section = explanations_section(given)
    page = environment.get_template("explanations.html.j2").render(result={"explanations": section}, stamps=[])
    assert "Explain-first gate" in page
    assert ("Withheld until unsealing" in page) == given.hidden
    assert ("75%" in page) == (section.get("rules", {}).get("percent_agreement") == 75.0)


@pytest.mark.slow
def test_a_trial_with_the_gate_is_analyzed_with_its_section(tmp_path):
    text = (
        (ROOT / "assistants" / "full.toml")
        .read_text()
        .replace("gives_code = true", 'gives_code = true\ngate = "explain"')
    )
    assert 'gate = "explain"' in text
    file = real_study(tmp_path, **{'file = "assistants/full.toml"': 'file = "gated.toml"'})
    (tmp_path / "gated.toml").write_text(text)
    study("simulate", file, "--participants", 6, "--seed", 1, cwd=tmp_path)
    study("export", file, "--include-simulated", "--out", "data", cwd=tmp_path)
    study("verify", "data", cwd=tmp_path)
    study("analyze", "data", "--include-simulated", "--out", "results", cwd=tmp_path)
    turns = [turn for turn in table(tmp_path / "data", "turns") if turn["gate_by"]]
    section = json.loads((tmp_path / "results" / "results.json").read_text())["explanations"]["rules"]
    assert section["messages"] == len(turns) > 0
    assert section["explained"] == sum(turn["gate"] == "explained" for turn in turns)
    assert "Explain-first gate" in (tmp_path / "results" / "report.html").read_text()
