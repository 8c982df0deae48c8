"""A backup of a running study is whole, comes back on either database, and gives no arm twice."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW, SQLITE_IS_SLOW
from support.trials.export_world import EntryRequest, Walker, real_study

from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.domain.errors import InfrastructureError, NotAllowed, UserError
from study_app.services.operation.anchoring import GAP_ACT, RESTORED_ACT
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.storage.backup import copying, table_rows
from study_app.storage.engine import DatabaseEngine

HARD = "NUL \x00, half a pair \ud83d, =formula, ünï 漢字 \u2028"


def opened(folder: Path, database: str, clock: HandClock) -> App:
    settings = Settings(study_file=folder / "study.toml", database=database, var=folder / "var", environment={})
    return start(settings, clock=clock, grading_clock="virtual", seconds_per_word=0.0)


def launched(folder: Path, database: str, clock: HandClock) -> App:
    real_study(folder)
    app = opened(folder, database, clock)
    app.lifecycle.launch()
    return app


def enrol(app: App, clock: HandClock, count: int) -> list[Walker]:
    links = app.links.create(count=count) if count > 1 else app.links.create(labels=["one"])
    return [Walker(app, clock, EntryRequest(link=link.secret)).to_tasks(solve=False) for link in links]


def content(url: str) -> dict[str, list[bytes]]:
    database = DatabaseEngine(url, create=False)
    with database.begin(write=False) as connection:
        names = [name for name in table_rows.table_names(connection) if name not in table_rows.PASSING]
        found = {name: list(table_rows.lines_of(connection, name)) for name in names}
    database.close()
    found["meta"] = [line for line in found["meta"] if not line.startswith((b'["restored"', b'["anchored:'))]
    return found


@pytest.fixture
def other_url(request, tmp_path, database_url):
    """The other kind of database."""
    if database_url.startswith("sqlite"):
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path}/other.db"


@POSTGRES_IS_SLOW
def test_a_backup_has_every_row_as_it_is_stored_and_comes_back_on_the_other_database(tmp_path, database_url, other_url):
    clock = HandClock()
    app = launched(tmp_path, database_url, clock)
    try:
        (person,) = enrol(app, clock, 1)
        person.begin_tasks()
        person.open("trio_timer")
        person.type("x = 1\n" + HARD.replace("\x00", "").replace("\ud83d", ""))
        with app.context.registry.begin() as unit:
            unit.touch(person.id, exclusion_reason=HARD)
    finally:
        app.close()
    made = copying.back_up(database_url, tmp_path / "var", tmp_path / "b.zip", clock.now(), "1")
    assert made.state == "launched"
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0
    copying.restore(other_url, tmp_path / "other_var", tmp_path / "b.zip", clock.now())
    before, after = content(database_url), content(other_url)
    assert before.keys() == after.keys()
    for name in before:
        assert before[name] == after[name], name


def test_no_secret_is_in_it_unless_it_is_asked_for(tmp_path):
    clock = HandClock()
    app = launched(tmp_path, f"sqlite:///{tmp_path}/study.db", clock)
    app.close()
    key = (tmp_path / "var" / "seal.key").read_bytes()
    (tmp_path / "var" / "console.json").write_text("hash-of-a-password")
    url = f"sqlite:///{tmp_path}/study.db"
    copying.back_up(url, tmp_path / "var", tmp_path / "plain.zip", clock.now(), "1")
    copying.back_up(url, tmp_path / "var", tmp_path / "whole.zip", clock.now(), "1", secrets=True)
    with zipfile.ZipFile(tmp_path / "plain.zip") as plain, zipfile.ZipFile(tmp_path / "whole.zip") as whole:
        parts = [plain.read(name) for name in plain.namelist()]
        assert not any(key.strip() in part or b"hash-of-a-password" in part for part in parts)
        assert whole.read("var/seal.key") == key
        assert "var/console.json" in whole.namelist()


@POSTGRES_IS_SLOW
def test_after_a_restore_no_place_is_given_again_and_the_audit_log_has_both(tmp_path, database_url):
    clock = HandClock()
    app = launched(tmp_path, database_url, clock)
    enrol(app, clock, 2)
    file = tmp_path / "b.zip"
    copying.back_up(database_url, tmp_path / "var", file, clock.now(), "1")
    lost = enrol(app, clock, 3)
    app.close()
    with pytest.raises(NotAllowed, match="is not empty"):
        copying.restore(database_url, tmp_path / "var", file, clock.now())
    # Another machine: the anchors of the old one are gone, and only what is replaced knows the places.
    (tmp_path / "var" / "ledger.anchors").unlink()
    copying.restore(database_url, tmp_path / "var", file, clock.now(), yes=True)
    again = opened(tmp_path, database_url, clock)
    try:
        said = " ".join(again.anchoring.check())
        assert "put back from a backup" in said
        assert "lost allocations 3 to 5" in said
        assert again.anchoring.check() == []
        people = enrol(again, clock, 2)
        with again.context.registry.begin(write=False) as unit:
            places = {row["allocation_index"] for row in unit.allocations("real")}
            acts = [entry.what for entry in unit.audit()]
        assert places == {1, 2, 6, 7}
        assert {RESTORED_ACT, GAP_ACT} <= set(acts)
        assert len(people) + len(lost) == 5
        export(again.context, tmp_path / "data")
    finally:
        again.close()
    report = verify(tmp_path / "data")
    assert not [one for one in report.findings if one.finding_class == "tampering"], report.findings


@SQLITE_IS_SLOW
def test_a_backup_while_people_work_is_of_one_moment(tmp_path, database_url):
    clock = HandClock()
    app = launched(tmp_path, database_url, clock)
    stop, written = threading.Event(), []
    (person,) = enrol(app, clock, 1)

    def work() -> None:
        person.begin_tasks()
        person.open("trio_timer")
        while not stop.is_set():
            person.type("a")
            written.append(1)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            before = len(written)
            file = tmp_path / f"{number}.zip"
            copying.back_up(database_url, tmp_path / "var", file, clock.now(), "1")
            while len(written) == before and worker.is_alive():
                stop.wait(0.01)
    finally:
        stop.set()
        worker.join()
        app.close()
    for number in range(3):
        folder = tmp_path / f"copy{number}"
        folder.mkdir()
        real_study(folder)
        (folder / "var").mkdir()
        (folder / "var" / "seal.key").write_bytes((tmp_path / "var" / "seal.key").read_bytes())
        copying.restore(f"sqlite:///{folder}/study.db", folder / "var", tmp_path / f"{number}.zip", clock.now())
        copy = opened(folder, f"sqlite:///{folder}/study.db", clock)
        export(copy.context, folder / "data")
        copy.close()
        report = verify(folder / "data")
        assert report.ok, report.findings


def test_a_damaged_cut_or_foreign_file_changes_nothing(tmp_path):
    clock = HandClock()
    url = f"sqlite:///{tmp_path}/study.db"
    launched(tmp_path, url, clock).close()
    file = tmp_path / "b.zip"
    copying.back_up(url, tmp_path / "var", file, clock.now(), "1")
    whole = file.read_bytes()
    cut = whole[: len(whole) // 2]
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    for number, bad in enumerate((cut, bytes(flipped), b"", b"PK\x05\x06" + bytes(18))):
        wrong = tmp_path / f"wrong{number}.zip"
        wrong.write_bytes(bad)
        with pytest.raises(UserError):
            copying.restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "new", wrong, clock.now())
    assert not (tmp_path / "new.db").exists()
    with pytest.raises(UserError, match="already"):
        copying.back_up(url, tmp_path / "var", file, clock.now(), "1")
    with zipfile.ZipFile(file, "a") as more:
        more.writestr("var/../../evil", b"x")
    with pytest.raises(UserError, match="not those of its manifest"):
        copying.restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "new", file, clock.now())


def test_a_database_that_a_server_uses_is_not_replaced(tmp_path):
    clock = HandClock()
    url = f"sqlite:///{tmp_path}/study.db"
    app = launched(tmp_path, url, clock)
    copying.back_up(url, tmp_path / "var", tmp_path / "b.zip", clock.now(), "1")
    app.taking_over.tick()
    with pytest.raises(NotAllowed, match="is used by a server"):
        copying.restore(url, tmp_path / "var", tmp_path / "b.zip", clock.now(), yes=True)
    app.taking_over.close()
    app.close()
    assert copying.restore(url, tmp_path / "var", tmp_path / "b.zip", clock.now(), yes=True).rows


def test_another_study_s_database_is_never_replaced(tmp_path):
    clock = HandClock()
    url = f"sqlite:///{tmp_path}/study.db"
    launched(tmp_path, url, clock).close()
    copying.back_up(url, tmp_path / "var", tmp_path / "b.zip", clock.now(), "1")
    database = DatabaseEngine(url)
    with database.begin(write=True) as connection:
        connection.execute(text("UPDATE meta SET value = 'other' WHERE key = 'study_id'"))
    database.close()
    with pytest.raises(NotAllowed, match="holds the study 'other'"):
        copying.restore(url, tmp_path / "var", tmp_path / "b.zip", clock.now(), yes=True)


@pytest.mark.parametrize("yes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_another_program_s_tables_are_never_dropped_also_while_they_are_empty(tmp_path, yes):
    clock, url = HandClock(), f"sqlite:///{tmp_path}/foreign.db"
    launched(tmp_path, f"sqlite:///{tmp_path}/study.db", clock).close()
    copying.back_up(f"sqlite:///{tmp_path}/study.db", tmp_path / "var", tmp_path / "b.zip", clock.now(), "1")
    database = DatabaseEngine(url)
    with database.begin(write=True) as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    database.close()
    with pytest.raises(InfrastructureError, match="belongs to another program"):
        copying.restore(url, tmp_path / "other", tmp_path / "b.zip", clock.now(), yes=yes)
    database = DatabaseEngine(url, create=False)
    with database.begin(write=False) as connection:
        assert table_rows.table_names(connection) == ["invoices"]
    database.close()
