"""Checks of the timer: hidden ones draw other names and times for what a visible example shows.

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


def no_ticks(rng):
    return call("timer", 0, rng.choice([0.3, 0.35, 0.4]))


def greeting(rng):
    return call("delayed_greeting", rng.choice(NAMES), round(rng.uniform(0.7, 1.8), 2))


def together(order, limit):
    """Draw until timer, greeting and limit end in the wanted order and every line has room."""

    def draw(rng):
        while True:
            count, interval = rng.randint(2, 6), rng.choice([0.25, 0.3, 0.35])
            delay, bound = round(rng.uniform(0.2, 1.9), 2), round(rng.uniform(*limit), 2)
            ticks = [interval * number for number in range(1, count + 1)]
            ends = {"timer": ticks[-1], "greeting": delay, "limit": bound}
            if sorted(ends, key=ends.get) == order and apart([*ticks, delay, bound]):
                return call("together", count, interval, rng.choice(NAMES), delay, bound)

    return draw


LATE, EARLY = (2.0, 2.3), (0.4, 1.4)

OTHERS = '''
import trio as _trio

async def timer(count, interval, _beats={beats!r}):
    for beat in _beats:
        await _trio.sleep(beat)
        print("{word}", count, interval)

async def delayed_greeting(name, delay, _wait={wait!r}):
    await _trio.sleep(_wait)
    print("{bye}", name)
'''
"""Another timer and another greeting: whoever prints a schedule instead of running both is found out."""


def others(beats, wait, limit, word="tock", bye="So long,"):
    prelude = OTHERS.format(beats=beats, wait=wait, word=word, bye=bye)
    return call("together", 2, 0.3, "Ada", 0.7, limit, prelude=prelude)


def any_others(rng):
    """Draw until every line has room."""
    while True:
        beats = [round(rng.uniform(0.2, 0.6), 2) for _ in range(rng.randint(2, 4))]
        wait, ends = round(rng.uniform(0.2, 1.6), 2), [sum(beats[: n + 1]) for n in range(len(beats))]
        if apart([*ends, wait]) and wait < ends[-1]:
            return others(beats, wait, 4.0, rng.choice(["tock", "beep", "ding"]), rng.choice(["Bye,", "Welcome,"]))

TICKS, NO_TICKS, GREETS = "timer(3, 0.2) ticks three times", "timer(0, 0.2) prints nothing", "delayed_greeting greets"
BOTH, LAST = "together ends when both have ended", "the greeting may come last"
OWN = "together runs whatever timer and delayed_greeting are"
STOPS_TIMER, STOPS_GREETING = "time is up: the limit stops the timer", "time is up: the limit stops the greeting"


def hidden(name, draw, varies, wrong, **compared):
    return Check(name, draw, varies=varies, wrong=wrong, **compared)


CHECKS = [
    Check(TICKS, call("timer", 3, 0.2), visible=True, compare=OUTPUT),
    Check(NO_TICKS, call("timer", 0, 0.2), visible=True, compare=OUTPUT),
    Check(GREETS, call("delayed_greeting", "Ada", 0.5), visible=True, compare=OUTPUT),
    Check(BOTH, call("together", 3, 0.4, "Ada", 0.6, 2.0), visible=True),
    Check(LAST, call("together", 2, 0.3, "Ada", 1.0, 2.0), visible=True),
    Check(STOPS_TIMER, call("together", 5, 0.4, "Ada", 0.6, 1.0), visible=True),
    Check(STOPS_GREETING, call("together", 2, 0.3, "Ada", 1.5, 1.0), visible=True),
    Check(OWN, others([0.3, 0.5], 0.5, 2.0), visible=True),
    Check("a nursery is used", source=uses("open_nursery"), visible=True),
    hidden("any timer", timer, TICKS, "ticks_at_once", compare=OUTPUT),
    hidden("a timer that never ticks", no_ticks, NO_TICKS, "always_ticks", compare=OUTPUT),
    hidden("any greeting", greeting, GREETS, "greets_at_once", compare=OUTPUT),
    hidden("the greeting comes between ticks", together(["greeting", "timer", "limit"], LATE), BOTH, "in_turn"),
    hidden("the greeting comes after the last tick", together(["timer", "greeting", "limit"], LATE), LAST, "stops_greeting"),
    hidden("the limit stops the timer", together(["greeting", "limit", "timer"], EARLY), STOPS_TIMER, "no_limit"),
    hidden("the limit stops the greeting", together(["timer", "limit", "greeting"], EARLY), STOPS_GREETING, "limits_timer"),
    hidden("together runs another timer and greeting", any_others, OWN, "prints_a_schedule"),
    hidden("the limit stops both", together(["limit", "timer", "greeting"], EARLY), STOPS_TIMER, "returns_true"),
]
