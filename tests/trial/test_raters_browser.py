"""Two graders in the console through a browser: blind, corrected, settled, and how well they agree, to the report."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from support.browser.drawing import comes, committed, drawn
from support.server import StudyServer, wait_until_up
from support.trials.commands import study
from support.trials.console_trial import Trial
from support.trials.scripted_runs import Scripted

from analysis.report import wording
from study_app.domain.interaction.codes import ADJUDICATED
from study_app.secrets.console_accounts import Account

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

PASSWORD = "correct horse battery"
ANSWERS = 4
"""Of each question that no key scores; each grader rates three of those."""


@pytest.fixture
def trial(tmp_path):
    """A launched trial whose people gave answers that wait for a person."""
    made = Trial(tmp_path, launched=True)
    made.app.context.sandbox = Scripted()
    for number in range(ANSWERS):
        who = made.enter()
        made.to_tasks(who)
        made.finish(who, f"an answer of {number} that no key knows")
    made.app.scoring.score_pending()
    for name, role in (("eva", "grader"), ("finn", "grader"), ("anna", "full")):
        Account(tmp_path / "var").set(PASSWORD, name, role)
    yield made
    made.close()


@pytest.fixture
def server(trial):
    serving = StudyServer(trial.folder, study=trial.study_file, console=True).start()
    wait_until_up(f"{serving.console_url}/healthz")
    yield serving
    serving.stop()


class Grader:
    """A person at the board of grading."""

    def __init__(self, chromium, server: StudyServer, name: str, width: int) -> None:
        context = chromium.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(60_000)
        self.page: Page = context.new_page()
        self.page.goto(f"{server.console_url}/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
        self.page.goto(f"{server.console_url}/grading")
        expect(self.page.get_by_role("heading", name="Grading", level=1)).to_be_visible()

    def settle(self) -> None:
        # A page says that its script runs only some time after a click.
        self.page.wait_for_timeout(200)
        drawn(self.page)

    def part(self, name: str) -> None:
        self.settle()
        self.page.get_by_role("radio", name=name, exact=True).click()
        self.settle()

    def award(self, end: str) -> None:
        """Most points (`End`) or none (`Home`) for every criterion."""
        self.settle()
        criteria = self.page.get_by_role("radiogroup", name=re.compile(r"\(0 to "))
        expect(criteria.first).to_be_visible()
        for number in range(criteria.count()):
            # By its label, as with a mouse: the field itself lies under it.
            points = criteria.nth(number).locator("label")
            (points.last if end == "End" else points.first).click()
            self.settle()
        committed(self.page)

    def press(self, name: str) -> None:
        self.settle()
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def left(self) -> int:
        said = self.page.get_by_text(re.compile(r"\d+ to rate: "))
        expect(said).to_be_visible()
        return int(said.inner_text().split()[0])

    def rate(self, ends: list[str]) -> None:
        for end in ends:
            waiting = self.left()
            self.award(end)
            self.press("Save rating")
            rest = f"{waiting - 1} to rate: " if waiting > 1 else "Nothing to rate."
            expect(self.page.get_by_text(rest)).to_be_visible()

    def text(self) -> str:
        return self.page.inner_text(".stMain")


def ratings(trial: Trial) -> list:
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.ratings()


def wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def names_of_people(trial: Trial) -> list[str]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [person.id for person in unit.participants()]


def test_two_graders_rate_blind_correct_and_settle_and_console_and_report_show_their_agreement(trial, server, chromium):
    eva, finn = Grader(chromium, server, "eva", 1440), Grader(chromium, server, "finn", 1024)
    everything = eva.left()
    assert_blind(trial, eva, finn)
    eva.rate(["End"] * everything)
    finn.rate(["End" if number % 2 else "Home" for number in range(everything)])
    assert_blind(trial, eva, finn)
    correct(trial, eva)
    anna = Grader(chromium, server, "anna", 1024)
    settle(trial, anna)
    shown = agreement(anna)
    for grader in (eva, finn, anna):
        grader.page.context.close()
    assert_reported(trial, server, shown)


def assert_blind(trial: Trial, *graders: Grader) -> None:
    """No grader meets a person, an arm, a time or another grader, and nothing is cut off."""
    hidden = [*names_of_people(trial), "no_ai", "eva", "finn", "2026-"]
    for grader in graders:
        shown = grader.text()
        assert [name for name in hidden if name in shown] == []
        assert not wide(grader.page)


def correct(trial: Trial, eva: Grader) -> None:
    """An own rating is corrected, and both are kept."""

    def given() -> list:
        return [each for each in ratings(trial) if each.rater == "eva"]

    before = given()
    eva.part("Your ratings")
    expect(eva.page.get_by_text("rated by you.")).to_be_visible()
    eva.award("Home")
    eva.press("Correct rating")
    comes(eva.page, lambda: len(given()) > len(before), "the correction")
    after = given()
    assert len(after) == len(before) + 1
    assert {each.rating_id for each in before} <= {each.rating_id for each in after}


def settle(trial: Trial, anna: Grader) -> None:
    """A disagreement is settled with a reason and not without, by a person who does not learn who rated."""
    anna.part("Disagreements")
    expect(anna.page.get_by_text("to settle.")).to_be_visible()
    assert_blind(trial, anna)
    anna.award("End")
    anna.press("Settle")
    expect(anna.page.get_by_text("give a reason")).to_be_visible()
    anna.page.get_by_label("Reason").fill("names the nursery")
    anna.award("End")
    anna.press("Settle")
    comes(anna.page, lambda: ADJUDICATED in {each.rater for each in ratings(trial)}, "the decision")
    with trial.app.context.registry.begin(write=False) as unit:
        decision = next(entry for entry in unit.audit() if entry.what == "adjudicate")
        reason = next(each for each in unit.ratings() if each.rating_id == decision.detail["reason"])
    assert (decision.who, reason.value) == ("anna", "names the nursery")


def agreement(anna: Grader) -> str:
    """What the console says of it."""
    anna.part("Agreement")
    anna.settle()
    # On a busy machine the intervals take longer than any page may take to be drawn.
    anna.page.get_by_role("button", name="Compute agreement", exact=True).click()
    table = anna.page.get_by_role("table", name="Agreement of raters")
    expect(table).to_be_visible(timeout=240_000)
    shown = table.inner_text()
    assert all(name in shown for name in ("Kappa", "Alpha", "ICC", "All answers, in points"))
    assert not wide(anna.page)
    return shown


def assert_reported(trial: Trial, server: StudyServer, shown: str) -> None:
    """The analysis of the unsealed trial and its report have the figures of the console."""
    given = {"STUDY_DATABASE_URL": server.database}
    trial.app.lifecycle.close("enough")
    trial.app.lifecycle.unseal("done")
    study("export", trial.study_file, "--out", trial.folder / "data", cwd=trial.folder, **given)
    study("analyze", trial.folder / "data", "--out", trial.folder / "out", cwd=trial.folder)
    points = json.loads((trial.folder / "out" / "results.json").read_text())["agreement"]["points"]
    assert (points["raters"], points["corrected"], points["settled"]) == (2, 1, 1)
    page = (trial.folder / "out" / "report.html").read_text(encoding="utf-8")
    for name in ("kappa", "krippendorff_alpha", "icc"):
        figure = points[name]
        assert f"{figure['value']:.2f} [{figure['ci_low']:.2f}, {figure['ci_high']:.2f}]" in shown
        # Which answers a grader meets in turn is drawn, and with it the sign, which the report writes as a true minus.
        assert wording.number(figure["value"]) in page
