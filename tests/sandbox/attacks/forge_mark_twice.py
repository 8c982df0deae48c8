# Tries to mark the call's start or end a second time, to move the clock.
import sys, trio


def nonce():
    frame = sys._getframe()
    while frame:
        found = frame.f_locals.get("call")
        if isinstance(found, dict) and "nonce" in found:
            return found["nonce"]
        frame = frame.f_back


async def timer(count, interval):
    mark = nonce()
    for number in range(1, count + 1):
        print(f"\0{mark} start")
        print(f"tick {number}")
    print(f"\0{mark} end")


async def delayed_greeting(name, delay):
    await timer(0, 0)
    print(f"Hello, {name}!")


async def together(count, interval, name, delay, limit):
    await timer(count, interval)
    print(f"Hello, {name}!")
    print("all done")
    return True
