"""A second process reads the log of a long export: the same moment, the same files, and an end with the export."""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

import pytest
from support.databases import SQLITE_IS_SLOW
from support.paths import ROOT
from support.second_reading import end, fail, people
from support.trials.export_world import Walker, open_app

from study_app.domain.errors import InfrastructureError
from study_app.domain.records import Participant
from study_app.services.researcher.exporting.export import export
from study_app.storage import open_registry
from study_app.storage.second_reader import process
from study_app.storage.second_reader.process import LaterHere, ReadingProcess


@pytest.fixture(autouse=True)
def for_any_log(monkeypatch):
    """Let a second process read however short the log is, and however few cores this machine has."""
    monkeypatch.setattr(process, "LONG_LOG", 0)
    monkeypatch.setattr(process, "cores", lambda: 2)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))


@pytest.fixture
def registry(tmp_path):
    registry = open_registry(f"sqlite:///{tmp_path}/study.db")
    yield registry
    registry.close()


def someone(clock, name) -> Participant:
    return Participant(name, "real", "hash", "in_progress", "consent", 0, clock.now(), clock.now())


@SQLITE_IS_SLOW
def test_a_second_process_sees_the_moment_at_which_the_reading_began(database_url, clock):
    registry = open_registry(database_url)
    with registry.begin() as unit:
        unit.add_participant(someone(clock, "before"))
    with registry.begin_reading() as (unit, beside):
        with registry.begin() as later:
            later.add_participant(someone(clock, "after"))
        where, seen = beside.start(people)()
        assert (seen, [person.id for person in unit.participants()]) == (["before"], ["before"])
        assert where != os.getpid()
    registry.close()


@pytest.mark.slow
def test_a_second_process_that_ends_early_is_an_error_where_its_result_is_awaited(registry):
    with registry.begin_reading() as (_, beside):
        result = beside.start(end)
        with pytest.raises(InfrastructureError, match="ended before it was done .signal 9; memory may have run out"):
            result()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (InfrastructureError("the disk is broken; use another"), InfrastructureError, "use another"),
        (OSError(errno.ENOSPC, "full"), OSError, "full"),
        (ValueError("odd"), InfrastructureError, "exit status 1: ValueError: odd"),
    ],
)
def test_what_fails_in_the_second_process_is_raised_where_its_result_is_awaited(registry, error, kind, message):
    with registry.begin_reading() as (_, beside):
        result = beside.start(partial(fail, error))
        with pytest.raises(kind, match=message):
            result()


@pytest.mark.slow
def test_a_second_process_ends_with_the_reading_also_when_it_was_not_asked(registry):
    with registry.begin_reading() as (_, beside):
        assert isinstance(beside, ReadingProcess)
        beside.start(people)
    assert beside._process.returncode is not None


@pytest.mark.parametrize(("name", "value"), [("cores", lambda: 1), ("LONG_LOG", 1), ("PROGRAM", "study_app.no_such")])
def test_without_a_core_a_long_log_or_a_process_the_work_is_done_in_this_one(registry, monkeypatch, name, value):
    monkeypatch.setattr(process, name, value)
    with registry.begin_reading() as (_, beside):
        assert isinstance(beside, LaterHere)
        assert beside.start(people)() == (os.getpid(), [])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def both_ways(app, folder: Path, monkeypatch, **options):
    """The files of an export by two processes, and by one."""
    two = files_of(export(app.context, folder / "two", **options).path)
    with monkeypatch.context() as patch:
        patch.setattr(process, "cores", lambda: 1)
        return two, files_of(export(app.context, folder / "one", **options).path)


def test_an_export_has_the_same_files_with_a_second_process(tmp_path, clock, monkeypatch):
    app = open_app(tmp_path, clock)
    Walker(app, clock).to_tasks()
    two, one = both_ways(app, tmp_path, monkeypatch, include_preview=True)
    app.close()
    assert two == one
    assert "documentation/chain.csv" in two


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"public": True}, {"identified": True}, {"fmt": "parquet"}])
def test_so_it_has_in_every_form_and_from_both_databases(database_url, tmp_path, clock, monkeypatch, options):
    app = open_app(tmp_path, clock, database=database_url)
    Walker(app, clock).to_tasks()
    Walker(app, clock).consent()
    two, one = both_ways(app, tmp_path, monkeypatch, include_preview=True, **options)
    app.close()
    assert two == one


@pytest.mark.slow
def test_an_export_whose_second_process_ends_leaves_nothing(tmp_path, clock, monkeypatch):
    app = open_app(tmp_path, clock)
    Walker(app, clock).consent()
    started = ReadingProcess.start
    monkeypatch.setattr(ReadingProcess, "start", lambda self, _work: started(self, end))
    with pytest.raises(InfrastructureError, match="second process that reads the log ended"):
        export(app.context, tmp_path / "out", include_preview=True)
    app.close()
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]
