"""What every assistant guarantees."""

import asyncio
import json
from contextlib import aclosing, asynccontextmanager

import pytest
from support.providers.messages_api import Answer, failure, serving, whole

from study_app.assistant.claude import ClaudeAssistant, Patience
from study_app.assistant.notes import NotesAssistant
from study_app.assistant.replaying.recorded import RecordedAssistant
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd, TextDelta
from study_app.domain.errors import AssistantUnavailable

SPEC = AssistantSpec(id="full", version="1", label="Assistant", prompt="Help.", model="claude-asked-1")
REQUEST = AssistantRequest("What is a nursery?", "# Task", "import trio\n", task="trio_timer", pack="pack")
NOTES = {"concepts.md": "## Nursery\n\nA nursery is the place where\nchild tasks live.\n"}


@asynccontextmanager
async def claude():
    async with serving(Answer(whole("A nursery holds child tasks."))) as api:
        yield ClaudeAssistant(SPEC, api_key="sk-test", base_url=api.url)


@asynccontextmanager
async def failing_claude():
    async with serving(failure(529, "overloaded_error")) as api:
        yield ClaudeAssistant(SPEC, api_key="sk-test", base_url=api.url, patience=Patience(retries=0))


@asynccontextmanager
async def notes():
    yield NotesAssistant(SPEC, load_notes=lambda pack: NOTES, seconds_per_word=0)


@asynccontextmanager
async def failing_notes():
    def no_folder(pack):
        raise PermissionError(pack)

    yield NotesAssistant(SPEC, load_notes=no_folder, seconds_per_word=0)


@asynccontextmanager
async def recorded():
    turn = {"message": REQUEST.message, "reply": "A nursery holds child tasks.", "model": "claude-then-1"}
    yield RecordedAssistant(SPEC, json.dumps(turn))


@asynccontextmanager
async def failing_recorded():
    yield RecordedAssistant(SPEC, json.dumps({"message": REQUEST.message, "error": "overloaded"}))


everyone = pytest.mark.parametrize("opened", [claude, notes, recorded])


def pieces_of(opened, request=REQUEST):
    async def scene():
        async with opened() as assistant:
            return assistant.id, [piece async for piece in assistant.reply(request)]

    return asyncio.run(scene())


@everyone
def test_it_says_who_it_is(opened):
    assert pieces_of(opened)[0] == opened.__name__


@everyone
def test_a_reply_is_some_text_and_then_exactly_one_end(opened):
    _, pieces = pieces_of(opened)
    assert len(pieces) > 3
    assert all(isinstance(piece, TextDelta) and piece.text for piece in pieces[:-1])
    assert isinstance(pieces[-1], ReplyEnd)


@everyone
def test_the_end_names_model_prompt_version_and_stop_reason(opened):
    end = pieces_of(opened)[1][-1]
    assert end.model
    assert end.prompt_version == SPEC.prompt_version
    assert end.stop_reason == "end_turn"
    json.dumps(end.parameters)


@everyone
def test_the_same_request_gets_the_same_reply(opened):
    assert pieces_of(opened)[1] == pieces_of(opened)[1]


@everyone
def test_a_participant_may_stop_listening_at_any_time(opened):
    async def scene():
        async with opened() as assistant, aclosing(assistant.reply(REQUEST)) as reply:
            return await anext(reply)

    assert isinstance(asyncio.run(scene()), TextDelta)


@everyone
def test_several_participants_are_answered_at_once(opened):
    async def heard(assistant):
        return "".join([piece.text async for piece in assistant.reply(REQUEST) if isinstance(piece, TextDelta)])

    async def scene():
        async with opened() as assistant:
            return await asyncio.gather(*(heard(assistant) for _ in range(5)))

    assert len(set(asyncio.run(scene()))) == 1


@everyone
@pytest.mark.parametrize("odd", ["", " ", "\x00", "🦀" * 500, "<script>", "```", "(" * 300])
def test_no_message_breaks_it(opened, odd):
    request = AssistantRequest(odd, odd, odd, ((odd, odd),), pack="pack")
    assert isinstance(pieces_of(opened, request)[1][-1], ReplyEnd)


@pytest.mark.parametrize("opened", [failing_claude, failing_notes, failing_recorded])
def test_its_failure_is_told_as_unavailable_with_a_kind_and_a_sentence(opened):
    with pytest.raises(AssistantUnavailable) as caught:
        pieces_of(opened)
    assert caught.value.kind in ("overloaded", "other")
    assert len(str(caught.value)) > 10


@everyone
def test_each_piece_may_be_awaited_in_a_task_of_its_own(opened):
    async def scene():
        async with opened() as assistant, aclosing(assistant.reply(REQUEST)) as reply:
            pieces = []
            while (piece := await asyncio.ensure_future(anext(reply, None))) is not None:
                pieces.append(piece)
            return pieces

    assert asyncio.run(scene()) == pieces_of(opened)[1]
