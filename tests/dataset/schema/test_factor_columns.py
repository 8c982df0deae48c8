"""A column for each factor: its level in every row with an arm, never where the arm is withheld."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pandas as pd
import pytest
from support.trials.design_studies import made
from support.trials.quiz_study import rewrite_table, simulated

from study_app.content.study_file import read_study
from study_app.dataset.redaction import Mask
from study_app.dataset.schema.participants import factor_columns, participants_table
from study_app.dataset.verification import verify
from study_app.domain.study.study import Study


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossed")
    study = read_study(made(folder, "factors_and_control"))
    _, dataset = simulated(folder, participants=8)
    return study, dataset


def people(dataset) -> pd.DataFrame:
    return pd.read_csv(next((dataset / "data").glob("*participants_data.csv")), keep_default_na=False)


def test_a_column_holds_the_level_of_each_factor_and_is_empty_in_the_nested_control(trial):
    study, dataset = trial
    table = people(dataset)
    assert {"plain"} < set(table["arm"]) <= {arm.id for arm in study.arms}
    for row in table.to_dict("records"):
        levels = study.cells.get(row["arm"], {"tone": "", "promise": ""})
        assert (row["tone"], row["promise"]) == (levels["tone"], levels["promise"])


def test_a_level_that_is_not_the_arm_s_is_found(trial, tmp_path):
    _, dataset = trial
    assert verify(dataset).findings == []
    changed = shutil.copytree(dataset, tmp_path / "data")
    first = people(dataset).iloc[-1]
    other = {"calm": "keen", "keen": "calm", "": "calm"}[first["tone"]]
    head = first["participant_id"]

    def change(text: str) -> str:
        lines = text.split("\n")
        place = people(dataset).columns.get_loc("tone")
        for number, line in enumerate(lines):
            if line.startswith(head):
                cells = line.split(",")
                cells[place - len(people(dataset).columns)] = other
                lines[number] = ",".join(cells)
        return "\n".join(lines)

    rewrite_table(changed, "participants", change)
    assert any("tone" in finding.message for finding in verify(changed).findings), verify(changed).findings


@pytest.mark.parametrize("state", ["launched", "closed"])
def test_levels_are_withheld_as_the_arm_is(trial, state):
    study, _ = trial
    record = SimpleNamespace(study=study, participant=SimpleNamespace(kind="real"))
    row = {"arm": "calm_made", "tone": "calm", "promise": "made", "status": "completed"}
    shown = Mask(state, {"calm_made": "arm_b"}).participant(record, row)
    assert not {"tone", "promise"} & set(shown)
    assert shown.get("arm") == ("arm_b" if state == "closed" else None)
    simulated_one = SimpleNamespace(study=study, participant=SimpleNamespace(kind="simulated"))
    assert Mask(state, {}).participant(simulated_one, row) == row


def test_a_factor_named_like_another_column_has_a_column_of_another_name(trial):
    study, _ = trial
    raw = study.model_dump(mode="json", by_alias=True)
    raw.pop("arms")
    raw["allocation"] = {"method": "permuted_blocks"}
    raw["factors"][0]["id"] = "runs"
    raw["arms_from"]["factors"][0] = "runs"
    renamed = Study.model_validate(raw)
    assert factor_columns(renamed) == {"runs": "factor_runs", "promise": "promise"}
    names = participants_table([renamed], {}).names
    assert names[-2:] == ("factor_runs", "promise")
