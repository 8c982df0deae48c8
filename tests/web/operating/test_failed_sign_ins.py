"""Strangers at the console's door: what their tries take from others, and what the audit log keeps of them."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from starlette.concurrency import run_in_threadpool

from study_app.domain.errors import UserError
from study_app.secrets.console_accounts import ConsoleUser
from study_app.web.routes.researcher import console


@pytest.fixture
def log(monkeypatch):
    """Return who stands in the audit log, and the clock by which."""
    kept = SimpleNamespace(at=datetime(2026, 1, 5, tzinfo=UTC), names=[])
    lifecycle = SimpleNamespace(audit=lambda who, *_: kept.names.append(who))
    app = SimpleNamespace(context=SimpleNamespace(now=lambda: kept.at), lifecycle=lifecycle)
    people = [ConsoleUser("iris", "monitor"), ConsoleUser("mona", "full")]
    monkeypatch.setattr(console, "current", lambda: app)
    monkeypatch.setattr(console, "accounts", lambda: SimpleNamespace(people=lambda: people))
    return kept


def test_invented_names_and_another_account_use_up_no_entries_of_a_real_one(log):
    failures = console.FailedSignIns()
    for number in range(console.MOST_FAILURES + 50):
        failures.note(f"invented{number}", "wrong name or password")
        failures.note("mona", "locked out")
    failures.note("iris", "wrong name or password")
    most = console.MOST_FAILURES
    assert [log.names.count(name) for name in (console.NO_ACCOUNT, "mona", "iris")] == [most, most, 1]
    log.at += timedelta(hours=1)
    failures.note("invented", "wrong name or password")
    assert log.names[-1] == console.NO_ACCOUNT


def test_few_passwords_are_checked_at_once_and_beyond_a_queue_one_is_refused(monkeypatch):
    monkeypatch.setattr(console, "MOST_WAITING", 3)
    go_on, running, most = threading.Event(), [], []

    def slow(name, password):
        running.append(name)
        most.append(len(running))
        go_on.wait(30)
        running.remove(name)
        return name

    async def strangers():
        tries = [asyncio.create_task(console._in_turn(slow, str(number), "")) for number in range(5)]
        while console._CHECKING.get(None) is None or console._CHECKING.get().statistics().tasks_waiting < 3:
            await asyncio.sleep(0)
        with pytest.raises(UserError, match="many sign-ins are being checked"):
            await console._in_turn(slow, "late", "")
        # The threads of all other requests are free.
        assert await run_in_threadpool(lambda: "served") == "served"
        go_on.set()
        return await asyncio.gather(*tries)

    assert asyncio.run(strangers()) == list("01234")
    assert max(most) <= console.AT_ONCE
