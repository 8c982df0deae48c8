# Tries to replace standard output so that the parent's marks never come.
import io, sys, trio

sys.stdout = io.StringIO()


async def timer(count, interval):
    for number in range(count):
        await trio.sleep(interval)


delayed_greeting = together = timer
