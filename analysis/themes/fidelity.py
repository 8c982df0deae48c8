"""How interviews were held, by language and arm: whether rules on wording, budgets and coverage were kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.interaction.intervals import mean, pooled_share, share
from study_app.domain.interviews.plan import InterviewPlan, Topic
from study_app.domain.interviews.rules import broken_by_wording

WORDING = {"one_question": "one_question", "leading": "leading", "praise": "praise", "language_kept": "language"}
"""Figure -> rule on wording; shares of questions that keep it, of `leading` and `praise` of those that break it."""
KEPT = frozenset({"one_question", "language_kept"})


def fidelity_rows(
    tables: Mapping[str, pd.DataFrame],
    participants: pd.DataFrame,
    plans: Sequence[InterviewPlan] = (),
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Return a row for each language and arm.

    Shares of questions and topics have intervals by resampled participants, shares of interviews Wilson's. What needs
    the plan is empty where the dataset does not hold it.

    Args:
        tables: `interviews` and `interview_turns`.
        participants: who is analysed.
        plans: by which the interviews were held.
        seed: of the resampling.
    """
    arms = dict(zip(participants["participant_id"].astype(str), participants["arm"].astype("string"), strict=True))
    interviews = tables["interviews"].copy()
    interviews["arm"] = interviews["participant_id"].astype(str).map(arms)
    turns = tables["interview_turns"].merge(
        interviews[["interview_id", "language", "arm", "plan"]], on="interview_id", how="inner"
    )
    turns = _judged(turns)
    by_id = {plan.id: plan for plan in plans}
    rows = []
    for (language, arm), own in interviews[interviews["arm"].notna()].groupby(["language", "arm"], sort=True):
        said = turns[turns["interview_id"].isin(own["interview_id"])]
        rows.append({"language": str(language), "arm": str(arm), **_figures(own, said, by_id, seed)})
    return rows


def _judged(turns: pd.DataFrame) -> pd.DataFrame:
    broken = [
        frozenset(broken_by_wording(str(question), str(language)))
        for question, language in zip(turns["question"], turns["language"], strict=True)
    ]
    return turns.assign(**{name: [rule in found for found in broken] for name, rule in WORDING.items()})


def _figures(
    interviews: pd.DataFrame, turns: pd.DataFrame, plans: Mapping[str, InterviewPlan], seed: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"interviews": len(interviews), "questions": len(turns)}
    for name in WORDING:
        flags = ~turns[name].astype(bool) if name in KEPT else turns[name].astype(bool)
        # Resampled by participant: questions of one interview come from one course of talk.
        row[name] = _pooled(flags, turns["participant_id"], seed)
    ended = interviews["ended_by"].astype("string")
    answered = turns[turns["words"].notna()]
    words = pd.to_numeric(answered["words"]).groupby(answered["participant_id"]).mean()
    row["words_an_answer"] = mean(words.to_numpy(dtype=float))
    row["stopped"] = share(int((ended == "stopped").fillna(False).sum()), len(interviews))
    row["probes_in_budget"] = _by_topic(interviews, turns, plans, seed, _in_budget)
    row["must_covered"] = _by_topic(interviews, turns, plans, seed, _covered)
    return row


Kept = Callable[[Topic, pd.DataFrame], bool | None]


def _in_budget(topic: Topic, asked: pd.DataFrame) -> bool | None:
    """Return whether a topic that was opened had no more probes than the plan allows; None where it was not opened."""
    return None if asked.empty else int((asked["action"] == "probe").sum()) <= topic.probes


def _covered(topic: Topic, asked: pd.DataFrame) -> bool | None:
    """Return whether a topic that must be asked was; None of one that need not."""
    return not asked.empty if topic.must else None


def _by_topic(
    interviews: pd.DataFrame, turns: pd.DataFrame, plans: Mapping[str, InterviewPlan], seed: int, kept: Kept
) -> dict[str, Any]:
    flags: list[bool] = []
    people: list[str] = []
    by_interview = dict(iter(turns.groupby("interview_id")))
    for row in interviews.to_dict("records"):
        plan = plans.get(str(row["plan"]))
        own = by_interview.get(row["interview_id"], turns.iloc[:0])
        for topic in plan.topics if plan is not None else ():
            found = kept(topic, own[own["topic"] == topic.id])
            if found is not None:
                flags.append(found)
                people.append(str(row["participant_id"]))
    return _pooled(pd.Series(flags, dtype=bool), pd.Series(people, dtype=object), seed)


def _pooled(flags: pd.Series, people: pd.Series, seed: int) -> dict[str, Any]:
    own = flags.reset_index(drop=True).astype(float)
    who = people.reset_index(drop=True).astype(str)
    hits, totals = own.groupby(who).sum(), own.groupby(who).size()
    return pooled_share(np.asarray(hits, dtype=float), np.asarray(totals, dtype=float), seed)
