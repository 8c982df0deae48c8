"""What a researcher does for one participant: with a reason, recorded, and in the data as it was."""

from __future__ import annotations

import csv

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.participant_page import SIZE, ParticipantViews


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def last_act(trial: Trial):
    with trial.app.world.registry.begin(write=False) as unit:
        return unit.audit()[-1]


def in_warmup(trial: Trial) -> str:
    who = trial.enter()
    trial.to_warmup(who)
    return who


def test_an_extension_moves_the_deadline_and_not_the_clock_of_the_outcome(trial, tmp_path):
    who = in_warmup(trial)
    before = trial.app.session.where(who).deadline_at
    trial.app.acts.extend(who, 7, "the fire alarm rang", "anna")
    assert (trial.app.session.where(who).deadline_at - before).total_seconds() == 420
    act = last_act(trial)
    assert (act.what, act.why, act.detail["minutes"]) == ("extend deadline", "the fire alarm rang", 7)
    trial.clock.advance(minutes=14)
    out = tmp_path / "dataset"
    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.lines()
    [table] = (out / "data").glob("*visits_data.csv")
    with table.open(newline="") as lines:
        [warmup] = [row for row in csv.DictReader(lines) if row["stage"] == "warmup"]
    assert float(warmup["paused_seconds"]) == 0


def test_a_stage_without_a_deadline_is_not_extended(trial):
    who = trial.enter()
    trial.app.session.where(who)
    with pytest.raises(NotAllowed, match="no stage with a deadline"):
        trial.app.acts.extend(who, 5, "why not", "anna")


@pytest.mark.parametrize("act", ["extend", "let_in_again", "end", "erase", "message"])
def test_no_act_is_done_without_a_reason_or_for_an_unknown_person(trial, act):
    who = in_warmup(trial)
    more = {"extend": (5,), "message": ("hello",)}.get(act, ())
    with pytest.raises(NotAllowed, match="reason"):
        getattr(trial.app.acts, act)(who, *more, " ", "anna")
    with pytest.raises(NotAllowed, match="there is no participant unknown"):
        getattr(trial.app.acts, act)("unknown", *more, "a reason", "anna")


def test_a_link_lets_the_same_participant_in_again(trial):
    who = in_warmup(trial)
    secret = trial.app.acts.let_in_again(who, "cookies were cleared", "anna")
    admitted = trial.app.enrol.enter(EntryRequest(move=secret))
    assert (admitted.participant.id, admitted.new) == (who, False)
    assert secret not in str(last_act(trial))


def test_ending_keeps_the_data_and_erasing_deletes_them_also_of_who_has_ended(trial):
    who = in_warmup(trial)
    trial.write(who, "warmup", "x = 1\n", "page-one")
    trial.app.acts.end(who, "asked by mail", "anna")
    place = trial.app.session.where(who)
    assert (place.participant.status, place.participant.data_withdrawn) == ("withdrawn", False)
    with pytest.raises(NotAllowed, match="has ended already"):
        trial.app.acts.end(who, "again", "anna")
    trial.app.acts.erase(who, "asked by mail", "anna")
    assert trial.app.session.document(who, "warmup") is None
    assert trial.app.session.where(who).participant.data_withdrawn
    with pytest.raises(NotAllowed, match="deleted already"):
        trial.app.acts.erase(who, "again", "anna")


def test_a_message_stands_until_it_is_taken_away(trial):
    who = in_warmup(trial)
    trial.app.acts.message(who, " The server is back. ", "outage", "anna")
    assert trial.app.session.message(who) == "The server is back."
    trial.app.acts.message(who, "", "over", "anna")
    assert trial.app.session.message(who) == ""


def test_the_list_comes_a_page_at_a_time_and_is_searched_by_any_id(trial):
    views = ParticipantViews(trial.app.world)
    people = [trial.enter(f"class-{number}") for number in range(SIZE + 3)]
    first, second = views.page("real"), views.page("real", number=1)
    assert (len(first.people), len(second.people), first.found) == (SIZE, 3, SIZE + 3)
    assert [person.id for person in first.people] == people[::-1][:SIZE]
    assert [person.id for person in views.page("real", "CLASS-17").people] == [people[17]]
    assert views.page("real", people[4][:8]).found >= 1
    assert views.page("real", statuses=["completed"]).found == 0
    assert first.statuses == {"in_progress": SIZE + 3}


def test_who_is_silent_or_long_on_a_stage_may_need_help(trial):
    views = ParticipantViews(trial.app.world)
    who = in_warmup(trial)
    assert views.attention("real") == []
    trial.clock.advance(minutes=5)
    [(person, why)] = views.attention("real")
    assert (person.id, why) == (who, "no sign of life for 5 min")
    trial.clock.advance(hours=3)
    assert views.attention("real") == []


def test_a_participant_s_page_tells_no_arm_before_the_end(trial):
    one, other = trial.someone_in("ai"), trial.someone_in("no_ai")
    views = ParticipantViews(trial.app.world)
    for who in (one, other):
        view = views.one(who)
        assert (view.summary.arm, view.summary.stratum, view.summary.allocation_index) == (None, None, None)
        assert {moment.what for moment in view.timeline} >= {"entered", "was allocated", "opened the stage"}
        assert "ai" not in {moment.detail for moment in view.timeline}
    assert views.one("unknown") is None
