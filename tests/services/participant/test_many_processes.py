"""Several processes on one database: an honest ledger stays honest, and who is in another's way tries again."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from support.clock import HandClock
from support.trials.small_study import write_study
from support.warm_processes import run_study, start_warm

from study_app.bootstrap import start
from study_app.domain.allocation import preview_seed, simulated_seed
from study_app.domain.errors import Conflict, InfrastructureError
from study_app.domain.ledger import LedgerRow, Version, genesis, verify_ledger
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.retrying import ATTEMPTS, retried
from study_app.settings import Settings
from study_app.storage import engine, open_registry

ROOT = Path(__file__).parents[3]
SEEDS = {"preview": preview_seed, "simulated": simulated_seed}


def breaches(app, kind: str):
    with app.context.registry.begin(write=False) as unit:
        rows = [LedgerRow.parse(row) for row in unit.allocations(kind)]
    version = Version(app.context.study_hash, app.study.allocation, app.study.arms, SEEDS[kind](app.context.study_hash))
    return rows, verify_ledger(rows, [version], genesis_hash=genesis(kind))


# -- times of the ledger


def test_two_servers_whose_clocks_differ_keep_one_honest_ledger(tmp_path, database_url):
    study, fast, slow = write_study(tmp_path), HandClock(), HandClock()
    fast.advance(hours=2)
    apps = [start(Settings(study, database_url, tmp_path, environment={}), clock=clock) for clock in (fast, slow)]
    people = []
    for number in range(6):
        app = apps[number % 2]
        people.append(app.enrol.enter(EntryRequest()).participant.id)
        app.session.where(people[-1])
        app.session.consent(people[-1], True)
        app.session.continue_(people[-1], "instructions")
        fast.advance(minutes=1)
        slow.advance(minutes=1)
    rows, found = breaches(apps[0], "preview")
    assert found == []
    assert [row.allocated_at for row in rows] == sorted(row.allocated_at for row in rows)
    with apps[0].context.registry.begin(write=False) as unit:
        times = [(who.enrolled_at, who.allocated_at, who.finished_at) for who in map(unit.participant, people)]
    assert all(list(three) == sorted(three) for three in times)
    for app in apps:
        app.close()


def test_a_clock_that_is_set_back_does_not_turn_the_ledger_round(tmp_path):
    study, clock = write_study(tmp_path), HandClock()
    app = start(Settings(study, f"sqlite:///{tmp_path}/study.db", tmp_path, environment={}), clock=clock)
    for _ in range(3):
        person = app.enrol.enter(EntryRequest()).participant.id
        app.session.where(person)
        app.session.consent(person, True)
        clock.advance(hours=-1)
    assert breaches(app, "preview")[1] == []
    app.close()


# -- transactions in each other's way


def test_transactions_that_lock_each_other_out_are_tried_again(postgres_url):
    registries = [open_registry(postgres_url) for _ in range(2)]
    both, tried = threading.Barrier(2, timeout=30), []

    def work(first: str, second: str):
        def piece(unit):
            tried.append(first)
            unit.lock(first)
            if len(tried) <= 2:
                both.wait()
            unit.lock(second)
            return first

        return piece

    futures = [registries[0].submit(work("a", "b")), registries[1].submit(work("b", "a"))]
    assert [future.result(60) for future in futures] == ["a", "b"]
    assert len(tried) > 2
    for registry in registries:
        registry.close()


def test_a_deadlock_is_a_conflict_and_no_other_failure_is(postgres_url):
    registry = open_registry(postgres_url)
    both, seen = threading.Barrier(2, timeout=30), []

    def act(first: str, second: str) -> None:
        try:
            with registry.begin() as unit:
                unit.lock(first)
                both.wait()
                unit.lock(second)
        except InfrastructureError as error:
            seen.append(error)

    threads = [threading.Thread(target=act, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [type(error) for error in seen] == [Conflict]
    with pytest.raises(InfrastructureError) as other, registry.begin() as unit:
        unit.connection.exec_driver_sql("SELECT nothing FROM nowhere")
    assert not isinstance(other.value, Conflict)
    registry.close()


def test_a_database_that_another_program_holds_for_long_is_waited_for(tmp_path, monkeypatch):
    import sqlite3

    monkeypatch.setattr(engine, "BUSY_SECONDS", 1)
    registry = open_registry(f"sqlite:///{tmp_path}/study.db")
    other = sqlite3.connect(tmp_path / "study.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.8, lambda: other.execute("COMMIT"))
    timer.start()
    with registry.begin() as unit:
        unit.set_meta("a", "b")
    timer.join()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Conflict, match="end it and try again"), registry.begin() as unit:
        unit.set_meta("a", "c")
    other.execute("COMMIT")
    other.close()
    registry.close()


def test_an_act_is_tried_again_after_conflicts_and_only_then():
    calls = []

    @retried
    def act(fails: int, error: type[Exception]) -> str:
        calls.append(1)
        if len(calls) <= fails:
            raise error("in the way")
        return "done"

    assert act(ATTEMPTS - 1, Conflict) == "done"
    calls.clear()
    with pytest.raises(Conflict):
        act(ATTEMPTS, Conflict)
    calls.clear()
    with pytest.raises(InfrastructureError):
        act(1, InfrastructureError)
    assert len(calls) == 1


def test_a_name_is_held_by_one_process_at_a_time(database_url):
    registries = [open_registry(database_url) for _ in range(2)]
    order = []

    def second() -> None:
        with registries[1].alone("simulation"):
            order.append("second")

    with registries[0].alone("simulation"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    for registry in registries:
        registry.close()


# -- simulations and servers


def command(*arguments: object) -> str:
    """What `study ARGUMENTS` prints in a separate process."""
    done = run_study(arguments, cwd=ROOT, environment=dict(os.environ), timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


def simulate_at_once(pool: ThreadPoolExecutor, study: Path, url: str, seeds: int, each: int) -> list[Future[str]]:
    base = ("simulate", study, "--database", url, "--json", "--participants", each)
    return [pool.submit(command, *base, "--seed", seed) for seed in range(seeds)]


def all_done(running: list[Future[str]]) -> None:
    for simulation in running:
        assert json.loads(simulation.result())


def verified(study: Path, url: str, folder: Path) -> dict:
    command("export", study, "--database", url, "--out", folder, "--include-simulated", "--include-preview")
    done = run_study(["verify", folder, "--json"], cwd=ROOT, environment=dict(os.environ))
    return json.loads(done.stdout)


def test_simulations_at_once_leave_an_honest_dataset(tmp_path):
    study, url = write_study(tmp_path), f"sqlite:///{tmp_path}/study.db"
    with ThreadPoolExecutor(2) as pool:
        all_done(simulate_at_once(pool, study, url, 2, 4))
    report = verified(study, url, tmp_path / "dataset")
    assert report["findings"] == []


def visit(study: Path, url: str, folder: Path) -> None:
    """A server's work in a separate process: people come, consent and are allocated, deadlines are swept."""
    app = start(Settings(study, url, folder, environment={}))
    for _ in range(10):
        person = app.enrol.enter(EntryRequest()).participant.id
        app.session.where(person)
        app.session.consent(person, True)
        app.session.sweep()
        app.grading.grade_present()
    app.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_four_simulations_and_four_servers_at_once_leave_an_honest_dataset(tmp_path, database_url):
    with ThreadPoolExecutor(4) as pool:
        simulations = simulate_at_once(pool, ROOT / "study.toml", database_url, 4, 5)
        servers = [start_warm(visit, ROOT / "study.toml", database_url, tmp_path) for _ in range(4)]
        for server in servers:
            server.join(600)
        assert [server.exitcode for server in servers] == [0] * 4
        all_done(simulations)
    report = verified(ROOT / "study.toml", database_url, tmp_path / "dataset")
    assert report["findings"] == []
    registry = open_registry(database_url)
    with registry.begin(write=False) as unit:
        assert len(unit.allocations("simulated")) + sum(p.arm is None for p in unit.participants()) >= 20
    registry.close()


def test_a_server_leaves_simulated_participants_to_their_simulation(tmp_path):
    study = write_study(tmp_path)
    clock = HandClock()
    app = start(Settings(study, f"sqlite:///{tmp_path}/study.db", tmp_path, environment={}), clock=clock)
    with app.context.registry.begin() as unit:
        assert unit.simulated() == set()
        assert unit.overdue(clock.now() + timedelta(days=9)) == []
    app.close()
