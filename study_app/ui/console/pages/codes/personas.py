"""Replies to fixed questions, one at a time, and a guess of the persona that wrote each."""

from __future__ import annotations

import streamlit as st

from study_app.domain.assistants.persona_checks.guessing import UNSURE
from study_app.services.researcher.blind_codes.persona_guesses import PersonaGuesses
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession


def guesses(console: ConsoleSession, found: PersonaGuesses) -> None:
    """Draw the next reply with the personas to choose among."""
    name = console.person.name
    waiting = found.waiting(name)
    st.html(
        tables.note(
            f"{len(waiting)} repl{'y waits' if len(waiting) == 1 else 'ies wait'} for you: answers of the assistant to "
            "fixed questions, without any participant. Say which persona wrote each, by its words alone."
        )
    )
    if not waiting:
        st.html(tables.note("Replies come with a round of questions: study probe, or the launch."))
    else:
        first = waiting[0]
        st.html(tables.note(f"Task {first.task}. Asked: {first.message}") + tables.pre(first.reply))
        with st.form(f"persona:{first.name}", border=False):
            choices = [*found.personas(), UNSURE]
            chosen = st.radio("Persona", choices, index=None, format_func=_shown, key=f"persona_of:{first.name}")
            saved = st.form_submit_button("Save guess", type="primary")
            if saved and console.attempt(lambda: found.guess(name, first.name, chosen or ""), "Saved"):
                st.rerun()
    given = found.given()
    if given:
        st.html(tables.note(f"{given} guess(es) so far. How many are right, beside chance, is in the report."))


def _shown(name: str) -> str:
    return name.replace("_", " ")
