"""The console: who is signed in, which boards their role may see, the board they chose."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from study_app.bootstrap import App, current
from study_app.secrets.console_accounts import ConsoleUser, accounts_in
from study_app.secrets.console_boards import SEEN_BY
from study_app.secrets.console_roles import refusal_of, role_in_secrets
from study_app.services.researcher.monitoring import Monitor
from study_app.ui.console import html as tables
from study_app.ui.console.pages import (
    accounts as people,
)
from study_app.ui.console.pages import (
    allocation,
    audit,
    coding,
    downloads,
    grading,
    interviews,
    links,
    overview,
    participants,
    protocol,
    recruiting,
    replay,
    sessions,
    verdicts,
)
from study_app.ui.console.pages.releasing import texts as releasing
from study_app.ui.console.pages.reporting import results
from study_app.ui.console.session import STATE_TONES, STYLE, ConsoleSession, signed_in

# Title, address, drawing: a board that a role may not see cannot be run by them.
BOARDS: tuple[tuple[str, str, Callable[[ConsoleSession], None]], ...] = (
    ("Overview", "overview", overview.render),
    ("Participants", "participants", participants.render),
    ("Replay", "replay", replay.render),
    ("Grading", "grading", grading.render),
    ("Verdicts", "verdicts", verdicts.render),
    ("Coding", "coding", coding.render),
    ("Interviews", "interviews", interviews.render),
    ("Protocol", "protocol", protocol.render),
    ("Sessions", "sessions", sessions.render),
    ("Recruiting", "recruiting", recruiting.render),
    ("Links", "links", links.render),
    ("Allocation", "allocation", allocation.render),
    ("Results", "results", results.render),
    ("Downloads", "downloads", downloads.render),
    ("Release", "release", releasing.render),
    ("Audit", "audit", audit.render),
    ("People", "people", people.render),
)


def main() -> None:
    """Draw the board that is asked for."""
    app = current()
    st.set_page_config(page_title=f"Console: {app.study.title}", layout="wide", initial_sidebar_state="expanded")
    alone = "screen" in st.query_params
    if not alone:
        st.html(STYLE)
    person = signed_in(app)
    if person is None:
        _at_the_door(app)
        return
    console = ConsoleSession(app, person, Monitor(app.context))
    pages = [
        st.Page(_board(draw, console), title=title, url_path=path, default=path == "overview")
        for title, path, draw in BOARDS
        if person.role in SEEN_BY[path]
    ]
    chosen = st.navigation(pages, position="hidden" if alone else "sidebar", expanded=True)
    if not alone:
        _side(console)
    chosen.run()


def _board(draw: Callable[[ConsoleSession], None], console: ConsoleSession) -> Callable[[], None]:
    def board() -> None:
        draw(console)

    return board


def _side(console: ConsoleSession) -> None:
    state = console.monitor.state()
    unblinded = " · unblinded" if console.person.name in {who for who, _, _ in console.monitor.unblinded()} else ""
    with st.sidebar:
        st.html(
            f'<p class="sc-side-title">{tables.cell(console.app.study.title)}</p>'
            f"{tables.badge(state, STATE_TONES[state])}"
            f'<p class="sc-side-foot">{tables.cell(console.person.name)} · {console.person.role}{unblinded}<br>'
            '<a href="/password" target="_self">Change password</a> · <a href="/logout" target="_self">Sign out</a></p>'
        )


def _at_the_door(app: App) -> None:
    """Sign in by an identity provider where one is configured; otherwise the gate keeps everyone out."""
    st.title(app.study.title, anchor=False)
    if not _provider_configured():
        st.html('<p>You are not signed in any more. <a href="/login" target="_self">Sign in</a></p>')
        return
    if not st.user.is_logged_in:
        st.button("Sign in", on_click=st.login, type="primary")
        st.html('<p class="sc-note"><a href="/login" target="_self">Sign in with a password</a></p>')
        return
    email = str(st.user.get("email", "")).lower()
    role = role_in_secrets(email)
    refusal = refusal_of(email, st.user.get("email_verified"))
    if role is None or refusal is not None:
        st.error(refusal)
        st.button("Sign out", on_click=st.logout)
        return
    ticket = accounts_in(app.settings.var).ticket(ConsoleUser(email, role), app.context.now())
    link = f'<a href="/login?ticket={ticket}" target="_self">Open the console</a>'
    st.html(f"<p>Signed in as {tables.cell(email)}. {link}</p>")


def _provider_configured() -> bool:
    from streamlit.errors import StreamlitSecretNotFoundError

    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False


main()
