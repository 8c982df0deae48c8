"""Whose data were erased has left: what they promised to be rid of is not collected anew when they come back."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial
from support.trials.waves import Waves

from study_app.dataset.verification import verify
from study_app.domain.errors import Conflict, NotAllowed
from study_app.domain.records import Participant
from study_app.services.attending.purging import Purge
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.erasing import erase
from study_app.services.position import Ended
from study_app.services.researcher.exporting.export import export

MONTHS_KEPT = 60 * 24 * 31 * 400


def person(app, who: str) -> Participant:
    with app.context.registry.begin(write=False) as unit:
        return unit.known_participant(who)


def test_who_was_purged_in_the_middle_of_the_tasks_comes_back_to_the_last_page_and_gives_nothing_more(tmp_path):
    trial = Trial(tmp_path, launched=True)
    app = trial.app
    (link,) = app.links.create(1)
    who = app.enrol.enter(EntryRequest(link=link.secret)).participant.id
    trial.to_tasks(who)
    trial.write(who, "trio_timer", "import trio\n", "before")
    trial.clock.advance(minutes=MONTHS_KEPT)
    purge = Purge(app.context, app.session.flow)
    assert purge.run("anna").people == (who,)
    assert person(app, who).status == "abandoned"

    assert app.enrol.enter(EntryRequest(link=link.secret)).participant.id == who
    assert isinstance(app.session.where(who), Ended)
    trial.write(who, "trio_timer", "once more\n", "after")
    with pytest.raises(NotAllowed):
        app.submitting.submit(who, "once more\n", confirm=True)
    app.session.sweep()
    with app.context.registry.begin(write=False) as unit:
        assert unit.runs(who) + unit.answers(who) + unit.turns(who) == []
        assert unit.document(who, "trio_timer") is None
        assert "once more" not in str([event.payload for event in unit.events(who)])
    assert purge.due().people == ()
    export(app.context, tmp_path / "out")
    report = verify(tmp_path / "out")
    assert report.ok, report.lines()
    trial.close()


def test_who_is_purged_while_they_wait_for_a_session_does_not_begin_it(tmp_path):
    trial = Waves(tmp_path)
    who = trial.first_part("p1")
    trial.clock.advance(minutes=MONTHS_KEPT)
    assert Purge(trial.app.context, trial.app.session.flow).run("anna").people == (who,)
    trial.second_part(who)
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.answers(who) == []
    trial.app.close()


def test_no_data_are_erased_of_a_person_who_is_still_on_their_way(tmp_path):
    trial = Waves(tmp_path)
    who = trial.first_part("p1")
    with pytest.raises(Conflict), trial.app.context.registry.begin() as unit:
        erase(trial.app.context, unit, unit.known_participant(who), "a test")
    assert not person(trial.app, who).data_withdrawn
    trial.app.close()


def test_who_goes_on_in_one_window_while_they_leave_in_another_has_left(tmp_path, monkeypatch):
    trial = Waves(tmp_path)
    who, session = trial.enter("p1"), trial.app.session
    place, gone_on = session.flow.place, []

    def then_gone_on(unit, participant):
        found = place(unit, participant)
        if not gone_on:
            # What another transaction does in between.
            gone_on.append(unit.move(found.participant, step=found.participant.step + 1))
        return found

    monkeypatch.setattr(session.flow, "place", then_gone_on)
    assert isinstance(session.withdraw(who, True), Ended)
    left = person(trial.app, who)
    assert (left.status, left.data_withdrawn) == ("withdrawn", True)
    trial.app.close()


def test_who_was_purged_before_a_purge_ended_their_way_leaves_on_coming_back(tmp_path):
    trial = Waves(tmp_path)
    who = trial.first_part("p1")
    with trial.app.context.registry.begin() as unit:
        unit.touch(who, data_withdrawn=True)
    assert isinstance(trial.app.session.where(who), Ended)
    trial.app.close()
