"""GET /metrics for Prometheus, and GET /readyz for whatever sends people here."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from study_app import __version__
from study_app.bootstrap import App, current
from study_app.domain.errors import InfrastructureError
from study_app.services.operation.alert_watch import incidents
from study_app.services.operation.metrics import Family, Labels, gauge, written
from study_app.services.researcher.monitoring import Monitor
from study_app.web.operating.proxies import FORWARDED, PEER
from study_app.web.requests import error, route

TOKEN = "STUDY_METRICS_TOKEN"
"""Environment variable: who sends it as a bearer token may read the metrics from anywhere."""
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
KEPT_SECONDS = 5.0
"""The study is looked at no more often, however often it is scraped."""
AN_HOUR = timedelta(hours=1)
STARTED = time.monotonic()

_kept: tuple[float, list[Family]] | None = None


def may_read(connection: HTTPConnection, token: str) -> bool:
    """Whether the one who asks may read the metrics: a process of this machine that no proxy stands for, or a token."""
    given = connection.headers.get("authorization", "")
    # Compared in constant time: the time of an ordinary comparison tells how many characters were right.
    if token and secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    # The connection's own address: one that a header names anybody can write, and a proxy on this machine stands for
    # strangers.
    return connection.scope.get(PEER) in LOOPBACK and not connection.scope.get(FORWARDED)


@route
async def metrics(request: Request) -> Response:
    """Return everything that is counted here."""
    app = current()
    if not may_read(request, app.settings.environment.get(TOKEN, "").strip()):
        return error(401, f"metrics are for this machine, or for who sends the token in {TOKEN}")
    families = await run_in_threadpool(_families, app)
    return PlainTextResponse(written(families), media_type="text/plain; version=0.0.4; charset=utf-8")


@route
async def readyz(request: Request) -> Response:
    """Return whether a newcomer can be let in and served here: 503, and why, where not."""
    del request
    missing = await run_in_threadpool(_missing, current())
    if missing:
        return JSONResponse({"status": "not ready", "reasons": missing}, 503, {"Retry-After": "5"})
    return JSONResponse({"status": "ready", "version": __version__})


def _missing(app: App) -> list[str]:
    try:
        return list(app.health.missing())
    except InfrastructureError:
        return ["nothing can be written now; see the server's log"]


def _families(app: App) -> list[Family]:
    global _kept
    if _kept is None or time.monotonic() - _kept[0] >= KEPT_SECONDS:
        try:
            of_study = _of_study(app)
        except InfrastructureError:
            # A database that is away is what the other figures are needed for.
            of_study = [gauge("study_database_up", "Whether the database answers.", 0)]
        _kept = (time.monotonic(), of_study)
    return [*app.metrics.families(), *_of_process(app), *_kept[1]]


def _of_study(app: App) -> list[Family]:
    """Return figures of the database: real participants only, and by stage as the console shows them."""
    monitor = Monitor(app.context)
    view = monitor.overview("real")
    with app.context.registry.begin(write=False) as unit:
        lasting = [each.kind for each in incidents(unit) if each.over_at is None]
        servers = 1 + sum(not gone for _, gone in app.context.replicas.others(unit))
    here: dict[Labels, float] = {(("stage", stage.id),): float(stage.here) for stage in view.stages}
    reached: dict[Labels, float] = {(("stage", stage.id),): float(stage.reached) for stage in view.stages}
    statuses: dict[Labels, float] = {(("status", status),): float(count) for status, count in view.statuses.items()}
    alerts: Counter[str] = Counter(kind.partition(":")[0] for kind in lasting)
    return [
        gauge("study_database_up", "Whether the database answers.", 1),
        gauge("study_info", "The study and this version of study-app.", {
            (("state", view.state), ("study", app.study.id), ("version", __version__)): 1.0
        }),
        gauge("study_participants", "Real participants by status.", statuses),
        gauge("study_visits_open", "Real participants who are at a stage now.", here),
        gauge("study_visits", "Real participants who have reached a stage.", reached),
        gauge("study_alerts_active", "Incidents that last, by kind.", {
            (("kind", kind),): float(count) for kind, count in sorted(alerts.items())
        }),
        gauge("study_servers", "Servers of the study that give signs of life.", servers),
        gauge("study_failed_runs", "Programs that failed on the server within an hour.", monitor.outages(AN_HOUR)),
        gauge("study_paused", "1 while programs may not be run as they are isolated.", monitor.paused() is not None),
        gauge("study_queue_length", "What waits, by queue.", {
            (("queue", "events"),): float(app.context.registry.waiting()),
            (("queue", "grading"),): float(len(app.grading.pending())),
            (("queue", "runs"),): float(app.work.waiting),
        }),
    ]  # fmt: skip


def _of_process(app: App) -> list[Family]:
    var = app.settings.var if app.settings.var.exists() else Path()
    found = [
        gauge("study_disk_free_bytes", "Free on the disk of the study's folder.", shutil.disk_usage(var).free),
        gauge("study_uptime_seconds", "How long this process has been serving.", time.monotonic() - STARTED),
        Family("process_cpu_seconds_total", "counter", "Processor time.", (("", (), sum(os.times()[:2])),)),
    ]
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        descriptors = len(os.listdir("/proc/self/fd"))
    except (OSError, ValueError, IndexError):
        return found
    resident: Any = pages * os.sysconf("SC_PAGE_SIZE")
    return [
        *found,
        gauge("process_resident_memory_bytes", "Memory in use.", resident),
        gauge("process_open_fds", "Open descriptors.", descriptors),
    ]


ROUTES = [Route("/metrics", metrics, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
