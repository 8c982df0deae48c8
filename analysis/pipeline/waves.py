"""Sessions of a trial that closes them one by one: what is final, what still runs, and who was lost on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.data.dataset import Dataset
from analysis.data.view import View
from study_app.dataset.schema.plan_fit import waves_of_columns

CONTINUES = "continues"
"""Status of people who have completed every session that is closed and are due for a later one."""


def closed_wave(dataset: Dataset) -> int:
    """Return the number of the last session that the trial has locked; 0 where it locks none by itself."""
    found = dataset.manifest.get("closed_wave", 0)
    return found if isinstance(found, int) else 0


def only_closed(dataset: Dataset, shown: View) -> View:
    """Return the view without the outcomes of sessions that still run, and with everybody who has those that do not."""
    closed, study = closed_wave(dataset), dataset.study.study
    if not closed or study is None or closed >= len(study.sessions):
        return shown
    people = shown.participants.copy()
    running = people["status"] == "in_progress"
    people.loc[running, "status"] = CONTINUES
    open_columns = [name for name, wave in waves_of_columns(study).items() if wave > closed and name in people]
    for name in open_columns:
        people[name] = pd.Series([float("nan")] * len(people), index=people.index)
    later = ", ".join(f"'{session.id}'" for session in study.sessions[closed:])
    warning = (
        f"Session {later} still runs ({int(running.sum())} people are due for it): its outcomes "
        f"({', '.join(sorted(open_columns)) or 'none'}) are left out until it is closed."
    )
    return replace(shown, participants=people, warnings=(*shown.warnings, warning))


def attrition(dataset: Dataset, shown: View) -> list[dict[str, Any]]:
    """Return how many allocated people completed each session, are due for it or were lost, by arm."""
    table = dataset.tables.get("sessions")
    if table is None or table.empty:
        return []
    arms = shown.participants.set_index("participant_id")["arm"].dropna()
    found = []
    for number in sorted(int(each) for each in table["number"].unique()):
        rows = table[table["number"] == number]
        state = rows.set_index("participant_id")["state"]
        per_arm = {arm: _counts([str(who) for who in arms.index[arms == arm]], state) for arm in shown.arm_ids}
        found.append({"number": number, "session": str(rows["session"].iloc[0]), "arms": per_arm})
    return found


def _counts(people: list[str], state: pd.Series) -> dict[str, int]:
    here = state.reindex(people)
    completed, due = int((here == "completed").sum()), int(here.isin(["due", "begun"]).sum())
    return {"allocated": len(people), "completed": completed, "due": due, "lost": len(people) - completed - due}
