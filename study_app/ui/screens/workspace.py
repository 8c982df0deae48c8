"""The room in which a task is worked on; everything hot in it goes over our own routes.

Shows: brief, editor, output, assistant or notes, time left. Records: see study_app/domain/events.py.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from study_app.content.shown import examples_in, limit_in
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.localisation.content_texts import localised_assistant, localised_pack
from study_app.domain.records import RunRecord
from study_app.domain.tasks.programs import in_order
from study_app.services.participant.programs.taking import MAX_CODE_BYTES
from study_app.services.position import OnStage
from study_app.ui.components import workspace
from study_app.ui.components.views import AgentView, AssistantView, LastRun, ProbesView, ShownTurn, WorkspaceData
from study_app.ui.markdown import to_html
from study_app.ui.page import WORKSPACE_STYLE, Page


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    st.html(WORKSPACE_STYLE)
    page.name_tab(page.place.stage.title)
    workspace(_data(page), key=page.mount("workspace"))
    page.leave_dialog()


def _data(page: Page[OnStage]) -> WorkspaceData:
    place, stage, app = page.place, page.place.stage, page.app
    pack = localised_pack(place.pack, app.context.content_of(place.participant).pack(place.pack), page.say)
    document = app.session.document(page.participant_id, place.task)
    starter = app.work.beginning(place) if pack.continues else pack.starter
    deadline = place.deadline_at
    return {
        "page_key": page.participant_id,
        "stage": stage.id,
        "step": place.participant.step,
        "stage_title": stage.title,
        "task": {
            "id": place.task,
            "title": pack.title,
            "index": place.participant.step + 1,
            "count": len(stage.packs),
            "brief_html": to_html(pack.brief),
        },
        "doc": document.text if document else starter,
        "doc_source": "saved" if document else "starter",
        "starter": starter,
        "longest_code": MAX_CODE_BYTES,
        "deadline_ms": round(deadline.timestamp() * 1000) if deadline else None,
        "now_ms": round(place.now.timestamp() * 1000),
        "assistant": _assistant(page),
        "notes_html": to_html(pack.reference),
        "last_run": _last_run(page),
        "can_leave": True,
        "offers_exit": place.study.offers_exit,
        "time_scope": _time_scope(page, len(stage.packs)),
        "api": page.api,
        "texts": _texts(page, len(pack.examples)),
        "progress": page.live_progress(),
        "notice": page.announcement(),
        "probes": _probes(page),
    }


def _texts(page: Page[OnStage], examples: int) -> dict[str, str]:
    """Return the room's texts; of a single example it is not said that all of them pass."""
    texts = page.texts.table("workspace")
    return texts | {"examples_all_pass": page.text("workspace.examples_one_passes")} if examples == 1 else texts


def _probes(page: Page[OnStage]) -> ProbesView | None:
    if not page.place.study.probes_at(page.place.stage.id):
        return None
    state = page.app.probes.state(page.participant_id)
    return {"due_ms": [round(seconds * 1000) for seconds in state.left], "open": state.shown is not None}


def _time_scope(page: Page[OnStage], tasks: int) -> str:
    if tasks == 1:
        return ""
    return page.text("clock.for_both_tasks" if tasks == 2 else "clock.for_all_tasks", m=tasks)


def _assistant(page: Page[OnStage]) -> AssistantView | None:
    spec = page.app.help.spec(page.place)
    if spec is None:
        return None
    spec = localised_assistant(page.place.assistant or "", spec, page.say)
    opens_at = page.app.help.opens_at(page.place)
    actions = {} if spec.agent is None else page.app.help.actions(page.participant_id)
    turns: list[ShownTurn] = [
        {
            "turn_id": turn.id,
            "message": turn.message,
            "reply": turn.reply,
            "complete": turn.complete,
            "stopped": turn.stopped_by_participant,
            "error": None if turn.error is None else page.text("assistant.failed.other"),
            "actions": actions.get(turn.id, []),
        }
        for turn in page.app.help.conversation(page.place.participant)
    ]
    return {
        "label": spec.label,
        "greeting": spec.greeting,
        "turns": turns,
        "allow_paste": spec.allow_paste,
        "allow_insert": spec.allow_insert,
        "opens_at_ms": None if opens_at is None else round(opens_at.timestamp() * 1000),
        "agent": _agent(page, spec),
    }


def _agent(page: Page[OnStage], spec: AssistantSpec) -> AgentView | None:
    if spec.agent is None:
        return None
    offers = spec.agent.approval == "participant"
    return {"offers_mode": offers, "without_asking": offers and page.app.help.goes_without_asking(page.place)}


def _last_run(page: Page[OnStage]) -> LastRun | None:
    run = page.app.work.last_run(page.participant_id, page.place.task)
    if run is None:
        return None
    figures = page.app.work.figures_of(run)
    return {"lines": _lines(run), "end": _end(page, run), "checks": _checks(page, run), "figures": figures}


def _lines(run: RunRecord) -> list[Any]:
    """Return the lines as they were shown while the program ran."""
    return [
        {"stream": stream, "text": line}
        for stream, text in in_order(run.stdout, run.stderr, run.output_order)
        for line in text.removesuffix("\n").split("\n")
    ]


def _end(page: Page[OnStage], run: RunRecord) -> Any:
    if run.ended_by is None:
        return None
    content = page.app.context.content_of(page.place.participant)
    limit = limit_in(page.texts, content.pack(page.place.pack).limits, run.ended_by)
    message = "" if run.ended_by == "exit" else page.text(f"run.{run.ended_by}", limit=limit)
    return {
        "run_id": run.id,
        "ended_by": run.ended_by,
        "message": message,
        "error_type": run.error_type,
        "error_line": run.error_line,
        "wall_seconds": run.wall_seconds or 0.0,
    }


def _checks(page: Page[OnStage], run: RunRecord) -> list[Any]:
    return examples_in(page.texts, page.content, page.place.pack_name, run.checks)
