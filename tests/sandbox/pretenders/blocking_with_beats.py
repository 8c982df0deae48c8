# As the blocking schedule, and a thread imitates the heartbeat by which blocking is seen.
import os
import threading
import time

import trio


def beat():
    while True:
        os.write(3, b"\x04\x01\x00\x00")
        time.sleep(0.05)


async def say(rows):
    threading.Thread(target=beat, daemon=True).start()
    start = time.monotonic()
    for moment, text in rows:
        time.sleep(max(start + moment - time.monotonic(), 0))
        print(text)


async def timer(count, interval):
    await say([(interval * n, f"tick {n}") for n in range(1, count + 1)])


async def delayed_greeting(name, delay):
    await say([(delay, f"Hello, {name}!")])


async def together(count, interval, name, delay, limit):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)
    rows = sorted([(interval * n, f"tick {n}") for n in range(1, count + 1)] + [(delay, f"Hello, {name}!")])
    done = rows[-1][0] < limit
    end = min(rows[-1][0], limit)
    await say([row for row in rows if row[0] < limit] + [(end, "all done" if done else "time is up")])
    return done
