"""Anything that a model may answer where a structure was asked for: a verdict, a translation, or one typed error."""

from __future__ import annotations

import json
import unicodedata
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.hostile.hostile_values import NESTED_DEEP, TEXTS, anything

from study_app.assistant.explaining_judge import LONGEST_REASON, read_verdict
from study_app.assistant.translating import Translator
from study_app.content.languages.language_files import as_toml
from study_app.domain.assistants.gate import EXPLAINED, NOT_EXPLAINED
from study_app.domain.errors import AssistantUnavailable

SEEDS = st.integers(0, 2**32)
VERY_DEEP = "[" * 100_000


def reply(seed: int, whole: dict) -> object:
    """A reply of the Messages API that holds the structure, something like it, or anything."""
    rng = Random(seed)
    kept = {name: value if rng.random() < 0.5 else anything(rng, 2) for name, value in whole.items()}
    texts = (json.dumps(kept), json.dumps(anything(rng)), rng.choice(TEXTS), NESTED_DEEP, VERY_DEEP, json.dumps(whole))
    block = SimpleNamespace(type=rng.choice(("text", "text", "tool_use", None)), text=rng.choice((*texts, None, 5)))
    content = rng.choice(([block], [block], [block, block], [], None, [SimpleNamespace()], "text"))
    usage = rng.choice((SimpleNamespace(input_tokens=1, output_tokens=2), SimpleNamespace(input_tokens=1), None))
    return SimpleNamespace(content=content, usage=usage, model=rng.choice(("claude", None, 5)))


@given(SEEDS)
def test_any_answer_of_the_judge_is_a_verdict_or_unavailable(seed):
    try:
        found = read_verdict(reply(seed, {"verdict": EXPLAINED, "reason": "Because."}))
    except AssistantUnavailable:
        return
    assert found.verdict in (EXPLAINED, NOT_EXPLAINED)
    assert len(found.reason) <= LONGEST_REASON
    found.reason.encode()
    assert "\0" not in found.reason


@pytest.mark.parametrize("text", [VERY_DEEP, '{"verdict": [[]], "reason": 1}', '{"verdict": "explained"}'])
def test_a_judge_whose_answer_cannot_be_read_is_unavailable(text):
    block = SimpleNamespace(type="text", text=text)
    usage = SimpleNamespace(input_tokens=1, output_tokens=1)
    with pytest.raises(AssistantUnavailable):
        read_verdict(SimpleNamespace(content=[block], usage=usage, model="m"))


def translated(answer: object, texts: dict[str, str]) -> dict[str, str]:
    client = SimpleNamespace(messages=SimpleNamespace(create=lambda **_asked: answer))
    return Translator(client).translate(texts, "en", "xx")


@given(SEEDS, st.text(max_size=30))
@example(0, "\ud800")
@example(0, "go \x1b[2J")
@example(0, "\u202eevil")
def test_any_draft_can_be_written_and_read(seed, text):
    whole = {"texts": [{"key": "a", "text": text}, {"key": "b", "text": "page {n}"}]}
    answers = [reply(seed, whole), reply(seed + 1, whole)]
    answers.append(SimpleNamespace(content=[SimpleNamespace(text=json.dumps(whole))]))
    for answer in answers:
        found = translated(answer, {"a": "start", "b": "page {n}"})
        assert set(found) <= {"a", "b"}
        as_toml("title", "name", "", found).encode("utf-8")
        shown = [char for draft in found.values() for char in draft if char not in "\n\t"]
        assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs")]
        assert not any("\u202a" <= char <= "\u202e" for char in shown)


def test_a_script_that_needs_marks_and_joiners_keeps_them():
    text = "می\u200cخواهم\u200f"
    answer = SimpleNamespace(content=[SimpleNamespace(text=json.dumps({"texts": [{"key": "a", "text": text}]}))])
    assert translated(answer, {"a": "I want"}) == {"a": text}
