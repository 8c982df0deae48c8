import trio


async def timer(count, interval):
    # Print "tick 1" ... "tick COUNT", waiting before each.
    ...


async def delayed_greeting(name, delay):
    # Wait, then greet.
    ...


async def together(count, interval, name, delay, limit):
    # Run both at the same time, for at most `limit` seconds.
    ...


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
