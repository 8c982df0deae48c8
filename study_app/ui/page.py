"""What every page of the participant's app shares: style, title, texts, the way out."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from study_app.bootstrap import App
from study_app.catalogue import Catalogue, catalogue
from study_app.services.world import Place

STYLE = """<style>
header[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stDecoration"], [data-testid="stStatusWidget"],
footer { display: none !important; }
.st-key-top { display: none; }
[data-testid="stCaptionContainer"] { color: inherit !important; opacity: .75; }
.stMainBlockContainer { padding: 2.5rem 1.5rem 4rem; max-width: 46rem; }
.stMain p, .stMain li { line-height: 1.65; }
.stHeading h1 { font-size: 1.75rem; line-height: 1.25; padding-top: 0; }
.stMain h2 { font-size: 1.15rem; line-height: 1.35; padding: .6rem 0 .2rem; }
.stMain h3 { font-size: 1.05rem; line-height: 1.35; padding: .5rem 0 .2rem; }
.stMain :is(p, li, label) code { font-size: .9em; color: inherit; }
.stMain [data-testid="stWidgetLabel"] p, .stMain [role="radiogroup"] label p, .stMain .stCheckbox label p {
  font-size: 1rem; line-height: 1.5; }
/* The ring of an unchosen answer must be seen. */
.stMain [role="radiogroup"] label > div > div:first-child, .stMain .stCheckbox label > span + div {
  box-shadow: 0 0 0 1px rgba(112, 122, 138, .9); }
/* Long scales: one row, each number under its button. */
@media (min-width: 760px) {
  [class*="st-key-scale"] [role="radiogroup"]:has(> :nth-child(12)) { flex-wrap: nowrap; gap: 0;
    justify-content: space-between; min-width: 41rem; }
  [class*="st-key-scale"] [role="radiogroup"]:has(> :nth-child(12)) label > div { flex-direction: column;
    align-items: center; gap: .2rem; min-width: 1.6rem; }
  [class*="st-key-scale"] [role="radiogroup"]:has(> :nth-child(12)) label p { font-size: .88rem; }
}
[class*="st-key-code_"] textarea { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .9rem; line-height: 1.5; }
/* Code in a choice looks as the item's own; a copy button would lie over it. */
.stMain label pre { background: rgba(128, 136, 150, .1) !important; border-radius: .4rem; }
.stMain label pre code { font-size: .9rem !important; line-height: 1.5; }
.stMain label pre .token { color: inherit !important; }
.stMain label [data-testid="stCode"] button, .stMain label [data-testid="stCode"] > :not(pre) { display: none; }
pre.item-code { background: rgba(128, 136, 150, .1); border: 1px solid rgba(128, 136, 150, .4);
  border-radius: .5rem; padding: .8rem 1rem; overflow-x: auto; font-size: .9rem; line-height: 1.5; }
.small { opacity: .75; font-size: .93rem; }
.code-box { font: 600 1.5rem/1.2 ui-monospace, monospace; letter-spacing: .06em;
  border: 1px solid rgba(128, 136, 150, .4); border-radius: .5rem; padding: .9rem 1.2rem; display: inline-block;
  user-select: all; }
.preview { font-size: .85rem; opacity: .7; }
.preview a { color: inherit; }
</style>"""

WORKSPACE_STYLE = """<style>
.stMainBlockContainer { padding: 0 !important; max-width: none !important; }
.stMain { overflow: hidden !important; }
/* Not beyond the room: the question before leaving keeps its spacing. */
.stMain [data-testid="stVerticalBlock"]:has(.sa-room) { gap: 0 !important; }
</style>"""


class Page:
    """One drawing of one screen for one participant.

    Shows: title, body, the screen's own content, `Leave the study`.
    """

    def __init__(self, app: App, place: Place) -> None:
        self.app = app
        self.place = place
        self.texts: Catalogue = catalogue(place.study.language)

    @property
    def participant_id(self) -> str:
        """Whose page it is."""
        return self.place.participant.id

    def text(self, key: str, **values: object) -> str:
        """A text of the catalogue, filled in."""
        found = self.texts[key]
        for name, value in values.items():
            found = found.replace("{" + name + "}", str(value))
        return found

    def key(self, name: str) -> str:
        """A widget's key; different on each stage and step, so that no value leaks from one to another."""
        return f"{self.place.participant.stage}:{self.place.participant.step}:{name}"

    def head(self, title: str | None = None) -> None:
        """Title and body of the stage."""
        if self.place.participant.kind == "preview":
            st.html(f'<span class="preview">{self.text("preview.stamp")}</span>')
        stage = self.place.stage
        heading = title if title is not None else (stage.title if stage else "")
        if heading:
            st.title(heading, anchor=False)

    def leave_button(self) -> None:
        """`Leave the study`, at the foot of every page after consent."""
        st.divider()
        if st.button(self.text("leave.button"), key=self.key("leave"), type="tertiary"):
            self.leave_dialog()

    def leave_dialog(self) -> None:
        """Ask once more, offer to delete the data."""
        text, participant_id, app = self.text, self.participant_id, self.app

        @st.dialog(text("leave.title"))
        def dialog() -> None:
            st.write(text("leave.body"))
            withdraw = st.checkbox(text("leave.withdraw"), key="leave_withdraw")
            left, right = st.columns(2)
            if left.button(text("leave.confirm"), key="leave_confirm", type="primary"):
                app.session.withdraw(participant_id, withdraw)
                st.rerun()
            if right.button(text("leave.stay"), key="leave_stay"):
                st.rerun()

        dialog()

    def go(self, act: Callable[[], object]) -> Callable[[], None]:
        """A callback that carries out an act of the services; it runs before the page is drawn anew."""

        def callback() -> None:
            act()

        return callback
