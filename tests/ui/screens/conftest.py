"""The short study of forms on its own server, and a page of a real browser."""

from __future__ import annotations

import pytest
from support.browser.form_page import FormPage
from support.server import StudyServer
from support.trials.form_study import write_form_study


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
