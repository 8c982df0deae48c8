"""Two people code programs on the board Coding through a browser, blind; a third settles; the report has kappa."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from support.browser.accessibility import findings
from support.browser.drawing import drawn
from support.server import StudyServer, wait_until_up
from support.trials.simulations import run
from support.trials.variant_study import variant_study

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.secrets.console_accounts import Account
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation import open_for_simulation

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

BUSY = 120_000
PASSWORD = "correct horse battery"
RATES = "[rehearsal.variants]\nreports = 0.0\nhacks = { variant = 1.0 }\nmistaken = 1.0\n[analysis]"


@pytest.fixture
def trial(tmp_path):
    """Simulated people who hack the variant, or report a task that can be done."""
    file = variant_study(tmp_path, **{"[analysis]": RATES})
    app, _ = run(tmp_path, file, participants=6)
    app.close()
    for name in ("eva", "finn", "gus"):
        Account(tmp_path / "var").set(PASSWORD, name, "full")
    return tmp_path, file


@pytest.fixture
def server(trial):
    folder, file = trial
    serving = StudyServer(folder, file, console=True).start()
    wait_until_up(f"{serving.console_url}/healthz")
    yield serving
    serving.stop()


class Coder:
    """A person at the part Programs."""

    def __init__(self, chromium, server: StudyServer, name: str) -> None:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(BUSY)
        self.page: Page = context.new_page()
        self.page.goto(f"{server.console_url}/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview", level=1)).to_be_visible(timeout=BUSY)
        self.page.goto(f"{server.console_url}/coding")
        expect(self.page.get_by_role("heading", name="Coding", level=1)).to_be_visible(timeout=BUSY)
        self.settle()
        for part in ("Simulated", "Programs"):
            self.page.get_by_role("radio", name=re.compile(part)).click()
            self.settle()

    def settle(self) -> None:
        drawn(self.page)
        self.page.wait_for_timeout(200)

    def left(self) -> int:
        said = self.page.get_by_text(re.compile(r"\d+ program\(s\) wait for you"))
        expect(said).to_be_visible(timeout=BUSY)
        return int(said.inner_text().split()[0])

    def code(self, name: str) -> None:
        waiting = self.left()
        self.page.get_by_role("radio", name=re.compile(f"^{name}")).first.locator("xpath=ancestor::label").click()
        self.settle()
        self.page.get_by_role("button", name="Save class").click()
        expect(self.page.get_by_text(f"{waiting - 1} program(s) wait for you")).to_be_visible(timeout=BUSY)
        self.settle()

    def text(self) -> str:
        return self.page.inner_text(".stMain")


def hidden(folder, file) -> list[str]:
    app = open_for_simulation(Settings(file, f"sqlite:///{folder}/study.db", folder, environment={}), 7)
    with app.context.registry.begin(write=False) as unit:
        names = [person.id for person in unit.participants()]
    app.close()
    return names


def test_two_code_blind_a_third_settles_and_the_report_has_kappa(trial, server, chromium):
    folder, file = trial
    eva, finn = Coder(chromium, server, "eva"), Coder(chromium, server, "finn")
    waiting = eva.left()
    assert waiting == finn.left() > 1
    secret = [*hidden(folder, file), "finn", "rules"]
    eva.page.mouse.move(0, 0)
    eva.settle()
    assert findings(eva.page) == [], findings(eva.page)
    eva.page.screenshot(path=f"{folder}/programs.png", full_page=True)
    for number in range(waiting):
        shown = eva.text()
        assert [name for name in secret[:-1] if name in shown] == []
        eva.code("special case")
        finn.code("special case" if number else "none")
    gus = Coder(chromium, server, "gus")
    expect(gus.page.get_by_role("heading", name="Disagreements")).to_have_count(0)
    # The board's first part of that name is about queries.
    gus.page.get_by_role("radio", name="Disagreements").last.click()
    gus.settle()
    expect(gus.page.get_by_role("heading", name="Disagreements")).to_be_visible(timeout=BUSY)
    assert not any(name in gus.text() for name in ("eva", "finn"))
    settling = gus.page.get_by_role("heading", name="Disagreements").locator("xpath=following::form[1]")
    form = settling if settling.count() else gus.page.locator("[data-testid=stForm]").last
    form.get_by_role("radio", name=re.compile("^special case")).first.locator("xpath=ancestor::label").click()
    gus.settle()
    gus.page.get_by_label("Reason").fill("It asks for the words of the example.")
    gus.page.get_by_role("button", name="Settle", exact=True).click()
    expect(gus.page.get_by_text("It asks for the words of the example.")).to_be_visible(timeout=BUSY)
    gus.page.screenshot(path=f"{folder}/settled.png", full_page=True)
    app = open_for_simulation(Settings(file, f"sqlite:///{folder}/study.db", folder, environment={}), 7)
    export(app.context, folder / "out", include_simulated=True)
    app.close()
    section = analyse(load(folder / "out"), include_simulated=True)["passing"]["coding"]
    assert (section["coded"], section["twice"], section["open"]) == (waiting, waiting, 0)
    assert section["people"]["eva and finn"]["kappa"] is not None
