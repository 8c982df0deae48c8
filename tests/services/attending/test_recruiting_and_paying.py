"""Quotas by answer, a pause of recruitment, payments, and Prolific's API: planned first, recorded, never twice."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.clock import HandClock
from support.loopback_prolific import TOKEN, LoopbackProlific
from support.trials.console_trial import NoSandbox
from support.trials.waves import STUDY as STUDY_OF_TWO
from support.trials.waves import Waves

from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.domain.errors import Conflict, InfrastructureError, NotAllowed, ProblemsFound
from study_app.domain.study.study import Study
from study_app.prolific import prolific_of
from study_app.services.attending import panel_acts
from study_app.services.attending.panel_acts import PanelActs
from study_app.services.attending.paying import payments
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "quotas"
title = "Quotas"
contact = "anna@example.org"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[recruitment]
entry = "prolific"
target_n = 4
codes = { completed = "DONE", full = "FULL" }
{more}
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "screening"
kind = "eligibility"
[[stages.questions]]
id = "years"
kind = "choice"
prompt = "Years?"
options = [{ value = "few", label = "Few" }, { value = "many", label = "Many" }]
eligible = ["few", "many"]
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "debrief"
kind = "debrief"
"""
QUOTA = '[[recruitment.quotas]]\nquestion = "years"\nanswer = "many"\nshare = 0.5\n'
RULES_OF_TWO = 'bonus = [{{ per = "sessions_completed", amount = 2, most = 3 }}]\n'
BONUS = '[[recruitment.bonus]]\nper = "sessions_completed"\namount = 1.25\n'


def opened(folder, more: str = QUOTA + BONUS, url: str = "") -> App:
    (folder / "study.toml").write_text(STUDY.replace("{more}", more))
    settings = Settings(folder / "study.toml", url or f"sqlite:///{folder}/study.db", folder / "var", environment={})
    app = start(settings, clock=HandClock(), sandbox=NoSandbox())
    app.lifecycle.launch()
    return app


@pytest.fixture
def app(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


def pid(number: int) -> str:
    return f"{number:024x}"


def enter(app: App, number: int) -> str:
    entry = EntryRequest(prolific_pid=pid(number), prolific_study="s" * 24, prolific_session=f"{number:023x}a")
    who = app.enrol.enter(entry).participant.id
    app.session.where(who)
    app.session.consent(who, True)
    return who


def answer(app: App, who: str, years: str):
    app.session.where(who)
    return app.answers.submit_survey(who, "screening", {"years": years}).participant


def finish(app: App, number: int, years: str = "few") -> str:
    who = enter(app, number)
    answer(app, who, years)
    app.session.continue_(who, "instructions")
    return who


def test_who_meets_a_full_quota_is_turned_away_with_the_code_and_others_come_in(app, tmp_path):
    first = [answer(app, enter(app, number), "many").stage for number in (1, 2)]
    turned = answer(app, enter(app, 3), "many")
    other = answer(app, enter(app, 4), "few")
    assert (first, other.stage) == (["instructions"] * 2, "instructions")
    assert (turned.stage, turned.status, turned.place) == ("end", "screened_out", "refused")
    [fill] = app.recruiting.view().quotas
    assert (fill.taken, fill.limit) == (2, 2)
    with app.context.registry.begin(write=False) as unit:
        paid = {each.participant_id: each.code for each in payments(app.context, unit)}
    assert paid[turned.id] == "FULL"
    out = tmp_path / "dataset"
    app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.findings


def test_a_place_that_is_given_up_is_free_in_the_quota_again(app):
    leaves = enter(app, 1)
    answer(app, leaves, "many")
    answer(app, enter(app, 2), "many")
    app.session.withdraw(leaves, False)
    app.context.clock.advance(hours=1)
    assert app.recruiting.view().quotas[0].taken == 2 - (app.study.allocation.replacement == "return_slot")


MORE = '[[stages]]\nid = "more"\nkind = "survey"\n[[stages.questions]]\nid = "age"\nkind = "number"\nprompt = "Age?"\n'


def test_who_comes_back_after_a_silence_takes_no_place_of_a_quota_that_others_have_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys.modules[__name__], "STUDY", STUDY.replace('[[stages]]\nid = "instr', MORE + '[[stages]]\nid = "instr')
    )
    app = opened(tmp_path)
    try:
        # Two have answered and stay silent before the allocation, until their places are free again.
        silent = [enter(app, number) for number in (1, 2)]
        for who in silent:
            assert answer(app, who, "many").stage == "more"
        app.context.clock.advance(hours=30)
        others = [enter(app, number) for number in (3, 4)]
        answer(app, others[0], "many")
        answer(app, others[1], "few")
        for who in (*others, *silent):
            app.session.where(who)
            app.answers.submit_survey(who, "more", {"age": 30})
        with app.context.registry.begin(write=False) as unit:
            people = [unit.known_participant(who) for who in (*others, *silent)]
            paid = {each.participant_id: each.code for each in payments(app.context, unit)}
        # One place of the quota was left, for the first of the two who comes back.
        assert [each.arm is not None for each in people] == [True, True, True, False]
        assert (people[3].status, people[3].place, paid[silent[1]]) == ("screened_out", "refused", "FULL")
        [fill] = app.recruiting.view().quotas
        assert (fill.taken, fill.limit) == (2, 2)
        app.datasets.write(tmp_path / "dataset", DatasetRequest(), who="cli", via="command line")
        report = verify(tmp_path / "dataset")
        assert report.ok, report.findings
    finally:
        app.close()


@pytest.mark.slow
def test_an_allocated_person_comes_back_to_no_place_of_a_quota_that_others_have_filled(tmp_path):
    app = opened(tmp_path, 'target_counts = "completed"\n' + QUOTA.replace("share = 0.5", "most = 1"))
    try:
        silent = enter(app, 1)
        assert answer(app, silent, "many").arm is not None
        app.context.clock.advance(hours=30)
        finish(app, 2, "many")
        back = app.session.where(silent).participant
        assert (back.status, back.place) == ("abandoned", "refused")
        assert [fill.taken for fill in app.recruiting.view().quotas] == [1]
    finally:
        app.close()


def test_many_at_once_do_not_overfill_a_quota(tmp_path, postgres_url):
    app = opened(tmp_path, QUOTA.replace("share = 0.5", "most = 1"), postgres_url)
    try:
        people = [enter(app, number) for number in range(1, 5)]
        with ThreadPoolExecutor(4) as pool:
            places = list(pool.map(lambda who: answer(app, who, "many").stage, people))
        assert sorted(places) == ["end"] * 3 + ["instructions"]
    finally:
        app.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (QUOTA.replace('"years"', '"age"'), "'age' is not asked before the allocation"),
        (QUOTA.replace('"many"', '"most"'), "'most' is not an answer to 'years'"),
        (QUOTA.replace("share = 0.5", "share = 0.1"), "leaves no place"),
        (QUOTA.replace("share = 0.5", "share = 0.5\nmost = 3"), "either share"),
        (QUOTA.replace("share = 0.5", "share = 1.5"), "less than or equal to 1"),
        (QUOTA + QUOTA, "another quota"),
        (BONUS.replace("sessions_completed", "queries"), "sessions_completed"),
        (BONUS.replace("1.25", "0"), "greater than 0"),
    ],
)
def test_a_wrong_quota_or_bonus_is_named(tmp_path, more, said):
    (tmp_path / "study.toml").write_text(STUDY.replace("{more}", more))
    settings = Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={})
    with pytest.raises(ProblemsFound, match=said):
        start(settings, clock=HandClock(), sandbox=NoSandbox())


def test_a_pause_of_recruitment_stops_newcomers_only(app):
    inside = enter(app, 1)
    app.recruiting.pause("a bug", "anna")
    with pytest.raises(NotAllowed, match="short break"):
        enter(app, 2)
    assert answer(app, inside, "few").stage == "instructions"
    with pytest.raises(NotAllowed, match="paused already"):
        app.recruiting.pause("again", "anna")
    app.recruiting.resume("fixed", "anna")
    enter(app, 2)
    with pytest.raises(NotAllowed, match="not paused"):
        app.recruiting.resume("again", "anna")


def test_payments_have_status_code_minutes_and_bonus_of_each_person(app):
    done, out = finish(app, 1), enter(app, 2)
    app.session.withdraw(out, False)
    gone = finish(app, 3)
    app.acts.erase(gone, "asked", "anna")
    with app.context.registry.begin(write=False) as unit:
        paid = {each.participant_id: each for each in payments(app.context, unit)}
    assert set(paid) == {done, out}
    assert (paid[done].prolific_pid, paid[done].status, paid[done].code, paid[done].bonus) == (
        pid(1), "completed", "DONE", 1.25,
    )  # fmt: skip
    assert (paid[out].status, paid[out].code, paid[out].bonus) == ("withdrawn", "WITHDRAWN", 0.0)


@pytest.mark.parametrize(
    ("rule", "count", "paid"),
    [
        ({"per": "quiz_points", "amount": 0.1}, 7, 0.7),
        ({"per": "quiz_points", "amount": 0.1, "most": 0.5}, 7, 0.5),
        ({"per": "tasks_passed", "amount": 0.333}, 2, 0.67),
    ],
)
def test_a_bonus_is_the_amount_for_each_up_to_the_most(rule, count, paid):
    from study_app.domain.study.sections import BonusRule

    assert BonusRule.model_validate(rule).pays(count) == paid


# -- Prolific ----------------------------------------------------------------------------------------------------------


def test_a_board_that_has_read_the_participants_reads_them_once_for_places_and_payments(app, monkeypatch):
    for number in range(1, 4):
        enter(app, number)
    with app.context.registry.begin(write=False) as unit:
        people = unit.participants_of("real")
        plain = app.recruiting.view_in(unit), payments(app.context, unit)
        for name in ("participants", "participants_of"):
            monkeypatch.setattr(type(unit), name, None, raising=False)
        assert (app.recruiting.view_in(unit, people=people), payments(app.context, unit, people=people)) == plain
    assert len(plain[1]) == 3


@pytest.fixture
def prolific():
    with LoopbackProlific() as server:
        server.submissions["s" * 24] = [
            {"id": f"sub{number}", "participant_id": pid(number), "status": "AWAITING REVIEW"} for number in range(1, 6)
        ]
        yield server


def acts_of(app: App, server: LoopbackProlific, token: str = TOKEN) -> PanelActs:
    panel = prolific_of({"STUDY_PROLIFIC_TOKEN": token, "STUDY_PROLIFIC_URL": server.address})
    return PanelActs(app.context, panel)


def test_planning_does_nothing_there_and_acts_are_done_once(app, prolific):
    for number in (1, 2, 4):
        finish(app, number)
    enter(app, 5)
    acts = acts_of(app, prolific)
    planned = acts.approvals()
    assert sorted(one.prolific_pid for one in planned) == [pid(1), pid(2), pid(4)]
    assert [one.amount for one in acts.bonuses()] == [1.25] * 3
    assert not prolific.paid
    assert {row["status"] for row in prolific.submissions["s" * 24]} == {"AWAITING REVIEW"}
    acts.approve(planned, "anna")
    assert acts.approvals() == []
    bonuses = acts.bonuses()
    assert len(acts.pay(bonuses, "anna")) == 3
    assert acts.bonuses() == acts.pay(bonuses, "anna") == []
    assert dict(prolific.paid) == {pid(1): 1.25, pid(2): 1.25, pid(4): 1.25}
    acts.send(acts.messages("Thank you.", ["completed"]), "Thank you.", "anna")
    assert acts.messages("Thank you.", ["completed"]) == []
    assert len(acts.messages("Another one.", ["completed"])) == 3
    acts.add(acts.group("g1", ["completed"]), "g1", "anna")
    assert prolific.groups == {"g1": {pid(1), pid(2), pid(4)}}
    with app.context.registry.begin(write=False) as unit:
        whats = [entry.what for entry in unit.audit() if entry.what.startswith("pay: ")]
    assert whats == ["pay: approve", "pay: bonus", "pay: message", "pay: group"]


def test_two_runs_at_once_pay_once(app, prolific):
    finish(app, 1)
    acts = acts_of(app, prolific)
    planned = acts.bonuses()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _n: acts.pay(planned, "anna"), range(2)))
    assert dict(prolific.paid) == {pid(1): 1.25}


def test_what_was_paid_is_noted_also_where_another_transaction_was_in_the_way(app, prolific, monkeypatch):
    finish(app, 1)
    acts, real, failed = acts_of(app, prolific), panel_acts.add_act, []

    def in_the_way(*given):
        if not failed:
            failed.append(True)
            raise Conflict("deadlock detected")
        real(*given)

    monkeypatch.setattr(panel_acts, "add_act", in_the_way)
    assert [one.state for one in acts.pay(acts.bonuses(), "anna")] == ["done"]
    assert acts.uncertain() == []
    assert dict(prolific.paid) == {pid(1): 1.25}


def test_a_payment_without_an_answer_is_not_repeated_until_a_person_has_looked(app, prolific):
    finish(app, 1)
    acts = acts_of(app, prolific)
    prolific.silent.add("/pay/")
    [tried] = acts.pay(acts.bonuses(), "anna")
    assert tried.state == "uncertain"
    prolific.silent.clear()
    assert acts.bonuses() == []
    [name] = acts.uncertain()
    with pytest.raises(NotAllowed, match="reason"):
        acts.settle(name, done=True, reason=" ", who="anna")
    acts.settle(name, done=True, reason="Prolific shows it as paid", who="anna")
    assert (acts.bonuses(), acts.uncertain(), dict(prolific.paid)) == ([], [], {pid(1): 1.25})


def test_what_prolific_refuses_was_not_done_and_can_be_tried_again(app, prolific):
    finish(app, 1)
    acts = acts_of(app, prolific)
    prolific.refuse.add("bonus-payments")
    [tried] = acts.pay(acts.bonuses(), "anna")
    assert (tried.state, "not enough money" in tried.note) == ("refused", True)
    prolific.refuse.clear()
    acts.pay(acts.bonuses(), "anna")
    assert dict(prolific.paid) == {pid(1): 1.25}


def test_a_wrong_token_and_a_server_that_is_not_there_are_one_sentence(app, prolific):
    finish(app, 1)
    with pytest.raises(NotAllowed, match="HTTP 401"):
        acts_of(app, prolific, "wrong").approvals()
    with pytest.raises(ProblemsFound, match="no token is set"):
        prolific_of({})
    with pytest.raises(ProblemsFound, match="not an https address"):
        prolific_of({"STUDY_PROLIFIC_TOKEN": "x", "STUDY_PROLIFIC_URL": "http://example.org"})
    away = PanelActs(
        app.context, prolific_of({"STUDY_PROLIFIC_TOKEN": "x", "STUDY_PROLIFIC_URL": "http://127.0.0.1:1"})
    )
    with pytest.raises(InfrastructureError, match="cannot be reached"):
        away.pay(away.bonuses(), "anna")
    assert len(away.bonuses()) == 1


# -- panels with several sessions --------------------------------------------------------------------------------------


@pytest.fixture
def panel(tmp_path, prolific):
    """Three people who have completed both sessions: two by a follow-up study each, one by a link."""
    text = STUDY_OF_TWO.replace('studies = ["followup1"]', 'studies = ["followup1", "followup2"]')
    made = Waves(tmp_path, text=text.replace("codes = {{", RULES_OF_TWO + "codes = {{"))
    people = [made.first_part(name) for name in ("p1", "p2", "p3")]
    made.clock.advance(minutes=60 * 24 * 15)
    for number, who in enumerate(people[:2], start=1):
        made.app.enrol.enter(made.panel(f"p{number}", f"again{number}", f"followup{number}"))
        made.second_part(who)
    made.second_part(people[2])
    waiting = {"firststudy": ["p1", "p2", "p3"], "followup1": ["p1"], "followup2": ["p2"]}
    prolific.submissions = {
        study: [{"id": f"{study}-{who}", "participant_id": who, "status": "AWAITING REVIEW"} for who in there]
        for study, there in waiting.items()
    }
    yield made
    made.app.close()


def test_each_session_is_approved_in_the_study_by_which_each_person_came(panel, prolific):
    acts = acts_of(panel.app, prolific)
    planned = acts.approvals()
    assert sorted(one.submission for one in planned) == [
        "firststudy-p1", "firststudy-p2", "firststudy-p3", "followup1-p1", "followup2-p2",
    ]  # fmt: skip
    acts.approve(planned, "anna")
    assert acts.approvals() == []


def test_bonuses_of_a_later_session_reach_everybody_and_no_rule_pays_more_than_its_most(panel, prolific):
    acts = acts_of(panel.app, prolific)
    done = acts.pay(acts.bonuses(), "anna")
    assert {one.state for one in done} == {"done"}, [one.note for one in done]
    # 2 for the first session and, up to the 3 of the rule, 1 for the second.
    assert dict(prolific.paid) == {"p1": 3.0, "p2": 3.0, "p3": 3.0}
    with panel.app.context.registry.begin(write=False) as unit:
        assert [paid.bonus for paid in payments(panel.app.context, unit)] == [2.0, 1.0] * 3
    assert acts.bonuses() == []


def test_a_message_and_a_group_concern_each_person_once_whatever_the_number_of_sessions(panel, prolific):
    acts = acts_of(panel.app, prolific)
    done = acts.send(acts.messages("Thank you.", ["completed"]), "Thank you.", "anna")
    assert {one.state for one in done} == {"done"}, [one.note for one in done]
    assert sorted(prolific.messages) == [(who, "Thank you.") for who in ("p1", "p2", "p3")]
    assert len(acts.add(acts.group("g", ["completed"]), "g", "anna")) == 3
    with panel.app.context.registry.begin() as unit:
        # As an earlier version wrote it down, for the second session.
        (first, *_) = unit.participants_of("real")
        unit.set_meta_value(f"panel_act:group:{first.id}:later:h", {"state": "done"})
    assert len(acts.group("h", ["completed"])) == 2


def test_quotas_and_bonuses_are_read_from_the_study_file(app):
    study: Study = app.study
    assert (study.recruitment.quotas[0].limit(4), study.recruitment.bonus[0].amount) == (2, 1.25)
