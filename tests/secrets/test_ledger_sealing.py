"""The sealed seed at rest."""

from __future__ import annotations

import stat

import pytest

from study_app.domain.errors import SealingKeyMissing, UserError
from study_app.secrets.sealing_key import SealingKey, find_key, find_or_make_key, new_salt, new_seed

LONG = "correct horse battery staple"


def test_what_was_sealed_opens_with_the_same_key_only():
    seed = new_seed()
    sealed = SealingKey(LONG, "STUDY_SEAL_KEY").seal(seed, "trio")
    assert SealingKey(LONG, "elsewhere").open(sealed, "trio") == seed
    with pytest.raises(SealingKeyMissing, match="STUDY_SEAL_KEY to the recovery copy"):
        SealingKey("another key of some length", "STUDY_SEAL_KEY").open(sealed, "trio")


def test_a_seal_of_another_study_does_not_open():
    key = SealingKey(LONG, "here")
    with pytest.raises(SealingKeyMissing):
        key.open(key.seal(new_seed(), "trio"), "asyncio")


@pytest.mark.parametrize("damage", [lambda s: s[:-4] + "AAAA", lambda s: s[:20], lambda s: "", lambda s: "x" + s])
def test_a_damaged_seal_is_refused_and_never_opened_wrongly(damage):
    key = SealingKey(LONG, "here")
    with pytest.raises(SealingKeyMissing):
        key.open(damage(key.seal(bytes(32), "trio")), "trio")


def test_the_seal_hides_the_seed_and_differs_each_time():
    key, seed = SealingKey(LONG, "here"), new_seed()
    first, second = key.seal(seed, "trio"), key.seal(seed, "trio")
    assert first != second
    assert seed.hex() not in first


def test_the_environment_comes_before_the_file(tmp_path):
    made = find_or_make_key(tmp_path, {})
    assert find_key(tmp_path, {"STUDY_SEAL_KEY": LONG}).source == "STUDY_SEAL_KEY"
    assert find_key(tmp_path, {}).source == made.source


def test_launch_makes_a_key_that_only_its_owner_reads_and_keeps_it(tmp_path):
    first = find_or_make_key(tmp_path / "var", {})
    path = tmp_path / "var" / "seal.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    sealed = first.seal(bytes(32), "trio")
    assert find_or_make_key(tmp_path / "var", {}).open(sealed, "trio") == bytes(32)
    assert path.read_bytes() == before


def test_without_a_key_the_message_says_what_to_do(tmp_path):
    with pytest.raises(SealingKeyMissing, match="STUDY_SEAL_KEY is not set .* no one can be allocated"):
        find_key(tmp_path, {})


def test_an_empty_key_file_is_no_key(tmp_path):
    (tmp_path / "seal.key").write_text("\n")
    with pytest.raises(SealingKeyMissing):
        find_key(tmp_path, {})


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        find_or_make_key(tmp_path / "file", {})


def test_the_key_shows_in_the_recovery_copy_and_nowhere_else():
    key = SealingKey(LONG, "here")
    assert LONG in key.recovery_copy("trio")
    assert LONG not in repr(key)


def test_equal_texts_are_equal_keys():
    assert {SealingKey(LONG, "here"), SealingKey(LONG, "there")} == {SealingKey(LONG, "here")}
    assert SealingKey(LONG, "here") != SealingKey(LONG + "r", "here")


def test_a_short_key_is_warned_of():
    assert "can be guessed" in SealingKey("secret", "STUDY_SEAL_KEY").weakness
    assert SealingKey(LONG, "here").weakness is None


def test_salts_do_not_repeat():
    assert len({new_salt() for _ in range(100)}) == 100
