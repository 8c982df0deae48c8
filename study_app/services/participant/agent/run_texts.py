"""What a run came to, in the words that an assistant reads."""

from __future__ import annotations

from collections.abc import Callable

from study_app.domain.records import RunRecord

_LONGEST_RESULT = 4_000
"""Characters of a run's output that the assistant reads."""


def run_as_text(run: RunRecord, named: Callable[[str], str] = str) -> str:
    """Return what a run came to, as the assistant reads it.

    Args:
        run: The run.
        named: An example's name -> its name in the participant's language.
    """
    lines = [f"Ended by: {run.ended_by or 'unknown'}."]
    if run.error_type:
        where = f" in line {run.error_line}" if run.error_line else ""
        lines.append(f"Error{where}: {run.error_type}: {run.error_message or ''}")
    for name, text in (("Output", run.stdout), ("Errors", run.stderr)):
        if text.strip():
            lines.append(f"{name}:\n{text[-_LONGEST_RESULT:]}")
    for check in run.checks:
        outcome = "passes" if check.get("passed") else f"fails: {check.get('message') or ''}".strip()
        lines.append(f"Example '{named(str(check.get('name')))}' {outcome}")
    return "\n".join(lines)
