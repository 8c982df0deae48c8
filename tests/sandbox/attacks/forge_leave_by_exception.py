# Tries to leave by SystemExit(0) inside the functions.
async def timer(*args):
    raise SystemExit(0)


delayed_greeting = together = timer
