"""Heads kept outside the database: a lost log is noticed, and no place of the ledger is given twice."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import HandClock
from support.trials.export_world import EntryRequest, Walker, open_app, real_study

from study_app.dataset.integrity.anchors import KeptAnchor, parse_line, parse_lines
from study_app.dataset.verification import verify
from study_app.domain.errors import UserError
from study_app.domain.ledger import Anchor, LedgerRow
from study_app.services.researcher.exporting.export import export
from study_app.storage.anchor_file import AnchorFile, read_anchors

HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
HEADS = st.lists(HASHES, max_size=4)
LEDGERS = st.none() | st.builds(Anchor, st.integers(1, 10**6), HASHES)


@given(HEADS, LEDGERS)
def test_an_anchor_is_read_back_as_it_was_written(heads, ledger):
    kept = KeptAnchor("s1", "2026-01-05T09:00:00.000Z", tuple(heads), ledger)
    assert parse_lines(kept.line() + "\n") == [kept]


@given(st.binary(max_size=300))
def test_any_bytes_give_an_anchor_or_one_message(data):
    with pytest.raises(ValueError, match=r"^not an anchor \(.+: .+\)$"):
        parse_line(data.decode("utf-8", "replace"))


def test_a_line_that_was_changed_is_named_with_its_number(tmp_path):
    kept = KeptAnchor("s1", "2026-01-05T09:00:00.000Z", ("a" * 64,), None)
    file = tmp_path / "x.anchors"
    file.write_text(kept.line() + "\n" + kept.line().replace("aaaa", "bbbb") + "\n")
    with pytest.raises(UserError, match="line 2: its hash over the heads"):
        read_anchors(file)


def test_a_line_cut_off_by_a_power_failure_is_left_out(tmp_path):
    kept = KeptAnchor("s1", "2026-01-05T09:00:00.000Z", ("a" * 64,), None)
    file = tmp_path / "x.anchors"
    file.write_text(kept.line() + "\n" + kept.line()[:40])
    assert read_anchors(file) == [kept]


def kept_at(second: int, heads: int = 1) -> KeptAnchor:
    return KeptAnchor("s1", f"2026-01-05T09:00:{second:02}.000Z", ("a" * 64,) * heads, None)


@pytest.mark.parametrize("left", [1, 30, 150, -1])
def test_a_line_cut_off_by_a_power_failure_does_not_spoil_the_next(tmp_path, left):
    store = AnchorFile(tmp_path / "x.anchors")
    # Longer than what is read at once from the end of the file.
    store.append(kept_at(1, heads=200))
    whole = store.path.read_bytes()
    store.append(kept_at(2, heads=200))
    torn = store.path.read_bytes()[len(whole) :][:left]
    store.path.write_bytes(whole + torn)
    store.append(kept_at(3))
    # Of the second line only its end was missing: it is an anchor still.
    second = [kept_at(2, heads=200)] if left == -1 else []
    assert store.read() == [kept_at(1, heads=200), *second, kept_at(3)]


@given(st.integers(1, 200))
def test_a_file_in_which_an_earlier_version_wrote_on_behind_a_cut_is_read(cut):
    text = kept_at(1).line() + "\n" + kept_at(2).line()[:cut] + kept_at(3).line() + "\n"
    assert parse_lines(text) == [kept_at(1), kept_at(3)]
    with pytest.raises(ValueError, match="line 2"):
        parse_lines(text.replace(kept_at(3).line(), kept_at(3).line().replace("a" * 64, "b" * 64, 1)))


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path, monkeypatch):
    store = AnchorFile(tmp_path / "x.anchors")
    store.append(kept_at(1))
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda handle, content: write(handle, content[:40]))
        with pytest.raises(OSError, match="No space left"):
            store.append(kept_at(2))
    assert store.path.read_text() == kept_at(1).line() + "\n"
    store.append(kept_at(3))
    assert store.read() == [kept_at(1), kept_at(3)]


def fails(*_given):
    raise OSError(errno.EIO, "the disk does not answer")


def test_a_line_of_which_the_disk_says_nothing_is_taken_away_and_written_anew(tmp_path, monkeypatch):
    store = AnchorFile(tmp_path / "x.anchors")
    store.append(kept_at(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="does not answer"):
            store.append(kept_at(2))
    assert store.read() == [kept_at(1)]
    store.append(kept_at(3))
    assert store.read() == [kept_at(1), kept_at(3)]


def test_an_anchor_that_the_disk_refused_is_kept_within_seconds_and_that_of_a_place_at_once(tmp_path, monkeypatch):
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path))
    app.lifecycle.launch()
    (link,) = app.links.create(labels=["p1@example.org"])
    file = AnchorFile(tmp_path / "var" / "ledger.anchors")
    with monkeypatch.context() as patched:
        patched.setattr(AnchorFile, "append", fails)
        with pytest.raises(OSError, match="does not answer"):
            app.anchoring.tick()
        clock.advance(seconds=1)
        app.anchoring.tick()
        assert file.read() == [], "not each second"
    clock.advance(seconds=4)
    app.anchoring.tick()
    assert len(file.read()) == 1
    with monkeypatch.context() as patched:
        patched.setattr(AnchorFile, "append", fails)
        Walker(app, clock, EntryRequest(link=link.secret)).to_tasks(solve=False).begin_tasks()
    app.anchoring.tick()
    assert file.read()[-1].ledger.index == 1
    app.close()


@pytest.fixture(scope="module")
def restored(tmp_path_factory):
    """A launched study whose database went back to a copy from before the last two allocations."""
    folder, clock = tmp_path_factory.mktemp("anchored"), HandClock()
    app = open_app(folder, clock, real_study(folder))
    app.lifecycle.launch()
    links = [link.secret for link in app.links.create(labels=[f"p{n}@example.org" for n in range(6)])]

    def arrive(number):
        clock.advance(minutes=2)
        return Walker(app, clock, EntryRequest(link=links[number])).to_tasks(solve=False).begin_tasks()

    for number in range(2):
        arrive(number)
    app.anchoring.keep()
    with sqlite3.connect(folder / "study.db") as database, sqlite3.connect(folder / "copy.db") as copy:
        database.backup(copy)
    for number in range(2, 4):
        arrive(number)
    app.close()
    (folder / "copy.db").rename(folder / "study.db")
    for name in ("study.db-wal", "study.db-shm"):
        (folder / name).unlink(missing_ok=True)
    app = open_app(folder, clock, folder / "study.toml")
    warnings = app.anchoring.check()
    yield app, clock, links, warnings, folder
    app.close()


def rows(app):
    with app.context.registry.begin(write=False) as unit:
        return [LedgerRow.parse(row) for row in unit.allocations("real")]


def test_every_allocation_has_its_anchor_on_the_disk(restored):
    _, _, _, _, folder = restored
    kept = AnchorFile(folder / "var" / "ledger.anchors").read()
    assert [anchor.ledger.index for anchor in kept if anchor.ledger][-2:] == [3, 4]


def test_a_restored_copy_is_noticed_at_the_start(restored):
    app, _, _, warnings, _ = restored
    assert "lost allocations 3 to 4" in warnings[0]
    assert "has lost what was stored" in warnings[1]
    with app.context.registry.begin(write=False) as unit:
        assert [entry.what for entry in unit.audit()][-2:] == ["ledger gap", "log lost"]
    assert app.anchoring.check() == []


def test_no_place_of_the_ledger_is_given_twice_and_verification_goes_on(restored):
    app, clock, links, _, folder = restored
    Walker(app, clock, EntryRequest(link=links[4])).to_tasks(solve=False).begin_tasks()
    assert [row.allocation_index for row in rows(app)] == [1, 2, 5]
    clock.advance(hours=30)
    app.session.sweep()
    app.lifecycle.close("enough")
    for person in [row.participant_id for row in rows(app)]:
        app.session.withdraw(person, False)
    app.lifecycle.unseal("analysis")
    export(app.context, folder / "dataset")
    report = verify(folder / "dataset")
    assert report.ok, report.lines()
    assert any("allocations 3 to 4 were lost" in line for line in report.passed)
    kept = AnchorFile(folder / "var" / "ledger.anchors").read()
    heads = [head for anchor in kept for head in anchor.heads]
    assert {"history_rewritten"} <= {finding.name for finding in verify(folder / "dataset", heads=heads).findings}


def test_a_command_gets_the_anchor_on_its_standard_input(tmp_path):
    kept = KeptAnchor("s1", "2026-01-05T09:00:00.000Z", (), None)
    AnchorFile(tmp_path / "a", f"tee {tmp_path / 'sent'}").send(kept)
    assert parse_line((tmp_path / "sent").read_text().strip()) == kept
    AnchorFile(tmp_path / "a", "/no/such/command").send(kept)
