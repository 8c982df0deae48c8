"""A trial with a second decision, end to end: simulated, exported, verified, forged, erased, analysed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from support.trials import design_studies
from support.trials.quiz_study import change_row, rewrite_table, simulated

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.dataset.verification import verify


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("again")
    design_studies.made(folder, "second_decision")
    _, data = simulated(folder, participants=14)
    return data


@pytest.fixture
def copy(dataset, tmp_path) -> Path:
    import shutil

    return Path(shutil.copytree(dataset, tmp_path / "data"))


def rows(data: Path, table: str) -> list[dict[str, str]]:
    path = next((data / "data").glob(f"*_description-{table}_data.csv"))
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def names(data: Path) -> set[str]:
    return set(verify(data).counts) - {"file_changed", "row_differs_from_chain", "chain_broken", "rows_differ"}


def test_only_those_who_did_not_respond_are_randomised_again(dataset):
    people = {row["participant_id"]: row for row in rows(dataset, "participants")}
    again = [row for row in rows(dataset, "allocations") if row["decision"] == "2"]
    assert verify(dataset).counts == {}
    assert {row["participant_id"] for row in again} == {n for n, p in people.items() if p["responded"] == "0"}
    assert [int(row["allocation_index"]) for row in again] == list(range(1, len(again) + 1))
    for row in again:
        person = people[row["participant_id"]]
        assert (person["second_treatment"], person["second_index"]) == (row["arm"], row["allocation_index"])
        assert row["stratum"] == f"first={person['arm']}"
        assert (person["first_probability"], person["second_probability"]) == ("0.5", "0.5")
    for person in people.values():
        assert (float(person["halfway_score"]) >= 0.65) == (person["responded"] == "1")
        assert person["responded"] == "0" or not person["second_treatment"]


def test_within_an_arm_blocks_divide_people_evenly(dataset):
    people = rows(dataset, "participants")
    for arm in ("plain", "other"):
        given = [p["second_treatment"] for p in people if p["arm"] == arm and p["second_treatment"]]
        assert abs(given.count("stay") - given.count("more")) <= 2


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"second_treatment": "OTHER"}, {"second_treatment_differs"}),
        pytest.param({"responded": "1"}, {"response_differs", "responder_randomised"}, marks=pytest.mark.slow),
        ({"second_treatment": "", "second_index": "", "second_probability": ""}, {"second_decision_missing"}),
        pytest.param(
            {"responded": "", "second_treatment": "", "second_index": ""},
            {"second_decision_missing"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"halfway_score": "0.99"}, {"response_differs"}, marks=pytest.mark.slow),
    ],
)
def test_a_forged_person_is_found(copy, cells, found):
    first = next(row for row in rows(copy, "participants") if row["second_treatment"] == "more")
    cells = {name: "stay" if value == "OTHER" else value for name, value in cells.items()}
    change_row(copy, "participants", lambda row: row["participant_id"] == first["participant_id"], **cells)
    assert found <= names(copy)


def test_a_responder_with_a_second_treatment_is_found(copy):
    change_row(copy, "participants", lambda row: row["responded"] == "1", second_treatment="more", second_index="99")
    assert {"responder_randomised", "not_in_ledger"} <= names(copy)


@pytest.mark.slow
def test_a_forged_row_of_the_second_ledger_is_found_by_recomputation(copy):
    person = next(row for row in rows(copy, "allocations") if row["decision"] == "2")
    other = "stay" if person["arm"] == "more" else "more"
    change_row(copy, "allocations", lambda row: row["decision"] == "2", arm=other)
    assert {"row_altered", "wrong_arm"} <= names(copy)


@pytest.mark.slow
def test_a_row_that_is_gone_and_one_of_another_decision_are_found(copy):
    def without(text: str) -> str:
        lines = text.splitlines(keepends=True)
        last = max(number for number, line in enumerate(lines) if line.split(",")[1] == "2")
        return "".join(line for number, line in enumerate(lines) if number != last)

    rewrite_table(copy, "allocations", without)
    assert {"not_in_ledger", "ledger_length"} <= names(copy)
    change_row(copy, "allocations", lambda row: row["decision"] == "2", decision="1")
    assert {"duplicate_index", "missing_row"} & names(copy)


def test_regimes_and_second_treatments_follow_the_arms_in_the_analysis(dataset):
    result = analyse(load(dataset), include_simulated=True)
    found = {row["id"]: row for row in result["estimates"]}
    regimes = [name for name in found if name.startswith("quiz_points.embedded_regimes.")]
    assert [name.rsplit(".", 1)[1] for name in regimes] == [
        "plain/more_vs_plain/stay",
        "other/stay_vs_plain/stay",
        "other/more_vs_plain/stay",
    ]
    assert all(found[name]["estimate"] is not None for name in regimes)
    second = found["quiz_points.second_treatments.more_vs_stay"]
    assert second["role"] == "secondary"
    people = rows(dataset, "participants")
    assert second["n"] == {name: sum(p["second_treatment"] == name for p in people) for name in ("more", "stay")}
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert manifest["second_ledgers"]["simulated"]["rows"] == sum(p["responded"] == "0" for p in people)
