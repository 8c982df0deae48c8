"""Accounts of the console: passwords, lockout, sign-ins that can be ended."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from argon2 import PasswordHasher

from study_app.domain.errors import UserError
from study_app.secrets import console_accounts
from study_app.secrets.console_accounts import ATTEMPTS, LOCKED, SIGNED_IN, TICKET, Account, ConsoleUser

GOOD = "correct horse battery"


def test_a_password_is_hashed_at_the_cost_that_rfc_9106_recommends(tmp_path):
    account = Account(tmp_path)
    account.set(GOOD)
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in account.path.read_text()


@pytest.fixture
def cheap(monkeypatch):
    """Hashes that cost next to nothing: lockouts take dozens of them."""
    hasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(console_accounts, "PasswordHasher", hasher)


@pytest.fixture
def account(tmp_path, cheap):
    made = Account(tmp_path)
    made.set(GOOD)
    return made


def test_the_first_password_is_made_once(tmp_path):
    account = Account(tmp_path)
    password = account.first_password()
    assert password is not None
    assert account.first_password() is None


def test_a_password_is_kept_as_a_hash_that_only_the_owner_can_read(account):
    assert GOOD not in account.path.read_text()
    assert account.path.stat().st_mode & 0o077 == 0


def test_a_short_password_an_odd_name_and_an_unknown_role_are_refused(account):
    for password, name, role in (("short", "anna", None), (GOOD, "an na", None), (GOOD, "anna", "boss")):
        with pytest.raises(UserError):
            account.set(password, name, role)
    assert account.people() == [ConsoleUser("admin", "full")]


def test_the_last_account_that_may_do_everything_keeps_its_role(account):
    with pytest.raises(UserError, match="last account with the role full"):
        account.set(GOOD, "admin", "monitor")
    account.set(GOOD, "anna", "full")
    account.set(GOOD, "admin", "monitor")
    with pytest.raises(UserError, match="last account"):
        account.set(GOOD, "anna", "grader")
    account.set(GOOD, "admin")
    assert account.people() == [ConsoleUser("admin", "monitor"), ConsoleUser("anna", "full")]
    account.set(GOOD, "admin", "full")


def test_the_right_password_tells_name_and_role(account, clock):
    account.set(GOOD, "anna", "monitor")
    assert account.check(GOOD, clock.at, "anna") == ConsoleUser("anna", "monitor")
    assert account.check("wrong password", clock.at, "anna") is None
    assert account.check(GOOD, clock.at, "unknown") is None


def test_after_too_many_wrong_passwords_even_the_right_one_waits(account, clock):
    for _ in range(ATTEMPTS):
        assert account.check("wrong password", clock.at) is None
    with pytest.raises(UserError, match="too many"):
        account.check(GOOD, clock.at)
    clock.at += LOCKED
    assert account.check(GOOD, clock.at) is not None


@pytest.mark.slow
def test_names_with_and_without_an_account_are_locked_alike(account, clock):
    account.set(GOOD, "anna", "monitor")
    for name in ("anna", "unknown", "un.known"):
        for _ in range(ATTEMPTS):
            assert account.check("wrong password", clock.at, name) is None
        with pytest.raises(UserError, match="too many"):
            account.check("wrong password", clock.at, name)


def test_invented_names_do_not_fill_the_memory(account, clock, monkeypatch):
    monkeypatch.setattr("study_app.secrets.console_accounts.MOST_NAMES", 20)
    monkeypatch.setattr(account, "_verifies", lambda digest, password: False)
    for number in range(100):
        account.check("wrong password", clock.at, f"name{number}")
    assert len(account._failures) == 20


def test_a_lockout_of_one_name_leaves_the_others_alone(account, clock):
    account.set(GOOD, "anna", "monitor")
    for _ in range(ATTEMPTS):
        account.check("wrong password", clock.at, "anna")
    assert account.check(GOOD, clock.at) is not None


def test_who_is_signed_in_is_found_while_a_password_is_being_hashed(account, clock, monkeypatch):
    token = account.sign_in(ConsoleUser("admin", "full"), clock.at)
    begun, go_on = threading.Event(), threading.Event()

    def slow(digest, password):
        begun.set()
        return go_on.wait(30)

    monkeypatch.setattr(account, "_verifies", slow)
    with ThreadPoolExecutor(2) as pool:
        checked = pool.submit(account.check, GOOD, clock.at)
        assert begun.wait(30)
        try:
            asked = pool.submit(account.person_of, token, clock.at)
            assert asked.result(30) == ConsoleUser("admin", "full")
            assert not checked.done()
        finally:
            go_on.set()
        assert checked.result(30) == ConsoleUser("admin", "full")


def test_tries_at_once_are_no_more_than_one_after_another(account, clock, monkeypatch):
    together = threading.Barrier(ATTEMPTS)
    monkeypatch.setattr(account, "_verifies", lambda digest, password: together.wait(30) < 0)
    with ThreadPoolExecutor(ATTEMPTS) as pool:
        tries = [pool.submit(account.check, "wrong password", clock.at) for _ in range(ATTEMPTS)]
        assert [each.result(30) for each in tries] == [None] * ATTEMPTS
    with pytest.raises(UserError, match="too many"):
        account.check(GOOD, clock.at)


def test_a_sign_in_outlives_a_restart_and_ends_after_its_time(account, clock):
    token = account.sign_in(ConsoleUser("admin", "full"), clock.at)
    again = Account(account.path.parent)
    assert again.person_of(token, clock.at) == ConsoleUser("admin", "full")
    assert again.person_of(token, clock.at + SIGNED_IN) is None
    assert token not in (account.path.parent / "console.sessions").read_text()


def test_signing_out_a_new_password_and_a_lost_account_end_sign_ins(account, clock):
    account.set(GOOD, "anna", "monitor")
    endings = [
        lambda token: account.sign_out(token),
        lambda _: account.set(GOOD, "anna"),
        lambda _: account.remove("anna"),
    ]
    for end in endings:
        token = account.sign_in(ConsoleUser("anna", "monitor"), clock.at)
        assert account.person_of(token, clock.at) is not None
        end(token)
        assert account.person_of(token, clock.at) is None


def test_the_last_account_that_may_do_everything_stays(account):
    account.set(GOOD, "anna", "monitor")
    with pytest.raises(UserError, match="last account"):
        account.remove("admin")


def test_a_ticket_is_good_once_and_for_a_minute(account, clock):
    person = ConsoleUser("anna@example.org", "monitor")
    token = account.redeem(account.ticket(person, clock.at), clock.at)
    assert account.person_of(token, clock.at) == person
    ticket = account.ticket(person, clock.at)
    assert account.redeem(ticket, clock.at + TICKET) is None
    assert account.redeem(ticket, clock.at) is None


def test_accounts_that_several_processes_make_at_once_are_all_there(tmp_path):
    make = (
        "import sys; from pathlib import Path; from study_app.secrets.console_accounts import Account; "
        "[Account(Path(sys.argv[1])).set('correct horse battery', f'{sys.argv[2]}{n}', 'monitor') for n in range(4)]"
    )
    Account(tmp_path).set("correct horse battery")
    others = [subprocess.Popen([sys.executable, "-c", make, str(tmp_path), name]) for name in "abc"]
    assert [other.wait(120) for other in others] == [0, 0, 0]
    expected = {"admin", *(f"{name}{number}" for name in "abc" for number in range(4))}
    assert {person.name for person in Account(tmp_path).people()} == expected
