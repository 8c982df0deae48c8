"""Sessions on a panel: a code and an end for each, a window, and a way back in by the follow-up study."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.trials.stored_bytes import stored
from support.trials.waves import STUDY, Waves

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.services.attending.participant_page import ParticipantViews
from study_app.services.identity import hashed
from study_app.services.participant_status import current_status
from study_app.services.position import Ended, OnStage, Waiting
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.ui.page import Page
from study_app.ui.screens import debrief, waiting


@pytest.fixture
def trial(tmp_path, database_url):
    made = Waves(tmp_path, database_url)
    yield made
    made.app.close()


def drawn(trial: Waves, screen, place) -> SimpleNamespace:
    """What a screen shows: its texts, codes and buttons."""
    shown = SimpleNamespace(texts=[], copies=[], buttons=[])

    class Recording(Page):
        def head(self, title=None):
            shown.texts.append(title)

        def write(self, text):
            shown.texts.append(text)

        def actions(self, *buttons, copies=(), **_more):
            shown.buttons, shown.copies = list(buttons), [copy["value"] for copy in copies]

    screen.draw(Recording(trial.app, place))
    return shown


def status(trial: Waves, who: str) -> str:
    return current_status(trial.app.context, trial.app.session.peek(who).participant)


def test_each_session_ends_with_its_own_completion_code_and_event(trial):
    who = trial.first_part("p1")
    place = trial.app.session.peek(who)
    assert isinstance(place, Waiting)
    shown = drawn(trial, waiting, place)
    assert shown.copies == ["PARTONE"]
    assert any("ada@example.org" in str(text) for text in shown.texts)
    assert any("23 March" in str(text) for text in shown.texts), "the end of the window"
    trial.clock.advance(minutes=60 * 24 * 15)
    trial.second_part(who)
    place = trial.app.session.peek(who)
    assert isinstance(place, Ended)
    assert drawn(trial, debrief, place).copies == ["PARTTWO"]
    with trial.app.context.registry.begin(write=False) as unit:
        done = [event.payload for event in unit.events_of(who, {"session_completed"})]
    assert done == [{"session": "main", "number": 1}, {"session": "later", "number": 2}]


@POSTGRES_IS_SLOW
def test_the_follow_up_study_of_the_panel_leads_back_in_once_the_session_is_open(trial):
    who = trial.first_part("p1")
    follow_up = trial.panel("p1", "second1", "followup1")
    with pytest.raises(NotAllowed, match="this part opens on 2026-03-16"):
        trial.app.enrol.enter(follow_up)
    trial.clock.advance(minutes=60 * 24 * 14 + 10)
    back = trial.app.enrol.enter(follow_up)
    assert (back.participant.id, back.new) == (who, False)
    assert isinstance(trial.app.session.where(who), OnStage)
    with pytest.raises(NotAllowed, match="already been used"):
        trial.app.enrol.enter(trial.panel("p1", "another", "followup1"))
    assert trial.app.enrol.enter(follow_up).participant.id == who


@POSTGRES_IS_SLOW
def test_an_erasure_takes_along_the_session_by_which_a_person_came_back_and_they_stay_refused(trial):
    who = trial.first_part("p1")
    trial.clock.advance(minutes=60 * 24 * 14 + 10)
    follow_up = trial.panel("p1", "second1", "followup1")
    trial.app.enrol.enter(follow_up)
    plain = hashed("second1").encode()
    assert plain in stored(trial)
    trial.app.session.withdraw(who, True)
    trial.app.session.sweep()
    assert plain not in stored(trial)
    for session in ("second1", "another"):
        with pytest.raises(NotAllowed, match="already been used"):
            trial.app.enrol.enter(trial.panel("p1", session, "followup1"))


@POSTGRES_IS_SLOW
def test_who_comes_back_by_the_panel_is_on_record_with_the_session_and_the_browser(trial):
    who = trial.first_part("p1")
    trial.clock.advance(minutes=60 * 24 * 14 + 10)
    follow_up = trial.panel("p1", "second1", "followup1")
    first = trial.app.enrol.enter(follow_up)
    # In the browser that has the cookie by now.
    trial.app.enrol.enter(follow_up, first.token)
    trial.app.enrol.enter(trial.panel("p1", "firstp1"))
    entries = [(each.what, each.detail) for each in ParticipantViews(trial.app.context).one(who).timeline]
    by_study = ("came back", "by the panel's study for 'later'")
    assert [each for each in entries if each[0] == "came back"] == [by_study, by_study, ("came back", "")]
    with trial.app.context.registry.begin(write=False) as unit:
        noted = [act.detail for act in unit.audit_of(["came in again by a link"])]
    assert noted == [{"participant_id": who, "by": "panel"}] * 2
    trial.app.datasets.write(trial.folder / "dataset", DatasetRequest(), who="cli", via="command line")
    report = verify(trial.folder / "dataset")
    assert report.ok, report.findings


def test_a_follow_up_study_lets_no_newcomer_in_and_no_one_skips_a_part(trial):
    with pytest.raises(NotAllowed, match="for people who took part in the first one"):
        trial.app.enrol.enter(trial.panel("stranger", "s", "followup1"))
    trial.enter("p2")
    with pytest.raises(NotAllowed, match="finish the part before"):
        trial.app.enrol.enter(trial.panel("p2", "s2", "followup1"))
    with pytest.raises(NotAllowed, match="already been used"):
        trial.app.enrol.enter(trial.panel("p2", "s3", "unlisted"))


@POSTGRES_IS_SLOW
def test_who_comes_after_the_window_has_left_the_study_there_and_until_then_is_expected(trial):
    who = trial.first_part("p1")
    trial.clock.advance(minutes=60 * 24 * 20)
    assert status(trial, who) == "in_progress", "six days of the window are over, longer than the silence allowed"
    trial.clock.advance(minutes=60 * 24 * 2)
    assert status(trial, who) == "abandoned"
    place = trial.app.session.where(who)
    assert isinstance(place, Ended)
    assert place.participant.status == "abandoned"
    with trial.app.context.registry.begin(write=False) as unit:
        assert [event.payload for event in unit.events_of(who, {"session_missed"})] == [{"session": "later"}]
    last = drawn(trial, debrief, place)
    assert last.copies == ["WITHDRAWN"], "not the code of the session that they missed"
    assert "The time for taking part is over" in last.texts[1]
    assert last.texts[2:] == [
        "What you had given until then has been kept.",
        "If you have a question, write to ada@example.org.",
    ]


@POSTGRES_IS_SLOW
def test_a_preview_opens_the_next_session_at_once_and_a_real_participant_does_not(trial):
    from study_app.services.participant.enrolment import EntryRequest

    real = trial.first_part("p1")
    trial.app.session.act(real, "then", "continue")
    assert isinstance(trial.app.session.peek(real), Waiting)
    secret = trial.app.links.create_test().secret
    who = trial.app.enrol.enter(EntryRequest(test=secret)).participant.id
    trial.app.session.consent(who, True)
    trial.app.session.continue_(who, "instructions")
    trial.app.answers.submit_survey(who, "now", {"score_now": 1})
    place = trial.app.session.peek(who)
    assert [button["act"] for button in drawn(trial, waiting, place).buttons] == ["continue"]
    trial.app.session.act(who, "then", "continue")
    assert isinstance(trial.app.session.where(who), OnStage)


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('code = "PARTONE"\n', "", "sessions.main.code"),
        ('code = "PARTTWO"\n', 'code = "PARTONE"\n', "sessions.later.code"),
        ('studies = ["followup1"]\n', "", "sessions.later.studies"),
    ],
)
def test_a_panel_s_study_is_launched_only_if_each_session_can_be_handed_in_and_entered(tmp_path, before, after, key):
    draft = Waves(tmp_path, launched=False, text=STUDY.replace(before, after))
    with pytest.raises(ProblemsFound) as refused:
        draft.app.lifecycle.launch()
    draft.app.close()
    assert [problem.key for problem in refused.value.problems] == [key]


@POSTGRES_IS_SLOW
def test_the_codes_of_sessions_are_not_in_the_published_text_and_are_kept_for_later_versions(trial):
    study = trial.app.study
    assert "PARTONE" not in study.canonical()
    trial.app.context._versions.clear()
    trial.file.write_text(trial.file.read_text().replace("target_n = 50", "target_n = 60"))
    from support.trials.console_trial import NoSandbox

    from study_app.bootstrap import start

    other = start(trial.settings, clock=trial.clock, sandbox=NoSandbox(), changed_ok=True)
    with other.context.registry.begin(write=False) as unit:
        kept = other.context.version(unit, study_hash=trial.app.context.study_hash)
    other.close()
    assert kept is not None
    assert [session.code for session in kept.sessions] == ["PARTONE", "PARTTWO"]
