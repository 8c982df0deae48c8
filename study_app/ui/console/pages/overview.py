"""The trial at a glance.

| Shows | Records |
| --- | --- |
| state, enrolment, stages, statuses, last activity, protocol, planned looks, machine, failures | nothing |
"""

from __future__ import annotations

import shutil
from datetime import datetime

import streamlit as st

from study_app.domain.records import Kind
from study_app.services.operation.alert_watch import Incident
from study_app.services.operation.models.board import IN_WORDS, model_board, verdict
from study_app.services.researcher.console_views import Overview
from study_app.services.researcher.interim.looks import PlannedLook
from study_app.ui.console import html as tables
from study_app.ui.console.session import STATE_TONES, ConsoleSession, still_here

REFRESH_SECONDS = 10
ASSISTANTS = {"notes": "embedded (answers from the task packs' notes)", "claude": "Claude", "recorded": "recorded"}
NEXT = {
    "draft": "Everything here is a preview. Launch with study launch when the protocol is final.",
    "launched": "Real participants. Arms, and whatever exists in some arms only, are hidden from everyone.",
    "closed": "No more enrolment. Arms stay hidden until study unseal.",
    "unsealed": "The seed is public and arms are visible.",
}


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    state = console.monitor.state()
    console.head("Overview", NEXT[state])
    kind = console.kind()

    # One look for the whole page; the fragment looks again when it is drawn alone, also at who it is drawn for.
    views = [console.monitor.overview(kind)]
    view = views[0]

    @st.fragment(run_every=REFRESH_SECONDS)
    def live() -> None:
        if views or still_here(console):
            _enrolment(views.pop() if views else console.monitor.overview(kind))

    live()
    _alerts(console)
    _protocol(console, view)
    _planned_looks(console, kind)
    _machine(console, view, kind)
    _models(console)
    _costs(console, kind)


def _enrolment(view: Overview) -> None:
    running = view.statuses.get("in_progress", 0)
    rest = sum(view.statuses.values()) - running - view.statuses.get("completed", 0)
    st.html(
        tables.tiles(
            [
                ("Enrolled", view.enrolled, ""),
                ("Allocated", view.allocated, f"of {view.target} planned"),
                ("In progress", running, ""),
                ("Completed", view.statuses.get("completed", 0), ""),
                ("Ended otherwise", rest, ""),
                ("Last activity", tables.ago(view.last_seen_at, view.now), ""),
            ]
        )
    )
    left, right = st.container(key="where").columns([11, 9], gap="large")
    with left:
        st.header("Where they are", anchor=False)
        st.html(_stages(view))
    with right:
        st.header("Enrolment", anchor=False)
        st.html(
            tables.steps(view.arrivals, view.target, view.now, since=view.launched_at)
            or tables.note("No participants yet.")
        )
        # Streamlit takes no empty body.
        if view.statuses:
            st.html(_statuses(view))


def _stages(view: Overview) -> str:
    rows = [
        (s.title, s.here or "", s.reached, tables.bar(s.reached, view.enrolled), tables.minutes(s.median_minutes))
        for s in view.stages
    ]
    header = ("Stage", "There now", "Reached", "", "Median min")
    return tables.table(header, rows, numbers=(1, 2, 4), label="Participants by stage")


def _statuses(view: Overview) -> str:
    rows = [(tables.status(name), count, tables.bar(count, view.enrolled)) for name, count in view.statuses.items()]
    return tables.table(("Status", "People", ""), rows, numbers=(1,), label="Participants by status")


def _alerts(console: ConsoleSession) -> None:
    """Incidents that last come first; nothing is drawn where there was none."""
    found = sorted(console.monitor.alerts(), key=lambda one: one.over_at is not None)
    if not found:
        return
    st.header("Alerts", anchor=False)
    rows = []
    for one in found:
        state = tables.Html(tables.badge("over", "quiet") if one.ended_at else tables.badge("lasts", "bad"))
        until = tables.moment(one.ended_at) if one.ended_at else ""
        sent = "" if not console.app.study.alerts.channels else _sent(one)
        rows.append((state, one.text, tables.moment(one.began_at), until, sent))
    st.html(tables.table(("", "Alert", "Since (UTC)", "Until (UTC)", "Sent"), rows, label="Alerts"))


def _sent(alert: Incident) -> str:
    """Say what became of an alert's messages; what was handed on and refused did not reach anybody."""
    refused = "".join(f"{each}; " for each in alert.refused)
    return refused + ("not yet" if alert.owed else "all others" if refused else "yes")


def _protocol(console: ConsoleSession, view: Overview) -> None:
    st.header("Protocol", anchor=False)
    amended = f", amended {view.versions - 1} time(s)" if view.versions > 1 else ""
    st.html(
        tables.facts(
            [
                ("State", tables.Html(tables.badge(view.state, STATE_TONES[view.state]) + amended)),
                ("Launched", tables.moment(view.launched_at) + " UTC" if view.launched_at else "not yet"),
                ("Study hash", tables.code(view.study_hash)),
                ("Seed commitment", tables.code(view.commitment) if view.commitment else "made at launch"),
                ("Way in", console.app.study.recruitment.entry),
            ]
        )
    )


def _planned_looks(console: ConsoleSession, kind: Kind) -> None:
    """Draw when each planned look is due and what was decided; what it found is shown by no board."""
    looks = console.app.interim.planned(kind)
    if not looks:
        return
    st.header("Planned looks", anchor=False)
    rows = [(str(one.look), f"{one.due} people", f"{one.n if one.n else one.known}", _state_of(one), one.decision)
            for one in looks]  # fmt: skip
    header = ("Look", "Due at", "Outcomes known", "State", "Decision")
    st.html(tables.table(header, rows, numbers=(), label="Planned looks"))


def _state_of(look: PlannedLook) -> str:
    if look.taken_at:
        return f"taken on {look.taken_at}"
    return "due: study interim" if look.known >= look.due else "not due yet"


def _cost(view: Overview) -> list[tuple[str, str]]:
    """Return what the assistant has used of the study's limit, all participants together."""
    if view.spent_usd is None or view.cost_limit_usd is None:
        return []
    reached = "; reached: no new questions" if view.spent_usd >= view.cost_limit_usd else ""
    return [("Assistant's cost", f"{view.spent_usd:.2f} of {view.cost_limit_usd:g} US dollars{reached}")]


def _models(console: ConsoleSession) -> None:
    """Draw what the provider says of each treatment's model, and whether it still answers as at the launch."""
    with console.app.context.registry.begin(write=False) as unit:
        board = model_board(console.app.context, unit)
    if not board.looks and not board.rounds:
        return
    st.header("Models", anchor=False)
    if board.looks:
        replayed = {each.treatment: each.summary for each in board.replaced}
        rows = [
            (each.treatment, each.model or each.provider, replayed.get(each.treatment, each.summary),
             _days(each.days_left(board.now)), tables.moment(datetime.fromisoformat(each.looked_at)))
            for each in board.looks
        ]  # fmt: skip
        header = ("Treatment", "Model", "By its provider", "Days left", "Looked at (UTC)")
        st.html(tables.table(header, rows, numbers=(3,), label="Models"))
    if board.rounds:
        found = {(each.round, each.treatment): verdict(each) for each in board.compared}
        asked: list[tuple[object, ...]] = []
        for one in board.rounds:
            said = [f"{name}: {words}" for name, words in board.otherwise.get(one.number, {}).items()]
            said += [f"{name}: {words}" for (number, name), words in found.items() if number == one.number]
            said += [f"{one.failed} questions not answered"] if one.failed else []
            state = "; ".join(said) or ("first replies" if one.ended_at else f"going on, {one.asked} asked")
            came = one.replies - one.failed or ""
            asked.append((str(one.number), IN_WORDS[one.occasion], tables.moment(one.began), came, state))
        header = ("Round", "Asked", "Since (UTC)", "Replies", "Beside the launch")
        st.html(tables.table(header, asked, numbers=(3,), label="Rounds of questions to the models"))


def _days(left: int | None) -> str:
    return "no end announced" if left is None else str(left)


def _costs(console: ConsoleSession, kind: Kind) -> None:
    """Draw what assistants have cost by model, once arms may be shown."""
    costs = console.monitor.costs(kind)
    if not costs:
        return
    st.header("Costs by model", anchor=False)
    rows = [
        (one.treatment, one.model, one.messages, f"{one.input_tokens:,}", f"{one.output_tokens:,}", one.uncounted or "",
         "no price" if one.usd is None else f"{one.usd:.2f}")
        for one in costs
    ]  # fmt: skip
    header = ("Treatment", "Model", "Messages", "Tokens read", "Tokens written", "Not counted", "US dollars")
    st.html(tables.table(header, rows, numbers=range(2, len(header)), label="Costs by model"))


def _leaks(view: Overview) -> list[tuple[str, str]]:
    """Of each treatment without code, how many replies give it."""
    counted = view.leaks.items()
    return [(f"Replies of {name}, that give code", f"{one.leaked} of {one.replies}") for name, one in counted]


def _machine(console: ConsoleSession, view: Overview, kind: Kind) -> None:
    st.header("Machine", anchor=False)
    tone = {"strict": "good", "standard": "good", "weak": "warm", "off": "bad"}.get(view.isolation.level, "quiet")
    level = tables.badge(view.isolation.level, tone)
    assistants = ", ".join(ASSISTANTS.get(name, name) for name in view.assistants) or "none in this study"
    free = shutil.disk_usage(console.app.settings.var if console.app.settings.var.exists() else ".").free / 1e9
    disk = f"{free:.0f} GB free" if free >= 2 else f"only {free:.1f} GB free; make room before enrolment stops"
    waiting, failed = console.monitor.ungraded(), console.monitor.outages()
    st.html(
        tables.facts(
            [
                ("Isolation", tables.Html(f"{level} {tables.cell(view.isolation.message)}")),
                ("Assistant", assistants),
                *_cost(view),
                *_leaks(view),
                ("Database", view.database),
                ("Disk", disk),
                ("Runs failed by the server", f"{failed} in the last 24 hours"),
                ("Submissions not graded in time", waiting),
                ("Clock", console.monitor.clock()),
                ("Programs", console.monitor.paused() or "may run"),
            ]
        )
    )
