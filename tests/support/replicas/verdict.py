"""What must be true of a database after servers were killed over it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from support.replicas.persistent_person import PersistentPerson

from study_app.dataset.verification import verify
from study_app.services.identity import hashed
from study_app.services.researcher.exporting.export import export


def faults(app, people: list[PersistentPerson], folder: Path) -> list[str]:
    """Return everything that is wrong: lost events, what is counted twice or never ended, and `verify`'s findings."""
    found = [f"person {number}: {each}" for number, person in enumerate(people) for each in person.met.refused]
    found += [f"person {number} did not finish" for number, each in enumerate(people) if not each.met.finished]
    settled(app)
    with app.context.registry.begin(write=False) as unit:
        now = app.context.now()
        for number, person in enumerate(people):
            who = unit.participant_of_token(hashed(person.cookies["study_participant"]), now)
            found += [f"person {number}: {each}" for each in _of_person(unit, who.id, person)]
        found += [f"left over: {work}" for work in unit.works()]
    export(app.context, folder, include_preview=True)
    report = verify(folder)
    return found + [str(each) for each in report.findings if each.finding_class != "browser"]


def settled(app, seconds: float = 60) -> None:
    """Wait until what servers that are gone left is ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.taking_over.tick()
        app.grading.grade_present()
        with app.context.registry.begin(write=False) as unit:
            if not unit.works():
                break
        time.sleep(0.5)
    app.scoring.score_pending()


def _of_person(unit, who: str, person: PersistentPerson) -> list[str]:
    events = list(unit.events(who))
    found = []
    for page, ack in person.met.acknowledged.items():
        numbers = Counter(event.seq for event in events if event.page == page)
        if lost := [n for n in range(1, ack + 1) if numbers[n] != 1]:
            found.append(f"acknowledged events {lost[:5]} of {page} are not there once")
    turns, runs = unit.turns(who), unit.runs(who)
    ended = Counter(event.payload["turn_id"] for event in events if event.kind == "turn_ended")
    found += [f"turn {turn.id} is ended {ended[turn.id]} times" for turn in turns if ended[turn.id] != 1]
    found += [f"turn {turn.id} is not complete" for turn in turns if not turn.complete]
    over = Counter(event.payload["run_id"] for event in events if event.kind in ("run_ended", "outage")
                   and event.payload.get("run_id"))  # fmt: skip
    found += [f"run {run.id} is ended {over[run.id]} times" for run in runs if run.kind == "run" and over[run.id] != 1]
    found += [f"{run.kind} {run.id} has no end" for run in runs if run.ended_by is None and run.grading is None]
    submitted = Counter(run.task for run in runs if run.kind == "submission")
    found += [f"{task} is submitted {count} times" for task, count in submitted.items() if count != 1]
    return found
