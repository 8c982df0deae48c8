"""Hashes of records and heads of chains: what they are over, so that a change anywhere gives another one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.dataset.integrity.chain import (
    BODY_BYTES,
    GONE,
    SALT_BYTES,
    Chained,
    body,
    body_of,
    content_columns,
    digest,
    event_key,
    facts_content,
    join,
    link,
    mac,
    named,
    new_salt,
)
from study_app.dataset.integrity.differences import MOST, Difference, stated
from study_app.dataset.integrity.record_hashes import Records
from study_app.dataset.integrity.signature import signed_content
from study_app.domain.events import Event

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SALT = bytes(SALT_BYTES)


def test_a_hash_is_over_the_cells_of_a_person_in_the_order_of_the_file():
    records = Records()
    records.add("runs", "p1", [["a", "b"]])
    records.add("runs", "p1", [["c"]])
    records.add("ratings", "p1", [["x"]])
    records.add("ratings", "p2", [["y"]])
    found = records.to_json()
    assert found["runs"] == {"p1": hashlib.sha256(b"a\x1fb\x1ec\x1e").hexdigest()}
    # Ratings stand for themselves: one hash over all of them.
    assert found["ratings"] == {"": hashlib.sha256(b"x\x1ey\x1e").hexdigest()}
    assert found["visits"] == {}


def test_tables_that_only_some_studies_have_are_named_where_they_have_rows():
    records = Records()
    assert not {"agent_actions", "interviews", "probes", "model_looks", "model_replies"} & set(records.to_json())
    assert "allocations" in records.to_json()
    records.add("probes", "p1", [["a"]])
    records.add("model_looks", "", [["a"]])
    assert {"probes", "model_looks"} <= set(records.to_json())


@given(st.lists(st.text("ab"), max_size=3), st.lists(st.text("ab"), max_size=3))
def test_a_word_that_moves_to_the_next_cell_gives_another_hash(one, other):
    first, second = Records(), Records()
    first.add("runs", "p1", [one])
    second.add("runs", "p1", [other])
    same = "\x1f".join(one) == "\x1f".join(other)
    assert (first.to_json() == second.to_json()) == same


def test_a_signature_is_over_all_but_itself():
    manifest = {"files": {"a.csv": "0f"}, "signature": "s"}
    assert signed_content(manifest) == signed_content(manifest | {"signature": "t"})
    assert signed_content(manifest) != signed_content(manifest | {"files": {"a.csv": "1f"}})


def test_two_hundred_differences_are_listed_and_all_are_counted():
    found = [Difference("changed", "runs", str(number)) for number in range(MOST + 1)]
    said = stated([*found, Difference("added", "runs", "x")], named=True)
    assert (said["counts"], len(said["rows"])) == ({"added": 1, "changed": 201}, 200)
    assert stated(found, named=False) == {"counts": {"changed": 201}}


def test_a_digest_names_table_key_and_whether_it_is_final():
    inner = body(SALT, b"content")
    digests = {
        digest("runs", ("a", "b"), False, inner), digest("runs", ("a", "b"), True, inner),
        digest("runs", ("ab",), False, inner), digest("turns", ("a", "b"), False, inner),
        digest("runs", ("a", "b"), False, body(SALT, b"other")),
        digest("runs", ("a", "b"), False, body(b"1", b"content")),
    }  # fmt: skip
    assert len(digests) == 6


def test_a_body_is_computed_from_its_salt_or_kept_itself():
    whole = body(SALT, b"content")
    assert (len(whole), len(new_salt())) == (BODY_BYTES, SALT_BYTES)
    assert body_of(SALT, b"content") == whole
    assert body_of(whole, b"anything") == whole
    assert new_salt() != new_salt()


def test_heads_depend_on_all_before_and_are_joined_in_any_order():
    assert link(link(b"", b"a"), b"b") != link(link(b"", b"b"), b"a")
    assert join(["0a", "0b"]) == join(["0b", "0a"]) != join(["0a"])


def test_a_signed_head_stands_for_its_chain_and_position_only():
    signed = mac(b"key", 1, 2, b"head")
    others = [mac(b"key", 2, 2, b"head"), mac(b"key", 1, 3, b"head"), mac(b"key", 1, 2, b"h"), mac(b"k", 1, 2, b"head")]
    assert signed == mac(b"key", 1, 2, b"head")
    assert signed not in others


@pytest.mark.parametrize(
    ("table", "key", "opening", "final", "gone"),
    [
        ("runs", ("r1",), SALT, True, True),
        ("runs", ("r1",), SALT, False, False),
        ("runs", ("r1",), b"", True, False),
        ("events", ("r1",), SALT, True, False),
    ],
)
def test_a_record_is_gone_where_its_last_entry_says_so(table, key, opening, final, gone):
    entry = Chained(1, 3, table, named(key), "p1", final, opening, digest(table, key, final, body(SALT, GONE)))
    assert entry.is_gone == gone
    assert (entry.place, entry.parts) == ((1, 3), key)
    assert not entry._replace(digest=digest(table, key, True, body(SALT, b"x"))).is_gone


def test_facts_are_hashed_without_what_is_missing():
    facts = {"participant_id": "p1", "arm": "ai", "responded": None, "stratum": "", "data_withdrawn": False}
    assert facts_content(facts) == b'{"arm":"ai","data_withdrawn":0}'
    assert facts_content(facts | {"enrolled_at": AT}) == (
        b'{"arm":"ai","data_withdrawn":0,"enrolled_at":"2026-01-05T09:00:00.000Z"}'
    )


def test_what_is_derived_is_not_in_the_content_of_a_record():
    names = {column.name for column in content_columns("answers")}
    assert {"response", "points"} <= names
    assert not {"participant_id", "item", "pasted_chars", "away_seconds", "concept"} & names


def test_only_an_event_that_came_late_says_so_in_its_key():
    event = Event("p1", "page", 4, "edit", "work", AT, 0.0, None)
    assert event_key(event) == (
        "p1", "page", "4", "edit", "work", "2026-01-05T09:00:00.000Z", "1970-01-01T00:00:00.000Z", "",
    )  # fmt: skip
    late = Event("p1", "page", 4, "edit", "work", AT, None, 12.5, arrived_late=True)
    assert event_key(late)[-3:] == ("", "12.5", "late")
    row = {"participant_id": "p1", "page": "page", "seq": 4, "kind": "edit", "stage": "work", "server_time": AT}
    asked = row | {"client_time": datetime(1970, 1, 1, tzinfo=UTC), "mono_ms": None}
    # A dataset from before there was the column has the same keys.
    assert event_key(asked) == event_key(asked | {"arrived_late": False}) == event_key(event)
    assert event_key(row | {"client_time": None, "mono_ms": 12.5, "arrived_late": True}) == event_key(late)
