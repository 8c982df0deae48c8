"""Single-use links for participants.

| Shows | Records |
| --- | --- |
| how many links there are, which are used; new ones once, when they are made; a test entry | the making of both |
"""

from __future__ import annotations

import csv
import io
import zipfile
from base64 import b64encode
from html import escape

import streamlit as st

from study_app.content.qr import qr_svg
from study_app.services.researcher.console_views import LinkUse
from study_app.services.researcher.links import MOST_LINKS, check_base, labels_in
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

MOST_DRAWN = 24
"""QR codes on the page; the file has all."""
MADE = "links_made"
WARNED = "links_warned"
"""What to know about the assistant that the new links lead to."""
TEST = "test_entry_made"
LABELS = "Labels"
"""What messages call the field."""


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Links", "Each link lets one participant in. Only hashes are kept, so a link can be shown only once.")
    uses = console.monitor.links()
    used = sum(use.used for use in uses)
    st.html(tables.tiles([("Links", len(uses), ""), ("Used", used, ""), ("Left", len(uses) - used, "")]))
    _make(console)
    _make_test(console)
    if MADE in st.session_state:
        for warning in st.session_state[WARNED]:
            st.warning(warning)
        _show(st.session_state[MADE])
    if uses:
        st.header("So far", anchor=False)
        st.html(_table(uses))


def _make(console: ConsoleSession) -> None:
    settings = console.app.settings
    with st.form("links"):
        left, right = st.columns([1, 3])
        count = left.number_input("How many", 1, MOST_LINKS, 10, key="links_count")
        site = right.text_input(
            "Address of the participants' site", f"http://{settings.host}:{settings.port}", key="links_site"
        )
        labels = st.text_area(
            "Labels, one a line (optional; the first link gets the first)", key="links_labels", height=90
        )
        if st.form_submit_button("Make links", type="primary"):
            _made(console, int(count), site, labels_in(labels, LABELS))


def _made(console: ConsoleSession, count: int, site: str, labels: list[str]) -> None:
    def act() -> None:
        base = check_base(site, "Address of the participants' site")
        asked = console.app.ask_provider(console.app.settings.study_file.name)
        asked.refuse_problems()
        made = console.app.links.create(count, labels or None, who=console.person.name, via="console", source=LABELS)
        st.session_state[WARNED] = [*asked.unreachable, *asked.warnings]
        st.session_state[MADE] = [(link.label or "", link.address(base), link.short(base)) for link in made]

    if console.attempt(act, f"{count} link(s) made"):
        st.rerun()


def _make_test(console: ConsoleSession) -> None:
    settings = console.app.settings
    with st.expander("Test entry"):
        st.write(
            "An address for trying the study yourself, before and after the launch. Its visitors are previews, "
            "take no places and never count; it can be used again and again."
        )
        with st.form("test_entry", border=False):
            site = st.text_input(
                "Address of the participants' site", f"http://{settings.host}:{settings.port}", key="test_site"
            )
            if st.form_submit_button("Make a test entry"):
                console.attempt(lambda: _made_test(console, site), "Test entry made")
        if TEST in st.session_state:
            st.code(st.session_state[TEST], language=None)
            st.caption("Shown now and never again; only its hash is kept.")


def _made_test(console: ConsoleSession, site: str) -> None:
    base = check_base(site, "Address of the participants' site")
    st.session_state[TEST] = console.app.links.create_test(who=console.person.name, via="console").address(base)


def _show(made: list[tuple[str, str, str]]) -> None:
    st.success("These links are shown now and never again. Download them before you leave this page.")
    text = io.StringIO()
    csv.writer(text).writerows([("label", "link", "short_link"), *made])
    st.download_button("Download as CSV", text.getvalue(), "links.csv", "text/csv", key="links_file")
    if st.button("I have them", key="links_done"):
        del st.session_state[MADE]
        st.rerun()
    rows = [(label, tables.code(link), tables.code(short)) for label, link, short in made]
    st.html(tables.table(("Label", "Link", "Short link"), rows, label="New links"))
    with st.expander("QR codes of the short links"):
        st.download_button("Download all as SVG", _packed(made), "links_qr.zip", "application/zip", key="links_qr")
        drawn = "".join(_drawn(label, short) for label, _, short in made[:MOST_DRAWN])
        st.html(f'<div class="sc-codes">{drawn}</div>')


def _drawn(label: str, address: str) -> str:
    name = escape(label or address.rpartition("/")[2][:6] + "…")
    # As an image: Streamlit takes drawings out of a page's HTML.
    picture = b64encode(qr_svg(address, 3).encode()).decode()
    image = f'<img alt="QR code {name}" src="data:image/svg+xml;base64,{picture}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>"


def _packed(made: list[tuple[str, str, str]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (_, _, short) in enumerate(made, start=1):
            archive.writestr(f"link_{number:04d}.svg", qr_svg(short))
    return packed.getvalue()


def _table(uses: list[LinkUse]) -> str:
    rows = [
        (use.label, tables.moment(use.created_at), tables.badge("used", "good") if use.used else "not yet")
        for use in uses
    ]
    return tables.table(("Label", "Made (UTC)", "Used"), rows, label="Links")
