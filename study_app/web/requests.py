"""What every route does first: who asks, from where, and what the body holds. Errors leave as JSON, never as a page."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from study_app.bootstrap import App, current
from study_app.domain.addresses import same_site
from study_app.domain.errors import (
    InfrastructureError,
    NotAllowed,
    Refused,
    Superseded,
    Taken,
    TooLong,
    UnknownParticipant,
    UserError,
)
from study_app.domain.events import LATEST_MS, PAGE_NAME
from study_app.domain.records import Participant
from study_app.domain.sentences import REFUSALS
from study_app.web.texts import translated

log = logging.getLogger(__name__)
_PAGE = re.compile(PAGE_NAME)

COOKIE = "study_participant"
OWNER = "study-participant"
"""Header of what a page asks: the participant for whom it was drawn. In a browser of several people the cookie may be
another's by now, and what the first one wrote must not count as theirs."""
MAX_BODY = 1_000_000
"""Bytes of one request."""


class BadRequest(Exception):
    """The request is malformed, too large or from elsewhere."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class AsciiJSON(JSONResponse):
    """JSON in ASCII: participants' texts may hold halves of surrogate pairs, which UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        """See Starlette."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def error(status: int, message: str, **more: Any) -> JSONResponse:
    """Return an error as every route gives it."""
    return AsciiJSON({"error": translated(message), **more}, status_code=status)


Refusal = Callable[..., Response]


def route(
    handler: Callable[[Request], Awaitable[Response]], refusal: Refusal | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Turn what a handler raises into the contract's answers.

    Args:
        handler: the route.
        refusal: makes a page of (status, message) for a browser that asks for one; without it all are JSON.
    """

    async def guarded(request: Request) -> Response:
        page = refusal if refusal is not None and "text/html" in request.headers.get("accept", "") else error
        return await _answered(handler, request, page)

    return guarded


async def _answered(handler: Callable[[Request], Awaitable[Response]], request: Request, error: Refusal) -> Response:
    try:
        check_address(request)
        return await handler(request)
    except BadRequest as bad:
        return error(bad.status, bad.message)
    except ClientDisconnect:
        return error(400, "the browser closed the connection before the request was complete")
    except UnknownParticipant as unknown:
        return error(401, str(unknown))
    except Taken as taken:
        return error(409, str(taken), reason="taken")
    except Refused as refused:
        return error(403, str(refused), reason="arm")
    except Superseded as superseded:
        return error(409, str(superseded), reason="superseded")
    except NotAllowed as not_allowed:
        return error(409, str(not_allowed), reason="stage")
    except TooLong as too_long:
        return error(413, str(too_long))
    except UserError as mistake:
        return error(400, str(mistake))
    except InfrastructureError as ours:
        log.error("a request could not be answered", exc_info=ours, extra=_named(handler, request))
        return error(503, REFUSALS("unavailable"))
    except Exception:
        log.exception("a request failed", extra=_named(handler, request))
        return error(500, REFUSALS("failed"))


def _named(handler: Callable[[Request], Awaitable[Response]], request: Request) -> dict[str, str]:
    """Return what the log says of a request: its address may hold what a participant is known by."""
    return {"route": str(getattr(handler, "__name__", "")), "method": request.method}


async def body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Return the request's body.

    Raises:
        BadRequest: 413 over the limit.
    """
    declared = request.headers.get("content-length", "")
    too_large = BadRequest(413, REFUSALS("too_long", limit=f"{limit:,}"))
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    content = bytearray()
    # Counted as it comes: the declared length may be missing or wrong.
    async for piece in request.stream():
        content += piece
        if len(content) > limit:
            raise too_large
    return bytes(content)


async def json_body(request: Request, limit: int = MAX_BODY) -> dict[str, Any]:
    """Return the request's body as a JSON object.

    Raises:
        BadRequest: 413 over the limit, 400 if it is not a JSON object.
    """
    content = await body(request, limit)
    try:
        value = _parsed(content)
    except (ValueError, RecursionError):
        raise BadRequest(400, "the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadRequest(400, "the body must be a JSON object")
    return value


async def form_body(request: Request, limit: int) -> dict[str, str]:
    """Return the text fields of a form, as browsers send them.

    Raises:
        BadRequest: 413 over the limit, 400 if it is not a form.
    """
    content = await body(request, limit)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, content)
    if content and kind != "application/x-www-form-urlencoded":
        raise BadRequest(400, "the body must be a form (application/x-www-form-urlencoded)")
    return form_fields(content)


def form_fields(content: bytes) -> dict[str, str]:
    """Return the fields of a form in the common encoding.

    Raises:
        BadRequest: 400 if one holds what no name can.
    """
    fields = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    return {key: _as_name(value, key) for key, value in fields.items()}


def check_address(request: Request) -> None:
    """Refuse an address of which a part holds what no name can.

    Raises:
        BadRequest: 400.
    """
    for key, value in (*request.query_params.multi_items(), *request.path_params.items()):
        _as_name(str(value), key)


def _as_name(value: str, name: str) -> str:
    """Return a text by which something is looked up.

    Raises:
        BadRequest: 400 if it holds NUL or half of a surrogate pair: Postgres compares no text with them.
    """
    if "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
        raise BadRequest(400, f"the field {name[:40]!r} holds a character that no name has")
    return value


async def _multipart(request: Request, content: bytes) -> dict[str, str]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield content

    try:
        # On a body that was counted already: the parser itself would write large parts to the disk without a bound.
        form = await MultiPartParser(request.headers, whole()).parse()
    except MultiPartException as problem:
        raise BadRequest(400, f"the form cannot be read: {problem.message}") from None
    return {name: _as_name(value, name) for name, value in form.items() if isinstance(value, str)}


def _parsed(content: bytes) -> Any:
    """Read JSON as `json.loads` does, without numbers that are not finite.

    Nearly every body is one that the fast parser of pydantic-core reads alike. Two kinds are left to `json`: a number
    that may be beyond every float, and half of a surrogate pair, which an edit may split.
    """
    if _MAY_BE_INFINITE.search(content) is None:
        try:
            return from_json(content, allow_inf_nan=False)
        except ValueError:
            pass
    return json.loads(content, parse_constant=_no_number, parse_float=_finite)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    # 1e999 is JSON, and what Python makes of it is not.
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than a number can be")
    return number


def field(value: dict[str, Any], name: str, kind: type, *, required: bool = True) -> Any:
    """Return one field of a body.

    Raises:
        BadRequest: 400 if it is missing or of another type.
    """
    found = value.get(name)
    if found is None and not required:
        return None
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        names = {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}
        raise BadRequest(400, f"the field '{name}' must be {names[kind]}")
    return found


def name_in(value: dict[str, Any], name: str, *, required: bool = True) -> Any:
    """Return a field of a body that names something: what a participant wrote is a `field`, and may hold anything.

    Raises:
        BadRequest: 400 if it is missing, no text, or holds what no name can.
    """
    found = field(value, name, str, required=required)
    return None if found is None else _as_name(found, name)


_MAY_BE_INFINITE = re.compile(rb"[0-9]{300}|[0-9.][eE]\+?[0-9]{3}")

LARGEST_NUMBER = 2**31 - 1
"""Of what a page counts; a column of the database holds no more."""


def whole_number(value: dict[str, Any], name: str, *, required: bool = False) -> int | None:
    """Return a whole number of a body, from 0.

    Raises:
        BadRequest: 400 if it is missing and required, of another type or out of range.
    """
    found: int | None = field(value, name, int, required=required)
    if found is not None and not 0 <= found <= LARGEST_NUMBER:
        raise BadRequest(400, f"the field '{name}' must be a whole number from 0 to {LARGEST_NUMBER}")
    return found


def page_name(value: dict[str, Any], *, required: bool = False) -> str | None:
    """Return the page that asks, where it says so.

    Raises:
        BadRequest: 400 if it is not the name of a page.
    """
    found: str | None = field(value, "page", str, required=required)
    if found is not None and not _PAGE.fullmatch(found):
        raise BadRequest(400, "the field 'page' must be the name of a page: letters, digits, - and _")
    return found


def milliseconds(value: dict[str, Any], name: str) -> float | None:
    """Return a moment by a page's clock; None where there is none, or none that a clock can show."""
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    # Comparing before converting: a whole number may be beyond every float.
    return float(found) if 0 <= found <= LATEST_MS else None


def check_origin(request: Request) -> None:
    """Refuse a request that another site's page makes.

    Raises:
        BadRequest: 403.
    """
    origin = request.headers.get("origin")
    if origin is not None and not same_site(origin, host_of(request)):
        raise BadRequest(403, REFUSALS("other_origin"))


def host_of(connection: HTTPConnection) -> str:
    """Return the host that the browser asked for, also behind a trusted proxy; see `operating.proxies`."""
    return connection.headers.get("x-forwarded-host") or connection.headers.get("host", "")


async def participant(request: Request) -> tuple[App, Participant]:
    """Who asks.

    Raises:
        UnknownParticipant: the cookie belongs to no participant, or to another one than the page was drawn for.
        BadRequest: from another site.
    """
    check_origin(request)
    app = current()
    who = await run_in_threadpool(app.enrol.identify, request.cookies.get(COOKIE), request.headers.get(OWNER, ""))
    note_asked(request, who.id)
    return app, who


def note_asked(request: Request, participant_id: str) -> None:
    """Note who asks, for the limits: they are of a participant, however many cookies they have."""
    request.state.participant_id = participant_id


def asked_by(request: Request) -> str | None:
    """Return who asks as far as the route has found out."""
    found: str | None = getattr(request.state, "participant_id", None)
    return found


def is_tls(request: Request) -> bool:
    """Return whether the browser speaks TLS, to us or to a trusted proxy before us; see `operating.proxies`."""
    return request.url.scheme == "https"
