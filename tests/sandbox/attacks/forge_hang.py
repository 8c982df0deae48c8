# Tries to never come back, in the hope of a default verdict.
import trio


async def timer(*args):
    await trio.sleep_forever()


delayed_greeting = together = timer
