"""The Claude adapter against a real local HTTP server that speaks the streaming Messages protocol."""

import asyncio
import json
import logging
from contextlib import aclosing

import pytest
from support.providers.messages_api import MODEL, Answer, event, failure, serving, start, stop, whole, words

from study_app.assistant.claude import ClaudeAssistant, Patience
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyBrokenOff, ReplyEnd, TextDelta
from study_app.domain.errors import AssistantUnavailable

KEY = "sk-ant-not-a-real-key"
REQUEST = AssistantRequest("How do I sleep?", "# Timer\nWrite a timer.", "import trio\n", (("Hi", "Hello."),))
SPEC = AssistantSpec(id="full", version="1", label="Assistant", prompt="You help with Trio.", model="claude-asked-1")


def replied(*answers, spec=SPEC, request=REQUEST, patience=None):
    """Everything that one reply yielded, the error that ended it if any, and what the server saw."""

    async def scene():
        async with serving(*answers) as api:
            assistant = ClaudeAssistant(spec, api_key=KEY, base_url=api.url, patience=patience or Patience())
            pieces, error = [], None
            try:
                async for piece in assistant.reply(request):
                    pieces.append(piece)
            except AssistantUnavailable as unavailable:
                error = unavailable
            return pieces, error, api

    return asyncio.run(scene())


def said(pieces):
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))


def test_a_reply_arrives_in_pieces_and_ends_with_what_the_provider_said():
    pieces, error, _ = replied(Answer(whole("Await trio.sleep there.")))
    assert error is None
    assert said(pieces) == "Await trio.sleep there. "
    assert len(pieces) == 4
    assert pieces[-1] == ReplyEnd(MODEL, SPEC.prompt_version, 25, 7, "end_turn", {"max_tokens": 1500})


def test_the_prompt_carries_brief_history_code_and_message():
    _, _, api = replied(Answer(whole("Yes.")))
    body = api.bodies[0]
    assert body["model"] == "claude-asked-1"
    assert body["stream"] is True
    assert "You help with Trio." in body["system"]
    assert "Write a timer." in body["system"]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert "import trio" in body["messages"][-1]["content"]
    assert body["messages"][-1]["content"].endswith("How do I sleep?")


def test_parameters_are_sent_where_they_are_set_and_only_there():
    _, _, api = replied(Answer(whole("Yes.")))
    assert {"thinking", "output_config", "temperature"}.isdisjoint(api.bodies[0])
    given = SPEC.model_copy(update={"parameters": SPEC.parameters.model_copy(update=PARAMETERS)})
    pieces, _, api = replied(Answer(whole("Yes.")), spec=given)
    assert api.bodies[0]["thinking"] == {"type": "adaptive"}
    assert api.bodies[0]["output_config"] == {"effort": "low"}
    assert api.bodies[0]["temperature"] == 0.5
    assert api.headers[0]["anthropic-version"] == "2023-06-01"
    assert pieces[-1].parameters == {"max_tokens": 1500, **PARAMETERS}


@pytest.mark.parametrize(
    ("model", "word"), [("claude-sonnet-5-5", "between_tools"), ("claude-haiku-5-5", "disabled"), ("other", "disabled")]
)
def test_thinking_is_turned_off_in_the_words_of_the_model(model, word):
    off = SPEC.parameters.model_copy(update={"thinking": "off"})
    _, _, api = replied(Answer(whole("Yes.")), spec=SPEC.model_copy(update={"model": model, "parameters": off}))
    assert api.bodies[0]["thinking"] == {"type": word}


PARAMETERS = {"thinking": "adaptive", "effort": "low", "temperature": 0.5}


def test_the_budget_can_only_shorten_a_reply():
    for left, sent in ((100, 100), (9000, 1500), (None, 1500)):
        request = AssistantRequest("Hi", "", "", max_tokens=left)
        _, _, api = replied(Answer(whole("Yes.")), request=request)
        assert api.bodies[0]["max_tokens"] == sent


def test_slow_tokens_are_passed_on_as_they_come():
    async def scene():
        async with serving(Answer([start(), *words("one two three")], hang=True)) as api:
            assistant = ClaudeAssistant(SPEC, api_key=KEY, base_url=api.url)
            async with aclosing(assistant.reply(REQUEST)) as reply:
                return [(await anext(reply)).text for _ in range(3)]

    assert asyncio.run(scene()) == ["one ", "two ", "three "]


def test_stopping_a_reply_hangs_up_on_the_provider():
    async def scene():
        async with serving(Answer([start(), *words("one two")], hang=True)) as api:
            assistant = ClaudeAssistant(SPEC, api_key=KEY, base_url=api.url)
            async with aclosing(assistant.reply(REQUEST)) as reply:
                await anext(reply)
            await asyncio.wait_for(api.hung_up.wait(), 5)

    asyncio.run(scene())


def test_a_wait_for_the_next_word_can_be_cancelled_and_hangs_up():
    async def scene():
        async with serving(Answer([start(), *words("one")], hang=True)) as api:
            reply = ClaudeAssistant(SPEC, api_key=KEY, base_url=api.url).reply(REQUEST)
            await asyncio.ensure_future(anext(reply))
            waiting = asyncio.ensure_future(anext(reply))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await reply.aclose()
            await asyncio.wait_for(api.hung_up.wait(), 5)

    asyncio.run(scene())


def test_a_reply_that_stalls_is_given_up_and_what_was_said_stands():
    answer = Answer([start(), *words("one two")], hang=True)
    pieces, error, _ = replied(answer, patience=Patience(stall=0.2))
    assert said(pieces) == "one two "
    assert isinstance(error, ReplyBrokenOff)
    assert error.kind == "timeout"
    assert error.end == ReplyEnd(MODEL, SPEC.prompt_version, 25, None, "broken_off", {"max_tokens": 1500})


def test_keep_alive_pings_do_not_hold_a_stalled_reply_open():
    answer = Answer([start(), *[event("ping")] * 200], pause=0.05)
    _, error, _ = replied(answer, patience=Patience(stall=0.2))
    assert error.kind == "timeout"


def test_a_provider_that_never_answers_is_given_up():
    pieces, error, _ = replied(Answer([], hang=True), patience=Patience(first_token=0.3, stall=0.1))
    assert pieces == []
    assert error.kind == "timeout"


def test_a_connection_cut_amid_the_reply_keeps_what_was_said():
    pieces, error, api = replied(Answer([start(), *words("Use a nursery")[:3]], cut=True))
    assert said(pieces) == "Use a "
    assert isinstance(error, ReplyBrokenOff)
    assert error.kind == "connection"
    assert error.end.input_tokens == 25
    assert len(api.bodies) == 1, "a reply that has begun is never asked for again"


def test_a_stream_that_ends_early_but_tidily_is_not_taken_for_a_whole_reply():
    pieces, error, _ = replied(Answer([start(), *words("Use a nursery")]))
    assert said(pieces) == "Use a nursery "
    assert error.kind == "connection"


def test_no_server_at_all_is_a_connection_failure():
    async def scene():
        assistant = ClaudeAssistant(SPEC, api_key=KEY, base_url="http://127.0.0.1:9", patience=Patience(retries=0))
        with pytest.raises(AssistantUnavailable) as caught:
            await anext(assistant.reply(REQUEST))
        return caught.value

    assert asyncio.run(scene()).kind == "connection"


def test_a_short_rate_limit_is_waited_out_before_the_first_token():
    limited = failure(429, "rate_limit_error", retry_after="0.05")
    pieces, error, api = replied(limited, Answer(whole("Here.")))
    assert error is None
    assert said(pieces) == "Here. "
    assert len(api.bodies) == 2


def test_a_long_rate_limit_is_reported_at_once_with_its_pause():
    pieces, error, api = replied(failure(429, "rate_limit_error", retry_after="60"))
    assert pieces == []
    assert (error.kind, error.retry_after) == ("rate_limit", 60.0)
    assert len(api.bodies) == 1


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (529, "overloaded_error", "overloaded"),
        (503, "api_error", "overloaded"),
        (504, "timeout_error", "timeout"),
        (500, "api_error", "other"),
        (400, "invalid_request_error", "other"),
        (401, "authentication_error", "authentication"),
        (403, "permission_error", "authentication"),
    ],
)
def test_each_refusal_of_the_provider_has_its_kind(status, kind, expected):
    _, error, _ = replied(failure(status, kind), patience=Patience(retries=0))
    assert error.kind == expected
    assert str(status) in str(error)


def test_an_overloaded_provider_is_asked_again_as_often_as_allowed_and_no_more():
    _, error, api = replied(failure(529, "overloaded_error"), patience=Patience(retries=1))
    assert error.kind == "overloaded"
    assert len(api.bodies) == 2


def test_an_overload_amid_the_reply_is_told_apart_from_a_cut():
    broken = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    pieces, error, _ = replied(Answer([start(), *words("Use a")[:2], broken]))
    assert said(pieces) == "Use "
    assert isinstance(error, ReplyBrokenOff)
    assert error.kind == "overloaded"


@pytest.mark.parametrize("broken", [b"event: content_block_delta\ndata: {not json\n\n", event("message_delta")])
def test_an_event_that_cannot_be_read_ends_the_reply_kindly(broken):
    pieces, error, _ = replied(Answer([start(), *words("Use a")[:2], broken, *stop()]))
    assert said(pieces) == "Use "
    assert error.kind == "other"
    assert "cannot be read" in str(error)


def test_a_refusal_is_an_answer_that_counts_but_not_a_failure_of_the_line():
    pieces, error, _ = replied(Answer(whole("I", "refusal")))
    assert said(pieces) == "I "
    assert error.kind == "refused"
    assert (error.end.stop_reason, error.end.input_tokens, error.end.output_tokens) == ("refusal", 25, 7)


def test_a_reply_cut_at_its_longest_says_so():
    pieces, error, _ = replied(Answer(whole("Long", "max_tokens")))
    assert error is None
    assert pieces[-1].stop_reason == "max_tokens"


def test_the_key_reaches_the_provider_and_nothing_else(caplog):
    caplog.set_level(logging.DEBUG)
    rejected = failure(401, "authentication_error")
    rejected.pieces = [
        json.dumps({"type": "error", "error": {"type": "authentication_error", "message": KEY}}).encode()
    ]
    _, error, api = replied(rejected)
    assert KEY in api.headers[0]["authorization"]
    assert KEY not in f"{error} {error!r} {ClaudeAssistant(SPEC, api_key=KEY)!r}"
    assert KEY not in caplog.text


def test_the_model_can_be_asked_for_without_using_a_token():
    shown = {"id": "claude-asked-1", "type": "model", "display_name": "Claude Asked 1", "lifecycle": "active"}

    async def scene(answer):
        async with serving(answer) as api:
            return await ClaudeAssistant(SPEC, api_key=KEY, base_url=api.url).facts()

    assert asyncio.run(scene(Answer([json.dumps(shown).encode()]))).name == "Claude Asked 1"
    with pytest.raises(AssistantUnavailable, match="knows no model"):
        asyncio.run(scene(failure(404, "not_found_error")))


def test_one_assistant_serves_several_event_loops():
    assistant = None
    for _ in range(2):

        async def scene():
            nonlocal assistant
            async with serving(Answer(whole("Yes."))) as api:
                assistant = assistant or ClaudeAssistant(SPEC, api_key=KEY)
                assistant._base_url = api.url
                return [piece async for piece in assistant.reply(REQUEST)]

        assert said(asyncio.run(scene())) == "Yes. "
