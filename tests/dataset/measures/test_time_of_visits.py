"""Time of a visit: what counts as away is a hidden page, a window that is not in front, and a silent page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from study_app.dataset.measures.activity import absences, visit_use
from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.events.moments import Timeline
from study_app.domain.records import Visit
from study_app.domain.study.study import Study
from study_app.domain.timing import TimeSpan

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LENGTH = 120.0
VISIT = Visit("p1", "work", START, ended_at=START + timedelta(seconds=LENGTH))
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "timed", "title": "Timed", "arms": [{"id": "plain", "control": True}],
        "allocation": {"method": "simple"}, "activity": {"idle_after_seconds": 60, "away_after_seconds": 5},
        "stages": [{"id": "consent", "kind": "consent"}, {"id": "debrief", "kind": "debrief"}],
    }
)  # fmt: skip
Logged = tuple[float, str] | tuple[float, str, str]


def timeline(*logged: Logged) -> Timeline:
    """Events by second and kind, on the page `p` where none is named."""
    events = []
    for number, (second, kind, *page) in enumerate(logged):
        stored = START + timedelta(seconds=second)
        events.append(Event("p1", page[0] if page else "p", number, kind, "work", stored, event_id=number))
    return Timeline.of(events, [event.server_time.timestamp() for event in events])


def away(*logged: Logged) -> list[tuple[float, float]]:
    spells = absences(VISIT, STUDY, timeline((0.0, "focus"), *logged), START + timedelta(seconds=LENGTH))
    return [(spell.start, spell.end) for spell in spells]


@pytest.mark.parametrize(
    ("logged", "spells"),
    [
        ([(10, "hidden"), (40, "visible")], [(10, 40)]),
        ([(10, "blur"), (40, "focus")], [(10, 40)]),
        # Both at once are one spell, until neither is so.
        ([(10, "hidden"), (20, "blur"), (30, "visible"), (50, "focus")], [(10, 50)]),
        ([(10, "blur"), (20, "hidden"), (30, "focus"), (50, "visible")], [(10, 50)]),
        # A page that loads is in front.
        ([(10, "hidden"), (15, "blur"), (40, "load")], [(10, 40)]),
        ([(10, "hidden"), (20, "hidden"), (40, "visible"), (60, "visible")], [(10, 40)]),
        # To the end of the visit.
        ([(100, "hidden")], [(100, 120)]),
        ([(10, "edit"), (20, "focus"), (30, "visible")], []),
        # Shorter than the rule's seconds.
        ([(10, "hidden"), (14.9, "visible")], []),
        ([(10, "hidden"), (15, "visible")], [(10, 15)]),
    ],
)
def test_a_page_is_away_while_it_is_hidden_or_not_in_front(logged, spells):
    assert away(*logged) == spells


def test_a_page_that_misses_more_than_thirty_seconds_of_heartbeats_is_away():
    every = [(float(second), "heartbeat") for second in (0, 30, 60, 90)]
    assert away(*every) == []
    assert away(*every[:2], *every[3:]) == [(30, 90)]
    # Silence up to the end counts, and any word of a page ends it.
    assert away(*every[:3]) == [(60, 120)]
    assert away(*every[:3], (89.0, "edit")) == [(89, 120)]
    # The server's own events do not show that a page is there.
    assert away(*every[:3], (89.0, "stage_opened", SERVER_PAGE)) == [(60, 120)]


def test_without_heartbeats_silence_says_nothing():
    assert away((100.0, "edit")) == []


def test_a_visit_without_a_word_of_a_page_or_without_an_end_is_not_known():
    served = timeline((0.0, "stage_opened", SERVER_PAGE), (10.0, "stage_ended", SERVER_PAGE))
    assert visit_use(VISIT, STUDY, served) is None
    assert absences(VISIT, STUDY, served, START + timedelta(seconds=LENGTH)) == []
    assert visit_use(Visit("p1", "work", START), STUDY, timeline((0.0, "edit"))) is None
    assert visit_use(VISIT, STUDY, timeline()) is None


def test_acts_make_time_active_up_to_the_rules_seconds():
    logged = timeline((10.0, "edit"), (100.0, "hidden"))
    use = visit_use(VISIT, STUDY, logged)
    assert use is not None
    # From the start to the edit, a minute from there on, and away at the end.
    assert (use.active, use.idle, use.away) == (70.0, 30.0, 20.0)
    stopped = visit_use(VISIT, STUDY, logged, [TimeSpan(20.0, 30.0)])
    assert stopped is not None
    assert (stopped.active, stopped.idle, stopped.away) == (60.0, 40.0, 20.0)


def test_events_of_other_visits_do_not_count():
    logged = timeline((-20.0, "hidden"), (0.0, "edit"), (120.0, "edit"), (121.0, "hidden"))
    use = visit_use(VISIT, STUDY, logged)
    assert use is not None
    assert (use.active, use.away) == (60.0, 0.0)
