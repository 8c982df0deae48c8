"""What every board of the console shares: who looks, at which study, and the look of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from study_app.bootstrap import App
from study_app.domain.errors import StudyError
from study_app.domain.records import Kind
from study_app.secrets.console_accounts import ConsoleUser, accounts_in
from study_app.secrets.console_roles import role_in_secrets
from study_app.services.researcher.monitoring import Monitor
from study_app.ui.console import html as tables

COOKIE = "study_console"
WAY_IN = (
    "Makes a link for this person alone, good for a day: they go on where they are, in any browser. It shows their "
    "arm: while arms are hidden, this is recorded, and you count as unblinded from then on."
)
"""What is said where such a link is made."""
KIND_NAMES: dict[Kind, str] = {"real": "Real", "preview": "Preview", "simulated": "Simulated"}
STATE_TONES = {"draft": "quiet", "launched": "accent", "closed": "warm", "unsealed": "good"}

STYLE = f"<style>{(Path(__file__).parent / 'console.css').read_text(encoding='utf-8')}</style>"


@dataclass
class ConsoleSession:
    """One person at the console."""

    app: App
    person: ConsoleUser
    monitor: Monitor

    @property
    def full(self) -> bool:
        """Whether chats and code may be shown to this person."""
        return self.person.role == "full"

    def head(self, title: str, lead: str = "") -> None:
        """Draw a board's title and what it is for."""
        st.title(title, anchor=False)
        if lead:
            st.html(f'<p class="sc-lead">{tables.cell(lead)}</p>')

    def kind(self, of: str | None = None) -> Kind:
        """Return which participants a board is about; asked for only where there are several kinds.

        Args:
            of: a participant whom the address names: at first the board is about their kind.
        """
        kinds = self.monitor.kinds()
        if len(kinds) == 1:
            return kinds[0]
        first = next((kind for kind in kinds if of is not None and of in self.monitor.names(kind)), kinds[0])
        chosen = st.segmented_control(
            "Participants", kinds, default=first, format_func=lambda kind: KIND_NAMES[kind], key="kind",
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        return chosen or first

    def attempt(self, act: Callable[[], object], done: str) -> bool:
        """Carry out an act and say how it went; whether it was done."""
        try:
            act()
        except StudyError as problem:
            st.error(str(problem))
            return False
        st.toast(done)
        return True


def signed_in(app: App) -> ConsoleUser | None:
    """Whose browser this is; looked up in every run, so that signing out ends open pages too."""
    accounts = accounts_in(app.settings.var)
    return accounts.person_of(st.context.cookies.get(COOKIE), app.context.now(), role_in_secrets)


def still_here(console: ConsoleSession) -> bool:
    """Return whether the person may still see what they saw; else the whole page is drawn anew, and the gate decides.

    Part of a page that is looked at again every few seconds runs alone, and not the page's own look at who it is.
    """
    if signed_in(console.app) == console.person:
        return True
    st.rerun()
    return False


def file_link(address: str, name: str, *, main: bool = False) -> str:
    """Return a link that downloads a file from one of the console's routes."""
    more = " sc-file-main" if main else ""
    return f'<a class="sc-file{more}" href="{address}" target="_self" download>{tables.cell(name)}</a>'
