# One task sleeps from line to line by a schedule computed beforehand; a nursery is only mentioned.
import trio


def schedule(count, interval, name, delay, limit):
    rows = [(interval * n, f"tick {n}") for n in range(1, count + 1)] + [(delay, f"Hello, {name}!")]
    return sorted(row for row in rows if row[0] < limit), max(delay, interval * count) < limit


async def say(rows):
    start = trio.current_time()
    for moment, text in rows:
        await trio.sleep_until(start + moment)
        print(text)


async def timer(count, interval):
    await say([(interval * n, f"tick {n}") for n in range(1, count + 1)])


async def delayed_greeting(name, delay):
    await say([(delay, f"Hello, {name}!")])


async def together(count, interval, name, delay, limit):
    start = trio.current_time()
    rows, done = schedule(count, interval, name, delay, limit)
    await say(rows)
    if not done:
        await trio.sleep_until(start + limit)
    print("all done" if done else "time is up")
    return done


async def unused():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timer, 1, 1)
