"""Each board for each role, in each state that matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console_room import ConsoleUser, Trial, busy, drawn, shown, work
from streamlit.testing.v1 import AppTest
from support.providers.fake_provider import MODEL, FakeProvider, described

from study_app.bootstrap import install
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.exporting.text_review import TextReviews
from study_app.services.researcher.interim.looks import DueLook
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.monitoring import Monitor

pytestmark = pytest.mark.usefixtures("main_module")

BOARDS = (
    "overview participants replay grading verdicts coding links sessions allocation downloads audit accounts protocol "
    "recruiting releasing.texts reporting.results".split()
)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("console"), launched=True)
    made.people = busy(made, 6)
    made.with_assistant = made.someone_in("ai")
    work(made, made.with_assistant)
    yield made
    made.close()


@pytest.fixture
def board(trial, monkeypatch):
    """Draws a board for one person."""

    def draw(name: str, role: str = "full", who: str = "anna", app=trial.app) -> AppTest:
        install(app)
        monkeypatch.setenv("TEST_BOARD", name)
        monkeypatch.setenv("TEST_PERSON", f"{who} {role}")
        page = drawn(name).run()
        assert not page.exception
        return page

    return draw


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_draws_without_an_error(board, name):
    board(name)


@pytest.mark.parametrize(
    "name",
    "overview participants downloads links audit recruiting sessions reporting.results".split(),
)
def test_before_unsealing_no_board_for_monitors_names_an_arm(board, name):
    text = shown(board(name, "monitor"))
    for word in ("no_ai", "AI assistant", "No assistant", "stratum_", "arm_a"):
        assert word not in text


def button(page: AppTest, label: str):
    return next(each for each in page.button if each.label == label)


def test_the_page_of_a_participant_extends_notes_and_messages_and_the_acts_stand_on_it(board, trial):
    who = trial.people[1]
    page = board("participants", "monitor")
    page.selectbox(key="act_on").select(who).run()
    page.text_area(key="note_text").input("asked by mail about the date")
    button(page, "Keep the note").click().run()
    page.text_area(key="message_text").input("The server is back.")
    page.text_input(key="message_reason").input("outage")
    button(page, "Show the message").click().run()
    text = shown(page)
    for part in ("asked by mail about the date", "message to participant", "outage", "agreed to take part"):
        assert part in text
    assert trial.app.session.message(who) == "The server is back."
    for word in ("no_ai", "AI assistant", "No assistant", "stratum_"):
        assert word not in text


def test_every_act_on_a_participant_is_a_form_that_asks_for_a_reason_and_is_recorded(board, trial):
    who = trial.enter()
    trial.to_warmup(who)
    page = board("participants", "full")
    page.selectbox(key="act_on").select(who).run()
    for label, reason in (("Extend", "extend"), ("Pause now", "pause"), ("Make the link", "let_in"), ("End it", "end")):
        button(page, label).click().run()
        assert "reason" in page.error[0].value
        page.text_input(key=f"{reason}_reason").input(f"because of {reason}")
        button(page, label).click().run()
        assert not page.error
        if label == "Pause now":
            page.text_input(key="pause_reason").input("all clear")
            button(page, "Resume").click().run()
    page.text_input(key="erase_reason").input("asked by mail")
    page.checkbox(key="erase_sure").check()
    button(page, "Erase").click().run()
    assert "Erase" not in {each.label for each in page.button}
    with trial.app.context.registry.begin(write=False) as unit:
        acts = [entry.what for entry in unit.audit_of(participant_id=who)]
    assert acts == [
        "extend deadline", "pause participant", "resume participant", "let in again", "end participation", "erase data",
    ]  # fmt: skip


def test_a_monitor_gets_no_link_that_leads_in_as_a_participant(board, trial):
    page = board("participants", "monitor")
    page.selectbox(key="act_on").select(trial.people[1]).run()
    assert "Make the link" not in {each.label for each in page.button}
    assert "Extend" in {each.label for each in page.button}


def test_answers_and_their_erasure_are_for_those_who_may_see_work(board, trial):
    who = trial.people[1]
    page = board("participants", "monitor")
    page.selectbox(key="act_on").select(who).run()
    assert "Erase the answer" not in {each.label for each in page.button}
    page = board("participants", "full")
    page.selectbox(key="act_on").select(who).run()
    chosen = page.selectbox(key="erase_answer_which")
    assert not any("python_over_a_year" in option for option in chosen.options)
    chosen.select(chosen.options[0])
    page.text_input(key="erase_answer_reason").input("asked by mail")
    button(page, "Erase the answer").click().run()
    assert "erase answer" in shown(page)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_results_of_a_launched_trial_are_a_dry_run_that_names_no_arm(board):
    page = board("reporting.results", "monitor")
    button(page, "Compute results").click().run(timeout=500)
    assert not page.exception
    text = shown(page)
    assert "DRY RUN" in text
    assert "Primary" in text
    for word in ("no_ai", "AI assistant", "No assistant", "stratum_"):
        assert word not in text


def test_recruitment_is_paused_from_its_board_and_monitors_see_no_payments(board, trial):
    page = board("recruiting", "monitor")
    assert "Payments" not in shown(page)
    page.text_input(key="recruitment_reason").input("a bug")
    button(page, "Pause").click().run()
    assert "kind page" in shown(page)
    page.text_input(key="recruitment_reason").input("fixed")
    button(page, "Go on").click().run()
    assert trial.app.recruiting.view().paused_since is None
    assert "Payments (CSV)" in shown(board("recruiting", "full"))


def test_texts_wait_for_unsealing_and_are_then_released_one_by_one(board, trial, tmp_path_factory):
    assert "once the study is unsealed" in shown(board("releasing.texts"))
    draft = Trial(tmp_path_factory.mktemp("release"))
    work(draft, busy(draft, 1)[0])
    page = board("releasing.texts", app=draft.app)
    reviews = TextReviews(draft.app.context)
    first = reviews.lines("preview")[0].cell
    assert first.text[:20] in shown(page)
    button(page, "Release").click().run()
    assert next(line for line in reviews.lines("preview") if line.cell == first).released is True
    draft.close()


def test_an_exclusion_needs_a_reason_and_is_recorded(board, trial):
    who = trial.people[0]
    page = board("participants", "monitor")
    page.selectbox(key="act_on").select(who).run()
    button(page, "Exclude").click().run()
    assert "reason" in page.error[0].value
    page.text_input(key="exclude_reason").input("double participation")
    button(page, "Exclude").click().run()
    (entry,) = [entry for entry in Monitor(trial.app.context).audit() if entry.what == "exclude"]
    assert (entry.who, entry.why, entry.detail["participant_id"]) == ("anna", "double participation", who)


def test_who_excludes_a_person_whose_data_are_deleted_reads_that_the_reason_is_not_kept(board, tmp_path):
    made = Trial(tmp_path, launched=True)
    stays, gone = made.enter(), made.enter()
    made.app.session.withdraw(gone, True)
    page = board("participants", "monitor", app=made.app)
    for who in (stays, gone):
        page.selectbox(key="act_on").select(who).run()
        said = any("the reason is not" in each.value for each in page.caption)
        assert said is (who == gone)
    made.close()


def test_a_monitor_cannot_unblind_and_who_does_is_listed(board, trial):
    who = trial.with_assistant
    page = board("participants", "monitor")
    page.selectbox(key="act_on").select(who).run()
    assert not {"Unblind", "End it", "Erase"} & {each.label for each in page.button}
    page = board("participants", "full", "ben")
    page.selectbox(key="act_on").select(who).run()
    page.text_input(key="unblind_reason").input("adverse event")
    button(page, "Unblind").click().run()
    assert "arm ai" in page.info[0].value
    assert "ben" in [name for name, _, _ in Monitor(trial.app.context).unblinded()]


def test_a_replay_of_a_real_person_opens_only_after_it_is_recorded(board, trial):
    who = trial.people[5]
    page = board("replay", who="carl")
    page.selectbox(key="replay_of:real").select(who).run()
    assert "unblinded" in page.warning[0].value
    page.button(key=f"open:{who}").click().run()
    assert not page.warning
    assert Monitor(trial.app.context).is_unblinded("carl", f"replay {who}")


def test_queries_are_coded_one_by_one_after_the_look_is_recorded(board, trial):
    page = board("coding", who="dora")
    page.button(key="open_queries").click().run()
    before = Codings(trial.app.context).queries_for("dora", "real")
    page.checkbox[0].check()
    page.button[0].click().run()
    after = Codings(trial.app.context).queries_for("dora", "real")
    assert len(after) == len(before) - 1
    with trial.app.context.registry.begin(write=False) as unit:
        (rating,) = [rating for rating in unit.ratings() if rating.rater == "dora"]
    assert (rating.object, rating.rubric, rating.value) == (f"turn:{before[0].turn_id}", "codes", "explanation")


def test_a_tone_is_coded_without_what_is_around_the_text(board, trial):
    Monitor(trial.app.context).record_unblinding("tora", "queries", "real")
    page = board("coding", who="tora")
    page.segmented_control(key="coding_part").set_value("Tone").run()
    assert "wait for you" in shown(page)
    page.radio[0].set_value("polite")
    page.button[-1].click().run()
    with trial.app.context.registry.begin(write=False) as unit:
        (rating,) = [rating for rating in unit.ratings() if rating.rater == "tora"]
    assert (rating.rubric, rating.value) == ("tone-1", "polite")


def test_a_disagreement_is_settled_with_a_reason_and_agreement_is_counted(board, trial):
    codings = Codings(trial.app.context)
    turn = codings.queries_for("hana", "real")[0].turn_id
    codings.code("hana", turn, ["explanation"])
    codings.code("ivo", turn, ["generation"])
    Monitor(trial.app.context).record_unblinding("jan", "queries", "real")
    page = board("coding", who="jan")
    page.segmented_control(key="coding_part").set_value("Agreement").run()
    assert "coded by two people or more" in shown(page)
    page.segmented_control(key="coding_part").set_value("Disagreements").run()
    assert "hana" not in shown(page)
    page.checkbox[1].check()
    page.button[0].click().run()
    assert "reason" in page.error[0].value
    page.checkbox[1].check()
    page.text_input[0].set_value("wants the code")
    page.button[0].click().run()
    assert not page.exception
    (settled,) = [each for each in codings.settled("real") if each.turn_id == turn]
    assert (settled.labels, settled.reason, settled.who) == (("generation",), "wants the code", "jan")
    assert "wants the code" in shown(page)


def test_two_raters_make_the_mean_and_meet_neither_person_nor_arm(board, trial):
    ratings = RatingQueue(trial.app.context)
    page = board("grading", "grader", "eva")
    view = ratings.answers_for("eva", "real")[0]
    person = view.object.split(":")[1]
    assert person not in shown(page).replace(view.object, "")
    page.button[0].click().run()
    assert "choose points" in page.error[0].value
    assert view.object in {other.object for other in ratings.answers_for("eva", "real")}
    page.radio[0].set_value(view.criteria[0][2])
    page.button[0].click().run()
    assert view.object not in {other.object for other in ratings.answers_for("eva", "real")}
    second = next(other for other in ratings.answers_for("finn", "real") if other.object == view.object)
    assert second.raters == 1
    assert ratings.rate("finn", view.object, {second.criteria[0][0]: 0.0}) == view.criteria[0][2] / 2


def test_a_submission_without_a_verdict_is_named_with_its_reason_and_graded_again(board, trial):
    context = trial.app.context
    with context.registry.begin() as unit:
        run = next(run for run in unit.runs() if run.kind == "submission")
        unit.update_run(replace(run, grading="failed", grading_reason="ZeroDivisionError: <b>no</b>", review="os;sys"))
    page = board("verdicts", "monitor", "hans")
    assert "ZeroDivisionError: &lt;b&gt;no&lt;/b&gt;" in shown(page)
    assert "os, sys" in shown(page)
    page.button(key="grade_again").click().run()
    with context.registry.begin(write=False) as unit:
        again = next(one for one in unit.runs(run.participant_id) if one.id == run.id)
        assert again.grading is None
        assert (unit.audit()[-1].who, unit.audit()[-1].what) == ("hans", "retry grading")
        unit_waiting = [one.id for one in unit.ungraded()]
    assert run.id in unit_waiting


def test_links_are_shown_once(board, trial):
    page = board("links", "monitor", "gil")
    page.number_input(key="links_count").set_value(2)
    page.text_area(key="links_labels").input("x1\nx2")
    page.button[0].click().run()
    assert shown(page).count("/enter?link=") >= 2
    page.button(key="links_done").click().run()
    assert "/enter?link=" not in shown(page)
    page.number_input(key="links_count").set_value(2)
    page.text_area(key="links_labels").input("x1\nx2")
    page.button[0].click().run()
    assert "the label 'x1' belongs to another link or person" in page.error[0].value


@pytest.mark.parametrize(
    ("models", "said", "made"),
    [
        ({}, "the provider knows no model", False),
        ({MODEL: described(retires_at="2099-03-01T00:00:00Z")}, "has announced the end of", True),
    ],
)
def test_links_ask_the_provider_about_the_assistant(board, trial, monkeypatch, models, said, made):
    serving = FakeProvider(models)
    monkeypatch.setattr(trial.app, "settings", replace(trial.app.settings, environment=serving.environment))
    page = board("links", "monitor", "gil")
    page.number_input(key="links_count").set_value(1)
    page.button[0].click().run()
    serving.close()
    assert said in (page.warning[0] if made else page.error[0]).value
    assert ("/enter?link=" in shown(page)) == made


def test_accounts_are_made_with_a_password_that_is_shown_once(board, trial):
    page = board("accounts")
    page.text_input(key="account_name").input("hana")
    page.button[0].click().run()
    assert "choose a role" in page.error[0].value
    page = board("accounts")
    page.text_input(key="account_name").input("hana")
    page.selectbox(key="account_role").select("monitor")
    page.button[0].click().run()
    assert [each.value for each in page.error] == []
    assert "hana" in page.success[0].value
    assert "set account" in {entry.what for entry in Monitor(trial.app.context).audit()}


def test_in_a_draft_arms_are_visible(board, tmp_path):
    draft = Trial(tmp_path)
    who = draft.someone_in("ai")
    assert "ai" in shown(board("participants", app=draft.app)).split("Arm")[-1]
    assert Monitor(draft.app.context).people("preview")[0].id == who
    draft.close()


def test_the_overview_tells_when_a_planned_look_is_due_and_what_was_decided(board, tmp_path):
    looked = Trial(tmp_path, extra='\n[analysis.stopping]\nkind = "obrien_fleming"\nlooks = [0.5, 1.0]\n')
    assert "not due yet" in shown(board("overview", app=looked.app)).split("Planned looks")[-1]
    due = DueLook(1, 26, 52, "preview")
    row = {"estimate": 3.25, "z": 3.5, "crossed": True}
    looked.app.interim.record(due, {"decision": "efficacy", "boundary": 2.8, "rows": [row]})
    page = shown(board("overview", app=looked.app)).split("Planned looks")[-1]
    assert "taken on 2026-03-02" in page
    assert "efficacy" in page
    assert "3.25" not in page
    looked.close()


def test_nobody_who_is_not_signed_in_sees_a_board(trial, monkeypatch):
    from console_room import SCRIPT

    from study_app.ui.console import session as console

    install(trial.app)
    monkeypatch.setattr(console, "signed_in", lambda app: None)
    page = AppTest.from_file(str(SCRIPT), default_timeout=60).run()
    assert not page.exception
    assert "not signed in" in shown(page)


@pytest.mark.parametrize(
    ("role", "boards"),
    [
        ("grader", {"overview", "grading"}),
        (
            "full",
            {*BOARDS} - {"accounts", "releasing.texts", "reporting.results"}
            | {"people", "release", "results", "interviews"},
        ),
    ],
)
def test_the_list_of_boards_follows_the_role(role, boards, monkeypatch, trial):
    install(trial.app)
    from study_app.ui.console import session as console

    monkeypatch.setattr(console, "signed_in", lambda app: ConsoleUser("anna", role))
    asked: list[set[str]] = []
    import streamlit as st

    navigation = st.navigation

    def noted(pages, **more):
        asked.append({page.url_path or "overview" for page in pages})
        return navigation(pages, **more)

    monkeypatch.setattr(st, "navigation", noted)
    from console_room import SCRIPT

    assert not AppTest.from_file(str(SCRIPT), default_timeout=60).run().exception
    assert asked[0] == boards


def test_an_address_that_names_a_simulated_person_opens_their_replay(trial, monkeypatch):
    # Last in this file, for the other boards have one kind of participant.
    who = trial.app.enrol.enter(EntryRequest(), kind="simulated").participant.id
    install(trial.app)
    monkeypatch.setenv("TEST_BOARD", "replay")
    monkeypatch.setenv("TEST_PERSON", "anna full")
    page = drawn("replay")
    page.query_params["who"] = who
    page.run()
    assert not page.exception
    assert page.selectbox(key="replay_of:simulated").value == who
