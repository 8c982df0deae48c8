"""Checks of the timer: visible examples with fixed numbers, hidden ones with names and times drawn for each grading.

Drawn moments keep a distance, so that the order of the lines does not hang on a few milliseconds of real time.
"""

from study_app.domain.checks import Check, Same, call, uses

NAMES = ["Ken", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Alan", "Radia"]
APART = 0.12
OUTPUT = Same(value=False)


def apart(moments):
    ordered = sorted(moments)
    return all(later - earlier >= APART for earlier, later in zip(ordered, ordered[1:]))


def timer(rng):
    return call("timer", rng.randint(4, 6), rng.choice([0.3, 0.35, 0.4]))


def greeting(rng):
    return call("delayed_greeting", rng.choice(NAMES), round(rng.uniform(0.7, 1.8), 2))


def together(rng, order, limit):
    """Draw until timer, greeting and limit end in the wanted order and every line has room."""
    while True:
        count, interval = rng.randint(2, 6), rng.choice([0.25, 0.3, 0.35])
        delay, bound = round(rng.uniform(0.2, 1.9), 2), round(limit(rng), 2)
        ticks = [interval * number for number in range(1, count + 1)]
        ends = {"timer": ticks[-1], "greeting": delay, "limit": bound}
        if sorted(ends, key=ends.get) == order and apart([*ticks, delay, bound]):
            return call("together", count, interval, rng.choice(NAMES), delay, bound)


def late(rng):
    return rng.uniform(2.0, 2.3)


def early(rng):
    return rng.uniform(0.4, 1.4)


CHECKS = [
    Check("timer(3, 0.2) ticks three times", call("timer", 3, 0.2), visible=True, compare=OUTPUT),
    Check('delayed_greeting("Ada", 0.5) greets', call("delayed_greeting", "Ada", 0.5), visible=True, compare=OUTPUT),
    Check("together ends when both have ended", call("together", 3, 0.4, "Ada", 0.6, 2.0), visible=True),
    Check("a nursery is used", source=uses("open_nursery"), visible=True),
    Check("any timer", timer, compare=OUTPUT),
    Check("any greeting", greeting, compare=OUTPUT),
    Check("a timer that never ticks", call("timer", 0, 0.3), compare=OUTPUT),
    Check("the greeting comes between ticks", lambda rng: together(rng, ["greeting", "timer", "limit"], late)),
    Check("the greeting comes after the last tick", lambda rng: together(rng, ["timer", "greeting", "limit"], late)),
    Check("the limit stops the timer", lambda rng: together(rng, ["greeting", "limit", "timer"], early)),
    Check("the limit stops the greeting", lambda rng: together(rng, ["timer", "limit", "greeting"], early)),
    Check("the limit stops both", lambda rng: together(rng, ["limit", "timer", "greeting"], early)),
]
