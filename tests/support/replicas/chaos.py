"""Random kills of what a study runs on: servers, fork servers, programs under way, connections to the database."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
from support.replicas.two_servers import Servers
from support.server import free_port, wait_until_up

STICKY = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 2m;
  map $cookie_study_participant $who {{ "" $request_id; default $cookie_study_participant; }}
  upstream study {{ hash $who consistent; {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://study; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300s;
      proxy_set_header Host $http_host; proxy_connect_timeout 2s;
    }}
  }}
}}
"""


class StickyProxy:
    """nginx before several servers: each participant stays at one for as long as it is there."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        listed = " ".join(f"server 127.0.0.1:{each.port} max_fails=1 fail_timeout=2s;" for each in servers.servers)
        self._config = folder / "nginx.conf"
        self._config.write_text(STICKY.format(folder=folder, servers=listed, port=self.port))

    def __enter__(self) -> StickyProxy:
        self._process = subprocess.Popen(["nginx", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until_up(f"{self.url}/healthz")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


class Chaos:
    """Breaks one thing at a time.

    Args:
        servers: of one study.
        postgres: address of their database, as psycopg takes it.
        rng: draws what is broken.
    """

    def __init__(self, servers: Servers, postgres: str, rng: random.Random) -> None:
        self.servers, self.postgres, self.rng = servers, postgres, rng
        self.done: Counter[str] = Counter()
        self._starting: dict[int, threading.Thread] = {}

    def strike(self) -> str:
        """Break something that is there; its name, empty where nothing was."""
        kinds: list[Callable[[], str]] = [self._server, self._fork_server, self._program, self._connection]
        self.rng.shuffle(kinds)
        what = next(filter(None, (kind() for kind in kinds)), "")
        self.done[what] += 1
        return what

    def _server(self) -> str:
        """Kill one, while another is there; it comes back while the rest goes on."""
        there = [number for number in range(len(self.servers.servers)) if number not in self._starting]
        if len(there) < 2:
            return ""
        number = self.rng.choice(there)
        self.servers.kill(number)
        self._starting[number] = threading.Thread(target=self._restart, args=(number,))
        self._starting[number].start()
        return "server"

    def _restart(self, number: int) -> None:
        try:
            self.servers.restart(number)
        finally:
            del self._starting[number]

    def wait(self) -> None:
        """Wait until every server is back."""
        for thread in list(self._starting.values()):
            thread.join()

    def _forking(self) -> list[int]:
        """Fork servers and the programs below them, which are copies of theirs."""
        parents = [each.process.pid for each in self.servers.servers if each.process is not None]
        return [pid for parent in parents for pid in children(parent) if _runs_zygote(pid)]

    def _programs(self) -> list[int]:
        found = self._forking()
        return [pid for server in found for pid in children(server)]

    def _fork_servers(self) -> list[int]:
        return sorted(set(self._forking()) - set(self._programs()))

    def _fork_server(self) -> str:
        found = self._fork_servers()
        return "fork server" if found and _kill(self.rng.choice(found)) else ""

    def _program(self) -> str:
        programs = self._programs()
        return "program" if programs and _kill(self.rng.choice(programs)) else ""

    def _connection(self) -> str:
        query = (
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS one"
        )
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            return "connection" if connection.execute(query).fetchall() else ""


def children(parent: int) -> list[int]:
    """Every process below one, whichever thread started it."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            below.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, waiting = [], [parent]
    while waiting:
        more = below.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def _runs_zygote(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _kill(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
