"""Interviews of a dataset with the codes that people and programs gave them, as the estimators take them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.themes.corrected import CodedGroup
from analysis.themes.reliability import Unit
from study_app.domain.errors import ProblemsFound
from study_app.domain.interaction.codes import ADJUDICATED, agreed, people
from study_app.domain.themes.codebook import Codebook, codebook_of, split
from study_app.domain.themes.marks import (
    CLAUDE,
    CODEBOOK,
    CODEBOOK_OBJECT,
    GOLD,
    HALF,
    INDUCE,
    REPLY,
    RULES,
    GoldDraw,
    gold_draw,
    interview_of,
)

PEOPLE = "people"
"""Coder under whose name the settled codes of people stand."""
Codes = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Frozen:
    """A codebook as it was frozen."""

    book: Codebook
    at: pd.Timestamp
    by: str


@dataclass
class CodedInterviews:
    """Every interview of the analysed participants that the codebook is applied to."""

    frozen: Frozen
    program: str
    """Whose codes are corrected; empty where only people coded."""
    interviews: pd.DataFrame
    """`interview_id`, `participant_id`, `arm`, `cluster`; index from 0."""
    codes: dict[tuple[str, str], dict[str, frozenset[str]]] = field(default_factory=dict)
    """(interview, topic) -> coder -> codes."""
    draws: dict[str, GoldDraw] = field(default_factory=dict)
    topics: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Interview -> topics with an answer."""
    unread: frozenset[tuple[str, str]] = frozenset()
    """(interview, topic) that the program was asked about and gave no code for: its replies could not be read."""

    def settled(self, interview_id: str) -> frozenset[str] | None:
        """Return the codes of an interview by people; None where they have not coded all its topics."""
        found: set[str] = set()
        for topic in self.topics[interview_id]:
            codes = agreed(self.codes.get((interview_id, topic), {}), self.frozen.book.labels)
            if codes is None:
                return None
            found |= set(codes)
        return frozenset(found)

    def by_program(self, interview_id: str) -> frozenset[str] | None:
        """Return the codes of an interview by the program; None where it has not coded all its topics.

        An answer on which its replies could not be read counts as one without codes: what the program makes of an
        answer may be wrong in any way, for the random sample shows by how much.
        """
        given = [
            frozenset() if codes is None and (interview_id, topic) in self.unread else codes
            for topic in self.topics[interview_id]
            for codes in [self.codes.get((interview_id, topic), {}).get(self.program)]
        ]
        if any(each is None for each in given):
            return None
        return frozenset().union(*(each for each in given if each is not None))

    def units(self) -> list[Unit]:
        """Return each coded answer with the codes of all its coders, the settled ones of people among them."""
        rows = self.interviews.set_index("interview_id")
        found = []
        for (interview_id, _), codes in sorted(self.codes.items()):
            settled = agreed(codes, self.frozen.book.labels)
            more = {} if settled is None else {PEOPLE: frozenset(settled)}
            who, arm = rows.loc[interview_id, "participant_id"], rows.loc[interview_id, "arm"]
            found.append(Unit(str(who), str(arm), {**codes, **more}))
        return found

    def unsettled(self) -> int:
        """Return the answers that people coded differently and that wait to be settled."""
        return sum(
            len({codes[who] for who in people(codes)}) > 1 and ADJUDICATED not in codes for codes in self.codes.values()
        )

    def groups(self) -> dict[str, dict[str, CodedGroup]]:
        """Return code -> arm -> its interviews.

        Raises:
            ProblemsFound: an interview outside the sample has no code by the program.
        """
        ids = self.interviews["interview_id"].tolist()
        # Codes of people outside the drawn sample do not count: who was coded beyond it was chosen, and not drawn by
        # chance. Where nothing was drawn, people coded everything.
        human = {each: self.settled(each) for each in ids if not self.draws or self.is_drawn(each)}
        machine = {each: self.by_program(each) if self.program else frozenset() for each in ids}
        chance = np.asarray([self.draws[each].probability if each in self.draws else 1.0 for each in ids])
        clusters = self.interviews["cluster"].to_numpy(dtype=object)
        repeated = len(set(clusters)) < len(clusters)
        found: dict[str, dict[str, CodedGroup]] = {}
        for code in self.frozen.book.labels:
            by_people = np.asarray([_flag(code, human.get(each)) for each in ids])
            by_program = np.asarray([_flag(code, machine[each]) for each in ids])
            found[code] = {}
            for arm in sorted(self.interviews["arm"].unique()):
                own = (self.interviews["arm"] == arm).to_numpy()
                group = CodedGroup.of(by_program[own], by_people[own], chance[own], clusters[own] if repeated else None)
                found[code][arm] = group
        return found

    def is_drawn(self, interview_id: str) -> bool:
        """Return whether an interview is of the sample."""
        return interview_id in self.draws and self.draws[interview_id].drawn

    def waiting(self) -> int:
        """Return the drawn interviews that people have not coded yet."""
        ids = set(self.interviews["interview_id"])
        return sum(self.settled(each) is None for each, draw in self.draws.items() if draw.drawn and each in ids)

    def with_theme(self, code: str) -> set[str]:
        """Return the participants who have a theme: by people where they coded, by the program elsewhere."""
        found = set()
        for interview_id, who in zip(self.interviews["interview_id"], self.interviews["participant_id"], strict=True):
            given = self.settled(interview_id)
            if code in ((given if given is not None else self.by_program(interview_id)) or ()):
                found.add(str(who))
        return found


def _flag(code: str, codes: frozenset[str] | None) -> float:
    return float("nan") if codes is None else float(code in codes)


def frozen_codebook(ratings: pd.DataFrame) -> Frozen | None:
    """Return the codebook that was frozen last; None where there is none that is what its name says."""
    rows = ratings[ratings["rubric"].astype("string") == CODEBOOK].sort_values("rated_at", kind="stable")
    for row in rows.iloc[::-1].to_dict("records"):
        try:
            book = codebook_of(json.loads(str(row["value"])))
        except (ValueError, ProblemsFound):
            continue
        if row["object"] == CODEBOOK_OBJECT + book.version:
            return Frozen(book, pd.Timestamp(row["rated_at"]), str(row["rater"]))
    return None


def coded_interviews(tables: Mapping[str, pd.DataFrame], participants: pd.DataFrame) -> CodedInterviews | None:
    """Return the interviews that the frozen codebook is applied to; None where none is frozen.

    Of an induced codebook only the half that it was not drawn from counts. Codes older than the freeze do not count:
    `study verify` names them.

    Args:
        tables: `interviews`, `interview_turns`, `ratings`.
        participants: who is analysed, with `participant_id`, `arm` and, in a cluster trial, `cluster_id`.
    """
    ratings = tables["ratings"]
    frozen = frozen_codebook(ratings)
    if frozen is None:
        return None
    topics = _topics(tables["interview_turns"])
    marks = ratings.assign(_key=ratings["object"].astype(str).map(interview_of))
    marks = marks[marks["_key"].notna()].sort_values("rated_at", kind="stable")
    table = _interviews(tables["interviews"], participants)
    table = table[table["interview_id"].isin(topics)]
    if frozen.book.induced:
        halves = _values(marks, HALF)
        table = table[table["interview_id"].map(lambda each: halves.get(each) != INDUCE)]
    table = table.reset_index(drop=True)
    known = set(table["interview_id"])
    given = _codes(marks, frozen, known)
    draws = {each: draw for each, value in _values(marks, GOLD).items() if (draw := gold_draw(value)) is not None}
    program = _program(given)
    replied = marks[(marks["rubric"].astype(str) == REPLY) & (marks["rater"].astype(str) == program)]
    unread = {key for key in replied["_key"] if key[0] in known and program not in given.get(key, {})}
    own = {each: draws[each] for each in draws if each in known}
    return CodedInterviews(frozen, program, table, given, own, topics, frozenset(unread))


def _interviews(interviews: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    own = participants[participants["arm"].notna()]
    who = own["participant_id"].astype(str)
    unit = own["cluster_id"].where(own["cluster_id"].notna(), who) if "cluster_id" in own else who
    lookup = pd.DataFrame({"participant_id": who, "arm": own["arm"].astype(str), "cluster": unit.astype(str)})
    rows = interviews[["interview_id", "participant_id"]].astype(str)
    return rows.merge(lookup, on="participant_id", how="inner").sort_values("interview_id", kind="stable")


def _topics(turns: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    said = turns[turns["answer"].notna() & (turns["answer"].astype(str).str.strip() != "")]
    found: dict[str, dict[str, None]] = {}
    for interview_id, topic in zip(said["interview_id"].astype(str), said["topic"].astype(str), strict=True):
        found.setdefault(interview_id, {})[topic] = None
    return {each: tuple(own) for each, own in found.items()}


def _values(marks: pd.DataFrame, rubric: str) -> dict[str, str]:
    rows = marks[marks["rubric"].astype(str) == rubric]
    return {key[0]: str(value) for key, value in zip(rows["_key"], rows["value"], strict=True)}


def _codes(marks: pd.DataFrame, frozen: Frozen, known: set[str]) -> dict[tuple[str, str], dict[str, frozenset[str]]]:
    rows = marks[(marks["rubric"].astype(str) == frozen.book.version) & (marks["rated_at"] >= frozen.at)]
    found: dict[tuple[str, str], dict[str, frozenset[str]]] = {}
    labels = set(frozen.book.labels)
    for key, rater, value in zip(rows["_key"], rows["rater"].astype(str), rows["value"], strict=True):
        if key[0] in known and key[1]:
            codes = split(None if pd.isna(value) else value) & labels
            found.setdefault(key, {})[rater] = frozenset(codes)
    return found


def _program(given: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """Return whose codes are corrected: Claude's where there are any, else those of the rules."""
    raters = {rater for codes in given.values() for rater in codes}
    return next((name for name in (CLAUDE, RULES) if name in raters), "")
