"""One participant's session, played again.

| Shows | Records |
| --- | --- |
| editor, runs, chat, stages, provenance on one scrubber | the first look at a real participant: it shows the arm |
"""

from __future__ import annotations

import streamlit as st

from study_app.ui.components.replay import replay
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Replay")
    who = st.query_params.get("who")
    kind = console.kind(of=who)
    people = console.monitor.names(kind)
    if not people:
        st.html(tables.note("No participants yet."))
        return
    asked = list(people).index(who) if who in people else None
    chosen = st.selectbox(
        "Participant", list(people), index=asked, format_func=people.__getitem__, key=f"replay_of:{kind}",
        placeholder="Choose one", label_visibility="collapsed",
    )  # fmt: skip
    if chosen is None:
        st.html(tables.note("Choose a participant to see their session: every keystroke, run, message and stage."))
    elif kind == "real" and not console.monitor.is_unblinded(console.person.name, f"replay {chosen}"):
        _ask(console, chosen)
    else:
        replay(f"/api/replay/{chosen}", key="replay")


def _ask(console: ConsoleSession, participant_id: str) -> None:
    st.warning(
        "A replay shows programs and chats, and so the arm. If you open it, you count as unblinded, and it is recorded."
    )
    if st.button("Open and record", key=f"open:{participant_id}", type="primary"):
        console.monitor.record_unblinding(console.person.name, f"replay {participant_id}", "real")
        st.rerun()
