"""Coding of interviews derived once more: programs' codes by replies and keywords, draws and settling by the audit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from study_app import __version__
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.schema import moment
from study_app.domain.interaction.codes import ADJUDICATED
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.keywords import code_by_keywords
from study_app.domain.themes.marks import CLAUDE, GOLD, REPLY, RULES, GoldDraw, gold_draw, interview_of
from study_app.domain.themes.replies import codes_in
from study_app.domain.themes.sampling import in_random_order
from study_app.domain.themes.transcripts import InterviewText, Passage

_Key = tuple[str, str]
"""Interview and topic."""
_Breach = tuple[int, str]
"""Row, and what is wrong with it."""


def check_coding(opened: UntrustedDataset, rows: Sequence[UntrustedRow], books: Mapping[str, Codebook]) -> None:
    """Hold programs' codes, draws and settled codes against what they come from.

    Args:
        opened: a dataset that is not for everybody.
        rows: of ratings, by their time.
        books: version -> codebook as it was frozen.
    """
    file = opened.relative("ratings") if "ratings" in opened.files else ""
    coded = [(row, key, books[str(row["rubric"])]) for row in rows if str(row["rubric"]) in books if (key := _key(row))]
    found = [("coding_differs", each) for each in _programs(opened, rows, coded)]
    if _acts_are_known(opened):
        found += [("settled_code_differs", each) for each in _settled(opened, coded)]
        found += [("gold_sample_differs", each) for each in _gold(opened, rows)]
    for name, (number, what) in found:
        opened.report.add(name, file, number, what)


def _acts_are_known(opened: UntrustedDataset) -> bool:
    """Whether the manifest tells these acts: older exports do not, and a database that was put back has no old ones."""
    audit = opened.manifest.get("audit")
    if not isinstance(audit, dict) or "gold_draws" not in audit:
        return False
    if opened.acts("reimports"):
        opened.report.note(
            "draws, settled codes and freezes of interviews were not held against the audit log: it began anew"
        )
        return False
    return True


def _key(row: UntrustedRow) -> _Key | None:
    return interview_of(str(row["object"]))


# -- programs ----------------------------------------------------------------------------------------------------------


def _programs(
    opened: UntrustedDataset, rows: Sequence[UntrustedRow], coded: Sequence[tuple[UntrustedRow, _Key, Codebook]]
) -> Iterator[_Breach]:
    replies: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["rubric"] == REPLY and (key := _key(row)):
            replies[key].append(_object(row["value"]))
    said = _transcripts(opened)
    # Another version may find keywords in another way.
    same_rules = opened.manifest.get("package_version") == __version__
    for row, key, book in coded:
        # Any of the replies: an answer whose first one could not be read was asked about again.
        if row["rater"] == CLAUDE:
            due = {
                _rating_of_codes(book, key[1], codes)
                for raw in replies[key]
                if (codes := codes_in(raw, book)) is not None
            }
            if (row["value"] or "") not in due:
                yield row.number, f"{row['object']}: no reply that was kept gives the codes '{row['value']}'"
        elif row["rater"] == RULES and same_rules and key[0] in said:
            hits = code_by_keywords(book, key[1], said[key[0]].answers(key[1]))
            by_rules = _rating_of_codes(book, key[1], [hit.code for hit in hits])
            if (row["value"] or "") != by_rules:
                yield row.number, f"{row['object']}: the rules give '{by_rules}', and the row has '{row['value']}'"


def _rating_of_codes(book: Codebook, topic: str, codes: Sequence[str]) -> str:
    return book.join(code for code in codes if book.applies(code, topic))


def _object(value: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(str(value))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _transcripts(opened: UntrustedDataset) -> dict[str, InterviewText]:
    passages: dict[str, list[tuple[int, Passage]]] = defaultdict(list)
    for row in opened.rows("interview_turns") if "interview_turns" in opened.files else ():
        passage = Passage(str(row["topic"]), str(row["question"] or ""), str(row["answer"] or ""))
        passages[str(row["interview_id"])].append((row["number"] or 0, passage))
    return {
        name: InterviewText(name, "", tuple(passage for _, passage in sorted(found, key=lambda each: each[0])))
        for name, found in passages.items()
    }


# -- people ------------------------------------------------------------------------------------------------------------


def _settled(opened: UntrustedDataset, coded: Sequence[tuple[UntrustedRow, _Key, Codebook]]) -> Iterator[_Breach]:
    acts = {(act.get("interview_id"), act.get("topic"), act.get("codes")) for act in opened.acts("settled_codes")}
    for row, (interview, topic), _ in coded:
        if row["rater"] == ADJUDICATED and (interview, topic, row["value"] or "") not in acts:
            yield row.number, f"{row['object']}: the audit log knows no settling by the codes '{row['value']}'"


def _gold(opened: UntrustedDataset, rows: Sequence[UntrustedRow]) -> Iterator[_Breach]:
    """Yield each draw that is not the one that the audit log tells: size, probability, and who by its seed."""
    kinds = _kinds(opened)
    acts = sorted(opened.acts("gold_draws"), key=lambda act: str(act.get("at")))
    drawn: dict[int, list[tuple[UntrustedRow, str, GoldDraw]]] = defaultdict(list)
    for row in rows:
        if row["rubric"] != GOLD or (key := _key(row)) is None:
            continue
        draw = gold_draw(str(row["value"]))
        kind = kinds.get(key[0])
        later = [place for place, act in enumerate(acts) if _holds(act, kind, row["rated_at"])]
        if draw is None or not later:
            yield row.number, f"{row['object']}: no draw of the audit log that this could be of"
        elif sum(acts[place].get("at") == acts[later[0]].get("at") for place in later) == 1:
            # Of two draws within a millisecond it is not known which one it is of.
            drawn[later[0]].append((row, key[0], draw))
    for place, found in drawn.items():
        yield from _one_draw(acts[place], found)


def _one_draw(act: Mapping[str, Any], found: Sequence[tuple[UntrustedRow, str, GoldDraw]]) -> Iterator[_Breach]:
    size, considered = act.get("drawn"), act.get("considered")
    if not isinstance(size, int) or not isinstance(considered, int) or considered < max(size, len(found), 1):
        yield found[0][0].number, f"{len(found)} interviews are of a draw of {size} from {considered}"
        return
    order = in_random_order([name for _, name, _ in found], str(act.get("seed")))
    by_name = {name: draw.drawn for _, name, draw in found}
    # Interviews that were erased are gone from the order; those drawn still stand before those left.
    chosen = sum(by_name.values())
    due = {name: place < chosen for place, name in enumerate(order)}
    for row, name, draw in found:
        if abs(draw.probability - size / considered) > 1e-12:
            yield row.number, f"{row['object']}: {size} of {considered} were drawn, and its probability is another"
        elif draw.drawn != due[name] or chosen > size:
            yield (
                row.number,
                f"{row['object']}: the draw's seed does not give that it was {'drawn' if draw.drawn else 'left'}",
            )
        elif len(found) == considered and chosen != size:
            yield row.number, f"{row['object']}: {chosen} are drawn, and the audit log says {size}"


def _kinds(opened: UntrustedDataset) -> dict[str, str]:
    """Interview -> kind of its participant."""
    kinds = {str(person["participant_id"]): kind_of(person) for person in opened.rows("participants")}
    rows = opened.rows("interviews") if "interviews" in opened.files else ()
    return {str(row["interview_id"]): kinds.get(str(row["participant_id"]), "") for row in rows}


def _holds(act: Mapping[str, Any], kind: str | None, rated_at: Any) -> bool:
    """Return whether a draw is of this kind of people and not older than a row; the first such is the row's."""
    try:
        at: datetime = moment(str(act.get("at")))
    except ValueError:
        return False
    return act.get("kind") == kind and isinstance(rated_at, datetime) and rated_at <= at
