"""What anybody may read of a payload follows from the type of its event, for every kind and every key."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.export_world import table, trial

from study_app.dataset.disclosure.patterns import holds_identifiers, identifiers_in, texts_in
from study_app.dataset.disclosure.payloads import is_platforms, public_payload
from study_app.domain.events import ERASED, KINDS
from study_app.domain.events.details import named_fields

FIELDS = [(kind, each) for kind, details in KINDS.items() for each in named_fields(details)]
MARK = "zebra crossing"


def shown(kind, payload):
    return public_payload(kind, payload, {"timer"}, lambda page: "page-1")


@pytest.mark.parametrize(("kind", "each"), [(k, e) for k, e in FIELDS if e.levels], ids=lambda v: getattr(v, "key", v))
def test_a_word_of_the_platform_stays_and_any_other_goes(kind, each):
    for word in each.levels:
        # A private one goes, whatever it says.
        assert shown(kind, {each.key: word}) == ({} if each.holds in ("private", "moment") else {each.key: word})
    assert shown(kind, {each.key: MARK}) == {}


def test_every_word_that_a_trial_has_logged_is_one_that_its_kind_names():
    listed = {(kind, each.key): each.levels for kind, each in FIELDS if each.levels}
    seen = set()
    for row in table(trial().dataset("all"), "events"):
        for key, value in json.loads(row["payload"]).items():
            if (row["kind"], key) in listed and value not in (None, ""):
                assert value in listed[row["kind"], key], (row["kind"], key)
                seen.add((row["kind"], key))
    assert {("entered", "way"), ("stage_ended", "ended_by"), ("run_ended", "ended_by"), ("edit", "kind")} <= seen


def test_ids_pages_and_sizes_stay_and_hashes_and_places_in_the_ledger_go():
    assert shown("task_submitted", {"task": "timer", "run_id": MARK, "page": "p", "seq": 3, "code_sha256": "0f"}) == {
        "task": "timer",
        "page": "page-1",
        "seq": 3,
    }
    assert shown("allocated", {"index": 7}) == {}
    assert shown("entry_refused", {"foreign": "0f"}) == {}
    change = {"from": 0, "to": 2, "insert": MARK, "deleted": "xy"}
    assert shown("edit", {"task": "timer", "kind": "typed", "changes": [change], "length": 14}) == {
        "task": "timer",
        "changes": [{"from": 0, "to": 2, "insert_chars": len(MARK), "deleted_chars": 2}],
        "kind": "typed",
        "length": 14,
    }
    assert shown("edit", ERASED) == ERASED


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(MARK),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "insert", MARK]), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(sorted({e.key for _, e in FIELDS})), ANY))
def test_whatever_a_page_sends_no_text_of_its_own_is_shown(kind, payload):
    known = {"page-1"} | {word for _, each in FIELDS for word in each.levels}
    for where, text in texts_in(shown(kind, payload)):
        assert where.endswith("(name)") or text in known
        assert MARK not in text


def test_a_moment_of_the_server_is_left_out_and_is_no_phone_number():
    assert shown("session_scheduled", {"opens_at": "2026-02-03T04:05:06.789+00:00"}) == {}
    assert is_platforms("session_scheduled", "opens_at", by_server=True)
    assert not is_platforms("session_scheduled", "opens_at", by_server=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["x", "a@b.example", "edit", "+49 151 23456789"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["task", "jane@b.example", "insert"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_whether_a_payload_holds_an_identifier_is_what_a_look_at_each_of_its_texts_says(payload):
    assert holds_identifiers(payload) == any(identifiers_in(text) for _, text in texts_in(payload))
