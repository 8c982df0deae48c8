"""What people gave differently, settled on a board: a note for who settles, and a form with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

Given = TypeVar("Given")


def settling_note(count: int, act: str, things: str) -> None:
    """Say how many wait, and which of them the reader sees.

    Args:
        count: of disagreements.
        act: `code` or `rate`.
        things: what is not handed out any more to those who settle; empty where nothing changes for them.
    """
    done, doing = {"code": ("coded", "coding"), "rate": ("rated", "rating")}[act]
    text = f"{count} to settle. You see those that you have {done} yourself; all, if you {act} none."
    if things:
        text += f" Once you settle one, {things} that others disagree on are not handed to you for {doing} any more."
    st.html(tables.note(text))


def settle_form(
    console: ConsoleSession, name: str, choose: Callable[[], Given], settle: Callable[[Given, str], object]
) -> None:
    """Draw a form with a value and a reason, and settle by them.

    Args:
        console: of the person who settles.
        name: of what is settled; unique on the board.
        choose: draws the fields of the value and returns it.
        settle: takes the value and the reason; what it refuses is shown.
    """
    with st.form(f"settle:{name}", border=False):
        chosen = choose()
        reason = st.text_input("Reason", key=f"reason:{name}")
        saved = st.form_submit_button("Settle", type="primary")
        if saved and console.attempt(lambda: settle(chosen, reason), "Settled"):
            st.rerun()
