# Tries to raise its own priority and ask for real-time scheduling.
import os

for attempt in (
    lambda: os.nice(-10),
    lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)),
    lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
