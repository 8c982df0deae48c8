"""Where text came from: every way in, and that nothing but the way in decides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.editing.edits import replay
from study_app.domain.editing.provenance import SOURCES, Reply, Tracker, attribute
from study_app.domain.events import details_of
from study_app.domain.events.browser import Edit, Load
from study_app.domain.events.changes import Change, ReplayMismatch, utf16_length
from study_app.domain.events.server import TurnStarted

STARTER = "import trio\n\n\n# your program\n"
REPLY = Reply(
    "turn1",
    "Use a nursery:\n\n```python\nasync def main():\n    async with trio.open_nursery() as nursery:\n"
    "        nursery.start_soon(greet, 1)\n        nursery.start_soon(greet, 2)\n```\nIt waits for both.",
)
CODE = "async def main():\n    async with trio.open_nursery() as nursery:\n        nursery.start_soon(greet, 1)\n"


class Editor:
    """Makes the events that a page would send."""

    def __init__(self, text: str = STARTER, page: str = "page") -> None:
        self.page, self.text, self.events = page, text, []
        self.log("load", task="t", text=text, source="starter")

    def log(self, event: str, /, **payload) -> Editor:
        self.events.append((self.page, details_of(event, payload)))
        return self

    def edit(self, kind: str, *changes: tuple[int, int, str], **more) -> Editor:
        done, text = 0, ""
        for start, end, insert in changes:
            text += self.text[done:start] + insert
            done = end
        self.text = text + self.text[done:]
        raw = [{"from": start, "to": end, "insert": insert} for start, end, insert in changes]
        return self.log("edit", task="t", kind=kind, changes=raw, length=utf16_length(self.text), **more)

    def type(self, text: str, at: int | None = None) -> Editor:
        place = len(self.text) if at is None else at
        for offset, char in enumerate(text):
            self.edit("typed", (place + offset, place + offset, char))
        return self

    def paste(self, text: str, origin: str, **more) -> Editor:
        self.log(
            "paste_attempt",
            text=text[:20000],
            length=len(text),
            target="editor",
            how="paste",
            **{"from": origin},
            **more,
        )
        return self.edit("paste", (len(self.text), len(self.text), text))

    def ask(self) -> Editor:
        self.events.append(("server", TurnStarted(turn_id="turn1", task="t")))
        return self

    def counts(self, **more) -> dict[str, int]:
        found = attribute(self.events, self.text, task="t", starter=STARTER, replies=[REPLY], **more)
        assert "".join(self.text[span.start : span.end] for span in found.spans) == self.text
        return {source: count for source, count in found.counts().items() if count}


def test_an_untouched_starter_is_starter():
    assert Editor().counts() == {"starter": len(STARTER)}


def test_typed_text_is_typed():
    assert Editor().type("x = 1\n").counts() == {"starter": len(STARTER), "typed": 6}


@pytest.mark.parametrize(
    ("origin", "source"),
    [("reply", "assistant"), ("brief", "brief"), ("notes", "notes"), ("output", "notes"), ("outside", "outside")],
)
def test_a_paste_is_attributed_to_what_the_page_says(origin, source):
    counts = Editor().ask().paste("y = 2 + 2\n", origin).counts()
    assert counts == {"starter": len(STARTER), source: 10}


def test_a_paste_from_a_reply_names_its_turn():
    editor = Editor().ask().paste("nursery.start_soon(greet, 1)", "reply", turn_id="turn1")
    found = attribute(editor.events, editor.text, task="t", starter=STARTER, replies=[REPLY])
    assert [(span.source, span.turn_id) for span in found.spans] == [("starter", None), ("assistant", "turn1")]


def test_a_paste_that_the_page_did_not_know_is_recognised_by_its_content():
    assert Editor().ask().paste("nursery.start_soon(greet, 2)", "outside").counts()["assistant"] == 28
    assert Editor().paste("nursery.start_soon(greet, 2)", "outside").counts()["outside"] == 28, "before it was asked"
    assert Editor().paste("greet each user once", "outside").counts(brief="Please greet each user once.")["brief"] == 20


def test_a_further_part_of_one_large_paste_has_the_origin_of_the_part_before():
    # The page sends no more than the beginning of the clipboard: the second part cannot be known by its words.
    editor = Editor().ask().paste("y = 2 + 2\n", "reply")
    editor.edit("paste", (len(editor.text), len(editor.text), "rest = 1\n"), continued=True)
    assert editor.counts() == {"starter": len(STARTER), "assistant": 19}
    # A part that follows nothing, and a paste that is none, go by their words.
    alone = Editor().ask()
    alone.edit("paste", (len(alone.text), len(alone.text), "rest = 1\n"), continued=True)
    assert alone.counts() == {"starter": len(STARTER), "outside": 9}
    other = Editor().ask().paste("y = 2 + 2\n", "reply")
    other.edit("paste", (len(other.text), len(other.text), "rest = 1\n"))
    assert other.counts() == {"starter": len(STARTER), "assistant": 10, "outside": 9}


@pytest.mark.parametrize(
    ("matched", "source"), [({}, "assistant"), ({"matched": "exact"}, "assistant"), ({"matched": "content"}, "typed")]
)
def test_words_that_were_copied_in_the_editor_too_are_those_of_a_reply_only_if_the_page_saw_them_copied(
    matched, source
):
    editor = Editor().ask().type("y = 2 + 2\n")
    editor.log("copy", text="y = 2 + 2\n", **{"from": "editor"})
    counts = editor.paste("y = 2 + 2\n", "reply", turn_id="turn1", **matched).counts()
    assert counts[source] == (20 if source == "typed" else 10)
    # Without such a copy there is nothing else to go by.
    alone = Editor().ask().paste("y = 2 + 2\n", "reply", turn_id="turn1", **matched)
    assert alone.counts()["assistant"] == 10


def test_moving_text_within_the_editor_keeps_its_origin():
    editor = Editor().paste("z = 3  # from elsewhere\n", "outside")
    end = len(editor.text)
    editor.log("cut", text=editor.text[end - 24 :], **{"from": "editor"})
    editor.edit("cut", (end - 24, end, ""))
    editor.paste("z = 3  # from elsewhere\n", "editor")
    assert editor.counts() == {"starter": len(STARTER), "outside": 24}


def test_copying_within_the_editor_keeps_the_origins_of_each_part():
    editor = Editor().type("mine = 1\n").paste("theirs = 22\n", "outside")
    both = editor.text[len(STARTER) :]
    editor.log("copy", text=both, **{"from": "editor"})
    editor.paste(both, "editor")
    assert editor.counts() == {"starter": len(STARTER), "typed": 18, "outside": 24}


def test_dragging_text_keeps_its_origin():
    editor = Editor().paste("dragged = 1\n", "outside")
    end = len(editor.text)
    editor.edit("drop", (0, 0, "dragged = 1\n"), (end - 12, end, ""))
    assert editor.counts() == {"starter": len(STARTER), "outside": 12}


def test_undo_and_redo_bring_origins_back():
    editor = Editor().paste("pasted = 1\n", "outside")
    end = len(editor.text)
    editor.edit("typed", (end - 11, end, ""))
    editor.edit("undo", (end - 11, end - 11, "pasted = 1\n"))
    assert editor.counts()["outside"] == 11
    editor.edit("redo", (end - 11, end, ""))
    assert editor.counts() == {"starter": len(STARTER)}


def test_a_reload_keeps_origins():
    editor = Editor().paste("pasted = 1\n", "outside").type("typed = 2\n")
    editor.page = "later"
    editor.log("load", task="t", text=editor.text, source="saved").type("more\n")
    assert editor.counts() == {"starter": len(STARTER), "outside": 11, "typed": 15}


def test_what_the_log_never_saw_is_unknown_and_the_rest_keeps_its_origin():
    editor = Editor().type("typed = 2\n")
    editor.page, editor.text = "later", editor.text + "recovered = 3\n"
    editor.log("load", task="t", text=editor.text, source="saved")
    assert editor.counts() == {"starter": len(STARTER), "typed": 10, "unknown": 14}


def test_a_paste_in_several_parts_has_one_origin():
    long = "".join(f"line_{number} = {number}\n" for number in range(20_000))
    editor = Editor()
    editor.log("paste_attempt", text=long[:20_000], length=len(long), target="editor", **{"from": "outside"})
    for number, at in enumerate(range(0, len(long), 100_000)):
        end = len(editor.text)
        editor.edit("paste", (end, end, long[at : at + 100_000]), continued=number > 0)
    assert editor.counts() == {"starter": len(STARTER), "outside": len(long)}


def test_a_paste_into_the_message_box_is_none_into_the_editor():
    editor = Editor().log("paste_attempt", text="hello there all", length=15, target="message", **{"from": "outside"})
    assert editor.edit("paste", (0, 0, "hello there all")).counts()["outside"] == 15


def test_retyping_a_reply_is_told_apart_from_own_code():
    counts = Editor().ask().type(CODE).type("own = compute(17)\n").counts()
    assert counts["retyped"] == len(CODE.replace("\n", ""))
    assert counts["typed"] == 3 + 18


def test_retyping_with_slips_is_still_retyping():
    slipped = CODE.replace("nursery:", "nurs:").replace("greet, 1", "greet,1")
    assert Editor().ask().type(slipped).counts()["retyped"] > 80


def test_code_typed_before_the_reply_was_asked_for_is_nobodys_copy():
    assert "retyped" not in Editor().type(CODE).ask().counts()


def test_a_single_common_line_is_nobodys_copy():
    assert "retyped" not in Editor().ask().type("async def main():\n").counts()


def test_lines_of_the_tasks_own_materials_are_nobodys_copy():
    assert "retyped" not in Editor().ask().type(CODE).counts(notes=REPLY.text)


def test_an_edit_that_does_not_fit_is_refused():
    editor = Editor()
    editor.log("edit", task="t", kind="typed", changes=[{"from": 900, "to": 900, "insert": "x"}])
    with pytest.raises(ReplayMismatch):
        editor.counts()


@pytest.mark.parametrize("lost", ["refused", "misfit"])
def test_after_a_gap_the_next_whole_text_goes_on_from_what_was_known(lost):
    editor = Editor().type("typed = 2\n")
    known = editor.text
    if lost == "refused":
        editor.log("event_refused", task="t", refused="edit", why="too long")
    else:
        editor.log("edit", task="t", kind="typed", changes=[{"from": 900, "to": 900, "insert": "x"}])
    editor.edit("typed", (len(known), len(known), "in_the_gap = 3\n"))
    with pytest.raises(ReplayMismatch):
        editor.counts()
    editor.log("load", task="t", text=editor.text, source="saved").type("after = 4\n")
    assert editor.counts() == {"starter": len(STARTER), "typed": 20, "unknown": 15}


def test_what_was_changed_unseen_at_the_beginning_leaves_the_end_to_its_writer():
    editor = Editor().type("typed = 2\n")
    editor.text = editor.text.replace("import trio", "# gone", 1)
    editor.log("load", task="t", text=editor.text, source="saved")
    assert editor.counts() == {"unknown": 6, "starter": len(STARTER) - len("import trio"), "typed": 10}


TEXT = st.text(alphabet=st.sampled_from(["a", "b", " ", "\n", "é", "→", "🦉", "𝒙"]), max_size=6)
STEP = st.tuples(st.floats(0, 1), st.floats(0, 1), TEXT, st.sampled_from(["typed", "paste", "cut", "undo", "drop"]))


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=30), TEXT)
def test_spans_cover_the_replayed_text_exactly_whatever_was_edited(steps, start):
    tracker = Tracker("t", start)
    events = [Load(task="t", text=start, source="starter")]
    text = start
    for low, high, insert, kind in steps:
        bounds = sorted(round(share * utf16_length(text)) for share in (low, high))
        units = text.encode("utf-16-le")
        first, last = (_whole_character(units, bound) for bound in bounds)
        events.append(Edit(task="t", how=kind, changes=(Change(first, last, insert),)))
        text = (units[: 2 * first] + insert.encode("utf-16-le") + units[2 * last :]).decode("utf-16-le")
    for details in events:
        tracker.feed("page", details)
    found = tracker.attribution()
    assert found.text == replay(events) == text
    assert [span.start for span in found.spans] == [0, *[span.end for span in found.spans]][: len(found.spans)]
    assert (found.spans[-1].end if found.spans else 0) == utf16_length(text)
    assert sum(found.counts().values()) == len(text)
    assert set(found.counts()) == set(SOURCES)


def _whole_character(units: bytes, place: int) -> int:
    return place - 1 if 0xDC00 <= int.from_bytes(units[2 * place : 2 * place + 2], "little") <= 0xDFFF else place


def test_what_a_reply_gave_at_most_at_one_time_does_not_grow_by_undo_or_by_pasting_again():
    editor = Editor().ask()
    before = editor.text
    editor.paste(CODE, "reply", turn_id="turn1")
    editor.edit("undo", (len(before), len(editor.text), ""))
    editor.paste(CODE, "reply", turn_id="turn1")
    editor.edit("typed", (len(before), len(before) + 20, ""))
    tracker = Tracker("t", STARTER, [REPLY])
    for event in editor.events:
        tracker.feed(*event)
    assert tracker.pasted() == {"turn1": len(CODE)}
    assert tracker.attribution().of_turns("assistant") == {"turn1": len(CODE) - 20}


def test_own_text_that_was_cut_before_a_reload_is_not_from_outside():
    first = Editor().type("mine = 1  # a line of my own\n")
    start = len(STARTER)
    first.log("cut", text=first.text[start:], **{"from": "editor"})
    first.edit("cut", (start, len(first.text), ""))
    second = Editor(first.text, "later")
    second.paste("mine = 1  # a line of my own\n", "outside")
    second.events = first.events + second.events
    assert second.counts() == {"starter": len(STARTER), "typed": 29}


def test_text_from_outside_stays_so_by_way_of_the_message_box():
    foreign, own = "answer = forty_two()\n", "a question of my own\n"
    editor = Editor().log("paste_attempt", text=foreign, target="message", how="paste", **{"from": "outside"})
    editor.log("cut", text=foreign, **{"from": "message"}).log("copy", text=own, **{"from": "message"})
    editor.paste(foreign, "message").paste(own, "message")
    assert editor.counts() == {"starter": len(STARTER), "outside": len(foreign), "typed": len(own)}


def test_a_reply_s_text_that_comes_from_the_editor_of_another_task_is_still_the_reply_s():
    editor = Editor().ask().log("copy", text=CODE, **{"from": "editor"})
    assert editor.paste(CODE, "editor").counts()["assistant"] == len(CODE)


def test_a_character_whose_halves_have_different_origins_counts_once():
    edits = [("typed", "\ude80"), ("paste", "\ud83d")]
    events = [("p", Load(task="t", text=""))]
    for length, (kind, half) in enumerate(edits, start=1):
        events.append(("p", Edit(task="t", how=kind, changes=(Change(0, 0, half),), length=length)))
    found = attribute(events, "\U0001f680", task="t", starter="")
    assert sum(found.counts().values()) == 1


def test_code_that_a_button_put_into_the_editor_is_pasted_from_its_reply():
    editor = Editor().ask()
    taken = {"text": CODE, "turn_id": "turn1", "how": "insert"}
    editor.log("copy_reply", **taken)
    editor.log("paste_attempt", **taken, length=len(CODE), target="editor", matched="copy", **{"from": "reply"})
    editor.edit("paste", (len(editor.text), len(editor.text), "\n" + CODE), user_event="input.paste.reply")
    assert editor.counts() == {"starter": len(STARTER), "assistant": len(CODE) + 1}


def test_going_back_to_the_starter_leaves_nothing_of_ones_own():
    editor = Editor().type("x = 1\n").paste("from elsewhere, quite long", "outside")
    editor.edit("programmatic", (0, len(editor.text), STARTER), user_event="input.starter")
    assert editor.counts() == {"starter": len(STARTER)}
    assert editor.type("y = 2\n").counts() == {"starter": len(STARTER), "typed": 6}
