import trio


async def timer(count, interval):
    for number in range(1, count + 1):
        await trio.sleep(interval)
        print(f"tick {number}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print(f"Hello, {name}!")


async def together(count, interval, name, delay, limit):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timer, count, interval)
        nursery.start_soon(delayed_greeting, name, delay)
    print("all done")
    return True


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
