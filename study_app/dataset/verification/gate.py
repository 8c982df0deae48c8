"""The explain-first gate: every message of such a treatment was judged, and no code came before an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study_app.dataset.measures.turns.gate import GATE_COLUMNS, verdict_columns
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.verification.server_log import Log, kinds_hidden, said
from study_app.domain.assistants.gate import EXPLAINED, NOT_EXPLAINED, OPEN
from study_app.domain.events.server import GateJudged


def check_gate(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Verdicts as in the log, open only after an explanation on the same task, and replies without code till then."""
    file = opened.relative("turns")
    explained: set[tuple[str, str]] = set()
    known, gated = _told(opened) & log.keys(), 0
    # As texts: a forged cell may be empty, and no moment can be compared with that.
    for row in sorted(opened.rows("turns"), key=lambda row: str(row["asked_at"])):
        values = {name: row.values.get(name) for name in GATE_COLUMNS}
        # A dataset for everybody leaves the judge's words out of the log.
        logged = {} if opened.public else _logged(row, log)
        if values["gate"] is None and not logged:
            continue
        gated += 1
        for name, due in logged.items():
            if values[name] != due:
                opened.report.add("gate_differs", file, row.number, f"{name} is {values[name]}, the log says {due}")
        if not logged and str(row["participant_id"]) in known:
            opened.report.add("gate_differs", file, row.number, f"the verdict is {values['gate']}, the log has none")
        place = (str(row["participant_id"]), str(row["task"]))
        if values["gate"] == OPEN and place not in explained:
            opened.report.add("gate_differs", file, row.number, "open, and no earlier message explained the idea")
        if values["gate"] == EXPLAINED:
            explained.add(place)
        if values["gate"] == NOT_EXPLAINED and row.values.get("reply_code_chars"):
            what = f"{row.values['reply_code_chars']} characters of code in a reply to a message that explained nothing"
            opened.report.add("code_before_explanation", file, row.number, what)
    if gated:
        opened.report.note(f"{gated} verdicts of the explain-first gate")


def _told(opened: UntrustedDataset) -> set[str]:
    """Return the participants of whom the log has all verdicts: nothing is withheld, and no payload erased."""
    if not opened.own or opened.public:
        return set()
    people = {str(person["participant_id"]) for person in opened.rows("participants") if not person["data_withdrawn"]}
    return people - kinds_hidden(opened)


def _logged(row: UntrustedRow, log: Mapping[str, Log]) -> dict[str, Any]:
    """Return what the log says of the verdict on a turn; empty where it knows none."""
    mine = log.get(str(row["participant_id"]), Log())
    events = mine.of(GateJudged.kind, "turn_id", row["turn_id"])
    judged = said(events[0]) if events else None
    if not isinstance(judged, GateJudged):
        return {}
    # A dataset of an earlier version has not all of them.
    due = {name: value for name, value in verdict_columns(judged).items() if name in row.values}
    return {name: None if value == "" else value for name, value in due.items()}
