"""Programs that look concurrent and are not, for each shipped pack that asks for concurrency: none pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from study_app.content.task_packs import load_pack
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.grading import grade

TASKS = Path(__file__).parents[2] / "tasks"
PACKS = {name: load_pack(TASKS / name) for name in ("trio_timer", "trio_users")}
PARTS = """
import time, threading
import trio


async def timer(count, interval):
    for number in range(1, count + 1):
        await trio.sleep(interval)
        print(f"tick {number}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print(f"Hello, {name}!")


def rows(count, interval, name, delay):
    return sorted([(interval * n, f"tick {n}") for n in range(1, count + 1)] + [(delay, f"Hello, {name}!")])


async def mention():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)

"""
ENDING = """
    print("all done" if done else "time is up")
    return done
"""
TOGETHER = "async def together(count, interval, name, delay, limit):\n"
TIMER = {
    "a schedule in one task beside a mention": """
    await mention()
    start = trio.current_time()
    for moment, text in rows(count, interval, name, delay):
        if moment >= limit: break
        await trio.sleep_until(start + moment); print(text)
    done = max(delay, interval * count) < limit
    if not done: await trio.sleep_until(start + limit)
""",
    "a task for each line of a schedule": """
    start = trio.current_time()
    async def line(moment, text):
        await trio.sleep_until(start + moment); print(text)
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            for row in rows(count, interval, name, delay): nursery.start_soon(line, *row)
    done = not scope.cancelled_caught
""",
    "a schedule inside the nursery's own block": """
    start = trio.current_time()
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, max(delay, interval * count))
            for moment, text in rows(count, interval, name, delay):
                await trio.sleep_until(start + moment); print(text)
    done = not scope.cancelled_caught
""",
    "one after the other in a nursery": """
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 0)
            await timer(count, interval)
            await delayed_greeting(name, delay)
    done = not scope.cancelled_caught
""",
    "one after the other in one task": """
    async def both():
        await delayed_greeting(name, delay)
        await timer(count, interval)
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery: nursery.start_soon(both)
    done = not scope.cancelled_caught
""",
    "the greeting waits for what the timer leaves": """
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timer, count, interval)
            await trio.sleep(delay); print(f"Hello, {name}!")
    done = not scope.cancelled_caught
""",
    "blocking from line to line": """
    await mention()
    start = time.monotonic()
    for moment, text in rows(count, interval, name, delay):
        if moment >= limit: break
        time.sleep(max(0, start + moment - time.monotonic())); print(text)
    done = max(delay, interval * count) < limit
    if not done: time.sleep(max(0, start + limit - time.monotonic()))
""",
    "blocking in a worker thread": """
    await mention()
    def work():
        start = time.monotonic()
        for moment, text in rows(count, interval, name, delay):
            if moment >= limit: return
            time.sleep(max(0, start + moment - time.monotonic())); print(text)
    await trio.to_thread.run_sync(work)
    done = max(delay, interval * count) < limit
""",
    "threads of Python's own": """
    await mention()
    def say(moment, text): time.sleep(moment); print(text)
    lines = [threading.Thread(target=say, args=row) for row in rows(count, interval, name, delay) if row[0] < limit]
    [line.start() for line in lines]
    done = max(delay, interval * count) < limit
    await trio.sleep(min(limit, max(delay, interval * count)))
    [line.join() for line in lines]
""",
    "the timer started, its greeting printed by a schedule of ticks": """
    shown = False
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, delay)
            passed = 0.0
            for number in range(1, count + 1):
                if not shown and delay <= passed + interval:
                    await trio.sleep(delay - passed); print(f"Hello, {name}!"); shown = True
                    await trio.sleep(passed + interval - delay)
                else:
                    await trio.sleep(interval)
                passed += interval
                print(f"tick {number}")
            if not shown: await trio.sleep(delay - passed); print(f"Hello, {name}!")
    done = not scope.cancelled_caught
""",
}
SERVICE = """
import time
import trio


class UserNotFound(Exception): pass


async def fetch_user(user_id):
    names = {1: "Ines", 3: "Noor", 4: "Tomasz", 6: "Yuki"}
    await trio.sleep(0.2 * user_id)
    if user_id == 5: raise ConnectionError("connection lost")
    if user_id not in names: raise UserNotFound(f"no user {user_id}")
    return {"id": user_id, "name": names[user_id]}

real = fetch_user
KNOWN = {1: "Ines", 2: "error: no user 2", 3: "Noor", 4: "Tomasz", 5: "error: connection lost", 6: "Yuki"}


async def entry(user_id, ask=None):
    try:
        return (await (ask or fetch_user)(user_id))["name"]
    except (UserNotFound, ConnectionError) as error:
        return f"error: {error}"


async def mention():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)

async def get_user_data(user_ids):
"""
USERS = {
    "one after the other beside a mention": """
    await mention()
    return {user_id: await entry(user_id) for user_id in user_ids}
""",
    "one after the other inside a nursery": """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)
        return {user_id: await entry(user_id) for user_id in user_ids}
""",
    "one after the other in one task": """
    found = {}
    async def all_of_them():
        for user_id in user_ids: found[user_id] = await entry(user_id)
    async with trio.open_nursery() as nursery: nursery.start_soon(all_of_them)
    return found
""",
    "a nursery for each user": """
    found = {}
    async def one(user_id): found[user_id] = await entry(user_id)
    for user_id in user_ids:
        async with trio.open_nursery() as nursery: nursery.start_soon(one, user_id)
    return found
""",
    "the starter's answers from a table": """
    await mention()
    await trio.sleep(0.2 * max(user_ids, default=0))
    return {user_id: KNOWN.get(user_id, f"error: no user {user_id}") for user_id in user_ids}
""",
    "the starter's own function kept": """
    found = {}
    async def one(user_id): found[user_id] = await entry(user_id, real)
    async with trio.open_nursery() as nursery:
        for user_id in user_ids: nursery.start_soon(one, user_id)
    return found
""",
    "a lock that lets in one at a time": """
    found, lock = {}, trio.Lock()
    async def one(user_id):
        async with lock: found[user_id] = await entry(user_id)
    async with trio.open_nursery() as nursery:
        for user_id in user_ids: nursery.start_soon(one, user_id)
    return found
""",
    "two at a time": """
    found, limit = {}, trio.CapacityLimiter(2)
    async def one(user_id):
        async with limit: found[user_id] = await entry(user_id)
    async with trio.open_nursery() as nursery:
        for user_id in user_ids: nursery.start_soon(one, user_id)
    return found
""",
    "what has not come in time is made up": """
    found = {}
    async def one(user_id): found[user_id] = await entry(user_id)
    with trio.move_on_after(0.6):
        async with trio.open_nursery() as nursery:
            for user_id in user_ids: nursery.start_soon(one, user_id)
    return {user_id: found.get(user_id, "error: timed out") for user_id in user_ids}
""",
    "each in a thread with its own loop": """
    await mention()
    found = {}
    def one(user_id): found[user_id] = trio.run(entry, user_id)
    import threading
    lines = [threading.Thread(target=one, args=(user_id,)) for user_id in user_ids]
    [line.start() for line in lines]
    [line.join() for line in lines]
    return found
""",
}
PROGRAMS = {
    **{f"trio_timer: {name}": ("trio_timer", PARTS + TOGETHER + body + ENDING) for name, body in TIMER.items()},
    **{f"trio_users: {name}": ("trio_users", SERVICE + body) for name, body in USERS.items()},
}
REPRESENTATIVES = {"trio_timer: a task for each line of a schedule"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in REPRESENTATIVES else pytest.mark.slow) for name in PROGRAMS]
)
def test_what_is_not_concurrent_does_not_pass(sandbox, name):
    pack, code = PROGRAMS[name]
    compile(code, name, "exec")
    graded = grade(sandbox, PACKS[pack], code, run_seed=7, seeds=1)
    assert not graded.complete
    failed = [check for check in graded.checks if check.passed is False]
    assert failed
    assert not any("SyntaxError" in str(check) or "NameError" in str(check) for check in graded.checks)


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
def test_every_reference_passes(sandbox, pack):
    assert grade(sandbox, PACKS[pack], PACKS[pack].solution, run_seed=7).complete


def test_there_are_ten_forgeries_for_each_pack():
    assert (len(TIMER), len(USERS)) == (10, 10)
