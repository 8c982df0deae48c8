"""Who may use the console, and who has seen what.

| Shows | Records |
| --- | --- |
| accounts with roles; everybody who counts as unblinded | accounts made, changed and taken away |
"""

from __future__ import annotations

from typing import get_args

import streamlit as st

from study_app.domain.errors import UserError
from study_app.secrets.console_accounts import Role, accounts_in, random_password
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

MAY = {
    "monitor": "enrolment, links, audit log; no answers, chats or programs",
    "grader": "answers to rate, blind to arm; nothing else of participants",
    "full": "everything; counts as unblinded after the first look at chats or programs",
}


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("People", "One account a person, so that the audit log can say who.")
    accounts = accounts_in(console.app.settings.var)
    rows = [(person.name, person.role, MAY[person.role]) for person in accounts.people()]
    st.html(tables.table(("Name", "Role", "May see"), rows, label="Accounts"))
    _add(console)
    _remove(console)
    st.header("Unblinded", anchor=False)
    seen = [(who, tables.moment(at), count) for who, at, count in console.monitor.unblinded()]
    if seen:
        st.html(tables.table(("Name", "Since (UTC)", "Acts"), seen, numbers=(2,), label="Unblinded"))
    else:
        st.html(tables.note("No one has seen chats, programs or an arm of a real participant."))


def _add(console: ConsoleSession) -> None:
    with st.form("account", clear_on_submit=True):
        left, right = st.columns(2)
        name = left.text_input("Name", key="account_name")
        role = right.selectbox(
            "Role", get_args(Role), index=None, key="account_role", placeholder="As it is; choose one for a new account"
        )
        if st.form_submit_button("Add, or give a new password"):
            password = random_password()

            def act() -> None:
                accounts = accounts_in(console.app.settings.var)
                known = {person.name: person.role for person in accounts.people()}
                if role is None and name.strip() not in known:
                    raise UserError("choose a role for the new account")
                accounts.set(password, name.strip(), role)
                console.app.lifecycle.audit(
                    console.person.name, "set account", "", {"name": name.strip(), "role": role or known[name.strip()]}
                )

            if console.attempt(act, "Saved"):
                st.success(f"Password of {name.strip()}: `{password}` (shown this once)")


def _remove(console: ConsoleSession) -> None:
    others = [
        person.name for person in accounts_in(console.app.settings.var).people() if person.name != console.person.name
    ]
    if not others:
        return
    with st.form("remove", clear_on_submit=True):
        name = st.selectbox("Account", others, index=None, key="remove_name", placeholder="Choose one")
        if st.form_submit_button("Remove this account"):

            def act() -> None:
                if name is None:
                    raise UserError("choose an account first")
                accounts_in(console.app.settings.var).remove(name)
                console.app.lifecycle.audit(console.person.name, "remove account", "", {"name": name})

            if console.attempt(act, "Taken away"):
                st.rerun()
