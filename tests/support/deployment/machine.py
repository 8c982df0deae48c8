"""A separate machine for one test: accounts, folders, addresses and ports that nothing outside sees.

It is this machine in a mount and a network namespace, so that commands of a page run to their letter: `useradd` adds an
account to a layer over /etc, /srv is a folder of the test, port 443 is free and 10.0.0.5 is here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from ctypes import CDLL
from pathlib import Path
from typing import Any

from support.deployment.units import Unit
from support.paths import ROOT

BEGIN = """
set -e
mount -t tmpfs none "$1/layers"
for place in etc usr/local/bin; do
    layer="$1/layers/$place"
    mkdir -p "$layer/upper" "$layer/work"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$layer/upper,workdir=$layer/work" "/$place"
done
mount --bind "$1/srv" /srv
ip link set lo up
ip address add 10.0.0.5/32 dev lo
echo ready
exec cat
"""
TOOLS = ("unshare", "nsenter", "setpriv", "runuser", "useradd", "ip", "git", "make", "openssl")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FROM_OUTSIDE = re.compile(r"(PIP|UV|SSL_CERT)_|(https?|no)_proxy", re.IGNORECASE)
"""Variables that say where packages come from, and whose certificates are trusted there."""
NEW_NETWORK = 0x40000000


class Machine:
    """Use as a context manager.

    Args:
        folder: of the test; what the machine has under /srv lies in it.
        stand_ins: program -> script, of what a test cannot have: package manager, service manager, certificates.
    """

    def __init__(self, folder: Path, stand_ins: dict[str, str]) -> None:
        self.folder = folder
        self.asked = folder / "systemctl.log"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.bin = folder / "bin"
        for path in (self.bin, folder / "layers", folder / "srv"):
            path.mkdir()
        (folder / "srv").chmod(0o755)
        for name, script in stand_ins.items():
            (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.bin / name).chmod(0o755)
        self.binaries = ""
        """More folders of programs, before those of the system."""

    @staticmethod
    def lacking() -> str:
        """What keeps this machine from making one, or nothing."""
        if missing := [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]:
            return f"not installed here: {', '.join(missing)}"
        tried = subprocess.run(
            ["unshare", "--mount", "--net", "bash", "-c", "mount -t tmpfs none /srv && ip link set lo up"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "" if tried.returncode == 0 else f"needs namespaces, which this account cannot make: {tried.stderr}"

    def __enter__(self) -> Machine:
        apart = ["unshare", "--mount", "--net", "--propagation", "private"]
        command = [*apart, "bash", "-c", BEGIN, "-", str(self.folder)]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)
        self._holder.kill()
        self._holder.wait()

    # -- commands ------------------------------------------------------------------------------------------------------

    def _enter(self, *, online: bool = False) -> list[str]:
        spaces = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--mount={spaces}/mnt", *([] if online else [f"--net={spaces}/net"])]

    def run(self, script: str, typed: str = "", *, online: bool = False) -> str:
        """Carry out a script as root, as in a shell with a strict umask, then what it asked of the service manager.

        Args:
            script: lines of the page.
            typed: what is entered at its prompts.
            online: in the network outside, where packages come from.
        """
        variables = {"PATH": f"{self.bin}:{self.binaries}:{PATH}", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        variables |= {name: value for name, value in os.environ.items() if FROM_OUTSIDE.match(name)}
        # Without a terminal, which prompts for passwords would ask in place of the standard input.
        done = subprocess.run(
            [*self._enter(online=online), "bash", "-ec", f"umask 077; cd /root\n{script}"],
            input=typed, env=variables, capture_output=True, text=True, check=False, start_new_session=True,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{said}{self.logs()}"
        self._obey()
        return said

    def logs(self) -> str:
        """The end of what each service wrote."""
        ends = [f"\n-- {path.stem}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log"))]
        return "".join(ends)

    # -- services ------------------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        lines = self.asked.read_text().splitlines() if self.asked.exists() else []
        self.asked.unlink(missing_ok=True)
        for verb, *names in map(shlex.split, lines):
            for name in (name for name in names if not name.startswith("-") and not name.endswith(".timer")):
                if verb in ("restart", "stop", "reload"):
                    self.stop(name)
                if verb in ("enable", "restart", "reload"):
                    self.start(name)

    def unit(self, name: str) -> Unit:
        """A unit as the machine has it, with the variables of its file."""
        text = self.run(f"cat /etc/systemd/system/{Unit.file_of(name)}")
        unit = Unit.read(name, text)
        return unit.with_variables(self.run(f"cat {unit.variables_from}") if unit.variables_from else "")

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service as systemd does: its account, folder, umask and variables, and no others."""
        if name == "nginx":
            return self._spawn(name, [sys.executable, str(Path(__file__).with_name("sticky_proxy.py"))], {})
        unit = self.unit(name)
        drop = ["setpriv", f"--reuid={unit.user}", f"--regid={unit.user}", "--init-groups", "--no-new-privs"]
        begin = f"cd {unit.folder} && umask {unit.umask} && exec {shlex.join([*drop, *unit.command])}"
        variables = {"PATH": PATH, "HOME": "/srv/study", "USER": unit.user, "LANG": "C.UTF-8", **unit.variables}
        return self._spawn(name, ["bash", "-c", begin], variables)

    def _spawn(self, name: str, command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen([*self._enter(), *command], env=variables, stdout=log, stderr=log)
        self.running[name] = process
        return process

    def postgres(self, binaries: Path) -> None:
        """Start a Postgres of the account `postgres` on 127.0.0.1:5432, which asks for passwords."""
        self.binaries = str(binaries)
        self.run(
            "id -u postgres >/dev/null 2>&1 || useradd --system postgres\n"
            "install -d -o postgres -m 0755 /srv/postgres\ncd /srv/postgres\n"
            "runuser -u postgres -- initdb -D /srv/postgres/data --auth-local=trust --auth-host=scram-sha-256"
        )
        program = shlex.join([str(binaries / "postgres"), "-D", "/srv/postgres/data", "-k", "/srv/postgres"])
        drop = "setpriv --reuid=postgres --regid=postgres --init-groups"
        self._spawn("postgres", ["bash", "-c", f"cd / && exec {drop} {program}"], {"PATH": PATH})

    def stop(self, name: str) -> None:
        """As `systemctl stop` does: a request, and force after the unit's twenty seconds."""
        process = self.running.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """As a crash would: no goodbye."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    # -- people in its network -----------------------------------------------------------------------------------------

    def at(self, act: Callable[[], Any]) -> Future[Any]:
        """Do something in a thread that is in the machine's network."""
        people = ThreadPoolExecutor(1, initializer=self._join_network)
        future = people.submit(act)
        people.shutdown(wait=False)
        return future

    def _join_network(self) -> None:
        # A thread gets its own network; never the main one, which everything else of the process uses.
        assert threading.current_thread() is not threading.main_thread()
        with Path(f"/proc/{self._holder.pid}/ns/net").open() as network:
            assert CDLL(None, use_errno=True).setns(network.fileno(), NEW_NETWORK) == 0


def origin(folder: Path) -> Path:
    """A repository with the files of this checkout, committed or not."""
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    folder.mkdir()
    for name in filter(None, names):
        source, target = ROOT / name, folder / name
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    commit(folder, "the version that is deployed")
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder."""
    git = ["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", message], check=True)
