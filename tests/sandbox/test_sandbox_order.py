"""What a program writes to its two streams is shown in the order in which it was written, to the character."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.tasks.programs import Program, RunLimits, in_order
from study_app.sandbox import local
from study_app.sandbox.child import source_lines
from study_app.sandbox.inside import frames
from study_app.sandbox.inside.harness import BEAT_SECONDS
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.output import clean
from study_app.sandbox.process import RunningProgram
from study_app.sandbox.server import Options

WARNS = """
import sys, trio

async def tick(n):
    print("tick", n)

async def main():
    print("before")
    tick(1)
    print("after")
    await tick(2)
    print("to stderr", file=sys.stderr)
    print("end")

trio.run(main)
"""
WAYS = {
    "print": "print({text!r}, file=sys.std{name})",
    "bytes": "sys.std{name}.buffer.write({text!r}.encode() + b'\\n'); sys.std{name}.flush()",
    "os.write": "os.write({number}, {text!r}.encode() + b'\\n')",
    "original": "sys.__std{name}__.write({text!r} + '\\n')",
    "logging": "print({text!r}, file=sys.std{name}, flush=True)",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def shown(result) -> list[tuple[str, str]]:
    return [(line.stream, line.text) for line in result.lines]


def again(result) -> list[tuple[str, str]]:
    """What a page shows after a reload: from the two stored texts and the stored order."""
    parts = in_order(result.stdout, result.stderr, result.order)
    return [(stream, line) for stream, text in parts for line in text.removesuffix("\n").split("\n")]


def test_a_warning_stands_where_it_was_given_in_each_of_many_runs(sandbox):
    seen = [shown(sandbox.run(Program(WARNS, ("trio",)))) for _ in range(8)]
    texts = [text for _, text in seen[0]]
    assert all(each == seen[0] for each in seen)
    warned = next(at for at, text in enumerate(texts) if "never awaited" in text)
    assert texts.index("before") < warned < texts.index("after")
    assert texts.index("to stderr") == texts.index("end") - 1


def test_every_way_of_writing_keeps_the_order(sandbox):
    chooser = random.Random(11)
    lines, expected = ["import os, sys"], []
    for number in range(400):
        name, code = chooser.choice([("out", 1), ("err", 2)])
        text = f"{number} é"
        lines.append(WAYS[chooser.choice(list(WAYS))].format(text=text, name=name, number=code))
        expected.append((f"std{name}", text))
    result = sandbox.run(Program("\n".join(lines)))
    assert shown(result) == expected == again(result)


def test_long_writes_of_threads_do_not_mix(sandbox):
    code = (
        "import sys, threading\n"
        "def say(stream, letter):\n    for _ in range(20):\n        print(letter * 900, file=stream)\n"
        "threads = [threading.Thread(target=say, args=pair) for pair in ((sys.stdout, 'o'), (sys.stderr, 'e'))]\n"
        "[each.start() for each in threads]\n[each.join() for each in threads]\n"
    )
    result = sandbox.run(Program(code, limits=RunLimits(output_bytes=1_000_000)))
    assert result.stdout == ("o" * 900 + "\n") * 20
    assert result.stderr == ("e" * 900 + "\n") * 20
    assert again(result) == shown(result)


def test_a_prompt_stands_before_the_error_that_says_what_to_do_instead(sandbox):
    result = sandbox.run(Program('name = input("Your name? ")\n'))
    assert shown(result)[:2] == [("stdout", "Your name? "), ("stderr", "Traceback (most recent call last):")]
    assert result.stdout == "Your name? "
    assert (result.error_type, result.error_line) == ("EOFError", 1)
    assert "input() is not available here" in (result.error_message or "")
    assert again(result) == shown(result)


def test_the_note_on_a_limit_is_kept_but_not_shown_beside_the_pages_own_words(sandbox):
    result = sandbox.run(Program("print('a', end='', flush=True)\nwhile True: pass", limits=RunLimits(cpu_seconds=1)))
    assert result.ended_by == "cpu"
    assert shown(result) == [("stdout", "a")] == again(result)
    assert "1 seconds of computing time" in result.stderr


def test_the_interpreters_own_last_words_are_kept(sandbox):
    result = sandbox.run(Program("import faulthandler, os\nfaulthandler.enable()\nprint('first')\nos.abort()"))
    # The interpreter writes past Python's streams: these words keep only the order in which they arrive.
    assert ("stdout", "first") in shown(result)
    assert "Fatal Python error" in result.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize("separator", ["\f", "\u2028", "\u2029", "\x1c", "\x85", "\v"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_traceback_shows_the_text_of_the_line_it_names(sandbox, separator, end):
    code = end.join([f"text = 'one{separator}two'", f"# {separator} note", "wanted = 1 / 0  # this line", "last = 3"])
    result = sandbox.run(Program(code))
    assert result.error_line == 3
    assert "wanted = 1 / 0  # this line" in result.stderr


@given(st.text(alphabet="a\n\r\f\u2028\x85\x1c'# "))
def test_lines_are_counted_as_python_counts_them(code):
    plain = code.replace("\r\n", "\n").replace("\r", "\n")
    assert len(source_lines(code)) == plain.count("\n") + (plain != "" and not plain.endswith("\n"))


@pytest.mark.parametrize(
    "code", [0x61C, 0x200B, 0x200D, 0x2060, 0x2064, 0xE0001, 0xE007F, 0xFFF9, 0xFFFB, 0xAD, 0x180E, 0x3164, 0xE0100]
)
def test_characters_that_draw_as_nothing_are_named(code):
    assert clean(f"a{chr(code)}b".encode()) == f"a<U+{code:04X}>b"


def test_what_people_write_is_left_as_it_is():
    text = "naïve café 中文 Ελλ ﷺ 👍🏽 ½ – “x”\tend"
    assert clean(text.encode()) == text


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.binary(max_size=9000)), max_size=8), st.data())
@settings(max_examples=60)
def test_frames_come_apart_as_they_were_put_together(tmp_path_factory, writes, data):
    path = tmp_path_factory.mktemp("frames") / "pipe"
    with path.open("wb") as file:
        write = frames.writer(file.fileno())
        for tag, content in writes:
            assert write(tag, content) == len(content)
    raw = path.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    reader, seen = frames.Reader(), []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        seen += reader.feed(raw[start:end])
    for tag in (1, 2, 3):
        came, sent = ([part for name, part in pairs if name == tag] for pairs in (seen, writes))
        assert b"".join(came) == b"".join(sent)


def test_what_is_no_frame_stops_the_reading_and_nothing_else():
    reader = frames.Reader()
    assert list(reader.feed(frames.HEAD.pack(1, 2) + b"ok" + b"garbage")) == [(1, b"ok")]
    assert list(reader.feed(frames.HEAD.pack(1, 2) + b"no")) == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize("tag", [frames.STDOUT, frames.REPORTED, frames.BEAT, frames.FIGURE])
@pytest.mark.parametrize("call", [None, {"nonce": "n", "function": "none", "args": [], "beats": True}])
def test_frames_that_hold_nothing_end_a_run_as_output_does_and_are_not_kept(sandbox, monkeypatch, tag, call):
    followed = []

    class Followed(RunningProgram):
        def __init__(self, *given):
            super().__init__(*given)
            followed.append(self)

    monkeypatch.setattr(local, "RunningProgram", Followed)
    limits = RunLimits(wall_seconds=30.0, cpu_seconds=5, output_bytes=1000)
    code = f"import os\nframes = {frames.HEAD.pack(tag, 0)!r} * 16000\nwhile True:\n    os.write(3, frames)\n"
    assert sandbox.run(Program(code, limits=limits, call=call)).ended_by == "output"
    assert len(followed[-1]._beats) <= (2 * 30 / BEAT_SECONDS if call and tag == frames.BEAT else 0)


def test_a_program_that_writes_into_the_report_harms_only_itself(sandbox):
    result = sandbox.run(Program("import os\nprint('a')\nos.write(3, b'{\"error\": 1}')\nprint('b')"))
    assert (result.stdout, result.ended_by) == ("a\n", "exit")
    assert sandbox.run(Program("print('next')")).stdout == "next\n"
