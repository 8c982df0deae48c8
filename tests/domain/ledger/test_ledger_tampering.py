"""What can be done to a ledger, and by which name `verify_ledger` finds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_makers import BLOCKS, MINIMISED, SEED, make, origin, version

from study_app.domain.allocation import Scheme, draws
from study_app.domain.ledger import LEDGERS, LedgerBroken, LedgerReplay, head, parse_rows, rehash, verify_ledger

SCHEMES = {"blocks": BLOCKS, "minimised": MINIMISED}


def other(arm):
    return "ai" if arm == "no_ai" else "no_ai"


def fix(rows):
    """What a careful forger does: every hash and link computed anew."""
    fixed, previous = [], rows[0].previous_hash if rows[0].allocation_index == 1 else "0" * 64
    for row in rows:
        fixed.append(rehash(replace(row, previous_hash=previous)))
        previous = fixed[-1].row_hash
    return fixed


def number_anew(rows):
    return fix([replace(row, allocation_index=place) for place, row in enumerate(rows, start=1)])


def edit(place, **changes):
    return lambda rows: [replace(row, **changes) if row.allocation_index == place else row for row in rows]


def edit_and_mend(place, **changes):
    return lambda rows: fix(edit(place, **changes)(rows))


def flip(place):
    return lambda rows: edit(place, arm=other(rows[place - 1].arm))(rows)


def flip_to_fit(rows):
    """Another arm with a draw that gives it, hashes fixed."""
    row = next(row for row in rows if min(row.probabilities) > 0)
    arm = other(row.arm)
    draw = 0.01 if arm == "ai" else 0.99
    return edit_and_mend(row.allocation_index, arm=arm, draw=draw)(rows)


def swap_people(rows):
    first, second = rows[9], rows[10]
    swapped = list(rows)
    swapped[9] = replace(first, participant_id=second.participant_id, profile=second.profile)
    swapped[10] = replace(second, participant_id=first.participant_id, profile=first.profile)
    return swapped


def insert(rows):
    return number_anew([*rows[:10], replace(rows[10], participant_id="pXXX"), *rows[10:]])


KINDS = {
    "arm changed": (flip(12), "row_altered"),
    "arm changed, hashes fixed": (lambda rows: fix(flip(12)(rows)), "wrong_arm"),
    "arm and draw changed to fit, hashes fixed": (flip_to_fit, "wrong_draw"),
    "probabilities changed": (edit(12, probabilities=(0.9, 0.1)), "row_altered"),
    "probabilities changed, hashes fixed": (edit_and_mend(12, probabilities=(0.45, 0.55)), "wrong_probabilities"),
    "no probabilities at all": (edit_and_mend(12, probabilities=()), "wrong_probabilities"),
    "draw changed, hashes fixed": (edit_and_mend(12, draw=0.123), "wrong_draw"),
    "stratum changed, hashes fixed": (edit_and_mend(12, stratum="all"), "wrong_stratum"),
    "categories changed, hashes fixed": (
        lambda rows: edit_and_mend(12, levels=rows[12].levels)(rows),
        "wrong_levels",
    ),
    "unknown arm, hashes fixed": (edit_and_mend(12, arm="tutor"), "unknown_arm"),
    "method changed, hashes fixed": (edit_and_mend(12, method="simple"), "wrong_method"),
    "algorithm changed, hashes fixed": (edit_and_mend(12, algorithm="study-allocation/0"), "wrong_algorithm"),
    "study version changed, hashes fixed": (edit_and_mend(12, study_hash="other"), "unknown_version"),
    "time moved, hashes fixed": (
        lambda rows: edit_and_mend(12, allocated_at=rows[11].allocated_at - timedelta(days=1))(rows),
        "time_backwards",
    ),
    "row removed": (lambda rows: rows[:11] + rows[12:], "missing_row"),
    "row removed, hashes fixed": (lambda rows: fix(rows[:11] + rows[12:]), "missing_row"),
    "row removed, renumbered, hashes fixed": (lambda rows: number_anew(rows[:11] + rows[12:]), "wrong_draw"),
    "first row removed": (lambda rows: rows[1:], "missing_row"),
    "last row removed": (lambda rows: rows[:-1], "row_removed"),
    "row inserted, renumbered, hashes fixed": (insert, "wrong_draw"),
    "row twice": (lambda rows: [*rows[:12], rows[11], *rows[12:]], "duplicate_index"),
    "rows exchanged": (lambda rows: [*rows[:11], rows[12], rows[11], *rows[13:]], "reordered"),
    "rows exchanged, renumbered, hashes fixed": (
        lambda rows: number_anew([*rows[:11], rows[12], rows[11], *rows[13:]]),
        "wrong_draw",
    ),
    "participant renamed": (edit(12, participant_id="pXXX"), "payload_altered"),
    "participant allocated twice, hashes fixed": (edit_and_mend(12, participant_id="p003"), "participant_twice"),
    "two people exchanged": (swap_people, "payload_altered"),
    "two people exchanged, hashes fixed": (lambda rows: fix(swap_people(rows)), "history_rewritten"),
    "baseline value changed": (edit(12, profile={"experience": "7+", "warmup_minutes": 1}), "payload_altered"),
    "salt changed": (edit(12, salt="00" * 16), "payload_altered"),
    "half erased": (edit(12, salt=""), "payload_altered"),
    "erased but for the person": (edit(12, salt="", profile=None), "payload_altered"),
    "erased but for the baseline": (edit(12, salt="", participant_id=""), "payload_altered"),
    "erased but for an empty baseline": (edit(12, salt="", participant_id="", profile={}), "payload_altered"),
    "named no one": (edit(12, participant_id=""), "payload_altered"),
    "erased without an entry in the audit log": (
        edit(12, salt="", participant_id="", profile=None),
        "erased_without_record",
    ),
    "link changed": (edit(12, previous_hash="f" * 64), "broken_chain"),
    "hash changed": (edit(12, row_hash="f" * 64), "row_altered"),
    "whole ledger of another seed": (
        lambda rows: make(len(rows), version(SCHEME_OF[rows[0].method], seed=b"other")),
        "broken_chain",
    ),
    "row of another ledger, hashes fixed": (edit_and_mend(12, ledger="preview"), "foreign_row"),
    "slot returned that was not, hashes fixed": (edit_and_mend(12, returned=(30,)), "wrong_return"),
    "slot returned twice, hashes fixed": (
        lambda rows: fix(edit(14, returned=(3,))(edit(12, returned=(3,))(rows))),
        "wrong_return",
    ),
    "categories taken from an erased row, hashes fixed": (
        lambda rows: fix(edit(12, levels={}, salt="", participant_id="", profile=None)(rows)),
        "wrong_levels",
    ),
    "index below one": (edit(1, allocation_index=0), "malformed_row"),
}
SCHEME_OF = {"stratified_blocks": BLOCKS, "minimisation": MINIMISED}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tampering_is_found_and_named(kind, scheme):
    tamper, name = KINDS[kind]
    of = version(SCHEMES[scheme])
    rows = make(of=of)
    found = verify_ledger(tamper(rows), [of], genesis_hash=origin(of), anchors=[head(rows)], erasures=())
    assert name in {breach.name for breach in found}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_honest_ledger_has_no_breach_however_short_it_is(number):
    of = version()
    rows = make(number, of)
    assert verify_ledger(rows, [of], genesis_hash=origin(of), anchors=[head(rows)] if rows else [], erasures=()) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_honest_ledger_has_no_breach(scheme):
    of = version(SCHEMES[scheme])
    rows = make(200, of)
    assert verify_ledger(rows, [of], genesis_hash=origin(of), anchors=[head(rows[:50]), head(rows)], erasures=()) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_wrong_arm_is_named_once_and_nowhere_else(scheme):
    of = version(SCHEMES[scheme])
    found = verify_ledger(fix(flip(12)(make(of=of))), [of])
    assert {breach.index for breach in found} == {12}


@pytest.mark.parametrize("scheme", [MINIMISED, Scheme(method="simple"), Scheme(method="biased_coin")], ids=str)
def test_without_the_seed_an_arm_must_still_follow_from_its_draw(scheme):
    rows, sealed = make(of=version(scheme)), version(scheme, seed=None)
    assert verify_ledger(rows, [sealed]) == []
    assert "wrong_arm" in {breach.name for breach in verify_ledger(fix(flip(12)(rows)), [sealed])}


def test_without_the_seed_blocks_are_checked_as_far_as_they_show():
    rows, sealed = make(), version(seed=None)
    assert verify_ledger(rows, [sealed]) == []
    assert "wrong_arm" in {breach.name for breach in verify_ledger(fix(flip(12)(rows)), [sealed])}


def test_without_the_seed_forged_imbalance_scores_are_found_by_recomputation():
    rows = edit_and_mend(12, imbalance=(9.0, 1.0))(make(of=version(MINIMISED)))
    assert "wrong_imbalance" in {breach.name for breach in verify_ledger(rows, [version(MINIMISED, seed=None)])}


@given(
    place=st.integers(1, 30), field=st.sampled_from(["arm", "stratum", "study_hash", "method", "algorithm", "ledger"])
)
@settings(max_examples=60, deadline=None)
def test_no_header_text_can_change_without_being_found(place, field):
    rows = make(30)
    row = rows[place - 1]
    changed = edit(place, **{field: getattr(row, field) + "x"})(rows)
    assert place in {breach.index for breach in verify_ledger(changed, [version()])}


@pytest.mark.parametrize("column", ["draw", "probabilities", "allocation_index", "allocated_at", "levels"])
def test_a_cell_that_cannot_be_read_is_named(column):
    records = [row.record() for row in make(5)]
    records[2][column] = "?"
    rows, breaches = parse_rows(records)
    assert len(rows) == 4
    assert f"column '{column}' cannot be read" in str(breaches[0])


@pytest.mark.parametrize("index", ["1e999", "2.5", "", None])
def test_an_index_that_is_no_whole_number_is_named(index):
    _, [breach] = parse_rows([make(1)[0].record() | {"allocation_index": index}])
    assert breach.name == "malformed_row"


def test_a_row_that_cannot_be_read_is_named_by_its_place():
    records = [row.record() for row in make(3)]
    records[1]["allocation_index"] = "two"
    _, [breach] = parse_rows(records)
    assert str(breach).startswith("allocation 2: malformed_row: ")


def test_a_clock_set_back_by_seconds_is_no_breach():
    of = version()
    rows = make(of=of)
    fixed = fix(edit(12, allocated_at=rows[10].allocated_at - timedelta(seconds=20))(rows))
    assert verify_ledger(fixed, [of]) == []


def test_every_breach_is_explained_in_the_docs():
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "allocation.md").read_text(encoding="utf-8")
    assert {name for _, name in KINDS.values() if f"`{name}`" not in page} == set()


def test_a_running_trial_stops_at_a_tampered_ledger():
    rows = flip(12)(make())
    with pytest.raises(LedgerBroken, match="row 12 does not hold the arm"):
        LedgerReplay([version()]).feed(rows)
    with pytest.raises(LedgerBroken, match="row 3 stands where row 2 is due"):
        LedgerReplay([version()]).feed([rows[0], *rows[2:]])


def test_the_draws_on_record_are_those_of_the_seed():
    assert [row.draw for row in make(10)] == [draws(SEED, index)[1] for index in range(1, 11)]


def test_three_ledgers_have_three_origins():
    assert len({origin(version()), *(name for name in LEDGERS)}) == 4
