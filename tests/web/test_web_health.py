"""The server says that it is well only while it can write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest
from support.server import StudyServer


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this account may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_on_a_full_disk_the_server_is_not_well_and_recovers_by_itself(small_disk, tmp_path):
    server = StudyServer(tmp_path)
    server.database = f"sqlite:///{small_disk}/study.db"
    server.start()
    try:
        assert httpx.get(f"{server.url}/healthz", timeout=30).json()["status"] == "ok"
        fill(small_disk / "ballast")
        answer = until(server, 503)
        assert answer.json() == {"status": "failing", "error": "nothing can be written now; see the server's log"}
        (small_disk / "ballast").unlink()
        assert until(server, 200).json()["status"] == "ok"
    finally:
        server.stop()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


def until(server: StudyServer, status: int) -> httpx.Response:
    """The first answer with that status; a look is kept for two seconds."""
    import time

    end = time.monotonic() + 60
    while (answer := httpx.get(f"{server.url}/healthz", timeout=60)).status_code != status:
        assert time.monotonic() < end, answer.text
        time.sleep(0.3)
    return answer
