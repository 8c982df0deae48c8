"""Who did what, when and why; the newest first.

| Shows | Records |
| --- | --- |
| the audit log | nothing |
"""

from __future__ import annotations

import streamlit as st

from study_app.domain.records import AuditEntry
from study_app.services.reasons import NAMED
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession, file_link

SHOWN = 200


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head(
        "Audit",
        "Every act here and every command that changes data. Append-only; each row seals the one before.",
    )
    entries = console.monitor.audit()
    acts = sorted({entry.what for entry in entries})
    chosen = st.pills("Acts", acts, selection_mode="multi", key="audit_acts", label_visibility="collapsed")
    wanted = [entry for entry in entries if not chosen or entry.what in chosen]
    rows = [(e.at.strftime("%Y-%m-%d %H:%M:%S"), e.who, e.what, e.why, _detail(e)) for e in wanted[:SHOWN]]
    st.html(tables.table(("When (UTC)", "Who", "What", "Why", "Detail"), rows, label="Audit log"))
    if len(wanted) > SHOWN:
        st.html(tables.note(f"The newest {SHOWN} of {len(wanted)}; the file has all."))
    st.html(file_link("/download/audit.csv", "Audit log (CSV)"))


def _detail(entry: AuditEntry) -> str:
    shown = ((name, str(value)) for name, value in entry.detail.items() if name != NAMED)
    return ", ".join(f"{name}: {_short(text)}" for name, text in shown)


def _short(text: str) -> str:
    return text if len(text) <= 44 else f"{text[:20]}…{text[-8:]}"
