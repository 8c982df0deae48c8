"""The chain: rows to cells and back, erasure, seeds, commitment."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ledger_makers import ARMS, BLOCKS, MINIMISED, SEED, make, origin, version

from study_app.domain.allocation import Scheme, derived_salt, preview_seed, simulated_seed
from study_app.domain.allocation.arms import Arm
from study_app.domain.ledger import COLUMNS, LedgerReplay, Version, head, parse_rows, verify_ledger
from study_app.domain.ledger.commitment import commitment, keeps_commitment

CONTRACT = (
    "participant_id allocation_index ledger method stratum arm probabilities draw study_hash allocated_at "
    "previous_hash row_hash"
).split()


def test_the_columns_start_as_others_expect_them():
    assert list(COLUMNS[: len(CONTRACT)]) == CONTRACT


@pytest.mark.parametrize("scheme", [BLOCKS, MINIMISED])
def test_a_ledger_survives_a_csv_file_to_the_bit(scheme):
    rows = make(of=version(scheme))
    file = io.StringIO()
    table = csv.DictWriter(file, COLUMNS)
    table.writeheader()
    table.writerows(row.record() for row in rows)
    file.seek(0)
    assert parse_rows(csv.DictReader(file)) == (rows, [])


@pytest.mark.parametrize("scheme", [BLOCKS, MINIMISED])
def test_after_one_person_is_erased_everything_still_verifies(scheme):
    of = version(scheme)
    rows = make(of=of)
    erased = [row.erase() if row.allocation_index in (1, 12) else row for row in rows]
    assert verify_ledger(erased, [of], genesis_hash=origin(of), anchors=[head(rows)], erasures={1, 12}) == []
    assert (erased[11].participant_id, erased[11].profile) == ("", None)
    parsed, _ = parse_rows(row.record() for row in erased)
    assert parsed == erased


def test_an_erased_payload_cannot_be_guessed_from_its_hash():
    row = make(1)[0]
    guess = replace(row.erase(), participant_id=row.participant_id, profile=row.profile)
    assert guess.computed_payload_hash() != row.payload_hash
    assert row.computed_payload_hash() == row.payload_hash


def test_two_rows_of_equal_payload_have_different_hashes():
    first, second = make(2)
    assert replace(second, participant_id="p", profile={}).computed_payload_hash() != (
        replace(first, participant_id="p", profile={}).computed_payload_hash()
    )


def test_returned_slots_are_in_the_ledger_and_verify():
    of = version(Scheme(block_sizes=[4], replacement="return_slot"))
    rows = make(30, of, returns={9: (2, 5), 20: (11,)})
    assert rows[8].returned == (2, 5)
    assert verify_ledger(rows, [of]) == []


def test_an_amended_ledger_verifies_under_both_versions():
    old, new = version(BLOCKS), version(Scheme(method="urn"), study_hash="v2")
    replay = LedgerReplay([old, new])
    first = make(20, old)
    replay.feed(first)
    decision = replay.decide("v2", {})
    assert decision.index == 21
    assert {breach.name for breach in verify_ledger(first, [new])} == {"unknown_version"}


def test_public_seeds_differ_by_ledger_and_study_and_repeat():
    seeds = [preview_seed("a"), preview_seed("b"), simulated_seed("a"), simulated_seed("b")]
    assert len(set(seeds)) == 4
    assert seeds == [preview_seed("a"), preview_seed("b"), simulated_seed("a"), simulated_seed("b")]
    assert derived_salt(seeds[0], 1) == derived_salt(seeds[0], 1) != derived_salt(seeds[0], 2)


def test_the_commitment_binds_seed_scheme_weights_and_a_second_randomisation():
    published = commitment(SEED, BLOCKS, ARMS)
    study = SimpleNamespace(allocation=BLOCKS, arms=ARMS, second_decision=None)
    assert keeps_commitment(published, SEED, study)
    assert not keeps_commitment(published, SEED[::-1], study)
    others = [
        commitment(SEED, MINIMISED, ARMS),
        commitment(SEED, BLOCKS, (Arm(id="ai", weight=2), ARMS[1])),
        commitment(SEED, BLOCKS, ARMS, (BLOCKS, ARMS)),
        commitment(SEED, BLOCKS, ARMS, (BLOCKS, ARMS[:1])),
    ]
    assert len({published, *others}) == 5


def test_labels_may_change_without_breaking_the_commitment():
    renamed = (Arm(id="ai", label="With AI"), ARMS[1])
    assert commitment(SEED, BLOCKS, renamed) == commitment(SEED, BLOCKS, ARMS)


def test_a_preview_ledger_can_change_version_with_every_edit_of_the_file():
    versions = [Version(name, BLOCKS, ARMS, preview_seed(name)) for name in "abc"]
    replay = LedgerReplay(versions)
    assert [replay.decide(name, {"experience": "1-3"}).index for name in "abcab"] == [1, 2, 3, 4, 5]
