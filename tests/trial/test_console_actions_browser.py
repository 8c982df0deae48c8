"""Each action of the console as a researcher presses it, in a real browser, and what participants see of it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from support.loopback_prolific import TOKEN, LoopbackProlific
from support.server import StudyServer, wait_until_up
from support.trials.waves import STUDY

from study_app.bootstrap import start
from study_app.secrets.console_accounts import Account
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PASSWORD = "correct horse battery"
TIMED = 'id = "now"\nkind = "survey"\nminutes = 30\n'
BONUS = 'bonus = [{{ per = "sessions_completed", amount = 2 }}]\ncodes = {{'
MARGIN = 60_000
"""Milliseconds that a page may take on a busy machine."""


class Trial:
    """A launched study of two sessions on a panel that plays Prolific here, with its console."""

    def __init__(self, folder, prolific: LoopbackProlific) -> None:
        file = folder / "study.toml"
        text = STUDY.replace("codes = {{", BONUS).format(entry="prolific")
        file.write_text(text.replace('id = "now"\nkind = "survey"\n', TIMED))
        self.prolific = prolific
        self.app = start(Settings(file, f"sqlite:///{folder}/study.db", folder / "var", environment={}))
        self.app.lifecycle.launch()
        for name in ("full", "monitor"):
            Account(folder / "var").set(PASSWORD, name, name)
        environment = {"STUDY_PROLIFIC_TOKEN": TOKEN, "STUDY_PROLIFIC_URL": prolific.address}
        self.server = StudyServer(folder, study=file, console=True, **environment).start()
        wait_until_up(f"{self.server.console_url}/healthz")

    def enter(self, name: str) -> str:
        """Take a person to the timed survey."""
        entry = EntryRequest(prolific_pid=name, prolific_session=f"{name}one", prolific_study="firststudy")
        who = self.app.enrol.enter(entry).participant.id
        self.app.session.consent(who, True)
        self.app.session.continue_(who, "instructions")
        self.app.session.where(who)
        return who

    def first_part(self, name: str) -> str:
        """Take a person to the wait for the second session."""
        who = self.enter(name)
        self.app.answers.submit_survey(who, "now", {"score_now": 5})
        return who

    def acts(self, who: str) -> list[str]:
        """What the audit log has of a person."""
        with self.app.context.registry.begin(write=False) as unit:
            return [entry.what for entry in unit.audit_of(participant_id=who)]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    with LoopbackProlific() as prolific:
        made = Trial(tmp_path_factory.mktemp("actions"), prolific)
        yield made
        made.app.close()
        made.server.stop()


class ConsoleBrowser:
    """A browser at the console."""

    def __init__(self, trial: Trial, chromium: Browser, name: str = "full") -> None:
        self.trial = trial
        self.context = chromium.new_context(viewport={"width": 1366, "height": 900})
        self.context.set_default_timeout(MARGIN)
        self.page: Page = self.context.new_page()
        self.page.goto(f"{trial.server.console_url}/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.sees(self.page.get_by_role("heading", name="Overview", level=1))

    def open(self, address: str) -> None:
        self.page.goto(f"{self.trial.server.console_url}/{address}")
        self.sees(self.page.locator("h1, h2").first)

    def sees(self, what: Locator | str) -> None:
        found = self.page.get_by_text(what).first if isinstance(what, str) else what
        expect(found).to_be_visible(timeout=MARGIN)

    def unfold(self, title: str) -> Locator:
        """Open the part with a title; what is in it."""
        part = self.page.get_by_test_id("stExpander").filter(has=self.page.get_by_text(title, exact=True)).first
        self.sees(part)
        part.locator("summary").click()
        return part

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, box: Locator, option: str) -> None:
        """Choose in a box; a part that is still unfolding closes a list that was opened meanwhile."""
        listed = self.page.get_by_role("option", name=option)
        expect(box).to_be_visible()
        while not listed.count():
            box.focus()
            self.page.keyboard.press("ArrowDown")
            self.page.wait_for_timeout(500)
        listed.first.click()

    def act(self, title: str, reason: str, button: str, said: str, prepare: Callable[[], object] | None = None) -> None:
        """Press the button without a reason, which is refused, then with one."""
        if title:
            self.unfold(title)
        if prepare is not None:
            prepare()
        self.press(button)
        self.sees(self.page.get_by_test_id("stAlert").filter(has_text="reason").first)
        self.fill(reason, f"because of {button}")
        if prepare is not None:
            prepare()
        self.press(button)
        self.sees(said)

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def console(trial, chromium):
    made = ConsoleBrowser(trial, chromium)
    yield made
    made.close()


def participant(trial: Trial, chromium: Browser, address: str) -> Page:
    """A participant's browser that opens an address of the study and presses Start."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(MARGIN)
    page = context.new_page()
    page.goto(trial.server.url + address)
    page.get_by_role("button", name="Start").click()
    return page


@pytest.mark.slow
def test_a_researcher_extends_pauses_resumes_and_writes_and_the_participant_sees_it(trial, console, chromium):
    who = trial.enter("anna")
    theirs = participant(trial, chromium, "/enter?PROLIFIC_PID=anna&SESSION_ID=annaone&STUDY_ID=firststudy")
    expect(theirs.get_by_text("How many?").first).to_be_visible(timeout=MARGIN)
    console.open(f"participants?who={who}")
    console.act("Extend the deadline", "Why more time?", "Extend", "was given more time")
    console.act("Pause", "Why a pause?", "Pause now", "was paused")
    expect(theirs.get_by_text("paused").first).to_be_visible(timeout=MARGIN)
    console.act("Resume after the pause", "Why resume now?", "Resume", "went on after a pause")
    expect(theirs.get_by_text("How many?").first).to_be_visible(timeout=MARGIN)
    console.act("Message on their pages", "Why this message?", "Show the message", "message to participant",
             lambda: console.fill("Message", "The office is closed on Friday."))  # fmt: skip
    theirs.reload()
    expect(theirs.get_by_text("The office is closed on Friday.")).to_be_visible(timeout=MARGIN)
    console.unfold("Note for researchers")
    console.fill("Note", "called about the date")
    console.press("Keep the note")
    console.sees("called about the date")
    theirs.context.close()
    assert trial.acts(who) == [
        "extend deadline", "pause participant", "resume participant", "message to participant", "note",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_link_of_the_console_lets_a_person_in_again_in_another_browser(trial, console, chromium):
    who = trial.enter("berta")
    console.open(f"participants?who={who}")
    console.act("Let in again", "Why a new link?", "Make the link", "/enter?move=")
    address = console.page.locator("code").filter(has_text="/enter?move=").inner_text()
    theirs = participant(trial, chromium, address.strip())
    expect(theirs.get_by_text("How many?").first).to_be_visible(timeout=MARGIN)
    theirs.context.close()


@pytest.mark.slow
def test_a_person_is_excluded_unblinded_ended_and_erased(trial, console):
    who = trial.enter("carla")
    console.open(f"participants?who={who}")
    console.act("", "Why exclude this participant from the analysis?", "Exclude", "because of Exclude")
    console.act("", "Why do you need this participant's arm?", "Unblind", f"{who} is in the arm")
    console.act("End the participation", "Why end it?", "End it", "left the study")

    def sure() -> None:
        # Streamlit's box lies below its label.
        console.page.get_by_text("Delete everything this person wrote").click()

    console.unfold("Erase the data")
    console.fill("Why erase them?", "asked by mail")
    console.press("Erase")
    assert "erase data" not in trial.acts(who), "without the confirmation nothing is erased"
    console.fill("Why erase them?", "asked by mail")
    sure()
    console.press("Erase")
    console.sees("had the data deleted")
    assert trial.acts(who) == ["exclude", "unblind", "end participation", "erase data"]


@pytest.mark.slow
def test_one_answer_is_erased_on_request(trial, console):
    who = trial.first_part("dora")
    console.open(f"participants?who={who}")
    part = console.unfold("Answers to surveys")
    console.choose(part.get_by_role("combobox"), "now: score_now")
    console.fill("Why erase it?", "asked by mail")
    console.press("Erase the answer")
    console.sees("had one answer erased")
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.answers(who) == []


@pytest.mark.slow
def test_a_stage_that_its_deadline_ended_is_reopened(trial, console):
    who = trial.enter("emil")
    now = trial.app.context.now()
    with trial.app.context.registry.begin() as unit:
        visit = unit.visit(who, "now")
        unit.extend_visit(who, "now", now - visit.deadline_at)
    trial.app.session.where(who)
    console.open(f"participants?who={who}")
    console.act("", "Why reopen it?", "Reopen the stage", "was let back into the stage")
    assert trial.app.session.peek(who).stage.id == "now"


@pytest.mark.slow
def test_people_are_found_sorted_and_seen_to_come_without_a_reload(trial, console):
    first = trial.enter("frida")
    console.open("participants")
    console.fill("Search", "frid")
    console.page.keyboard.press("Enter")
    row = console.page.get_by_role("table", name="Participants", exact=True).locator("tbody tr")
    expect(row).to_have_count(1, timeout=MARGIN)
    console.sees(console.page.get_by_role("table", name="Participants", exact=True).get_by_text(first))
    there = console.page.get_by_role("table", name="There now").locator("tbody tr").first.locator("td").nth(1)
    before = int(there.inner_text())
    trial.enter("gerda")
    expect(there).to_have_text(str(before + 1), timeout=MARGIN)
    console.fill("Search", "")
    console.page.keyboard.press("Enter")
    expect(row).not_to_have_count(1, timeout=MARGIN)
    console.choose(console.page.get_by_role("combobox", name=re.compile("Order")), "came as")
    expect(row.first).to_contain_text("anna" if row.filter(has_text="anna").count() else "", timeout=MARGIN)


@pytest.mark.slow
def test_while_recruitment_is_paused_newcomers_read_a_kind_page(trial, console, chromium):
    console.open("recruiting")
    console.act("Pause recruitment", "Why a pause?", "Pause", "newcomers read a kind page")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{trial.server.url}/enter?PROLIFIC_PID=hanna&SESSION_ID=hannaone&STUDY_ID=firststudy")
    if page.get_by_role("button", name="Start").count():
        page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("short break")).to_be_visible(timeout=MARGIN)
    console.act("Let newcomers in again", "Why go on?", "Go on", "open")
    context.close()
    participant(trial, chromium, "/enter?PROLIFIC_PID=hanna&SESSION_ID=hannaone&STUDY_ID=firststudy").context.close()


@pytest.mark.slow
def test_acts_on_prolific_are_shown_confirmed_and_settled(trial, console):
    trial.first_part("ida")
    waiting = {"id": "sub", "participant_id": "ida", "status": "AWAITING REVIEW"}
    trial.prolific.submissions["firststudy"] = [waiting]
    console.open("recruiting")
    with console.page.expect_download() as taken:
        console.page.get_by_role("link", name="Payments (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(taken.value.path().read_text())))
    assert ("ida", "main", "completed", "PARTONE", "2.00") in [
        (row["prolific_pid"], row["session"], row["status"], row["code"], row["bonus"]) for row in rows
    ]

    def carry_out(said: str) -> None:
        console.press("Show what would be done")
        console.page.get_by_text("Carry out these").click()
        console.press("Carry out")
        console.sees(console.page.get_by_role("table", name="Acts on Prolific").get_by_text(said, exact=True).first)

    carry_out("done")
    assert waiting["status"] == "APPROVED"
    trial.prolific.submissions["firststudy"] = [
        {"id": row["prolific_pid"], "participant_id": row["prolific_pid"], "status": "APPROVED"} for row in rows
    ]
    trial.prolific.silent.add("/pay/")
    console.page.get_by_role("radio", name="Pay bonuses").or_(
        console.page.get_by_role("button", name="Pay bonuses")
    ).click()
    carry_out("uncertain")
    trial.prolific.silent.clear()
    console.open("recruiting")
    console.sees("without an answer")
    while (open_acts := console.page.get_by_text("without an answer")).count():
        said = open_acts.inner_text()
        console.fill("Where you looked", "the list of bonuses")
        console.press("Record")
        expect(console.page.get_by_text(said, exact=True)).to_have_count(0, timeout=MARGIN)
    console.page.get_by_role("radio", name="Write").or_(console.page.get_by_role("button", name="Write")).click()
    console.fill("Message", "Thank you.")
    console.page.keyboard.press("Control+Enter")
    carry_out("done")
    assert ("ida", "Thank you.") in trial.prolific.messages


@pytest.mark.slow
def test_a_person_of_a_later_session_is_let_in_from_its_board(trial, console, chromium):
    who = trial.first_part("jana")
    console.open("sessions")
    console.sees(console.page.get_by_role("table", name="People due for a later session").get_by_text(who))
    part = console.unfold("Let one person back in")
    console.choose(part.get_by_role("combobox"), who)
    console.fill("Why?", "another computer")
    console.press("Make the link")
    address = console.page.locator("code").filter(has_text="/enter?move=").inner_text()
    theirs = participant(trial, chromium, address.strip())
    expect(theirs.get_by_text("PARTONE")).to_be_visible(timeout=MARGIN)
    theirs.context.close()


@pytest.mark.slow
def test_a_test_entry_of_the_console_leads_a_preview_in(trial, console, chromium):
    console.open("links")
    console.unfold("Test entry")
    console.page.get_by_label("Address of the participants' site").last.fill(trial.server.url)
    console.press("Make a test entry")
    address = console.page.locator("code").filter(has_text="/enter?test=").inner_text().strip()
    theirs = participant(trial, chromium, address.removeprefix(trial.server.url))
    expect(theirs.get_by_role("button", name="I agree")).to_be_visible(timeout=MARGIN)
    theirs.context.close()
    # A panel's study has no links: the board says so in a sentence.
    console.press("Make links")
    console.sees(console.page.get_by_test_id("stAlert").first)


@pytest.mark.slow
def test_accounts_are_made_used_and_taken_away(trial, console, chromium):
    console.open("people")
    console.fill("Name", "nina")
    console.press("Add, or give a new password")
    said = console.page.get_by_text("Password of nina")
    console.sees(said)
    password = said.locator("code").inner_text()
    answer = httpx.post(f"{trial.server.console_url}/login", data={"name": "nina", "password": password})
    assert answer.status_code == 303
    form = console.page.get_by_test_id("stForm").filter(has_text="Remove this account")
    console.choose(form.get_by_role("combobox"), "nina")
    console.press("Remove this account")
    expect(console.page.get_by_role("table", name="Accounts").get_by_text("nina")).to_have_count(0, timeout=MARGIN)
    answer = httpx.post(f"{trial.server.console_url}/login", data={"name": "nina", "password": password})
    assert answer.status_code == 401


@pytest.mark.slow
def test_every_file_of_the_board_downloads_is_taken(trial, console):
    console.open("downloads")
    for name, ending in (("Dataset (zip)", ".zip"), ("Enrolment (CSV)", ".csv"), ("Preregistration (text)", ".md"),
                         ("Preregistration (JSON)", ".json"), ("Audit log (CSV)", ".csv")):  # fmt: skip
        with console.page.expect_download() as taken:
            console.page.get_by_role("link", name=name).click()
        assert taken.value.suggested_filename.endswith(ending)
        if ending == ".zip":
            assert "manifest.json" in {
                path.rpartition("/")[2] for path in zipfile.ZipFile(taken.value.path()).namelist()
            }


@pytest.mark.slow
def test_the_results_of_a_launched_trial_are_computed_and_name_no_arm(trial, console):
    for name in ("kurt", "lisa", "mona", "nora"):
        trial.first_part(name)
    console.open("results")
    console.press("Compute results")
    expect(console.page.get_by_text("DRY RUN")).to_be_visible(timeout=300_000)
    console.sees(console.page.get_by_role("table", name="Sessions by group"))
    text = console.page.locator(".stMain").inner_text()
    assert not re.search(r"\b(plain|other)\b", text), text
