"""Who does the work of simulations: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import os
import threading
from multiprocessing import connection, parent_process
from typing import Any

from study_app.dask_cluster import dask_client, names_cluster
from study_app.domain.errors import UserError


def on_cluster(workers: str) -> bool:
    """Return whether `--workers` names a scheduler and not a number of processes."""
    return names_cluster(workers)


def processes(workers: str) -> int:
    """Return the number of processes that `--workers` names.

    Raises:
        UserError: it is neither a number nor an address.
    """
    if not workers.isdigit() or int(workers) < 1:
        raise UserError(f"--workers: '{workers}' is neither a number nor an address; give 2 or tcp://HOST:PORT")
    return int(workers)


def end_with_parent() -> None:
    """Let this worker process end as soon as the one that started it has, also where that was killed.

    A pool's workers wait for their next job on a pipe that they hold open themselves, so they would wait for ever.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def cluster_client(address: str) -> Any:
    """Return a client of the Dask scheduler at an address, to be closed by the caller.

    Raises:
        UserError: Dask is not installed, its certificates cannot be used, or no scheduler answers.
    """
    try:
        return dask_client(address, "--workers")
    except OSError as error:
        raise UserError(f"--workers: {address} does not answer ({error}); start a Dask scheduler there") from None
