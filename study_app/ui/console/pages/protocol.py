"""The protocol: the study as a picture, every screen by arm, prompts, versions and what they changed.

| Shows | Records |
| --- | --- |
| the study file and its content; nothing of any participant | nothing |
"""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from study_app.domain.study.durations import rounded
from study_app.services.author.screens import Screen, all_screens, arm_name, arms_of
from study_app.services.researcher.protocol import Protocol, ProtocolStage, VersionView
from study_app.ui.console import html as tables
from study_app.ui.console.protocol_picture import picture
from study_app.ui.console.screen_picture import draw_picture
from study_app.ui.console.session import STATE_TONES, ConsoleSession

HEIGHT = 800
"""Of a screen in its frame, which is 1280 wide and shown smaller."""


def asked_screen(console: ConsoleSession) -> Screen | None:
    """Return the screen that the address asks for alone, or None."""
    key = str(st.query_params.get("screen", ""))
    return next((screen for screen in all_screens(console.app.context) if screen.key == key), None) if key else None


def render(console: ConsoleSession) -> None:
    """Draw the board, or one screen alone."""
    screen = asked_screen(console)
    if screen is not None:
        arms = arms_of(console.app.study)
        arm = str(st.query_params.get("arm", ""))
        language = str(st.query_params.get("language", ""))
        draw_picture(console.app, screen, arm if arm in arms else arms[0], language)
        return
    console.head("Protocol", "What the study is. Nothing here comes from a participant.")
    protocol = Protocol(console.app.context)
    stages = protocol.stages()
    _facts(console)
    _factors(console)
    _second_decision(console)
    st.html(tables.heading("The way of participants"))
    st.html(picture(stages, _arms(console), _allocation(console)))
    _screens(console)
    st.html(tables.heading("Who meets what"))
    st.html(_met(console, stages))
    _prompts(protocol)
    _versions(console, protocol.versions())


def _facts(console: ConsoleSession) -> None:
    study, state = console.app.study, console.monitor.state()
    total = sum(stage.minutes for stage in Protocol(console.app.context).stages())
    rows = [
        ("Study", f"{study.title} ({study.id})"),
        ("State", tables.badge(state, STATE_TONES[state])),
        ("Hash of this version", tables.code(console.app.context.study_hash)),
        ("Minutes in all, at most", f"{total:.0f}"),
        ("Participants", f"{study.recruitment.target_n}, let in by {study.recruitment.entry}"),
    ]
    st.html(tables.facts(rows))


def _factors(console: ConsoleSession) -> None:
    """Show which arms the factors make, a row an arm."""
    study = console.app.study
    if not study.factors:
        return
    st.html(tables.heading("Factors, and the arms that they make"))
    none = tables.Html('<span class="sc-none">outside the cells</span>')
    rows: list[list[object]] = []
    for arm in study.arms:
        levels = study.cells.get(arm.id, {})
        role = "control" if arm.control else ""
        rows.append([tables.code(arm.id), *(levels.get(factor.id, none) for factor in study.factors), role])
    header = ["Arm", *(factor.title for factor in study.factors), "Role"]
    st.html(tables.table(header, rows, label="Factors, and the arms that they make"))


def _second_decision(console: ConsoleSession) -> None:
    """Show who is randomised a second time, among which treatments."""
    study = console.app.study
    if not study.second_decision:
        return
    second, label = study.second_decision, "Second decision"
    st.html(tables.heading(label))
    stage = study.stage(second.stage)
    responders = tables.Html(f"{tables.code(second.responds)} goes on as before")
    rows: list[tuple[str, object]] = [("On the way into", stage.title or stage.id), ("Responded", responders)]
    rows += [("Drawn by", second.method.replace("_", " ") + (" within each arm" if second.method != "simple" else ""))]
    st.html(tables.facts(rows))
    none = "as in the arm"
    met = [
        (tables.code(each.id), each.title, each.weight, none if each.assistant is None else each.assistant or "none")
        for each in second.treatments
    ]
    st.html(tables.table(("Treatment", "Label", "Weight", "Assistant"), met, label=label))


def _arms(console: ConsoleSession) -> list[tuple[str, str]]:
    arms = console.app.study.arms
    weighted = len({arm.weight for arm in arms}) > 1
    return [(arm.id, (arm.label or arm.id) + (f" (weight {arm.weight})" if weighted else "")) for arm in arms]


def _allocation(console: ConsoleSession) -> str:
    scheme = console.app.study.allocation
    more = [f"sizes {', '.join(map(str, scheme.block_sizes))}"] if scheme.block_sizes else []
    more += ["within " + ", ".join(factor.variable for factor in scheme.strata)] if scheme.strata else []
    more += ["balancing " + ", ".join(factor.variable for factor in scheme.factors)] if scheme.factors else []
    return "; ".join([scheme.method.replace("_", " "), *more])


def _screens(console: ConsoleSession) -> None:
    st.html(tables.heading("Every screen, as participants see it"))
    study, screens = console.app.study, all_screens(console.app.context)
    left, right, last = st.columns([3, 2, 1])
    chosen = left.selectbox(
        "Screen", range(len(screens)), format_func=lambda number: f"{number + 1}. {screens[number].title}",
        key="protocol_screen",
    )  # fmt: skip
    arm = right.selectbox("Arm", arms_of(study), format_func=lambda each: arm_name(study, each), key="protocol_arm")
    offered = console.app.study.offered
    language = (
        last.selectbox(
            "Language", offered, format_func=lambda each: console.app.texts[each].name, key="protocol_language"
        )
        if len(offered) > 1
        else offered[0]
    )
    screen = screens[chosen]
    if not screen.by_arm:
        st.html(tables.note("This screen is the same in every arm."))
    address = f"/protocol?{urlencode({'screen': screen.key, 'arm': arm, 'language': language, 'embed': 'true'})}"
    with st.container(key="picture"):
        st.iframe(address, height=HEIGHT)
    link = f'<a href="{tables.cell(address)}" target="_blank" rel="noopener">Open this screen alone</a>'
    st.html(f'<p class="sc-note">{link}. Nothing that is tried in it is stored.</p>')


def _met(console: ConsoleSession, stages: list[ProtocolStage]) -> str:
    arms = _arms(console)
    rows = []
    for stage in stages:
        minutes = f"{stage.minutes:g}, limit" if stage.limited else f"about {rounded(stage.minutes)}"
        same = tables.Html('<span class="sc-none">the same</span>')
        met = [stage.met[arm] if stage.differs or number == 0 else same for number, (arm, _) in enumerate(arms)]
        rows.append([stage.title, stage.kind, minutes, *met])
    return tables.table(["Stage", "Kind", "Minutes", *(name for _, name in arms)], rows, label="Who meets what")


def _prompts(protocol: Protocol) -> None:
    treatments = protocol.treatments()
    if not treatments:
        return
    st.html(tables.heading("Assistants"))
    for name, arms, settings, prompt in treatments:
        st.html(f"<h3>{tables.cell(name)}: {tables.cell(', '.join(arms) or 'no arm')}</h3>")
        st.html(tables.facts((key.replace("_", " "), _said(value)) for key, value in settings.items()))
        st.html(tables.pre(prompt) if prompt else tables.note("No prompt: it answers from the packs' notes."))


def _said(value: object) -> str:
    """Return a setting; one with parts as `name value, name value`."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {each}" for name, each in value.items())
    return str(value)


def _versions(console: ConsoleSession, versions: list[VersionView]) -> None:
    st.html(tables.heading("Versions"))
    if not versions:
        st.html(tables.note("A draft has no locked version yet; study launch locks the first."))
    for number, version in reversed(list(enumerate(versions, start=1))):
        rows: list[tuple[str, object]] = [
            ("Locked", tables.moment(version.locked_at) + " UTC"),
            ("Hash", tables.code(version.study_hash)),
            ("Reason", "launch" if number == 1 else version.reason),
        ]
        st.html(f"<h3>Version {number}</h3>{tables.facts(rows)}")
        lines = [line for change in version.changes for line in change.lines()]
        if lines:
            st.html(tables.pre("\n".join(lines)))
