"""The queries of a dataset, and the codes that people gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.codebook import split
from study_app.domain.interaction.codes import RUBRIC, agreed
from study_app.domain.interaction.rules import READS

PUBLISHED = "published"
"""The annotators of the imported transcripts."""

Codes = dict[str, tuple[str, ...]]
"""Turn -> labels in the code book's order; a turn that was not coded is absent, one without any label is empty."""


@dataclass(frozen=True)
class CodedQuery:
    """One message of a participant."""

    turn_id: str
    participant_id: str
    message: str
    language: str = ""
    """In which the participant met the study; empty where the dataset does not say."""

    @property
    def readable(self) -> bool:
        """Whether the offline coder's rules are written in its language."""
        return self.language in ("", READS)


def queries(tables: Mapping[str, pd.DataFrame]) -> tuple[CodedQuery, ...]:
    """Return every message to the assistant that is not empty, by participant, in the order asked."""
    turns = tables.get("turns")
    if turns is None or turns.empty:
        return ()
    rows = turns[_said(turns)].sort_values(["participant_id", "asked_at"], kind="stable")
    spoken = languages(tables)
    listed = zip(rows["turn_id"], rows["participant_id"], rows["message"], strict=True)
    return tuple(
        CodedQuery(str(turn), str(who), str(message), spoken.get(str(who), "")) for turn, who, message in listed
    )


def languages(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Participant -> the language in which they met the study, where the dataset says."""
    participants = tables.get("participants")
    if participants is None or "language" not in participants:
        return {}
    known = participants[participants["language"].notna()]
    return dict(zip(known["participant_id"].astype(str), known["language"].astype(str), strict=True))


def empty_queries(tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Return the turns whose message is empty: nothing in them can be coded."""
    turns = tables.get("turns")
    if turns is None or turns.empty:
        return ()
    return tuple(str(turn) for turn in turns[~_said(turns)]["turn_id"])


def _said(turns: pd.DataFrame) -> pd.Series:
    """Return whether the message of each turn holds anything but white space."""
    return turns["message"].notna() & (turns["message"].astype(str).str.strip() != "")


def human_codings(tables: Mapping[str, pd.DataFrame]) -> dict[str, Codes]:
    """Rater -> codes: people's ratings of queries, and the annotators of imported transcripts.

    Raises:
        ProblemsFound: a rating holds something that is not a label.
    """
    found: dict[str, Codes] = {}
    problems: list[Problem] = []
    turns = tables.get("turns")
    if turns is not None and "human_codes" in turns:
        cells = [
            (PUBLISHED, str(turn), text) for turn, text in zip(turns["turn_id"], turns["human_codes"], strict=True)
        ]
    else:
        cells = []
    cells += _ratings(tables.get("ratings"))
    for rater, turn, text in cells:
        try:
            found.setdefault(rater, {})[turn] = split(text)
        except ValueError as error:
            problems.append(Problem("ratings", f"object {turn}, rater {rater}", str(error), "correct the rating"))
    if problems:
        raise ProblemsFound(problems)
    return found


def _ratings(ratings: pd.DataFrame | None) -> list[tuple[str, str, object]]:
    if ratings is None or ratings.empty:
        return []
    own = ratings[ratings["rubric"].astype(str) == RUBRIC].sort_values("rated_at", kind="stable")
    turns = own["object"].astype(str).str.removeprefix("turn:")
    return list(zip(own["rater"].astype(str), turns, own["value"], strict=True))


def consensus(codings: Mapping[str, Codes]) -> Codes:
    """Return one coding from several people: the adjudicated one where there is one, else what more than half gave.

    Coders that are programs (`rules`, `claude`) do not count.
    """
    final: Codes = {}
    for turn in dict.fromkeys(turn for codes in codings.values() for turn in codes):
        settled = agreed({rater: codes[turn] for rater, codes in codings.items() if turn in codes})
        if settled is not None:
            final[turn] = settled
    return final
