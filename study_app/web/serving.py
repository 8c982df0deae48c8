"""Starting the two apps: participants in this process, the console in another."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from study_app.domain.errors import Problem, ProblemsFound, present
from study_app.secrets.console_accounts import Account
from study_app.settings import Settings

if TYPE_CHECKING:
    from study_app.bootstrap import App


AUTHOR = "STUDY_AUTHOR"
"""Tells the console's process that an author works on the files."""
LARGEST_MESSAGE = 1_000_000
"""Bytes of one message from a page to Streamlit; what participants write does not go that way."""


def check_port(host: str, port: int, option: str) -> None:
    """Refuse a port that is in use.

    Raises:
        ProblemsFound: it is in use, or may not be used.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the server itself does: without it a port counts as taken for a minute after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise ProblemsFound([Problem(option, "", f"port {port} needs more rights", "use one over 1023")]) from None
        except OSError as error:
            remedy = f"stop the other program, or choose another port with {option}"
            what = f"port {port} on {host} cannot be used ({error.strerror})"
            raise ProblemsFound([Problem(option, "", what, remedy)]) from None


def check_apart(settings: Settings) -> None:
    """Refuse one port for both apps: it is free when looked at for each, until the other takes it.

    Raises:
        ProblemsFound: participants and console would share a port.
    """
    if settings.port == settings.console_port:
        what = f"port {settings.port} is already the participants' port"
        raise ProblemsFound([Problem("--console-port", "", what, "choose another, or serve with --no-console")])


def serve_participants(app: App, on_ready: Callable[[], None]) -> None:
    """Serve until asked to stop."""
    from study_app.web.options import configure_streamlit

    configure_streamlit()
    import uvicorn

    from study_app.web.admission.connections import MOST, GuardedProtocol
    from study_app.web.app import make, served_routes
    from study_app.web.operating.proxies import TrustedProxies, trusted_networks
    from study_app.web.operating.request_figures import RequestFigures

    asgi = RequestFigures(make(app), app.metrics, [route.path for route in served_routes(app)])

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready()

    config = uvicorn.Config(
        TrustedProxies(asgi, trusted_networks(app.settings.environment)),
        host=app.settings.host,
        port=app.settings.port,
        log_level="warning",
        log_config=None,
        access_log=False,
        # Who comes through a proxy, `TrustedProxies` says.
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        http=GuardedProtocol,
        limit_concurrency=MOST,
        ws_max_size=LARGEST_MESSAGE,
    )
    Server(config).run()


@contextmanager
def console_process(settings: Settings, *, author: bool = False) -> Iterator[Callable[[], None]]:
    """Provide the console beside the participants' app; it ends with it.

    It loads what it needs at once, and serves when the function that is given says that the database is ready.
    """
    environment = dict(settings.environment) | {
        "STUDY_FILE": str(settings.study_file),
        "STUDY_DATABASE_URL": settings.database,
        "STUDY_VAR": str(settings.var),
        "STUDY_HOST": settings.host,
        "STUDY_PORT": str(settings.port),
        "STUDY_PARENT": str(os.getpid()),
        AUTHOR: "1" if author else "",
    }
    command = [sys.executable, "-m", "study_app.web.console_process", settings.console_host, str(settings.console_port)]
    # Another session: Ctrl+C reaches this process alone, which then ends the console in order.
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdin=subprocess.PIPE)
    pipe = present(process.stdin, "the console's pipe")

    def begin() -> None:
        # A console that has died already says so itself.
        with suppress(BrokenPipeError), pipe:
            pipe.write(b"\n")

    try:
        yield begin
    finally:
        with suppress(ProcessLookupError):
            # The whole group, since the console may have started a sandbox.
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def author_settings(settings: Settings) -> Settings:
    """Return where an author's server keeps what it makes: in a separate folder, anew at each start.

    A study's own database is never touched, whatever it holds; the console's accounts are the same.

    Raises:
        ProblemsFound: the pages would be served to others, and they show keys and checks.
    """
    for host, option in ((settings.host, "--host"), (settings.console_host, "--console-host")):
        if host not in ("127.0.0.1", "localhost", "::1"):
            what = f"{host} can be reached by others, and an author's pages show keys and checks"
            raise ProblemsFound([Problem(option, "", what, "leave it out with --author")])
    var = settings.var / f"author-{settings.port}"
    # Anew at each start: what an author tried yesterday under another draft fits no study of today.
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True, mode=0o700)
    accounts = Account(settings.var).path
    if accounts.is_file():
        shutil.copy2(accounts, var / accounts.name)
    return replace(settings, var=var, database=f"sqlite:///{var}/study.db")
