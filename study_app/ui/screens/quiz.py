"""The quiz, page by page, without a way back.

Shows: items of one page, time left. Records: each answer as it is given, and the page's end.
"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from study_app.domain.errors import NotAllowed
from study_app.domain.items import Item
from study_app.ui.components import countdown
from study_app.ui.page import Page


def draw(page: Page) -> None:
    """Draw the screen."""
    place, stage = page.place, page.place.stage
    assert stage is not None
    _, items, pages = page.app.answers.page(place)
    step = place.participant.step
    _time_left(page)
    page.head()
    st.caption(page.text("common.page_of", n=step + 1, m=pages))
    saved = page.app.answers.drafts(page.participant_id, stage.id)
    for item in items:
        _item(page, item, saved.get(item.id))
    last = step + 1 >= pages
    st.button(
        page.text("quiz.submit" if last else "common.continue"),
        type="primary",
        key=page.key("next"),
        on_click=_submit,
        args=(page, stage.id, step, items),
    )
    st.caption(page.text("quiz.no_way_back"))
    page.leave_button()


def _time_left(page: Page) -> None:
    place = page.place
    deadline = place.deadline_at
    countdown(
        {
            "deadline_ms": round(deadline.timestamp() * 1000) if deadline else None,
            "now_ms": round(place.now.timestamp() * 1000),
            "texts": page.texts.table("workspace"),
            "record": {
                "page_key": page.participant_id,
                "stage": place.participant.stage,
                "step": place.participant.step,
                "api": "",
            },
            "fixed": True,
        },
        key="countdown",
    )


def _submit(page: Page, stage_id: str, step: int, items: tuple[Item, ...]) -> None:
    given = {item.id: _value(page, item) for item in items}
    try:
        page.app.answers.submit_page(page.participant_id, stage_id, step, given)
    except NotAllowed as problem:
        st.session_state[page.key("problem")] = str(problem)


def _value(page: Page, item: Item) -> Any:
    if item.kind == "multiple_select":
        picks = [o.id for o in item.options if st.session_state.get(page.key(f"{item.id}:{o.id}"))]
        return picks or None
    value = st.session_state.get(page.key(item.id))
    return (value if value.strip() else None) if isinstance(value, str) else value


def _item(page: Page, item: Item, saved: Any) -> None:
    def keep() -> None:
        page.app.answers.save_item(page.participant_id, item.id, _value(page, item))

    with st.container(border=True):
        st.markdown(item.prompt)
        if item.code:
            st.html(f'<pre class="item-code"><code>{escape(item.code)}</code></pre>')
        if item.kind == "multiple_select":
            _multiple(page, item, saved, keep)
        elif item.options:
            _single(page, item, saved, keep)
        else:
            _written(page, item, saved, keep)


def _single(page: Page, item: Item, saved: Any, keep: Any) -> None:
    key = page.key(item.id)
    if key not in st.session_state and saved is not None:
        st.session_state[key] = saved
    texts = {option.id: option.text for option in item.options}
    st.radio(
        page.text("quiz.choose_one"), list(texts), index=None, format_func=lambda o: texts[o], key=key, on_change=keep
    )


def _multiple(page: Page, item: Item, saved: Any, keep: Any) -> None:
    st.caption(page.text("quiz.choose_all"))
    for option in item.options:
        key = page.key(f"{item.id}:{option.id}")
        if key not in st.session_state and saved:
            st.session_state[key] = option.id in saved
        st.checkbox(option.text, key=key, on_change=keep)


def _written(page: Page, item: Item, saved: Any, keep: Any) -> None:
    key = page.key(item.id)
    if key not in st.session_state:
        st.session_state[key] = saved if saved is not None else item.starter
    label = page.text("quiz.your_answer")
    if item.rows <= 1:
        st.text_input(label, key=key, on_change=keep, max_chars=4000)
    else:
        with st.container(key=f"code_{item.id}"):
            st.text_area(label, key=key, on_change=keep, height=28 * item.rows + 24, max_chars=10_000)
