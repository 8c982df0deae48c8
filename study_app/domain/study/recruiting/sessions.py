"""What a study with several sessions needs before people of a panel can be paid for each and come back."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.errors import Problem
from study_app.domain.study.study import Study


def session_problems(study: Study, file: str) -> list[Problem]:
    """Return what keeps a panel's study of several sessions from real participants."""
    return list(_of_panel(study, file)) if study.recruitment.entry == "prolific" else []


def _of_panel(study: Study, file: str) -> Iterator[Problem]:
    codes: dict[str, str] = {}
    for number, session in enumerate(study.sessions):
        key = f"sessions.{session.id}"
        code = study.session_code(session)
        if not code:
            what = "this session has no completion code, so participants could not submit it on Prolific"
            yield Problem(file, f"{key}.code", what, "give each session a different code")
        elif code in codes:
            what = f"it has the completion code of '{codes[code]}'"
            yield Problem(file, f"{key}.code", what, "give each session a different code")
        codes.setdefault(code, session.id)
        if number and not session.studies:
            what = "Prolific has one study for each part, and none is named that leads back into this one"
            yield Problem(file, f"{key}.studies", what, "make the follow-up study on Prolific and name its id here")
