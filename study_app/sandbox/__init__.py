"""Runs participants' programs: on this machine, on a cluster, or from a recording.

Kept free of imports at the top, for the fork server imports this package too and must stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study_app.ports import Sandbox


def open_sandbox(runner: str = "local", *, max_parallel: int = 64, folders: tuple[str, ...] = ()) -> Sandbox:
    """Return the sandbox that a setting names; one serves every task pack, with a fork server for each set of packages.

    Args:
        runner: `local`, `tcp://HOST:PORT` (also `tls://`) of a Dask scheduler, or an OCI runtime: `runsc` (gVisor),
            `crun`, `runc`, `oci:PATH`, with options for it.
        max_parallel: programs at the same time on one machine.
        folders: where the study's own packages are installed; empty for those of this Python.

    Raises:
        UserError: the setting names no runner, or what it names is not installed.
        SandboxUnavailable: the cluster does not answer.
    """
    import os

    from study_app.domain.errors import UserError

    if os.name == "nt":
        raise UserError("programs cannot be run safely on Windows; use WSL2 or a Linux server")
    if runner == "local":
        from study_app.sandbox.local import LocalSandbox
        from study_app.sandbox.server import Options

        return LocalSandbox(Options(folders=folders), max_parallel=max_parallel)
    from study_app.dask_cluster import names_cluster

    if names_cluster(runner):
        from study_app.sandbox.cluster import ClusterSandbox

        return ClusterSandbox(runner, folders)
    from study_app.sandbox.container import ContainerSandbox, names_container

    if names_container(runner):
        return ContainerSandbox(runner, folders)
    remedy = "use local, tcp://HOST:PORT of a Dask scheduler, or an OCI runtime such as runsc"
    raise UserError(f"STUDY_RUNNER: {runner!r} names no runner; {remedy}")
