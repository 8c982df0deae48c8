"""The console over HTTP, a separate process beside the participants' app: door, lockout, files; and in a browser."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
import urllib.request
import zipfile
from pathlib import Path

import httpx
import pytest
from console_room import PASSWORD, Account, Trial, busy
from playwright.sync_api import expect
from support.server import StudyServer
from support.warm_processes import run_study


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door")
    trial = Trial(folder)
    busy(trial, 6)
    trial.close()
    accounts = Account(folder / "var")
    for name, role in (
        ("admin", "full"),
        ("mona", "monitor"),
        ("gert", "grader"),
        ("locked", "monitor"),
        ("iris", "monitor"),
        ("paula", "grader"),
    ):
        accounts.set(PASSWORD, name, role)
    server = StudyServer(folder, study=trial.study_file, console=True).start()
    for _ in range(2400):
        try:
            with urllib.request.urlopen(f"{server.console_url}/healthz", timeout=2):
                break
        except OSError:
            time.sleep(0.1)
    yield server
    server.stop()


def browser_of(console, name: str = "admin") -> httpx.Client:
    """A person who is signed in."""
    client = httpx.Client(base_url=console.console_url)
    answer = client.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303
    return client


@pytest.mark.parametrize(
    "path", ["/", "/participants", "/_stcore/host-config", "/download/enrolment.csv", "/api/replay/x"]
)
def test_nothing_is_given_to_somebody_who_is_not_signed_in(console, path):
    answer = httpx.get(console.console_url + path)
    assert (answer.status_code, answer.json()) == (401, {"error": "sign in to the console first"})
    page = httpx.get(console.console_url + path, headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")


def test_a_made_up_cookie_opens_nothing(console):
    assert httpx.get(console.console_url + "/", cookies={"study_console": "x" * 43}).status_code == 401


@pytest.mark.slow
def test_a_cookie_of_another_site_on_this_host_signs_nobody_out(console):
    own = f"study_console={browser_of(console).cookies['study_console']}"
    for others in ('g_state={"i_l":0}', "a=b c", 'a="x', "a[b]=1", "expires=never", "=x", "caf\xe9=\xe9", "a=1,2", "x"):
        for cookies in (f"{others}; {own}", f"{own}; {others}"):
            headers = {"cookie": cookies.encode("latin-1"), "accept": "text/html"}
            assert httpx.get(f"{console.console_url}/participants", headers=headers).status_code == 200, cookies
            assert httpx.get(f"{console.console_url}/login", headers=headers).status_code == 303, cookies


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console):
    answer = httpx.post(console.console_url + "/login", data={"name": "admin", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert PASSWORD not in cookie


def test_a_wrong_password_is_401_and_too_many_lock_that_name(console):
    for _ in range(5):
        answer = httpx.post(console.console_url + "/login", data={"name": "locked", "password": "wrong password"})
        assert answer.status_code == 401
    answer = httpx.post(console.console_url + "/login", data={"name": "locked", "password": PASSWORD})
    assert answer.status_code == 429
    assert "too many wrong passwords" in answer.text


@pytest.mark.slow
def test_a_failed_sign_in_is_in_the_audit_log_and_tells_no_stranger_which_names_there_are(console):
    answers = []
    for name in ("iris", "no.such.person"):
        form = {"name": name, "password": "wrong password"}
        tries = [httpx.post(console.console_url + "/login", data=form, timeout=60) for _ in range(6)]
        answers.append([answer.status_code for answer in tries])
    assert answers[0] == answers[1] == [401] * 5 + [429]
    rows = list(csv.DictReader(io.StringIO(browser_of(console).get("/download/audit.csv").text)))
    failed = [(row["who"], json.loads(row["detail"])["why"]) for row in rows if row["what"] == "sign in failed"]
    assert ("iris", "wrong name or password") in failed
    assert ("iris", "locked out") in failed
    assert ("(no account)", "wrong name or password") in failed
    assert "no.such.person" not in json.dumps(rows)


def test_another_site_cannot_sign_anybody_in(console):
    headers = {"origin": "https://elsewhere.example"}
    answer = httpx.post(console.console_url + "/login", data={"name": "admin", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403


def test_signing_out_ends_the_session_on_the_server(console):
    client = browser_of(console)
    cookies = dict(client.cookies)
    assert client.get("/download/enrolment.csv").status_code == 200
    client.post("/logout")
    assert httpx.get(console.console_url + "/download/enrolment.csv", cookies=cookies).status_code == 401


def test_signing_out_takes_away_what_an_identity_provider_said_as_well(console):
    client = browser_of(console)
    assert client.get("/logout").headers["location"] == "/login"
    client = browser_of(console)
    client.cookies.set("_streamlit_user_tokens", "a part of it")
    assert client.get("/logout").headers["location"] == "/auth/logout"


@pytest.mark.browser
@pytest.mark.slow
def test_everybody_can_change_their_own_password_and_no_other_browser_stays_signed_in(console, chromium):
    elsewhere = browser_of(console, "paula")
    page = chromium.new_page()
    page.goto(console.console_url)
    page.get_by_label("Name").fill("paula")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Change password").click(timeout=60_000)
    said = {
        ("a wrong password", "a better password", "a better password"): "not the present password",
        (PASSWORD, "a better password", "a bitter password"): "not the same",
        (PASSWORD, "short", "short"): "at least 10",
    }
    for entered, problem in said.items():
        for label, text in zip(("Present password", "New password, of", "New password again"), entered, strict=True):
            page.get_by_label(label).fill(text)
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_role("alert")).to_contain_text(problem)
    for label, text in (
        ("Present", PASSWORD),
        ("New password, of", "a better password"),
        ("again", "a better password"),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=60_000)
    page.close()
    assert elsewhere.get("/").status_code == 401
    form = {"name": "paula", "password": PASSWORD}
    assert httpx.post(console.console_url + "/login", data=form).status_code == 401
    rows = csv.DictReader(io.StringIO(browser_of(console).get("/download/audit.csv").text))
    assert [row["who"] for row in rows if row["what"] == "change password"] == ["paula"]


def test_a_password_is_changed_by_its_owner_on_this_site_only(console):
    form = {"before": PASSWORD, "password": "another password", "again": "another password"}
    assert httpx.post(console.console_url + "/password", data=form).status_code == 401
    elsewhere = {"origin": "https://elsewhere.example"}
    assert browser_of(console, "mona").post("/password", data=form, headers=elsewhere).status_code == 403
    assert browser_of(console, "mona").get("/password", headers={"accept": "text/html"}).status_code == 200


def test_a_wrong_present_password_is_in_the_audit_log(console):
    form = {"before": "not this one", "password": "another password", "again": "another password"}
    assert browser_of(console, "mona").post("/password", data=form, timeout=60).status_code == 400
    rows = list(csv.DictReader(io.StringIO(browser_of(console).get("/download/audit.csv").text)))
    failed = [(row["who"], json.loads(row["detail"])["why"]) for row in rows if row["what"] == "sign in failed"]
    assert ("mona", "wrong present password at a change of it") in failed


def test_roles_hold_on_every_file(console):
    wanted = {
        "/download/enrolment.csv": {"admin": 200, "mona": 200, "gert": 403},
        "/download/audit.csv": {"admin": 200, "mona": 200, "gert": 403},
        "/download/dataset.zip": {"mona": 403, "gert": 403},
        "/api/replay/unknown": {"admin": 404, "mona": 403, "gert": 403},
    }
    people = {name: browser_of(console, name) for name in ("admin", "mona", "gert")}
    for path, answers in wanted.items():
        for name, status in answers.items():
            assert people[name].get(path).status_code == status, (path, name)


def test_the_dataset_of_the_console_is_that_of_the_command_line_byte_for_byte(console, tmp_path):
    client = browser_of(console)
    answer = client.get("/download/dataset.zip?preview=1&format=dta", timeout=300)
    assert answer.status_code == 200, answer.text
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path / "console")
    (packed,) = (tmp_path / "console").iterdir()
    command = ["export", str(console.study), "--out", "exported", "--include-preview", "--format", "dta"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STUDY_", "ANTHROPIC_"))}
    environment |= {"STUDY_VAR": str(console.folder / "var"), "STUDY_DATABASE_URL": console.database}
    done = run_study(command, cwd=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    written = tmp_path / "exported"
    assert data_of(packed) == data_of(written)
    (answers,) = written.glob("data/*-answers_data.csv")
    with answers.open(newline="", encoding="utf-8") as handle:
        scored = [row for row in csv.DictReader(handle) if row["bank"] and row["scored_by"] == "key"]
    assert scored
    assert all(row["points"] for row in scored)
    kept = [
        row for row in csv.DictReader(io.StringIO(client.get("/download/audit.csv").text)) if row["what"] == "export"
    ]
    digests = [hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() for folder in (packed, written)]
    assert [json.loads(row["detail"])["manifest_sha256"] for row in kept] == digests
    assert [json.loads(row["detail"])["via"] for row in kept] == ["console", "command line"]


def test_a_format_that_is_none_is_refused(console):
    answer = browser_of(console).get("/download/dataset.zip?format=pdf")
    assert answer.status_code == 400
    assert "use one of csv, parquet, xlsx, sav, dta" in answer.text


def data_of(dataset: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((dataset / "data").iterdir())}


def test_before_launch_there_is_no_preregistration_to_take(console):
    assert browser_of(console).get("/download/prereg.md").status_code == 409


REMEMBERS = """(node, text) => {
  const root = node.getRootNode()
  new MutationObserver(() => {
    const program = root.querySelector('[aria-label="Program"]')
    if (program !== null && program.textContent.includes(text)) window.seen = true
  }).observe(root, { subtree: true, childList: true, characterData: true })
}"""
"""At sixty times its speed a program may be there and gone between two looks of a busy machine."""


@pytest.mark.browser
def test_a_researcher_signs_in_reloads_and_plays_a_session(console, chromium):
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1366, "height": 768})
    page.on("pageerror", lambda problem: errors.append(str(problem)))
    page.on("request", lambda request: errors.append(request.url) if "127.0.0.1" not in request.url
            and request.url.startswith("http") else None)  # fmt: skip
    page.goto(console.console_url)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=60_000)
    page.reload()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_role("heading", name="Replay")).to_be_visible(timeout=30_000)
    page.locator("[data-testid=stSelectbox] input").click()
    page.get_by_role("option").first.click()
    program = page.get_by_label("Program")
    expect(program).to_be_visible(timeout=30_000)
    page.get_by_label("Speed").select_option("60")
    program.evaluate(REMEMBERS, "open_nursery")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => window.seen === true", timeout=30_000)
    page.get_by_label("Time", exact=True).focus()
    page.keyboard.press("Home")
    expect(program).not_to_contain_text("open_nursery")
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.close()
    assert not errors


@pytest.mark.browser
@pytest.mark.slow
def test_every_board_opens_without_an_error_and_within_the_policy_of_its_page(console, chromium, tmp_path):
    """What the policy refuses fails every test with Chromium, see conftest."""
    errors: list[str] = []
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.on("pageerror", lambda problem: errors.append(str(problem)))
    page.goto(console.console_url)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links.first).to_be_visible(timeout=60_000)
    titles = links.all_inner_texts()
    assert len(titles) > 8
    for number, title in enumerate(titles):
        links.nth(number).click()
        expect(page.locator("h1").first).to_be_visible(timeout=60_000)
        for unfinished in ("stStatusWidget", "stSkeleton"):
            expect(page.get_by_test_id(unfinished)).to_have_count(0, timeout=60_000)
        page.screenshot(path=tmp_path / f"{number:02}-{title.strip()}.png", full_page=True)
        expect(page.get_by_test_id("stException")).to_have_count(0)
    page.close()
    assert not errors


@pytest.mark.slow
def test_the_console_ends_when_the_app_that_started_it_is_killed(tmp_path):
    server = StudyServer(tmp_path, console=True).start()
    address = f"{server.console_url}/healthz"
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            break
        except OSError:
            time.sleep(0.1)
    server.kill()
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            return
        time.sleep(0.1)
    pytest.fail("the console outlived its parent")
