"""The second ledger through erasure and a fresh database: whose row it was is forgotten, and everything else stays."""

from __future__ import annotations

import csv

import pytest
from support.trials import design_studies
from support.trials.quiz_study import simulated

from study_app.bootstrap import start
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.reimport import reimport
from study_app.settings import Settings
from study_app.storage.restored_rows import put_back

pytestmark = pytest.mark.slow


def rows(data, table):
    with next((data / "data").glob(f"*_description-{table}_data.csv")).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def opened(folder, database):
    return start(Settings(folder / "study.toml", f"sqlite:///{database}", folder, environment={}), changed_ok=True)


def test_after_erasure_and_in_a_fresh_database_the_second_ledger_is_whole(tmp_path):
    design_studies.made(tmp_path, "second_decision")
    _, data = simulated(tmp_path, participants=8)
    before = [row for row in rows(data, "allocations") if row["decision"] == "2"]
    gone = before[0]["participant_id"]

    app = opened(tmp_path, tmp_path / "study.db")
    app.session.withdraw(gone, withdraw_data=True)
    export(app.context, tmp_path / "erased", include_simulated=True)
    app.close()
    after = [row for row in rows(tmp_path / "erased", "allocations") if row["decision"] == "2"]
    assert len(after) == len(before)
    assert gone not in {row["participant_id"] for row in after}
    assert [row["row_hash"] for row in after] == [row["row_hash"] for row in before]
    (person,) = [row for row in rows(tmp_path / "erased", "participants") if row["participant_id"] == gone]
    assert person["data_withdrawn"] == "1"
    # Simulated days lie ahead of the moment of the withdrawal; nothing else is found.
    assert set(verify(tmp_path / "erased").counts) <= {"time_backwards"}

    again = opened(tmp_path, tmp_path / "again.db")
    reimport(again.context, data, put_back, who="test")
    export(again.context, tmp_path / "again", include_simulated=True)
    again.close()
    assert rows(tmp_path / "again", "allocations") == rows(data, "allocations")
    assert rows(tmp_path / "again", "participants") == rows(data, "participants")
