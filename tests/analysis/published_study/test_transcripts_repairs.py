import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis.transcript_maker import asked, seen, transcript

from analysis.published_study.repairs import repair
from analysis.published_study.schema import EVENT_TYPES, Transcript


def repaired(events, condition="AI", **more):
    return repair(Transcript.model_validate(transcript(1, condition, events, **more)))


def listed(found, action, field=None):
    return [entry for entry in found.repairs if entry.action == action and field in (None, entry.field)]


START_1, START_2 = seen("00:00:01", "task_start"), seen("00:10:00", "task_start", "2")
DONE_1, SENT_1 = seen("00:09:00", "task_completion"), seen("00:09:30", "task_submission")
DONE_2, SENT_2 = seen("00:19:00", "task_completion", "2"), seen("00:19:30", "task_submission", "2")


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("ai_interaction", "ai_intersection", "ai_interaction"),
        ("task_submission", "task_submisison", "task_submission"),
        ("task_completion", "task_completion.", "task_completion"),
        ("task_completion", "task_complete", "task_completion"),
        ("error", "Error", "error"),
        ("websearch", "web_search", "websearch"),
    ],
)
def test_a_misspelt_code_is_spelt_as_meant_and_listed(kind, written, meant):
    found = repaired([START_1, seen("00:01:00", kind, codes=[written])])
    assert found.events[1].codes == (meant,)
    [entry] = listed(found, "repaired", "codes")
    assert (entry.event, entry.found, entry.now) == (1, written, meant)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("task_submission", "task_completion"),
        ("paste", "code_copying"),
        ("code_copying", "code_generation"),
        ("system_error", "task_submission"),
    ],
)
def test_where_type_and_code_disagree_the_type_wins(kind, written):
    found = repaired([START_1, seen("00:01:00", kind, codes=[written])])
    assert found.events[1].codes == (kind,)
    assert found.events[1].labels == ()
    assert len(listed(found, "repaired", "codes")) == 1


def test_a_remark_beside_the_code_is_kept():
    found = repaired([START_1, seen("00:01:00", "task_submission", codes=["task_submission", "incomplete"])])
    assert found.events[1].codes == ("task_submission", "incomplete")
    assert not listed(found, "repaired")


def test_a_failure_of_the_assistant_on_a_query_is_no_label():
    found = repaired([START_1, asked("00:01:00", ["question", "system_error"])])
    assert found.events[1].labels == ("explanation",)


def test_time_running_backwards_keeps_the_order_and_the_recorded_time():
    found = repaired([START_1, seen("00:11:16", "error"), seen("00:10:55", "paste")])
    assert [event.seconds for event in found.events] == [1, 676, 676]
    assert found.events[2].recorded.timestamp == "00:10:55"
    [entry] = listed(found, "repaired", "timestamp")
    assert (entry.found, entry.now) == ("00:10:55", "00:11:16")


def test_nothing_belongs_to_task_2_before_it_starts():
    found = repaired(
        [START_1, seen("00:08:00", "error", "2"), DONE_1, {**SENT_1, "task_id": "2"}, START_2, DONE_2, SENT_2]
    )
    assert [event.task for event in found.events] == list("1111222")
    assert len(listed(found, "repaired", "task_id")) == 2


def test_a_stray_event_of_task_1_amid_task_2_is_renumbered():
    found = repaired([START_1, DONE_1, SENT_1, START_2, seen("00:12:00", "code_copying"), DONE_2, SENT_2])
    assert found.events[4].task == "2"


def test_a_return_to_task_1_is_left_and_listed():
    back = [asked(f"00:30:0{second}", ["question"]) for second in range(5)]
    found = repaired([START_1, DONE_1, SENT_1, START_2, DONE_2, *back])
    assert [event.task for event in found.events[5:]] == ["1"] * 5
    assert listed(found, "left", "task_id")[0].found == "5 events of task 1 from 00:30:00"


def test_task_1_may_be_submitted_after_task_2_has_started():
    found = repaired([START_1, DONE_1, START_2, {**SENT_1, "timestamp": "00:10:30"}, DONE_2, SENT_2])
    assert found.events[3].task == "1"
    assert listed(found, "left", "task_id")


def test_the_last_submission_noted_for_task_1_is_that_of_task_2_where_that_is_missing():
    found = repaired([START_1, DONE_1, SENT_1, START_2, DONE_2, {**SENT_2, "task_id": "1"}])
    assert found.events[-1].task == "2"


def test_a_second_submission_of_task_1_beside_one_of_task_2_is_left():
    found = repaired([START_1, SENT_1, START_2, SENT_2, seen("00:34:57", "task_submission")], complete=(True, False))
    assert found.events[-1].task == "1"
    assert [entry.found for entry in listed(found, "left", "task_submission")] == ["00:34:57"]


def test_missing_completions_and_submissions_are_listed_never_made_up():
    found = repaired([START_1, START_2], complete=(True, False))
    assert len(found.events) == 2
    reasons = {entry.reason for entry in listed(found, "left")}
    assert "no task_completion of task 1; the summary says the task is complete" in reasons
    assert "no task_completion of task 2; the summary says the task is not complete" in reasons


def test_two_interactions_without_a_query_between_are_listed():
    typing = [seen("00:01:00", "ai_interaction"), seen("00:02:00", "ai_interaction")]
    assert listed(repaired([START_1, *typing, asked("00:02:30", ["question"])]), "left", "event_type")


def test_a_query_without_a_label_is_listed_and_gets_none():
    done = repair(Transcript.model_validate(transcript(events=[seen("00:00:10", "task_start"), asked("00:01:00", [])])))
    assert done.events[1].labels == ()
    assert [entry.action for entry in done.repairs if entry.reason.startswith("no label on a query")] == ["left"]


def test_an_assistants_delay_without_an_assistant_is_listed():
    found = repaired([START_1, seen("00:01:00", "ai_delay", description="Connection lost")], "No-AI")
    assert listed(found, "left", "event_type")[0].found == "ai_delay"


def test_minutes_that_do_not_add_up_are_listed():
    found = repaired(None, minutes=20, task1_total_time=2)
    assert "the two tasks' total times sum to 12" in {entry.reason for entry in found.repairs}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2400),
            st.sampled_from([kind for kind in EVENT_TYPES if kind != "ai_query"]),
            st.sampled_from("12"),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_repair_loses_no_event_and_time_never_runs_backwards(rows):
    events = [seen(f"00:{at // 60:02d}:{at % 60:02d}", kind, task) for at, kind, task in rows]
    found = repaired(events)
    assert [event.kind for event in found.events] == [kind for _, kind, _ in rows]
    assert [event.seconds for event in found.events] == sorted(event.seconds for event in found.events)
    changed = sum(event.task != event.recorded.task_id for event in found.events)
    assert changed == len(listed(found, "repaired", "task_id"))
