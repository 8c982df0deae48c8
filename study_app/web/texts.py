"""Texts for the routes, in the language of the request."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar

from starlette.requests import HTTPConnection

from study_app.bootstrap import current
from study_app.content.texts import SOURCE, Catalogue
from study_app.domain.sentences import REFUSALS
from study_app.domain.study.study import Study

COOKIE = "study_language"
"""Set at the entry beside the participant's own, so that a page can be sent before anything is looked up."""
FIELD = "language"
"""In the address and the form of the entry."""
_language: ContextVar[str] = ContextVar("language", default="")


def speak(language: str) -> None:
    """Answer this request in a language of the study; any other changes nothing."""
    if language in current().study.offered:
        _language.set(language)


def speak_to(connection: HTTPConnection) -> None:
    """Answer in the language that was chosen at the entry, else in one that the browser asks for."""
    chosen = connection.cookies.get(COOKIE, "")
    _language.set(chosen if chosen in current().study.offered else preferred(connection, current().study.offered))


def preferred(connection: HTTPConnection, offered: Iterable[str]) -> str:
    """Return the offered language that stands first in the browser's list; the study's default where none does."""
    known = list(offered)
    # In the browser's own order, without its weights: browsers send them in falling order.
    for wanted in connection.headers.get("accept-language", "")[:1000].split(","):
        code = wanted.partition(";")[0].strip().lower()
        found = next((each for each in known if each.lower() in (code, code.partition("-")[0])), None)
        if found is not None:
            return found
    return known[0]


def language() -> str:
    """Return the language of this request's answer."""
    return _language.get() or current().study.offered[0]


def texts() -> Catalogue:
    """Return the catalogue of this request."""
    return current().texts[language()]


def study() -> Study:
    """Return the study as it is written now, in the language of this request."""
    context = current().context
    return context.localised(context.study, language(), context.study_hash)


def text(key: str, **values: object) -> str:
    """Return the text of a dotted key, filled in."""
    return texts().filled(key, **values)


def translated(message: str) -> str:
    """Return a service's message in the language of the request.

    Where none of ours translates it, a general sentence.
    """
    if language() == SOURCE:
        return message
    found = REFUSALS.translated(message, texts().table(REFUSALS.table), texts().figures.said)
    return found if found is not None else text("refusal.other")
