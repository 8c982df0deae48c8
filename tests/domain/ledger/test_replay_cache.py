"""A replay kept between allocations gives what a fresh one gives, whatever happened to the store meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_makers import BLOCKS, MINIMISED, make, newcomer, version

from study_app.domain.allocation import Scheme
from study_app.domain.ledger import LedgerBroken, LedgerReplay, ReplayCache

RETURNING = Scheme(method="big_stick", replacement="return_slot")


def loader(rows, asked=None):
    def load(index):
        if asked is not None:
            asked.append(index)
        return [row for row in rows if row.allocation_index >= index]

    return load


@pytest.mark.parametrize("scheme", [BLOCKS, MINIMISED, RETURNING], ids=lambda scheme: scheme.method)
@given(stops=st.lists(st.integers(0, 40), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_kept_or_fresh_the_next_decision_is_the_same(scheme, stops):
    of = version(scheme)
    rows, cache = make(41, of, {20: (3, 4)} if scheme is RETURNING else None), ReplayCache()
    for stop in stops:  # also backwards: a store restored from a backup
        replay, end = cache.take("real", [of], loader(rows[:stop]))
        assert (end.index if end else 0) == stop
        row = rows[stop]
        assert replay.decide(of.study_hash, newcomer(scheme, stop + 1), row.returned).arm == row.arm
        cache.put("real", replay, row)


def test_a_kept_replay_asks_only_for_what_is_new():
    of, asked, cache = version(), [], ReplayCache()
    rows = make(30, of)
    replay, _ = cache.take("real", [of], loader(rows[:10], asked))
    replay.recompute(rows[10])
    cache.put("real", replay, rows[10])
    cache.take("real", [of], loader(rows[:15], asked))
    assert asked == [1, 11]


def test_a_row_that_was_never_committed_is_forgotten():
    of, cache = version(), ReplayCache()
    rows = make(30, of)
    replay, _ = cache.take("real", [of], loader(rows[:10]))
    cache.put("real", replay, rows[10])
    again, end = cache.take("real", [of], loader(rows[:10]))
    assert end.index == 10
    assert again is not replay


def test_ledgers_are_kept_apart():
    of, cache = version(), ReplayCache()
    rows = make(12, of)
    cache.put("real", LedgerReplay([of]).feed(rows), rows[-1])
    replay, end = cache.take("preview", [of], loader([]))
    assert (replay.next_index, end) == (1, None)


def test_a_tampered_row_stops_a_kept_replay_too():
    of, cache = version(), ReplayCache()
    rows = make(12, of)
    cache.put("real", LedgerReplay([of]).feed(rows[:5]), rows[4])
    with pytest.raises(LedgerBroken, match="row 7 stands where row 6 is due"):
        cache.take("real", [of], loader([*rows[:5], *rows[6:]]))
