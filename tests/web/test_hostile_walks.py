"""Hostile participants by the hundred: the server stays well, the dataset whole, and no walk counts as tampering."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from support.hostile.hostile_person import HostilePerson
from support.server import StudyServer, logged_errors
from support.trials.export_world import real_study
from typer.testing import CliRunner

from study_app.cli import app

WALKS = int(os.environ.get("STUDY_HOSTILE_WALKS", "1000"))
BATCH = 25
RECORD = "STUDY_HOSTILE_RECORD"
"""A file of batches that are done, so that a run that was cut off goes on where it was."""
MOST_MEMORY_MB = 700
"""Resident; the server has about 250 before anybody comes."""
DECLARED = {503}
"""Statuses from 500 on that a route may answer: something that the server needs cannot be had now."""


def memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def command(server, *arguments: str) -> Result:
    given = {"STUDY_VAR": str(server.folder / "var")}
    return CliRunner().invoke(app, list(arguments), env=given, catch_exceptions=False)


def walk(server, seeds, links: Sequence[str] = ()) -> Counter:
    """Walk as each seed says, each with its own link where there are any; statuses met."""
    others: list[str] = []
    met: Counter = Counter()
    for number, seed in enumerate(seeds):
        person = HostilePerson(server.url, seed, others, links[number] if links else None)
        person.walk()
        bad = [answer for answer in person.answers if answer[1] >= 500 and answer[1] not in DECLARED]
        assert not bad, f"seed {seed}: {bad[:3]}\n{(server.folder / 'server.log').read_text()[-6000:]}"
        met.update(status for _, status, _ in person.answers)
        del others[:-50]
    return met


def assert_well(server) -> None:
    answer = httpx.get(f"{server.url}/healthz", timeout=60)
    assert answer.json()["status"] == "ok", answer.text
    assert memory_mb(server.process.pid) < MOST_MEMORY_MB
    assert not logged_errors(server.folder)


def assert_whole(server, folder: Path) -> None:
    """Export and verify: what browsers sent may be listed, and nothing is called tampering or a breach."""
    where = [str(server.study), "--database", server.database, "--out", str(folder)]
    done = command(server, "export", *where, "--include-preview")
    assert done.exit_code == 0, done.output
    done = command(server, "verify", str(folder), "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0, report["counts"]
    assert (report["classes"]["tampering"], report["classes"]["protocol"]) == (0, 0), report["counts"]


def launched(folder: Path, database: str | None, people: int) -> tuple[StudyServer, list[str]]:
    """A server of a launched study, and the secrets of its links."""
    server = StudyServer(folder, real_study(folder))
    server.database = database or server.database
    where = [str(server.study), "--database", server.database]
    # The registration is written to the working folder.
    with contextlib.chdir(folder):
        for verb in (["launch", *where], ["create-links", *where, "--count", str(people), "--json"]):
            done = command(server, *verb)
            assert done.exit_code == 0, done.output
    links = [entry["link"].rpartition("link=")[2] for entry in json.loads(done.stdout)]
    return server.start(), links


def walked_launched(folder: Path, database: str | None, seeds: range) -> None:
    """Hostile people in a launched study: it goes on, real rows verify, and an honest person comes in after them."""
    server, links = launched(folder, database, len(seeds) + 1)
    try:
        assert {200, 303} <= walk(server, seeds, links).keys()
        assert httpx.post(f"{server.url}/enter", data={"link": links[-1]}, timeout=60).status_code == 303
        assert_well(server)
        assert_whole(server, folder / "dataset")
    finally:
        server.stop()


def test_hostile_people_in_a_launched_study_leave_it_well_and_whole(tmp_path):
    walked_launched(tmp_path, None, range(5000, 5001))


@pytest.mark.slow  # by default: a launched study, above
def test_hostile_people_leave_the_server_well_and_the_dataset_whole(server, tmp_path):
    met = walk(server, range(3))
    assert {200, 303, 400, 409} <= met.keys()
    assert_well(server)
    assert_whole(server, tmp_path / "dataset")


def walked_previews(folder: Path, database: str | None, seeds: range) -> None:
    """Hostile people in a draft."""
    server = StudyServer(folder)
    server.database = database or server.database
    server.start()
    try:
        walk(server, seeds)
        assert_well(server)
        assert_whole(server, folder / "dataset")
    finally:
        server.stop()


SETTINGS = {
    "draft-sqlite": (walked_previews, False),
    "draft-postgres": (walked_previews, True),
    "launched-sqlite": (walked_launched, False),
    "launched-postgres": (walked_launched, True),
}
BATCHES = [(name, first) for first in range(3, 3 + WALKS, BATCH * len(SETTINGS)) for name in SETTINGS]


def walked(record: str) -> set[str]:
    """Batches that an earlier run has walked."""
    return set(Path(record).read_text().split()) if record and Path(record).exists() else set()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("setting", "first"), BATCHES)
def test_no_walk_of_a_thousand_stops_or_bends_the_study(request, tmp_path, setting, first):
    record, batch = os.environ.get(RECORD, ""), f"{setting}:{first}"
    if batch in walked(record):
        pytest.skip(f"walked before, says {record}")
    walk_all, on_postgres = SETTINGS[setting]
    seeds = first + BATCH * list(SETTINGS).index(setting)
    database = request.getfixturevalue("postgres_url") if on_postgres else None
    walk_all(tmp_path, database, range(seeds, seeds + BATCH))
    if record:
        with Path(record).open("a") as file:
            file.write(f"{batch}\n")
