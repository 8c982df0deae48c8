"""Four servers with people and four simulations at once on one database: everybody finishes, and the ledgers hold."""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.replicas.persistent_person import PersistentPerson
from support.replicas.two_servers import Servers
from support.server import ROOT
from support.trials.commands import study
from support.warm_processes import run_study

from study_app.domain.ledger import LedgerRow
from study_app.storage import open_registry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PROCESSES, EACH = 4, 5
"""Servers and simulations; people at each server and in each simulation."""


def walk(urls: list[str], number: int) -> list[str]:
    """One person's way through the served study; what was refused."""
    person = PersistentPerson(urls, number, seconds=0.5)
    met = person.walk()
    return met.refused + ([] if met.finished else ["did not finish"])


def simulate(folder: Path, database: str, seed: int) -> dict:
    call = ("simulate", ROOT / "study.toml", "--participants", EACH, "--seed", seed, "--json", "--database", database)
    environment = dict(os.environ) | {"STUDY_VAR": str(folder / "var")}
    done = run_study(call, cwd=folder, environment=environment, timeout=1200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ledgers(database: str) -> dict[str, list[LedgerRow]]:
    registry = open_registry(database)
    with registry.begin(write=False) as unit:
        found = {kind: list(map(LedgerRow.parse, unit.allocations(kind))) for kind in ("preview", "simulated")}
    registry.close()
    return found


def test_four_servers_and_four_simulations_at_once_leave_honest_ledgers(tmp_path, database_url):
    with Servers(tmp_path, database_url, PROCESSES) as servers, ThreadPoolExecutor(4 * PROCESSES) as pool:
        people = [pool.submit(walk, servers.urls, number) for number in range(PROCESSES * 2)]
        simulations = [pool.submit(simulate, tmp_path, database_url, seed) for seed in range(PROCESSES)]
        assert [refused for person in people for refused in person.result()] == []
        assert all(one.result() for one in simulations)
    found = ledgers(database_url)
    for rows in found.values():
        times = [row.allocated_at for row in rows]
        assert times == sorted(times)
        assert [row.allocation_index for row in rows] == list(range(1, len(rows) + 1))
        assert max(Counter(row.participant_id for row in rows).values()) == 1
    assert len(found["preview"]) == PROCESSES * 2
    given = {"STUDY_DATABASE_URL": database_url}
    kinds = ("--include-simulated", "--include-preview")
    study("export", ROOT / "study.toml", "--out", tmp_path / "data", *kinds, cwd=tmp_path, **given)
    report = json.loads(study("verify", tmp_path / "data", "--json", cwd=tmp_path).stdout)
    # The walkers run a program that they did not type, which a browser would not do.
    assert [one for one in report["findings"] if one["class"] != "browser"] == []
