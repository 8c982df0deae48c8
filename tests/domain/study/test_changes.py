"""What differs between two versions of a study is named key by key, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.study.amending.changes import material_changes, study_changes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab\n", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
STUDIES = st.dictionaries(st.sampled_from(["title", "stages", "arms"]), VALUES, max_size=3)


@given(STUDIES, STUDIES)
def test_equal_studies_have_no_change_and_others_have_one(before, after):
    assert (study_changes(before, after) == []) == (before == after)
    assert study_changes(before, before) == []


def test_tables_are_named_by_their_ids_wherever_they_stand():
    before = {"stages": [{"id": "quiz", "minutes": 20}, {"id": "end"}]}
    after = {"stages": [{"id": "new", "minutes": 1}, {"id": "quiz", "minutes": 25}, {"id": "end"}]}
    lines = [line for change in study_changes(before, after) for line in change.lines()]
    assert "stages.quiz.minutes: 20 -> 25" in lines
    assert "stages.new: added" in lines
    assert not any("order" in line or "stages.end" in line for line in lines)


def test_a_changed_order_and_a_removed_table_are_told():
    before = {"arms": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}
    after = {"arms": [{"id": "b"}, {"id": "a"}]}
    changes = {change.key: change for change in study_changes(before, after)}
    assert changes["arms (order)"].lines() == ["arms (order): a, b, c -> b, a"]
    assert changes["arms.c"].lines()[0] == "arms.c: removed"


def test_a_long_text_shows_only_the_sentences_that_differ():
    body = "You will solve two tasks. " * 8
    (change,) = study_changes({"body": body + "Good luck."}, {"body": body + "Have fun."})
    assert change.lines() == ["body:", "  - Good luck.", "  + Have fun."]


def test_files_are_compared_by_digest_and_shown_where_their_text_is_known():
    before, after = {"a.md": "1" * 64, "b.md": "2" * 64}, {"a.md": "3" * 64, "c.md": "4" * 64}
    known = material_changes(before, after, {"a.md": "old"}, {"a.md": "new"})
    assert [change.lines()[0] for change in known] == [
        "file a.md: old -> new", "file b.md: removed", "file c.md: added",
    ]  # fmt: skip
    assert material_changes(before, after)[0].lines() == ["file a.md: SHA-256 111111111111 -> SHA-256 333333333333"]
