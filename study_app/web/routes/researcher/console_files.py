"""What the console hands out as files: dataset, preregistration, tables; and the timeline of a replay."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from study_app.bootstrap import current
from study_app.dataset.schema.cells import guard
from study_app.domain.errors import NotAllowed
from study_app.secrets.console_accounts import ConsoleUser, Role
from study_app.secrets.console_boards import BLIND, UNBLINDED
from study_app.services.attending.paying import COLUMNS, payments
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.exporting.export import FORMATS
from study_app.services.researcher.monitoring import Monitor
from study_app.services.researcher.replay.timeline import timeline
from study_app.web.requests import BadRequest, route
from study_app.web.routes.researcher import console

ENROLMENT = "id kind status stage step minutes_in_stage minutes_in_all enrolled_at last_seen_at came_as".split()
ENROLMENT += ["exclusion_reason", "data_withdrawn"]


async def _person(request: Request, roles: Sequence[Role]) -> ConsoleUser:
    person = await run_in_threadpool(console.who, request.cookies.get(console.COOKIE))
    if person is None:
        raise BadRequest(401, "sign in to the console first")
    if person.role not in roles:
        raise BadRequest(403, f"the role {person.role} may not see this")
    return person


def _file(roles: Sequence[Role], make: Callable[[Request, ConsoleUser], Response]) -> Callable[[Request], Any]:
    """Return a route for people of some roles; `make` runs in a thread, because it reads the database."""

    async def handler(request: Request) -> Response:
        return await run_in_threadpool(make, request, await _person(request, roles))

    return route(handler)


def _attached(content: str, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return _attached(text.getvalue(), name, "text/csv")


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is quoted, as in the dataset."""
    return guard(value) if isinstance(value, str) else value


def enrolment(request: Request, person: ConsoleUser) -> Response:
    """Who is where, as a table; never an arm."""
    monitor, name = Monitor(current().context), current().study.id
    people = [seen for kind in monitor.kinds() for seen in monitor.people(kind)]
    rows = [[getattr(seen, column) for column in ENROLMENT] for seen in people]
    return _csv(ENROLMENT, rows, f"{name}_enrolment.csv")


def payments_file(request: Request, person: ConsoleUser) -> Response:
    """Return what each participant is paid."""
    app = current()
    with app.context.registry.begin(write=False) as unit:
        found = payments(app.context, unit)
    app.lifecycle.audit(person.name, "download payments", "", {"payments": len(found)})
    return _csv(COLUMNS, [paid.cells() for paid in found], f"{app.study.id}_payments.csv")


def audit(request: Request, person: ConsoleUser) -> Response:
    """Return the audit log as a table."""
    entries = Monitor(current().context).audit()[::-1]
    header = ["at", "who", "what", "why", "detail", "previous_hash", "row_hash"]
    rows = [[e.at.isoformat(), e.who, e.what, e.why, json.dumps(dict(e.detail)), e.previous_hash, e.row_hash]
            for e in entries]  # fmt: skip
    return _csv(header, rows, f"{current().study.id}_audit.csv")


def prereg(request: Request, person: ConsoleUser) -> Response:
    """Return the preregistration as it was made at launch."""
    found = Monitor(current().context).preregistration()
    if found is None:
        raise NotAllowed("there is no preregistration before the study is launched")
    if request.path_params["kind"] == "json":
        text = json.dumps(found[0], indent=2, ensure_ascii=False) + "\n"
        return _attached(text, "prereg.json", "application/json")
    return _attached(found[1], "prereg.md", "text/markdown; charset=utf-8")


def dataset(request: Request, person: ConsoleUser) -> Response:
    """Return the dataset as the trial's state allows it, zipped. It holds code: who takes it counts as unblinded."""
    asked = (request.query_params.get(key) == "1" for key in ("preview", "simulated", "public"))
    include_preview, include_simulated, public = asked
    asked_format = request.query_params.get("format", "csv")
    if asked_format not in FORMATS:
        raise BadRequest(400, f"'{asked_format}' is not a format; use one of {', '.join(FORMATS)}")
    fmt = FORMATS[FORMATS.index(asked_format)]
    monitor, app = Monitor(current().context), current()
    folder = Path(tempfile.mkdtemp(prefix="study-console-"))
    try:
        where = folder / f"{app.study.id}_dataset"
        wanted = DatasetRequest(
            fmt, include_preview=include_preview, include_simulated=include_simulated, public=public
        )
        app.datasets.write(where, wanted, who=person.name, via="console")
        packed = _zipped(where, folder / f"{where.name}.zip")
    # The background task of the answer removes the folder; without an answer there is none.
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    # After the file is made, for a dataset that failed has shown nothing; before it is sent, for then it has.
    monitor.record_unblinding(person.name, "dataset", "real")
    return FileResponse(packed, filename=packed.name, background=BackgroundTask(rmtree, folder, True))


def _zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))
    return target


def replayed(request: Request, person: ConsoleUser) -> Response:
    """Return the timeline of one participant; of a real one only after the look at it was recorded."""
    participant_id = request.path_params["participant_id"]
    context = current().context
    found = timeline(context, participant_id)
    if found is None:
        raise BadRequest(404, "there is no such participant")
    # Here as well as on the board: the address alone must not show a replay that no one has accounted for.
    if found["kind"] == "real" and not Monitor(context).is_unblinded(person.name, f"replay {participant_id}"):
        raise NotAllowed("open this replay from the board, which records that you have seen it")
    return Response(json.dumps(found, ensure_ascii=False), media_type="application/json",
                    headers={"Cache-Control": "no-store"})  # fmt: skip


ROUTES = [
    Route("/download/enrolment.csv", _file(BLIND, enrolment), methods=["GET"]),
    Route("/download/payments.csv", _file(UNBLINDED, payments_file), methods=["GET"]),
    Route("/download/audit.csv", _file(BLIND, audit), methods=["GET"]),
    Route("/download/prereg.{kind:str}", _file(BLIND, prereg), methods=["GET"]),
    Route("/download/dataset.zip", _file(UNBLINDED, dataset), methods=["GET"]),
    Route("/api/replay/{participant_id:str}", _file(UNBLINDED, replayed), methods=["GET"]),
]
