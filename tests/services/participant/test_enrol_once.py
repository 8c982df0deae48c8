"""No participant gets a second arm: not by a second link, an edited address, a lost cookie or another browser."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed, Taken
from study_app.services.participant.enrolment import EntryRequest


@pytest.fixture
def links(tmp_path):
    trial = Trial(tmp_path, launched=True)
    yield trial
    trial.app.close()


@pytest.fixture
def panel(tmp_path):
    trial = Trial(tmp_path, launched=True, entry="prolific")
    yield trial
    trial.app.close()


def refused(trial, participant_id: str) -> list[dict]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [event.payload for event in unit.events(participant_id) if event.kind == "entry_refused"]


def test_a_second_link_in_a_browser_that_takes_part_is_refused_and_stays_unused(links):
    enrol = links.app.enrol
    first, second = (link.secret for link in links.app.links.create(2))
    mine = enrol.enter(EntryRequest(link=first))
    with pytest.raises(Taken, match="already taking part"):
        enrol.enter(EntryRequest(link=second), mine.token)
    assert enrol.enter(EntryRequest(), mine.token).participant.id == mine.participant.id, "the way back is open"
    assert enrol.enter(EntryRequest(link=second)).new, "the second link is still good for another person"


def test_another_persons_own_link_is_theirs_whoever_uses_the_browser(links):
    enrol = links.app.enrol
    first, second = (link.secret for link in links.app.links.create(2))
    mine, theirs = enrol.enter(EntryRequest(link=first)), enrol.enter(EntryRequest(link=second))
    assert enrol.enter(EntryRequest(link=second), mine.token).participant.id == theirs.participant.id


def test_who_has_finished_cannot_begin_again_from_the_same_browser(links):
    enrol = links.app.enrol
    first, second = (link.secret for link in links.app.links.create(2))
    mine = enrol.enter(EntryRequest(link=first))
    links.app.session.where(mine.participant.id)
    links.app.session.consent(mine.participant.id, False)
    with pytest.raises(NotAllowed, match="private window"):
        enrol.enter(EntryRequest(link=second), mine.token)
    assert enrol.enter(EntryRequest(link=first), mine.token).participant.id == mine.participant.id


def test_an_edited_panel_address_makes_no_second_participant(panel):
    enrol = panel.app.enrol
    mine = enrol.enter(EntryRequest(prolific_pid="a" * 24, prolific_session="s1"))
    for edited in (EntryRequest(prolific_pid="b" * 24, prolific_session="s2"), EntryRequest(prolific_pid="c" * 24)):
        with pytest.raises(Taken):
            enrol.enter(edited, mine.token)
    kept = refused(panel, mine.participant.id)
    assert len({payload["foreign"] for payload in kept}) == 2, "who tried is distinguished"
    assert "b" * 24 not in str(kept), "but not known"
    for guessed in (("a" * 24, "s2"), ("b" * 24, "s1"), ("a" * 24, "")):
        with pytest.raises(NotAllowed):
            enrol.enter(EntryRequest(prolific_pid=guessed[0], prolific_session=guessed[1]))
    assert not enrol.enter(EntryRequest(prolific_pid="a" * 24, prolific_session="s1")).new


def test_a_moving_link_goes_on_in_another_browser_for_a_day(panel):
    enrol = panel.app.enrol
    mine = enrol.enter(EntryRequest(prolific_pid="d" * 24, prolific_session="s4"))
    secret = enrol.moving_token(mine.participant.id)
    assert enrol.enter(EntryRequest(move=secret)).participant.id == mine.participant.id
    with pytest.raises(NotAllowed, match="no longer valid"):
        enrol.enter(EntryRequest(move="guessed"))
