"""Roles of vouched-for people are those that the secrets give at the moment of each look."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import streamlit as st

from study_app.secrets.console_accounts import Account, ConsoleUser
from study_app.secrets.console_roles import is_verified, refusal_of, role_in_secrets

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA = "anna@example.org"


def test_a_role_that_is_taken_away_or_changed_is_so_at_the_next_look(tmp_path, monkeypatch):
    account = Account(tmp_path)
    token = account.redeem(account.ticket(ConsoleUser(ANNA, "full"), NOW), NOW)
    for given, person in (
        ({ANNA: "full"}, ConsoleUser(ANNA, "full")),
        ({ANNA: "monitor"}, ConsoleUser(ANNA, "monitor")),
        ({ANNA: "boss"}, None),
        ({}, None),
    ):
        monkeypatch.setattr(st, "secrets", {"console": {"roles": given}})
        assert account.person_of(token, NOW, role_in_secrets) == person


@pytest.mark.parametrize(
    ("claim", "allowed", "counts"),
    [
        (True, False, True),
        (None, False, False),
        (None, True, True),
        (False, True, False),
        ("true", False, True),
        ("True", False, True),
        ("false", True, False),
        ("", True, False),
    ],
)
def test_an_address_counts_if_it_is_said_to_be_verified(monkeypatch, claim, allowed, counts):
    monkeypatch.setattr(st, "secrets", {"console": {"unstated_addresses": True}} if allowed else {})
    assert is_verified(claim) is counts


@pytest.mark.parametrize(
    ("roles", "claim", "said"),
    [
        ({}, True, r"no role here.*\[console\.roles\]"),
        ({ANNA: "full"}, None, "does not say whether the address is verified.*unstated_addresses"),
        ({ANNA: "full"}, "false", "says that the address is not verified"),
        ({ANNA: "full"}, "true", None),
    ],
)
def test_a_refusal_says_whether_the_role_or_the_providers_word_is_missing(monkeypatch, roles, claim, said):
    monkeypatch.setattr(st, "secrets", {"console": {"roles": roles}})
    refusal = refusal_of(ANNA, claim)
    assert refusal is None if said is None else re.search(said, refusal)
