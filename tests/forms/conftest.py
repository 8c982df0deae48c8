"""The short study of forms on a server of its own, and a page of a real browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "trial"))

from form_page import FormPage  # noqa: E402
from form_study import write_form_study  # noqa: E402
from server import StudyServer  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    server = StudyServer(folder, write_form_study(folder, about_minutes=60)).start()
    yield server
    server.stop()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(60_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    yield page
    context.close()


@pytest.fixture
def person(server, page):
    return FormPage(server, page).start()
