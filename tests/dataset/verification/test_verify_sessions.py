"""The table of sessions follows from visits and events, in every state that an export can meet."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.trials.waves import Waves

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export

Row = dict[str, str]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One who completed both sessions, two who do not come again, one who withdrew all data; unsealed."""
    folder = tmp_path_factory.mktemp("waves")
    trial = Waves(folder)
    both, *_, gone = (trial.first_part(f"p{n}") for n in range(4))
    trial.app.session.withdraw(gone, withdraw_data=True)
    trial.clock.advance(minutes=60 * 24 * 15)
    trial.second_part(both)
    trial.clock.advance(minutes=60 * 24 * 30)
    trial.app.lifecycle.close("everybody was asked")
    trial.app.lifecycle.unseal("the trial is over")
    export(trial.app.context, folder / "dataset")
    trial.app.close()
    return folder / "dataset"


def changed(dataset: Path, folder: Path, change: Callable[[list[Row]], list[Row]]) -> set[str]:
    """Findings that name the table of sessions, after a change of its rows."""

    copy = folder / "dataset"
    shutil.copytree(dataset, copy)
    (file,) = copy.glob("data/*sessions*.csv")
    with file.open(newline="") as read:
        reader = csv.DictReader(read)
        names, rows = list(reader.fieldnames or ()), list(reader)
    with file.open("w", newline="") as written:
        writer = csv.DictWriter(written, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))
    return {finding.name for finding in verify(copy).findings if "sessions" in finding.file}


def each(**cells: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row | cells if row["number"] == "2" else row for row in rows]


def test_honest_sessions_have_no_finding(dataset):
    assert verify(dataset).findings == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(each(state="completed"), id="all are completed"),
        pytest.param(each(opens_at="2026-03-03T09:00:00.000Z"), id="they opened earlier"),
        pytest.param(each(started_at=""), id="no session was begun"),
        pytest.param(lambda rows: rows[:-1], id="one is gone"),
        pytest.param(lambda rows: [*rows, rows[-1] | {"number": "3", "session": "more"}], id="one is added"),
    ],
)
def test_a_forged_session_is_named(dataset, tmp_path, change):
    assert "derived_differs" in changed(dataset, tmp_path, change)


def test_a_session_of_someone_who_did_not_take_part_is_named(dataset, tmp_path):
    def with_stranger(rows: list[Row]) -> list[Row]:
        return [*rows, rows[-1] | {"participant_id": "p999"}]

    assert "unknown_participant" in changed(dataset, tmp_path, with_stranger)
