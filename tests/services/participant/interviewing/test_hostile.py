"""Acts of an interview out of turn: pressed twice, from two tabs, stale, early, huge, after the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.trials.export_world import table
from support.trials.interview_study import LONG, Interviewee

from study_app.dataset.verification import verify
from study_app.domain.errors import Malformed, NotAllowed, StudyError, Superseded
from study_app.domain.events import Batch
from study_app.domain.events.server import InterviewAnswered, InterviewAsked, InterviewClosed, InterviewRated
from study_app.domain.quiz.answering import LONGEST_TEXT
from study_app.services.participant.answers import ShownPage
from study_app.services.position import Ended


@pytest.fixture
def person(tmp_path):
    return Interviewee(tmp_path)


def clean(person):
    return [str(each) for each in verify(person.export()).findings] == []


def where(person):
    place = person.app.session.where(person.id)
    return None if isinstance(place, Ended) else (place.stage.id, place.participant.step)


def test_nothing_is_handed_in_before_the_question_is_there(person):
    person.app.session.take_over(person.id, "page1", 0.0)
    shown = {"seq": 1, "kind": "answers_shown", "client_time_ms": 0, "mono_ms": 1}
    batch = {"page": "page1", "events": [shown | {"payload": {"stage": "talk", "step": 0}}]}
    person.app.session.ingest(person.id, Batch.model_validate(batch))
    early = ShownPage(page="page1", seq=1, stage="talk", step=0, shown={})
    with pytest.raises(NotAllowed, match="not open yet"):
        person.app.answers.submit(person.id, early)
    with pytest.raises(NotAllowed, match="no question on this page"):
        person.app.interviews.leave_question(person.id, "talk", 0, "page1", "stopped")
    assert where(person) == ("talk", 0)
    person.say(LONG)
    # The next question is chosen only when its page is drawn; until then there is nothing to answer or to skip.
    with pytest.raises(NotAllowed, match="not open yet"):
        person.app.interviews.answer(person.id, "talk", 1, {"turn_2": LONG})
    for outcome in ("skipped", "stopped"):
        with pytest.raises(NotAllowed, match="no question on this page"):
            person.app.interviews.leave_question(person.id, "talk", 1, "page1", outcome)
    assert where(person) == ("talk", 1)
    assert person.events(InterviewClosed) == []
    assert person.asked
    assert clean(person)


def test_stale_and_foreign_pages_change_nothing(person):
    person.say(LONG)
    assert person.asked
    leave, answer = person.app.interviews.leave_question, person.app.interviews.answer
    for stage, step in (("talk", 0), ("talk", 7), ("talk", -1), ("about", 0), ("debrief", 0), ("", 1), ("talk\0", 1)):
        assert leave(person.id, stage, step, "page1", "stopped").accepted
        answer(person.id, stage, step, {"turn_1": "other words", "turn_2": "early words"})
    with pytest.raises(Malformed, match="use skipped or stopped"):
        leave(person.id, "talk", 1, "page1", "deadline")
    assert where(person) == ("talk", 1)
    assert [each.answer for each in person.events(InterviewAnswered)] == [LONG]


def test_after_stop_no_act_finds_the_interview_and_nothing_more_is_asked(person):
    assert person.asked
    for _ in range(3):
        assert person.app.interviews.leave_question(person.id, "talk", 0, "page1", "stopped").accepted
        person.app.interviews.answer(person.id, "talk", 0, {"turn_1": LONG})
    assert person.view is None
    assert len(person.events(InterviewClosed)) == len(person.events(InterviewAnswered)) == 1
    assert len(person.events(InterviewAsked)) == 1
    assert clean(person)


def test_answer_skip_and_stop_at_once_are_one_of_them(person):
    assert person.asked
    acts = [
        lambda: person.app.interviews.answer(person.id, "talk", 0, {"turn_1": LONG}),
        lambda: person.app.interviews.leave_question(person.id, "talk", 0, "page1", "skipped"),
        lambda: person.app.interviews.leave_question(person.id, "talk", 0, "page1", "stopped"),
        lambda: person.view,
    ]

    def tried(number):
        try:
            acts[number % 4]()
        except StudyError:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tried, range(24)))
    answered = person.events(InterviewAnswered)
    assert len({each.turn_id for each in answered}) == len(answered) == 1
    assert len(person.events(InterviewClosed)) <= 1
    assert clean(person)


def test_a_page_that_another_tab_has_replaced_skips_and_stops_nothing(person):
    assert person.asked
    for tab in ("page1", "page2"):
        person.app.session.take_over(person.id, tab, 0.0)
    with pytest.raises(Superseded):
        person.app.interviews.leave_question(person.id, "talk", 0, "page1", "stopped")
    assert where(person) == ("talk", 0)
    assert person.app.interviews.leave_question(person.id, "talk", 0, "page2", "skipped").accepted
    assert where(person) == ("talk", 1)


@pytest.mark.parametrize(
    "words",
    [
        "word " * 40_000,
        pytest.param("?" * 60_000, marks=pytest.mark.slow),
        pytest.param("\u202e<script>alert(1)</script>\n\n**bold** {contact}", marks=pytest.mark.slow),
        pytest.param("=HYPERLINK(1)\r\n\"a\",'b';\t", marks=pytest.mark.slow),
    ],
)
def test_any_words_are_kept_up_to_the_longest_and_export_as_one_cell(person, words):
    while person.asked:
        person.say(words)
    kept = words.strip()[:LONGEST_TEXT]
    assert {each.answer for each in person.events(InterviewAnswered)} == {kept}
    dataset = person.export()
    # A spreadsheet would run what begins like a formula.
    cell = f"'{kept}" if kept.startswith("=") else kept
    assert {turn["answer"] for turn in table(dataset, "interview_turns")} == {cell}
    assert [str(each) for each in verify(dataset).findings] == []


@pytest.mark.parametrize("value", [7, None, ["a"], {"a": 1}, True])
def test_what_is_not_text_is_no_answer(person, value):
    assert person.asked
    person.app.interviews.answer(person.id, "talk", 0, {"turn_1": value, "turn_9": "x"})
    assert [each.answer for each in person.events(InterviewAnswered)] == [None]


@pytest.mark.parametrize("rating", [0, 5, -1, 2.5, True, "4", None, [4]])
def test_a_rating_outside_the_scale_is_not_kept(person, rating):
    person.say(LONG).say(LONG).say(LONG)
    assert person.asked is None
    person.rate(rating)
    assert person.events(InterviewRated) == []
    assert where(person) is None


def test_events_of_questions_that_were_never_asked_change_no_row(person):
    assert person.asked
    person.app.session.take_over(person.id, "page1", 0.0)
    payloads = []
    for step in (0, 1, 3, 50):
        place = {"stage": "talk", "step": step}
        edit = {"kind": "typed", "changes": [{"from": 0, "to": 0, "insert": "Forged"}], "length": 6}
        payloads += [("answers_shown", place), ("answer_edit", place | edit | {"field": f"turn_{step + 1}"})]
    events = [
        {"seq": seq, "kind": kind, "client_time_ms": 0, "mono_ms": 10 * seq, "payload": payload}
        for seq, (kind, payload) in enumerate(payloads, start=1)
    ]
    person.app.session.ingest(person.id, Batch.model_validate({"page": "page1", "events": events}))
    screen = ShownPage(page="page1", seq=len(events), stage="talk", step=0, shown={"turn_1": "Other"})
    assert person.app.answers.submit(person.id, screen).differs
    person.leave("skipped")
    person.say(LONG)
    assert [each.answer for each in person.events(InterviewAnswered)] == [None, LONG]
    dataset = person.export()
    assert "Forged" not in str(table(dataset, "interview_turns"))
    assert {each.finding_class for each in verify(dataset).findings} <= {"participant"}
