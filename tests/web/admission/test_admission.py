"""Every address of Streamlit's and of ours, by every method, for strangers: only what a newcomer needs is given."""

from __future__ import annotations

import time
from unittest.mock import MagicMock

import httpx
import pytest
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes
from support.server import StudyServer
from support.trials.people import enter
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from study_app.secrets.console_accounts import Account
from study_app.web.assets import FILES
from study_app.web.operating import pages
from study_app.web.routes import (
    acts,
    anchor,
    answers,
    author,
    chat,
    events,
    picture,
    reminders,
    runs,
)
from study_app.web.routes import enter as entry
from study_app.web.routes.researcher import console, console_files

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
SOME = ("GET", "HEAD", "POST", "OPTIONS")
"""Where requests are many: all of one address share a bucket."""
PASSWORD = "a long enough password"
OURS = [
    each
    for part in (acts, anchor, answers, author, chat, entry, events, pages, reminders, runs)
    for each in part.ROUTES
]
THE_CONSOLES = [each for part in (console, console_files, picture) for each in part.ROUTES]
NOWHERE = (
    "/static/x", "/static/", "/static", "/static/js/../../index.html", "/static/%2e%2e/index.html", "/index.html",
    "/manifest.json", "/favicon.png", "/app/static/x", "/_stcore", "/_stcore/", "/assets/000000000000/workspace.js",
    "/anything", "/.streamlit/config.toml", "/docs", "/participants", "/participants/_stcore/health",
    "/component", "/media", "/vendor/x.js", "/STATIC/x", "/enter/", "/healthz/x", "/i/", "/i/a/b", "/i/static/x",
)  # fmt: skip
"""What neither app has, or has for those who are known."""
NOT_KNOWN = (
    {},
    {"Cookie": "study_participant=invented; study_console=invented"},
    {"Origin": "https://elsewhere.example"},
)


def streamlits() -> list[str]:
    """Every path of the installed Streamlit, with something in the places of its parameters."""
    return [route.path for route in create_streamlit_routes(MagicMock()) if getattr(route, "path", None)]


def addresses(routes) -> list[str]:
    """Every address to try: Streamlit's, ours, files that are there, and what should lead nowhere."""
    files = sorted(FILES.table)
    some = {f"/{address}" for address in (*files[::120], *(each for each in files if each.startswith("assets/")))}
    found = {*streamlits(), *(route.path for route in routes), *NOWHERE, *some, "/"}
    return sorted(path.replace("{", "").replace("}", "").replace(":path", "").replace(":str", "") for path in found)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    Account(folder / "var").set(PASSWORD)
    server = StudyServer(folder, console=True).start()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            httpx.get(f"{server.console_url}/healthz")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield server
    server.stop()


def given(url: str, paths: list[str], headers: dict[str, str], methods=METHODS) -> dict[tuple[str, str], int]:
    """What is answered with anything but a refusal."""
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        answers = {(how, path): client.request(how, path).status_code for path in paths for how in methods}
    assert not {at: status for at, status in answers.items() if status in (429, 500, 502)}
    return {at: status for at, status in answers.items() if status < 400}


def readable(*paths: str) -> set[tuple[str, str]]:
    return {(method, path) for path in paths for method in ("GET", "HEAD")}


@pytest.mark.parametrize("headers", NOT_KNOWN)
def test_a_stranger_is_given_the_welcome_page_its_files_and_the_ways_in(both, headers):
    paths = [path for path in addresses(OURS) if path != "/enter"]
    found = given(both.url, paths, headers, METHODS if not headers else SOME)
    welcome = httpx.get(f"{both.url}/").text
    files = [path for path in paths if path.startswith(("/static/", "/assets/")) and f'"./{path[1:]}"' in welcome]
    assert files
    assert set(found) == readable("/", "/healthz", "/readyz", "/metrics", "/no-reminders", "/i/secret", *files)


def test_a_refused_request_makes_no_cookie_known(both):
    """A foreign origin is refused before the cookie is looked up."""
    cookie = {"Cookie": "study_participant=refused"}
    refused = httpx.post(f"{both.url}/api/events", headers=cookie | NOT_KNOWN[2], json={})
    assert refused.status_code == 403
    assert httpx.get(f"{both.url}/_stcore/health", headers=cookie).status_code == 401


def test_the_ways_in_take_a_visit_and_a_press_from_this_site_only(both):
    assert set(given(both.url, ["/enter"], {})) == {*readable("/enter"), ("POST", "/enter")}
    assert set(given(both.url, ["/enter"], NOT_KNOWN[2])) == readable("/enter")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("headers", NOT_KNOWN)
def test_a_stranger_is_given_the_consoles_form_and_nothing_else(both, headers):
    found = given(both.console_url, [path for path in addresses(THE_CONSOLES) if path != "/login"], headers)
    assert set(found) == readable("/healthz")
    assert set(given(both.console_url, ["/login"], headers, METHODS[3:])) == set()


def test_a_participant_is_given_what_the_page_needs_and_nothing_else_of_streamlit(both):
    with httpx.Client(base_url=both.url) as client:
        enter(client)
        cookie = {"Cookie": f"study_participant={client.cookies['study_participant']}"}
    paths = [path for path in addresses([]) if not path.startswith(("/static/", "/assets/"))]
    found = given(both.url, paths, cookie)
    wanted = ("/", "/_stcore/host-config", "/_stcore/health", "/favicon.png")
    assert set(found) == readable(*wanted)
    assert set(given(both.url, paths, cookie | NOT_KNOWN[2], METHODS[2:3])) == set()


def test_a_researcher_is_given_the_boards_and_nothing_else_of_streamlit(both):
    with httpx.Client(base_url=both.console_url) as client:
        client.post("/login", data={"name": "admin", "password": PASSWORD})
        cookie = {"Cookie": f"study_console={client.cookies['study_console']}"}
    paths = [path for path in addresses([]) if not path.startswith(("/static/", "/assets/"))]
    found = given(both.console_url, paths, cookie)
    wanted = ("/", "/participants", "/_stcore/host-config", "/_stcore/health", "/favicon.png")
    assert set(found) == readable(*wanted)
    elsewhere = cookie | NOT_KNOWN[2]
    refused = httpx.post(f"{both.console_url}/picture/api/events", headers=elsewhere, json={"events": []})
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/_stcore/stream", "/", "/enter", "/_stcore/other", "/api/events", "/auth/login"])
@pytest.mark.parametrize("headers", [*NOT_KNOWN, {"Origin": "SELF"}, {"Origin": "SELF"} | NOT_KNOWN[1]])
def test_no_websocket_opens_for_a_stranger(both, path, headers):
    for url in (both.url, both.console_url):
        sent = {name: value.replace("SELF", url) for name, value in headers.items()}
        with pytest.raises(InvalidStatus) as refused:
            connect(url.replace("http", "ws") + path, additional_headers=sent, open_timeout=30, proxy=None)
        assert refused.value.response.status_code == 403


def test_the_consoles_websocket_opens_to_its_own_pages_only(both):
    with httpx.Client(base_url=both.console_url) as client:
        client.post("/login", data={"name": "admin", "password": PASSWORD})
        cookie = {"Cookie": f"study_console={client.cookies['study_console']}"}
    address = both.console_url.replace("http", "ws") + "/_stcore/stream"
    for origin in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus):
            connect(address, additional_headers=cookie | origin, open_timeout=30, proxy=None)
    with connect(address, additional_headers=cookie | {"Origin": both.console_url}, open_timeout=30, proxy=None):
        pass
