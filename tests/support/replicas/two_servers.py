"""Several servers of one study on one database, killed and started again."""

from __future__ import annotations

import threading
from pathlib import Path

from support.server import ROOT, StudyServer


class Servers:
    """Use as a context manager; `urls` are those of all, whether they are up or not."""

    def __init__(
        self, folder: Path, database: str, count: int = 2, study: Path = ROOT / "study.toml", **environment: str
    ) -> None:
        self.servers = []
        for number in range(count):
            place = folder / f"server{number}"
            place.mkdir()
            server = StudyServer(place, study, STUDY_LOG_FORMAT="json", **environment)
            server.database = database
            self.servers.append(server)

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def __enter__(self) -> Servers:
        # One after another makes the tables; the rest together.
        self.servers[0].start()
        starts = [threading.Thread(target=server.start) for server in self.servers[1:]]
        for each in starts:
            each.start()
        for each in starts:
            each.join()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()

    def kill(self, number: int) -> None:
        self.servers[number].kill()

    def restart(self, number: int) -> None:
        self.servers[number].start()
