import trio


async def timer(count, interval):
    for number in range(1, count + 1):
        await trio.sleep(interval)
        print(f"tick {number}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print(f"Hello, {name}!")


async def until(moment, text):
    await trio.sleep_until(moment)
    print(text)


async def together(count, interval, name, delay, limit):
    start = trio.current_time()
    rows = [(interval * number, f"tick {number}") for number in range(1, count + 1)] + [(delay, f"Hello, {name}!")]
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            for moment, text in rows:
                nursery.start_soon(until, start + moment, text)
    print("time is up" if scope.cancelled_caught else "all done")
    return not scope.cancelled_caught


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
