"""Replaying edits gives the text exactly, for any Unicode and any edit a browser can make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.editing.edits import apply, apply_all, replay
from study_app.domain.events import details_of
from study_app.domain.events.browser import Edit, Focus, Load
from study_app.domain.events.changes import Change, ReplayMismatch, utf16_length

TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=40)


def units(text: str) -> list[bytes]:
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[i : i + 2] for i in range(0, len(raw), 2)]


@st.composite
def edits(draw):
    """A text and ascending, non-overlapping changes of it, at any UTF-16 position, also inside a surrogate pair."""
    text = draw(TEXT)
    size = utf16_length(text)
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=6)))
    cuts = cuts[: len(cuts) // 2 * 2]
    changes = [Change(start, end, draw(TEXT)) for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
    return text, changes


@pytest.mark.parametrize(
    ("text", "size"), [("abc", 3), ("a😀", 3), ("", 0)], ids=["letters", "a pair of units", "nothing"]
)
def test_many_events_may_make_a_text_of_so_many_units_and_no_more(text, size):
    load, more = Load(task="t", text=text), Edit(task="t", how="typed", changes=(Change(0, 0, "x"),), length=size + 1)
    assert apply_all(None, [load], size) == text
    assert apply_all(text, [more], size + 1) == f"x{text}"
    with pytest.raises(ReplayMismatch, match=f"longer than {size} units"):
        apply_all(None, [load, more], size)
    if size:
        with pytest.raises(ReplayMismatch, match=f"longer than {size - 1} units"):
            apply_all(None, [load], size - 1)
    with pytest.raises(ReplayMismatch, match="before the text was loaded"):
        apply_all(None, [more, load], size + 1)


@given(edits())
def test_an_edit_equals_the_same_edit_on_a_list_of_code_units(case):
    text, changes = case
    expected, done = [], 0
    for change in changes:
        expected += units(text)[done : change.start] + units(change.insert)
        done = change.end
    expected += units(text)[done:]
    assert units(apply(text, changes)) == expected


@given(st.lists(TEXT, max_size=8), TEXT)
def test_a_log_of_edits_replays_to_the_last_text(texts, first):
    events = [Load(text=first)]
    now = first
    for text in texts:
        change = Change(0, utf16_length(now), text)
        events += [Focus(), Edit(changes=(change,), length=utf16_length(text))]
        now = text
    assert replay(events) == now


@given(TEXT)
def test_a_pair_that_arrives_in_two_halves_is_one_character_again(before):
    emoji = "🎉"
    high, low = (half.decode("utf-16-le", "surrogatepass") for half in units(emoji))
    size = utf16_length(before)
    text = apply(before, [Change(size, size, high)])
    text = apply(text, [Change(size + 1, size + 1, low)])
    assert units(text) == units(before + emoji)


@pytest.mark.parametrize(
    ("changes", "length"),
    [
        ([Change(3, 9, "")], None),
        ([Change(2, 1, "")], None),
        ([Change(2, 3, ""), Change(1, 2, "")], None),
        ([Change(0, 0, "x")], 4),
        ([Change(-1, 0, "x")], None),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(changes, length):
    with pytest.raises(ReplayMismatch):
        apply("abc" if length is None else "ab", changes, length)


@pytest.mark.parametrize("payload", [{}, {"changes": 5}, {"changes": [{"from": "0", "to": 0}]}])
def test_an_edit_of_another_form_is_refused(payload):
    with pytest.raises(ReplayMismatch):
        replay([Load(text=""), details_of("edit", payload)])


def test_an_edit_before_any_text_is_refused():
    with pytest.raises(ReplayMismatch):
        replay([Edit(changes=())])
