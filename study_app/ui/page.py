"""What every page of the participant's app shares: style, title, texts, the way out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Generic, Literal, TypeVar

import streamlit as st

from study_app.bootstrap import App
from study_app.content.texts import Catalogue
from study_app.domain.localisation.study_texts import sayer
from study_app.domain.study.durations import Progress, filled, progress, whole
from study_app.domain.study.study import Stage
from study_app.services.position import BeforeStage, OnStage, Paused, Position, Waiting
from study_app.ui.components import actions
from study_app.ui.components.views import ActionsData, Button, Copy, PageLink, ProgressView
from study_app.ui.markdown import to_html

STYLE = """<style>
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
.small { opacity: .8; font-size: .93rem; }
.page-head p { margin: 0; }
/* A title that the focus goes to, so that a new screen is read from it, needs no ring. */
.page-head h1:focus, .sa-room h1:focus { outline: none; }
.page-head h1 { font-size: 1.75rem; line-height: 1.25; padding: .4rem 0 0; margin: 0; font-weight: 650; }
.page-head .progress, .page-head .preview { font-size: .9rem; opacity: .8; }
.page-head :is(.expired, .message) { margin: .8rem 0 .2rem; padding: .7rem 1rem; border-radius: .5rem;
  border: 1px solid rgba(154, 91, 0, .55); background: rgba(214, 143, 30, .13); }
.prose > :first-child { margin-top: 0; }
.prose :is(p, ul, ol, pre, table, h2, h3) { margin: 0 0 .85rem; }
.prose :is(ul, ol) { padding-inline-start: 1.4rem; }
.prose li { margin: 0 0 .3rem; }
.prose :is(code, pre) { white-space: break-spaces; -webkit-box-decoration-break: clone; box-decoration-break: clone;
  background: rgba(128, 136, 150, .13); border-radius: .3rem; padding: .1em .3em; }
.prose pre { padding: .8rem 1rem; }
.prose pre code { background: none; padding: 0; }
.preview a { color: inherit; }
</style>"""

WORKSPACE_STYLE = """<style>
.stMainBlockContainer { padding: 0 !important; max-width: none !important; }
.stMain { overflow: hidden !important; }
/* Not beyond the room: the question before leaving keeps its spacing. */
.stMain [data-testid="stVerticalBlock"]:has(.sa-room) { gap: 0 !important; }
</style>"""


Where = TypeVar("Where", bound=Position, covariant=True)


class Page(Generic[Where]):
    """One drawing of one screen for one participant.

    Shows: title, body, the screen's own content, `Leave the study`.
    """

    def __init__(self, app: App, place: Where, api: str = "") -> None:
        self.app = app
        self.api = api
        """Prefix of the routes that the page's components speak to."""
        self.place: Where = place
        self.texts: Catalogue = app.texts_of(place.participant)[place.study.language]
        self.content = app.context.content_of(place.participant).said(place.study.language)
        """Dotted key -> text of packs, banks and assistants in the participant's language."""
        self.say = sayer(self.content)

    @property
    def participant_id(self) -> str:
        """Whose page it is."""
        return self.place.participant.id

    def text(self, key: str, **values: object) -> str:
        """Return a text of the catalogue, filled in."""
        return self.texts.filled(key, **values)

    def mount(self, name: str) -> str:
        """Return a component's key: constant, so that it stays on the page, until an author's files change."""
        author = self.app.author
        return name if author is None or not author.files.generation else f"{name}:{author.files.generation}"

    @property
    def screen(self) -> str:
        """What changes whenever the participant comes to another screen."""
        place = self.place
        # Tasks of one stage share a screen: the editor's component must not be taken down between them.
        step = "" if place.stage is not None and place.stage.kind == "tasks" else place.participant.step
        return f"{place.participant.stage}:{step}:{place.screen}"

    def key(self, name: str) -> str:
        """Return a widget's key; different on each stage and step, so that no value leaks from one to another."""
        # Streamlit keeps a widget's value by its key alone, whatever page it stands on.
        return self.mount(f"{self.place.participant.stage}:{self.place.participant.step}:{name}")

    def filled(self, text: str) -> str:
        """Return a text of the study file with its placeholders filled in."""
        stage = self.place.stage
        if stage is None:
            return text
        bank = self.app.context.content_of(self.place.participant).bank(stage.bank) if stage.bank else None
        text = text if bank is None else bank.filled(text, stage.form or None)
        return filled(text, self.place.study, stage)

    def write(self, text: str) -> None:
        """Write a text of the study file or the catalogue, from Markdown, without Streamlit's renderer."""
        # `st.markdown` would read $ as mathematics and :name: as an icon.
        st.html(f'<div class="prose">{to_html(text)}</div>')

    def clock_starts(self, following: Stage | None) -> None:
        """Before a part with a limit: how long it is, and that its clock starts on `Continue`.

        A part that has its own intro says so there.
        """
        if following is None or following.minutes is None:
            return
        if following.intro and not isinstance(self.place, BeforeStage):
            return
        tasks = len(following.packs)
        key = {0: "clock.one", 1: "clock.one", 2: "clock.both"}.get(tasks, "clock.all")
        number = self.texts.table("numbers").get(str(tasks), str(tasks))
        self.write(self.text(key, minutes=whole(following.minutes), tasks=number))

    def _next_clock(self) -> str:
        """Return the note that the next part's clock starts on leaving this one; empty where its own page says so."""
        stage = self.place.stage
        if stage is None or not isinstance(self.place, OnStage) or stage.kind in ("instructions", "tasks", "quiz"):
            return ""
        following = self.place.study.straight_after(stage.id)
        if following is None or following.minutes is None or following.intro:
            return ""
        return self.text("clock.next", minutes=whole(following.minutes))

    def _progress(self) -> Progress | None:
        place, stage = self.place, self.place.stage
        if stage is None or isinstance(place, Waiting | Paused):
            return None
        spent = 0.0
        if stage.minutes is not None and place.deadline_at is not None:
            spent = stage.minutes - (place.deadline_at - place.now).total_seconds() / 60
        return progress(place.study, stage, spent)

    def progress(self) -> str:
        """`Part N of M, about X minutes left`; empty where that means nothing."""
        found = self._progress()
        if found is None:
            return ""
        key = "progress.minute_left" if found.minutes_left == 1 else "progress.minutes_left"
        return self.text(key, n=found.part, m=found.parts, minutes=found.minutes_left)

    def live_progress(self) -> ProgressView | None:
        """Return the same for a page that stays for long: it fills in the minutes itself."""
        found = self._progress()
        if found is None:
            return None
        many, one = (
            self.text(f"progress.{key}", n=found.part, m=found.parts) for key in ("minutes_left", "minute_left")
        )
        return {"many": many, "one": one, "later_minutes": found.later_minutes}

    def announcement(self) -> str:
        """For the workspace: what researchers tell this participant, else what ended just before."""
        return self.app.session.message(self.participant_id) or self.notice()

    def notice(self) -> str:
        """Return the note that the time of the part before was over, and what was handed in; empty if it was not."""
        expired = self.app.session.expired_before(self.place)
        if expired is None:
            return ""
        key, known = f"expired.{expired.kind}", self.texts.keys()
        return self.text(key if key in known else "expired.other", title=expired.title)

    def head(self, title: str | None = None) -> None:
        """Where one is, what has just ended, and the title."""
        stage = self.place.stage
        heading = title if title is not None else (stage.title if stage else "")
        self.name_tab(heading)
        lines = [("preview", self.text("preview.stamp"))] if self.place.participant.kind == "preview" else []
        lines += [("message", self.app.session.message(self.participant_id))]
        lines += [("progress", self.progress()), ("expired", self.notice()), ("clock", self._next_clock())]
        above = "".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines if text)
        h1 = f'<h1 data-screen="{escape(self.screen)}">{escape(heading)}</h1>' if heading else ""
        st.html(f'<div class="page-head">{above}{h1}</div>')

    def name_tab(self, heading: str) -> None:
        """Put the screen's title before the study's in the browser's tab, where one looks for a page."""
        study = self.place.study.title
        if heading and heading != study:
            st.set_page_config(page_title=f"{heading} – {study}")

    def actions(
        self,
        *buttons: Button,
        pledge: str | None = None,
        copies: Sequence[Copy] = (),
        link: PageLink | None = None,
        leave: Literal["button", "dialog", "none"] = "button",
        pinned: bool = False,
        forget: Literal["nothing", "sent", "all"] = "nothing",
    ) -> None:
        """Draw what can be pressed here; a press reaches the server even if the connection is lost in between.

        Args:
            buttons: in the order in which they stand.
            pledge: what has to be ticked first.
            copies: what can be copied.
            link: a way out of the study's pages.
            leave: a button for leaving, only its dialog, or none once there is nothing to leave.
            pinned: keep the buttons in sight on a long page.
            forget: on a page without a log, what the browser keeps of the participant's words: it sends
                what earlier pages could not, then deletes what is `sent`, or `all` where no page comes after this one.
                Of erased data it sends nothing and deletes all.
        """
        place = self.place
        data: ActionsData = {
            "page_key": self.participant_id,
            "stage": place.participant.stage,
            "screen": self.key(place.screen),
            "buttons": list(buttons),
            "pledge": pledge,
            "copies": list(copies),
            "link": link,
            "leave": None,
            "pinned": pinned,
            "api": self.api,
            "texts": self.texts.table("page"),
        }
        if forget != "nothing":
            erased, last = place.participant.data_withdrawn, forget == "all"
            data["forget"] = {"page_key": self.participant_id, "events": erased, "last": last}
        if leave != "none":
            data["leave"] = {"button": leave == "button", "payment": self._payment()}
        actions(data, key=self.key("actions" if buttons or copies else "leave"))

    def _payment(self) -> str:
        """Return what leaving means for the payment."""
        said = self.place.study.consent.pay_when_leaving
        return said or self.text("leave.payment", contact=self.place.study.contact or self.text("refusal.team"))

    def leave_button(self) -> None:
        """`Leave the study`, at the foot of every page after consent."""
        self.actions()

    def leave_dialog(self) -> None:
        """Draw the dialog alone, for a screen with its own button."""
        self.actions(leave="dialog")
