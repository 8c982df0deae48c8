"""Characters of code in each reply, against the reply."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.measures.provenance import code_chars
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow


def check_reply_code(opened: UntrustedDataset, turns: Sequence[UntrustedRow]) -> None:
    """Compare `reply_code_chars` with what the reply holds; a dataset for everybody goes without replies."""
    if opened.public:
        return
    for turn in turns:
        if "reply_code_chars" not in turn.values or "reply" not in turn.values:
            continue
        found, due = turn["reply_code_chars"], code_chars(turn["reply"] or "")
        if found != due:
            what = f"turn {turn['turn_id']}: reply_code_chars is {found}, the reply has {due}"
            opened.report.add("derived_differs", opened.relative("turns"), turn.number, what)
