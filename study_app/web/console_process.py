"""The console's process: `python -m study_app.web.console_process HOST PORT`, started beside the participants' app."""

from __future__ import annotations

import os
import sys
import threading
import time

from study_app.bootstrap import follow_files, start
from study_app.claude_codes import code_by_claude
from study_app.domain.errors import StudyError
from study_app.private_files import be_private
from study_app.settings import read_settings
from study_app.web.operating import heap
from study_app.web.operating.logs import FORMAT, begin_logging
from study_app.web.operating.proxies import TrustedProxies, trusted_networks
from study_app.web.options import configure_streamlit
from study_app.web.serving import AUTHOR, LARGEST_MESSAGE

PARENT = "STUDY_PARENT"
CHECK_SECONDS = 1.0
GRACE_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Serve the console until asked to stop, or until the process that started it is gone.

    Where a process started it, that one says by a line on standard input when the database is ready; if it never does,
    nothing is served.
    """
    heap.keep_few_arenas()
    be_private()
    begin_logging(os.environ.get(FORMAT, ""))
    configure_streamlit()
    import uvicorn

    from study_app.web.admission.connections import MOST, GuardedProtocol
    from study_app.web.routes.researcher.console_app import make

    parent = os.environ.get(PARENT, "")
    # The participants' process migrates the database first; two that do so at once would wait for each other.
    if parent.isdigit() and not sys.stdin.buffer.readline():
        return 0
    try:
        host, port = arguments
        settings = read_settings(console_host=host, console_port=port)
        trusted = trusted_networks(settings.environment)
        app = start(settings, code_queries=code_by_claude)
        if os.environ.get(AUTHOR):
            follow_files(app, previews_too=False)
    except (StudyError, ValueError) as problem:
        sys.stderr.writelines(f"error: console: {line}\n" for line in str(problem).splitlines())
        return 2
    asgi = TrustedProxies(make(app), trusted)
    config = uvicorn.Config(
        asgi, host=host, port=settings.console_port, log_level="warning", log_config=None, access_log=False,
        proxy_headers=False, timeout_graceful_shutdown=2, http=GuardedProtocol, limit_concurrency=MOST,
        ws_max_size=LARGEST_MESSAGE,
    )  # fmt: skip
    server = uvicorn.Server(config)
    if parent.isdigit():
        threading.Thread(target=_end_with, args=(int(parent), server), daemon=True).start()
    try:
        server.run()
    finally:
        app.close()
    return 0


def _end_with(parent: int, server: object) -> None:
    """Stop serving when the parent is gone, however it went."""
    # Polled: a signal for the parent's death exists on Linux only, and follows the thread that started the child.
    while os.getppid() == parent:
        time.sleep(CHECK_SECONDS)
    server.should_exit = True  # type: ignore[attr-defined]
    time.sleep(GRACE_SECONDS)
    # Pages that wait for the browser would keep the process for longer.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
