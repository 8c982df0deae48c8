"""Lets the tests of this folder share a server and a browser, which they start only when asked for."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def component_server(tmp_path_factory):
    from support.browser.component_browser import Server

    server = Server(tmp_path_factory.mktemp("components"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def person(component_server, chromium):
    """A new participant, whose browser is closed afterwards."""
    from support.browser.component_browser import Person

    arrived = Person.arrive(chromium, component_server)
    yield arrived
    arrived.context.close()
