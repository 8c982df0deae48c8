"""Rounds of questions to the models: as the audit log has them, and answered by the model that answered at first."""

from __future__ import annotations

from collections import defaultdict

from study_app.dataset.measures.models import reply_in, round_digest
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.domain.assistants.drift import rounds_compared, served_otherwise

Rounds = dict[int, list[UntrustedRow]]


def check_rounds(opened: UntrustedDataset) -> None:
    """Hold each round against its digest in the audit log, and later ones against the launch."""
    if opened.hides("real") or not opened.own:
        return
    found: Rounds = defaultdict(list)
    for row in opened.rows("model_replies"):
        found[int(row["round"] or 0)].append(row)
    stated = {act.get("round"): act for act in opened.acts("model_rounds")}
    file = opened.relative("model_replies")
    # Rounds that brought no reply have an act and no row, with nothing to compare.
    for number in sorted({*found, *(key for key, act in stated.items() if isinstance(key, int) and act.get("n"))}):
        rows, act = found.get(number, []), stated.get(number)
        if act is None or not rows:
            what = f"round {number} is {'not in the audit log' if act is None else 'gone; the audit log has it'}"
            opened.report.add("model_round_differs", file, rows[0].number if rows else None, what)
        elif round_digest([row.values for row in rows]) != act.get("digest"):
            what = f"round {number} is not what the audit log has the digest of"
            opened.report.add("model_round_differs", file, rows[0].number, what)
    _check_drift(opened, found)
    if found:
        opened.report.note(f"{len(found)} rounds of questions to the models against the audit log")


def _check_drift(opened: UntrustedDataset, found: Rounds) -> None:
    """Another model is a departure from the protocol; replies that are longer or shorter are noted."""
    said: dict[tuple[int, str], str] = {}
    for number, rows in found.items():
        for name, phrase in served_otherwise(reply_in(row.values) for row in rows).items():
            said[number, name] = phrase
    for each in rounds_compared([reply_in(row.values) for rows in found.values() for row in rows]):
        if each.another_model:
            said[each.round, each.treatment] = (
                f"served by {', '.join(each.served_now)}, in round {each.first} by {', '.join(each.served_before)}"
            )
        elif each.drifts:
            opened.report.note(
                f"'{each.treatment}' answers in round {each.round} other than in round {each.first}: "
                f"{'; '.join(each.drifts)}"
            )
    for (number, name), phrase in sorted(said.items()):
        # A finding needs one row, and any of that round and treatment would do.
        first = next(row for row in found[number] if row["treatment"] == name)
        opened.report.add(
            "model_drifted", opened.relative("model_replies"), first.number, f"round {number}: '{name}' was {phrase}"
        )
