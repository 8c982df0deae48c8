"""One real server for the tests of a file."""

from __future__ import annotations

import httpx
import pytest
from support.server import StudyServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = StudyServer(tmp_path_factory.mktemp("web")).start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
