"""A button of a page that was left long ago changes nothing, wherever the participant is by then."""

from __future__ import annotations

import pytest
from support.trials.console_trial import ELIGIBLE, Trial, answers

from study_app.domain.errors import Superseded
from study_app.services.participant.enrolment import EntryRequest

BUTTONS = {
    "agree": ("consent", lambda session, who: session.consent(who, True)),
    "disagree": ("consent", lambda session, who: session.consent(who, False)),
    "begin the warm-up": ("before warmup", lambda session, who: session.begin_stage(who, "warmup")),
    "begin the quiz": ("before quiz", lambda session, who: session.begin_stage(who, "quiz")),
    "go on from the page about the device": ("device", lambda session, who: session.continue_(who, "device")),
    "go on from the instructions": ("instructions", lambda session, who: session.continue_(who, "instructions")),
    "go on from a form": ("", lambda session, who: session.continue_(who, "background")),
    "go on from the consent page": ("", lambda session, who: session.continue_(who, "consent")),
    "agree as the page says it": ("consent", lambda session, who: session.act(who, "consent", "agree")),
    "take back the data before the end": ("end", lambda session, who: session.act(who, "debrief", "take_back")),
}
"""Button -> the only place where it may change something, and how it is pressed."""


def stations(trial: Trial, who: str):
    """Yield the places that buttons know, with the participant at each in turn."""
    app = trial.app
    app.session.where(who)
    yield "consent"
    app.session.consent(who, True)
    yield "eligibility"
    app.answers.submit_survey(who, "eligibility", ELIGIBLE)
    yield "device"
    app.session.continue_(who, "device")
    yield "background"
    app.answers.submit_survey(who, "background", answers(app, "background"))
    yield "before warmup"
    app.session.begin_stage(who, "warmup")
    yield "warmup"
    app.submitting.submit(who, "def solve():\n    return 1\n", confirm=True)
    app.session.where(who)
    yield "instructions"
    app.session.withdraw(who, False)
    yield "end"


def record_of(trial: Trial, who: str):
    """Return all that a button could change."""
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.participant(who), list(unit.events(who)), unit.visits(who), unit.allocations("preview")


def test_a_button_changes_something_on_its_own_page_alone(tmp_path):
    trial = Trial(tmp_path, entry="open")
    who = trial.app.enrol.enter(EntryRequest()).participant.id
    for station in stations(trial, who):
        before = record_of(trial, who)
        for button, (place, press) in BUTTONS.items():
            if place != station:
                press(trial.app.session, who)
                assert record_of(trial, who) == before, f"{button} at {station}"
    trial.close()


AFTERWARDS = {
    "go on to the next stage": lambda flow, unit, place: flow.advance(unit, place),
    "go on to the next task": lambda flow, unit, place: flow.next_step(unit, place),
    "enrol": lambda flow, unit, place: flow.enrol_consenting(unit, place),
    "turn away": lambda flow, unit, place: flow.turn_away(unit, place),
    "hand in a form": lambda flow, unit, place: flow.hand_in(unit, place, {}),
    "leave": lambda flow, unit, place: flow.leave(unit, place, "abandoned", "system"),
}


@pytest.mark.parametrize("act", AFTERWARDS)
def test_of_two_requests_that_go_on_from_one_place_the_later_one_changes_nothing_and_says_so(left, act):
    trial, who, place = left
    before = record_of(trial, who)
    with trial.app.context.registry.begin() as unit:
        assert AFTERWARDS[act](trial.app.session.flow, unit, place) is False
    assert record_of(trial, who) == before


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Return a participant who has left meanwhile, and the place at which another request has just read them."""
    trial = Trial(tmp_path_factory.mktemp("left"), entry="open")
    who = trial.app.enrol.enter(EntryRequest()).participant.id
    place = trial.app.session.where(who)
    trial.app.session.withdraw(who, False)
    yield trial, who, place
    trial.close()


def test_a_page_that_another_has_replaced_is_refused_and_one_that_has_yet_to_open_is_not(tmp_path):
    trial = Trial(tmp_path, entry="open")
    who = trial.app.enrol.enter(EntryRequest()).participant.id
    for page in ("first", "second"):
        trial.app.session.take_over(who, page)
    place, flow = trial.app.session.where(who), trial.app.session.flow
    with trial.app.context.registry.begin(write=False) as unit:
        with pytest.raises(Superseded):
            flow.check_page(unit, place, "first")
        for page in ("second", "third", None):
            flow.check_page(unit, place, page)
    trial.close()
