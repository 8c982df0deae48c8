"""Surveys and the eligibility form.

Shows: the questions of the stage. Records: one answer a question, drafts while they are given.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from study_app.domain.errors import NotAllowed
from study_app.domain.protocol import Question, Stage
from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    stage = page.place.stage
    assert stage is not None
    page.head()
    if stage.body:
        st.markdown(stage.body)
    drafts = page.app.answers.drafts(page.participant_id, stage.id)
    missing: list[str] = st.session_state.get(page.key("missing"), [])
    for question in stage.questions:
        _question(page, question, drafts.get(question.id))
        if question.id in missing and _value(page, question) in (None, "", []):
            st.caption(f":red[{page.text('common.required_missing_one')}]")
    if missing:
        st.warning(page.text("common.required_missing"))
    name = "exit.finish" if _last_before_end(page, stage) else "common.continue"
    st.button(page.text(name), type="primary", key=page.key("continue"), on_click=_submit, args=(page, stage))
    page.leave_button()


def _last_before_end(page: Page, stage: Stage) -> bool:
    following = page.place.study.next_stage(stage.id)
    return following is None or following.kind == "debrief"


def _submit(page: Page, stage: Stage) -> None:
    given = {question.id: _value(page, question) for question in stage.questions}
    missing = page.app.answers.missing(stage, given)
    st.session_state[page.key("missing")] = [question.id for question in missing]
    if missing:
        return
    try:
        page.app.answers.submit_survey(page.participant_id, stage.id, given)
    except NotAllowed as problem:
        st.session_state[page.key("problem")] = str(problem)


def _value(page: Page, question: Question) -> Any:
    value = st.session_state.get(page.key(question.id))
    return value.strip() if isinstance(value, str) else value


def _question(page: Page, question: Question, draft: Any) -> None:
    key = page.key(question.id)
    label = question.prompt if question.required else f"{question.prompt} *({page.text('common.optional')})*"
    if key not in st.session_state and draft is not None:
        st.session_state[key] = draft

    def keep() -> None:
        page.app.answers.save_draft(page.participant_id, question.id, _value(page, question))

    values = [option.value for option in question.options]
    labels = {option.value: option.label for option in question.options}
    if question.kind == "choice":
        st.radio(label, values, index=None, format_func=lambda v: labels[v], key=key, on_change=keep)
    elif question.kind == "multiple":
        st.multiselect(
            label,
            values,
            format_func=lambda v: labels[v],
            key=key,
            on_change=keep,
            placeholder=page.text("common.choose"),
        )
    elif question.kind == "scale":
        _scale(question, label, key, keep)
    elif question.kind == "number":
        low = None if question.low is None else float(question.low)
        high = None if question.high is None else float(question.high)
        st.number_input(label, min_value=low, max_value=high, value=None, key=key, on_change=keep)
    else:
        st.text_area(label, key=key, on_change=keep, max_chars=5000)


def _scale(question: Question, label: str, key: str, keep: Any) -> None:
    assert question.low is not None
    assert question.high is not None
    ends = f"{question.low} = {question.low_label}, {question.high} = {question.high_label}"
    steps = list(range(question.low, question.high + 1))
    with st.container(key=f"scale:{key}"):
        st.radio(f"{label}  \n:small[{ends}]", steps, index=None, horizontal=True, key=key, on_change=keep)
