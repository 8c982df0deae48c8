"""Seconds from Stop to the end of an agent's turn in the log; seconds of a participant's run in each arm.

    python benchmarks/bench_interrupt.py --turns 10

Each turn is stopped once: while a card waits, while the agent's program runs without an end, and while the assistant
speaks. Prints JSON: for each moment the median and the largest of the seconds, and the steps that were stored after the
end of their turn; and the median seconds of a run without an assistant, with an agent, and while a card of it waits.
Exits with 1 where a turn took a second or more to end, or a step was stored after it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.clock import HandClock  # noqa: E402
from support.trials.agent_study import AgentPage, agent_study, with_agent  # noqa: E402
from support.trials.export_world import Walker, open_app  # noqa: E402

from study_app.domain.events import saying  # noqa: E402
from study_app.domain.events.server import AgentProposed, TurnEnded  # noqa: E402

BRIEF = "print(sum(range(1000)))\n"
ENDLESS = "while True:\n    pass\n"
REGIMES = {"card": "each", "run": "none", "thought": "none"}
SECONDS_PER_WORD = 0.2
"""So slow that the assistant is in the middle of a sentence."""


def stopped(app, walker, moment: str) -> float:
    """Ask, press Stop at the moment, and return the seconds until the end of the turn is in the log."""
    pressed = threading.Event()
    times: list[float] = []

    def ended() -> bool:
        with app.context.registry.begin(write=False) as unit:
            return unit.turns(walker.id)[-1].complete

    def watch() -> None:
        pressed.wait()
        times.append(time.monotonic())
        app.help.stop(walker.id, page.turn_id)
        while not ended():
            time.sleep(0.002)
        times.append(time.monotonic())

    def runs() -> int:
        with app.context.registry.begin(write=False) as unit:
            return sum(run.kind == "agent" for run in unit.runs(walker.id))

    before = runs()

    def running() -> None:
        while runs() == before and not pressed.is_set():
            time.sleep(0.01)
        time.sleep(0.3)
        pressed.set()

    class Stops(AgentPage):
        def _meet(self, frame):
            if moment != "card":
                super()._meet(frame)
            elif frame["type"] == "action" and frame["waits"]:
                pressed.set()
                time.sleep(0.1)

    page = Stops(walker, lambda _: "approve")
    watching = threading.Thread(target=watch)
    watching.start()
    if moment == "run":
        threading.Thread(target=running, daemon=True).start()
    if moment == "thought":
        threading.Timer(0.5, pressed.set).start()
    asyncio.run(page._ask("please get this to work"))
    pressed.set()
    watching.join()
    return times[1] - times[0]


def late_steps(app, walker) -> int:
    """Steps that stand in the log behind the end of their turn."""
    with app.context.registry.begin(write=False) as unit:
        events = unit.events_of(walker.id, (AgentProposed.kind, TurnEnded.kind))
    place = {details.turn_id: event.seq for event, details in saying(events, TurnEnded)}
    return sum(event.seq > place.get(details.turn_id, event.seq) for event, details in saying(events, AgentProposed))


def runs_by_arm(folder: Path, runs: int) -> dict[str, float]:
    """Median seconds from Run to the last line of the output: without an assistant, with an agent, beside its card."""
    clock = HandClock()
    app = open_app(folder, clock, agent_study(folder, "each"))
    people = {"with an agent": with_agent(app, clock)}
    people["without"] = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm != "ai")
    people["without"].begin_tasks()
    seconds: dict[str, list[float]] = {name: [] for name in (*people, "beside a card")}

    def timed(name: str, walker: Walker) -> None:
        began = time.monotonic()
        walker.run()
        seconds[name].append(time.monotonic() - began)

    for walker in people.values():
        walker.replace_all(BRIEF)
    for _ in range(runs):
        for name, walker in people.items():
            timed(name, walker)

    def beside(frame):
        for _ in range(runs):
            timed("beside a card", people["with an agent"])
        return "stop"

    AgentPage(people["with an agent"], beside).ask()
    app.close()
    return {name: statistics.median(each) for name, each in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10)
    turns = parser.parse_args().turns
    found = {}
    for moment, regime in REGIMES.items():
        with tempfile.TemporaryDirectory() as folder:
            clock, pace = HandClock(), SECONDS_PER_WORD if moment == "thought" else 0.0
            app = open_app(Path(folder), clock, agent_study(Path(folder), regime), seconds_per_word=pace)
            walker = with_agent(app, clock)
            if moment == "run":
                walker.replace_all(ENDLESS)
            seconds = [stopped(app, walker, moment) for _ in range(turns)]
            found[moment] = {
                "median": statistics.median(seconds),
                "most": max(seconds),
                "late": late_steps(app, walker),
            }
            app.close()
    with tempfile.TemporaryDirectory() as folder:
        runs = runs_by_arm(Path(folder), turns)
    print(json.dumps({"turns": turns, "seconds": found, "run_seconds": runs}, indent=2))
    raise SystemExit(0 if all(each["most"] < 1 and not each["late"] for each in found.values()) else 1)


if __name__ == "__main__":
    main()
