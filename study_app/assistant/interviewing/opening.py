"""Which interviewer a server has."""

from __future__ import annotations

from collections.abc import Mapping

from study_app.assistant.opening import BASE_URL_VARIABLE
from study_app.domain.assistants.treatments import API_KEY_VARIABLE
from study_app.ports import Interviewer


def open_interviewer(environment: Mapping[str, str]) -> Interviewer | None:
    """Return Claude as the interviewer, or None without a key: rules ask in its place."""
    key = environment.get(API_KEY_VARIABLE, "").strip()
    if not key:
        return None
    # Imported here, for the SDK takes a second that only a server with a key should wait for.
    from study_app.assistant.interviewing.claude import ClaudeInterviewer

    return ClaudeInterviewer(key, environment.get(BASE_URL_VARIABLE, "").strip() or None)
