# Tries to return a value so deep that the comparison overflows.
async def timer(*args):
    value = []
    for _ in range(100_000):
        value = [value]
    return value


delayed_greeting = together = timer
