"""What a browser fetches before the first word: packed, kept for ever, from one place of options."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.server import StudyServer
from support.trials.people import enter

from study_app.page_assets import addresses
from study_app.secrets.console_accounts import Account
from study_app.web.assets import best_coding

PASSWORD = "a long enough password"
HOSTILE = """
[server]
baseUrlPath = "elsewhere"
port = 9
enableAgentApi = true
[theme]
primaryColor = "#ff0000"
[client]
showErrorDetails = "full"
"""


def linked(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="\./([^"]+\.(?:js|css))"', page)


@pytest.fixture
def page(client):
    enter(client)
    return client.get("/").text


@pytest.mark.parametrize(("accepted", "coding"), [("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)])
def test_every_file_of_the_first_page_is_packed_and_kept_for_ever(client, page, accepted, coding):
    plain = {}
    for address in linked(page):
        answer = client.get(f"/{address}", headers={"Accept-Encoding": accepted})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        plain[address] = answer.headers.get("content-encoding")
    assert set(plain.values()) - {None} == {coding} - {None}


def test_a_packed_file_holds_the_same_bytes(client, page):
    for address in linked(page)[:8]:
        plain = client.get(f"/{address}", headers={"Accept-Encoding": "identity"}).content
        for coding in ("br", "gzip"):
            assert client.get(f"/{address}", headers={"Accept-Encoding": coding}).content == plain


def test_our_components_have_addresses_that_change_with_their_content(client):
    enter(client)
    for name, address in addresses().items():
        assert re.fullmatch(rf"assets/[0-9a-f]{{12}}/{name}", address)
        assert client.get(f"/{address}").headers["content-type"].startswith("text/javascript")
    assert client.get("/assets/000000000000/workspace.js").status_code == 404


@given(st.lists(st.tuples(st.sampled_from(["br", "gzip", "deflate", "*"]), st.sampled_from(["", ";q=0", "; q=0.5"]))))
def test_only_a_packing_that_the_browser_takes_is_sent(entries):
    allowed = {name for name, weight in entries if weight != ";q=0"}
    chosen = best_coding(", ".join(name + weight for name, weight in entries))
    assert chosen in (allowed & {"br", "gzip"} or {""})


def test_the_first_page_names_no_program_interface_and_fetches_no_font(client, page):
    assert "agent" not in page.lower()
    assert "service-desc" not in page
    assert 'rel="preload"' not in page
    assert "Loading the study" in page


@pytest.mark.parametrize("path", ["/_stcore/agent/openapi.json", "/_stcore/agent/mcp", "/index.html", "/anything"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_not_the_studys_is_404(client, path, method):
    enter(client)
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory):
    """A server whose user keeps their own options, at home and in the working directory."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit/config.toml").write_text(HOSTILE)
    Account(folder / "var").set(PASSWORD)
    server = StudyServer(folder, console=True, HOME=str(folder), STREAMLIT_SERVER_BASE_URL_PATH="elsewhere").start()
    yield server
    server.stop()


@pytest.mark.slow  # by default: every option, in test_streamlit_options.py
def test_a_users_own_streamlit_options_change_neither_app(hostile_home):
    with httpx.Client(base_url=hostile_home.url, timeout=30) as client:
        enter(client)
        assert client.get("/_stcore/health").text == "ok"
        assert client.get("/elsewhere/_stcore/health").status_code == 404
        assert client.get("/_stcore/agent/openapi.json").status_code == 404
    with httpx.Client(base_url=hostile_home.console_url, timeout=30) as client:
        wait_for(client)
        client.post("/login", data={"name": "admin", "password": PASSWORD})
        assert client.get("/_stcore/health").text == "ok"
        assert client.get("/elsewhere/_stcore/health").status_code == 404


def wait_for(console: httpx.Client, seconds: float = 60) -> None:
    """Until the console answers, which may start after the participants' app."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if console.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the console does not answer")


def test_the_options_stand_in_one_file():
    root = Path(__file__).parents[2]
    built = {".venv", "node_modules", "build"}
    found = [path for path in root.glob("**/.streamlit/config.toml") if not built & set(path.relative_to(root).parts)]
    assert found == [root / ".streamlit/config.toml"]
