"""A dataset from anywhere, given to each command that reads one: one error that names file, amount and limit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from support.clock import HandClock
from support.hostile.bombs import large_dictionary, one_page, repeated_text
from support.hostile.outcomes import outcome
from support.trials.export_world import open_app, trial
from typer.testing import CliRunner

from analysis.data.load import load
from study_app.cli import app
from study_app.dataset.border import limits
from study_app.dataset.border.limits import BeyondLimits
from study_app.dataset.pooling.pool import pool
from study_app.dataset.verification import verify
from study_app.domain.errors import UserError
from study_app.services.researcher.exporting.reimport import reimport
from study_app.storage.restored_rows import put_back

ROOM_MB = 3_000
MOST_MEMORY_MB = 2_200
"""Resident: half of the room for what is held, and the libraries."""


def with_table(folder: Path, make: Callable[[Path], None], suffix: str = ".parquet", table: str = "events") -> Path:
    """A copy of the trial's dataset, one of its tables made anew."""
    shutil.copytree(trial().dataset("all"), folder)
    (found,) = (folder / "data").glob(f"*{table}_data.csv")
    found.unlink()
    make(found.with_suffix(suffix))
    return folder


def endless_text(path: Path) -> None:
    repeated_text(path, 5_000)


def giant_line(path: Path) -> None:
    with path.open("wb") as handle:
        handle.write(b"event_id,")
        for _ in range(64):
            handle.write(b"x" * 1_000_000)


def readers(tmp_path: Path) -> dict[str, Callable[[Path], object]]:
    """What opens a dataset, by name."""

    def into_a_database(folder: Path) -> None:
        again = open_app(tmp_path, HandClock(), trial().folder / "study.toml", changed_ok=True)
        try:
            reimport(again.context, folder, put_back, who="test")
        finally:
            again.close()

    return {
        "verify": verify,
        "analyze": lambda folder: load(folder).tables["events"],
        "pool": lambda folder: pool([f"a={folder}", f"b={folder}"], tmp_path / "pool"),
        "reimport": into_a_database,
    }


@pytest.mark.parametrize(
    "reader", ["verify", "pool", *(pytest.param(name, marks=pytest.mark.slow) for name in ("analyze", "reimport"))]
)
def test_a_text_that_every_row_repeats_ends_every_reader_in_one_error(tmp_path, reader):
    # Of a pool, the participants are read first: no person may be in two of its trials.
    table = "participants" if reader == "pool" else "events"
    folder = with_table(tmp_path / "dataset", endless_text, table=table)
    assert sum(path.stat().st_size for path in folder.rglob("*.parquet")) < 2_000_000
    with pytest.raises(BeyondLimits, match=r"_data.parquet: row \d+: holds [\d,]+ bytes as text, and the limit"):
        readers(tmp_path)[reader](folder)


@pytest.mark.parametrize(
    "reader", ["analyze", *(pytest.param(name, marks=pytest.mark.slow) for name in ("verify", "reimport"))]
)
def test_a_line_without_end_ends_every_reader_in_one_error(tmp_path, reader):
    folder = with_table(tmp_path / "dataset", giant_line, ".csv")
    with pytest.raises(BeyondLimits, match=r"events_data.csv: row 1: holds more than 32,000,000 characters in a row"):
        readers(tmp_path)[reader](folder)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("manifest.json", "text_bytes", "manifest.json: holds"), ("", "files", "files, and the limit is 10")],
)
def test_files_without_end_end_every_reader_in_one_error(monkeypatch, tmp_path, name, size, said):
    shutil.copytree(trial().dataset("all"), tmp_path / "dataset")
    most = 10 if size == "files" else 1_000
    monkeypatch.setattr(limits, "LIMITS", replace(limits.LIMITS, **{size: most}))
    for reader in readers(tmp_path).values():
        with pytest.raises(BeyondLimits, match=said):
            reader(tmp_path / "dataset")


def test_commands_say_it_in_one_line(tmp_path):
    folder = with_table(tmp_path / "dataset", endless_text, table="participants")
    for verb in (["verify"], ["analyze", "--out", str(tmp_path / "report")]):
        done = CliRunner().invoke(app, [verb[0], str(folder), *verb[1:]])
        assert done.exit_code == (1 if verb[0] == "verify" else 2), done.output
        assert "bytes as text, and the limit is 4,000,000,000; no export of a trial is so large" in done.output
        assert "Traceback" not in done.output


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "../outside.json"])
def test_a_dataset_holds_its_files_itself(tmp_path, target):
    """Neither a device, which never ends, nor a pipe, which never begins, nor another file of the machine is read."""
    folder = shutil.copytree(trial().dataset("all"), tmp_path / "dataset")
    os.mkfifo(folder / "pipe")
    shutil.copy(folder / "materials" / "study.json", tmp_path / "outside.json")
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["versions"]:
        entry["file"] = target
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "materials" / "prereg.json").unlink()
    (folder / "materials" / "prereg.json").symlink_to("/dev/zero")
    report = verify(folder)
    assert report.counts["version_missing"] == len(manifest["versions"])
    for name in ("analyze", "pool", "reimport"):
        outcome(partial(readers(tmp_path)[name], folder), UserError)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({room}, {room}))
from study_app.cli import app
app()
"""


def limited(arguments: list[str], folder: Path) -> tuple[int, str, float]:
    """Status, output and greatest resident MB of a command whose address space is limited."""
    code = LIMITED.format(room=ROOM_MB * 1_000_000)
    # Libraries of linear algebra reserve room for each thread.
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (folder / "said.txt").open("wb") as said:
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], cwd=folder, env=os.environ | one, stdout=said, stderr=said
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, (folder / "said.txt").read_text(), used.ru_maxrss / 1000


BOMBS: dict[str, Callable[[Path], None]] = {
    "repeated text": lambda path: repeated_text(path, 60_000, size=100_000),
    "repeated text in many columns": lambda path: repeated_text(
        path, 5_000, names=tuple(f"c{number}" for number in range(20)), size=100_000
    ),
    "large dictionary": lambda path: large_dictionary(path, 140, 1_000_000),
    "one page": lambda path: one_page(path, 15_000, 10_000),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_leaves_the_memory_of_every_command_bounded(tmp_path, bomb):
    folder = with_table(tmp_path / "dataset", BOMBS[bomb])
    people = with_table(tmp_path / "people", BOMBS[bomb], table="participants")
    study = str(trial().folder / "study.toml")
    commands = [
        ["verify", str(folder)],
        ["analyze", str(people), "--out", "report"],
        ["pool", f"a={people}", f"b={people}", "--out", "pooled"],
        ["reimport", str(folder), study, "--database", f"sqlite:///{tmp_path}/again.db"],
    ]
    for command in commands:
        code, said, peak = limited(command, tmp_path)
        assert code == (1 if command[0] == "verify" else 2), (command, said[-2000:])
        assert ", and the limit is " in said
        assert "Traceback" not in said
        assert peak < MOST_MEMORY_MB, (command, peak)
