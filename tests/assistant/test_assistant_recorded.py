"""Replayed turns."""

import asyncio
import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.assistant.replaying.near import NearQuestions, asked_words
from study_app.assistant.replaying.recorded import RecordedAssistant, turn_problems
from study_app.content.texts import catalogue
from study_app.domain.assistants.recording import NEAR, RECORDED
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyBrokenOff, ReplyEnd
from study_app.domain.errors import ProblemsFound

SPEC = AssistantSpec(id="old", version="1", label="A", provider="recorded", recording="turns.jsonl")
TURNS = [
    {"message": "Hi", "reply": "First.", "model": "m1", "input_tokens": 3, "output_tokens": 2},
    {"message": "hi ", "reply": "Second.", "pieces": ["Sec", "ond."], "stop_reason": "max_tokens"},
    {"message": "Only there", "reply": "Yes.", "task": "trio_users"},
    {"message": "Broken", "reply": "Half a", "error": "connection", "retry_after": 2},
]
RECORDING = "\n".join(json.dumps(turn) for turn in TURNS)


def heard(message, history=(), task=""):
    async def scene():
        assistant = RecordedAssistant(SPEC, RECORDING)
        request = AssistantRequest(message, "", "", tuple(history), task)
        return [piece async for piece in assistant.reply(request)]

    return asyncio.run(scene())


def test_a_turn_is_replayed_as_it_was_recorded():
    *pieces, end = heard("Hi")
    assert "".join(piece.text for piece in pieces) == "First."
    assert end == ReplyEnd("m1", SPEC.prompt_version, 3, 2, parameters={"recorded_match": "exact"})


def test_the_same_message_again_gets_the_next_recorded_turn_and_then_the_last():
    *pieces, end = heard("hi", [("Hi", "First.")])
    assert [piece.text for piece in pieces] == ["Sec", "ond."]
    assert end.stop_reason == "max_tokens"
    assert heard("HI", [("Hi", "a"), ("Hi", "b"), ("Hi", "c")]) == [*pieces, end]


def test_a_turn_of_one_task_answers_in_that_task_only():
    assert heard("Only there", task="trio_users")[0].text == "Yes."
    *pieces, end = heard("Only there", task="trio_timer")
    assert "".join(piece.text for piece in pieces) == RECORDED("none")
    assert (end.model, end.parameters) == ("", {"recorded_match": "none"})


def test_a_recorded_failure_fails_again_after_its_words():
    with pytest.raises(ReplyBrokenOff) as caught:
        heard("Broken")
    assert (caught.value.kind, caught.value.retry_after) == ("connection", 2)


def test_every_unreadable_line_is_reported():
    with pytest.raises(ProblemsFound) as caught:
        RecordedAssistant(SPEC, '{"message": 1}\nnot json\n\n{"message": "ok"}\n', file="turns.jsonl")
    assert [problem.key for problem in caught.value.problems] == ["row 1, message", "row 2"]


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("Was ist ein Wörterbuch?", unicodedata.normalize("NFD", "was ist ein WÖRTERBUCH?")),
        (unicodedata.normalize("NFD", "¿Qué es esto?"), "¿Qué es esto?"),
        ("ﬁnd the ＡＢＣ", "find the abc"),
    ],
)
def test_the_same_question_in_other_code_points_is_the_same_question(recorded, asked):
    request = AssistantRequest(asked, "", "")
    assert RecordedAssistant(SPEC, json.dumps({"message": recorded, "reply": "Yes."})).match(request) == "exact"
    reordered = AssistantRequest(" ".join(reversed(asked.split())), "", "")
    assert RecordedAssistant(SPEC, json.dumps({"message": recorded, "reply": "Yes."})).match(reordered) != "exact"


def test_what_a_recorded_turn_said_of_itself_is_not_said_of_the_replayed_one():
    old = {"persona": "warm", "recorded_nearness": 0.1, "recorded_steps_left_out": 3, "thinking": "off"}

    async def scene():
        line = json.dumps({"message": "Hi", "reply": "Yes.", "parameters": old})
        return [piece async for piece in RecordedAssistant(SPEC, line).reply(AssistantRequest("Hi", "", ""))]

    assert asyncio.run(scene())[-1].parameters == {"thinking": "off", "recorded_match": "exact"}


def test_lines_that_can_be_read_and_cannot_be_meant_so_are_named():
    text = "\n".join([
        '{"message": "Hi", "replly": "A slip."}',
        '{"message": "Hi", "reply": "Whole.", "pieces": ["Who"]}',
        '{"message": "Hi", "reply": "Whole.", "parameters": {"a": [NaN]}}',
        '{"message": "Hi", "error": "timeout"}',
        '{"message": "Hi", "steps": [{"tool": "view"}]}',
        '{"message": "Hi", "reply": "Whole.", "pieces": ["Who", "le."]}',
    ])  # fmt: skip
    said = [(one.key, one.what) for one in turn_problems(text, "turns.jsonl")]
    assert said == [
        ("row 1", "has no reply, no steps and no error"),
        ("row 2", "its pieces put together are not its reply"),
        ("row 3", "its parameters hold NaN or Infinity, which JSON has not"),
    ]


def test_a_line_separator_inside_a_reply_is_no_line_of_the_recording():
    line = json.dumps({"message": "Hi", "reply": "One.\u2028Two.\u0085"}, ensure_ascii=False)

    async def scene():
        return [piece async for piece in RecordedAssistant(SPEC, line).reply(AssistantRequest("Hi", "", ""))]

    *pieces, _ = asyncio.run(scene())
    assert "".join(piece.text for piece in pieces) == "One.\u2028Two.\u0085"


QUESTIONS = {
    "How do I open a nursery in trio?": "Write `async with trio.open_nursery() as nursery:`.",
    "What does start_soon do with the function?": "It starts the task and returns at once.",
    "Why is my timer printing twice?": "The loop runs once more than you want.",
    "Wie öffne ich eine Datei in Python?": "Mit `open(...)`.",
}


def replayed(message, language="en", texts=None, task=""):
    recording = "\n".join(json.dumps({"message": asked, "reply": said}) for asked, said in QUESTIONS.items())

    async def scene():
        request = AssistantRequest(message, "", "", (), task, language=language)
        assistant = RecordedAssistant(SPEC, recording, texts=texts)
        return [piece async for piece in assistant.reply(request)]

    *pieces, end = asyncio.run(scene())
    return "".join(piece.text for piece in pieces), end


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        ("how can I open the nursery of trio", "How do I open a nursery in trio?"),
        ("start_soon: what does it do with functions", "What does start_soon do with the function?"),
        ("My timer prints twice, why?", "Why is my timer printing twice?"),
        ("ich öffne eine Datei, wie in Python", "Wie öffne ich eine Datei in Python?"),
    ],
)
def test_a_question_that_is_near_to_a_recorded_one_gets_its_reply_and_says_so(message, answers):
    said, end = replayed(message)
    assert said == QUESTIONS[answers]
    assert end.parameters["recorded_match"] == "near"
    assert NEAR <= end.parameters["recorded_nearness"] <= 1


@pytest.mark.parametrize(
    "message",
    [
        "What is the capital of France?",
        "open",
        "How do I cancel a task after five seconds in trio when the network connection is too slow for the user?",
        "?!",
        "what is this",
        "你好",
    ],
)
def test_a_question_that_is_near_to_none_is_kindly_refused(message):
    said, end = replayed(message)
    assert said == RECORDED("none")
    assert end.parameters == {"recorded_match": "none"}
    assert end.model == ""


def test_what_no_recording_answers_is_said_in_the_participants_language():
    for language in ("de", "es", "fr"):
        said, _ = replayed("What is the capital of France?", language, lambda name: catalogue(name).table("embedded"))
        assert said == catalogue(language)["embedded.recorded.none"] != RECORDED("none")


def test_an_empty_recording_answers_nothing():
    async def scene():
        return [piece async for piece in RecordedAssistant(SPEC, "").reply(AssistantRequest("Hi", "", ""))]

    assert asyncio.run(scene())[-1].parameters == {"recorded_match": "none"}


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_nearness_is_a_share_and_is_whole_for_the_same_words(questions, message):
    found = NearQuestions(questions).nearest(message, lambda _: True)
    if found is not None:
        place, nearness = found
        assert NEAR <= nearness <= 1
        assert asked_words(message) & asked_words(questions[place])
    for question in questions:
        if asked_words(question):
            same = NearQuestions(questions).nearest(question, lambda _: True)
            assert same is not None
            assert same[1] == pytest.approx(1)
