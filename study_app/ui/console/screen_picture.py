"""One screen of the participants' way, drawn by the participants' own pages; nothing of it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import streamlit as st

from study_app.bootstrap import App
from study_app.domain.records import END, Participant
from study_app.services.author.screens import Screen, allocated_to
from study_app.services.participant.interviewing.state import Interview, picture_of
from study_app.services.participant.probing.asking import ProbeState
from study_app.services.position import AtStage, BeforeStage, Ended, OnStage, Position, Waiting
from study_app.ui.page import STYLE
from study_app.ui.screens.drawing import draw_screen

API = "/picture"
"""Where the components of a picture send what is tried in it; see web/routes/picture.py."""


@dataclass
class PictureApp:
    """What the pages ask of an app, without anybody's data."""

    app: App
    place: Position
    author: None = None
    session: Any = field(init=False)
    answers: Any = field(init=False)
    help: Any = field(init=False)
    work: Any = field(init=False)
    probes: Any = field(init=False)
    interviews: Any = field(init=False)
    enrol: Any = field(init=False)

    def __post_init__(self) -> None:
        def nothing(*_asked: object) -> None:
            return None

        self.session = SimpleNamespace(expired_before=nothing, document=nothing, message=lambda _who: "")
        self.answers = SimpleNamespace(page=self.app.answers.page, drafts=lambda _place: {})
        self.help = SimpleNamespace(
            spec=self.app.help.spec,
            conversation=lambda _who: [],
            actions=lambda _who: {},
            goes_without_asking=lambda _place: False,
            opens_at=self._opens_at,
        )
        self.work = SimpleNamespace(last_run=nothing, beginning=self._beginning)
        self.probes = SimpleNamespace(state=lambda _who: ProbeState(self.place))
        self.interviews = SimpleNamespace(view=self._interview)
        self.enrol = SimpleNamespace(moving_token=lambda _who: "")

    def _interview(self, _who: str) -> tuple[AtStage, Interview] | None:
        """Return the interview with its first question."""
        return (self.place, picture_of(self.context, self.place)) if isinstance(self.place, AtStage) else None

    def _opens_at(self, place: AtStage) -> datetime | None:
        """Return when a delayed assistant opens for a person who has just begun the stage."""
        spec = self.app.help.spec(place)
        if spec is None or not spec.opens_after_minutes:
            return None
        return place.now + timedelta(minutes=spec.opens_after_minutes)

    def _beginning(self, place: OnStage) -> str:
        """Return a task's starter, also where people go on with a program that they handed in: there is none here."""
        return str(self.context.content_of(place.participant).pack(place.pack).beginning({}))

    @property
    def context(self) -> Any:
        """The study."""
        return self.app.context

    def texts_of(self, participant: Participant) -> Any:
        """Return the texts of each language."""
        return self.app.texts_of(participant)

    @property
    def library(self) -> Any:
        """Its content."""
        return self.app.library


def draw_picture(app: App, screen: Screen, arm: str, language: str = "") -> None:
    """Draw a screen as participants of an arm see it, in one of the study's languages; its default without one.

    Args:
        app: the study.
        screen: of `all_screens`.
        arm: of `arms_of`.
        language: one that the study offers.
    """
    place = position_of(app, screen, arm, language)
    st.html(STYLE)
    st.html("<style>[data-testid='stSidebar'], [data-testid='stHeader'] { display: none !important; }</style>")
    draw_screen(PictureApp(app, place), place, API)  # type: ignore[arg-type]


def position_of(app: App, screen: Screen, arm: str, language: str) -> Position:
    """Return where a person is who sees that screen."""
    given, now = app.context.study, app.context.now()
    said = language if language in given.offered else given.offered[0]
    study = app.context.localised(given, said, app.context.study_hash)
    over = screen.stage == END
    stage = None if over else study.stage(screen.stage)
    person = Participant(
        id="picture",
        kind="real",
        study_hash=app.context.study_hash,
        status="completed" if over else "in_progress",
        stage=screen.stage,
        step=screen.step,
        enrolled_at=now,
        last_seen_at=now,
        language=said,
        opens_at=now + timedelta(days=study.delay_before(stage)) if stage and screen.show == "waiting" else None,
        **allocated_to(study, arm, stage),
    )
    if stage is None:
        return Ended(person, study, study.arm(arm), now)
    shown_arm = study.arm(arm, stage)
    if person.opens_at is not None:
        return Waiting(person, study, stage, shown_arm, now, person.opens_at)
    if screen.show == "intro":
        return BeforeStage(person, study, stage, shown_arm, now)
    deadline_at = None if stage.minutes is None else now + timedelta(minutes=stage.minutes)
    return OnStage(person, study, stage, shown_arm, now, deadline_at)
