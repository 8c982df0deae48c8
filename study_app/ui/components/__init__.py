"""The page components of the participant's app, mounted from Streamlit.

`workspace` draws the room in which a task is worked on; `form` a page of a quiz or a survey; `countdown` the time left
on other pages; `actions` the buttons of pages that ask nothing. They speak to the study's own routes directly, so that
nothing typed, run or asked causes a script run. `top` shows each new screen from its top and says when the server
cannot be reached. Source in `frontend/`, built by `scripts/build_assets.sh` into `assets/`, sent by
`study_app/web/assets.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from study_app.page_assets import FOLDER, addresses
from study_app.ui.components.views import ActionsData, CountdownData, FormData, WorkspaceData

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

ASSET_DIR = FOLDER


def _nothing() -> None:
    """Streamlit lists a trigger in its result only where a callback is named."""


@cache
def _renderer(name: str) -> ComponentRenderer:
    # At the first mount, not at import: outside a running app nothing can be registered yet.
    import streamlit as st

    return st.components.v2.component(f"study-app.{name}", js=_loader(f"{name}.js"), isolate_styles=False)


def _loader(file: str) -> str:
    """Return a module that stands for the built one, whose address names its content; it is sent with every mount."""
    address = json.dumps(addresses()[file])
    return f"const built = await import(new URL({address}, document.baseURI).href);\nexport default built.default;\n"


def workspace(
    data: WorkspaceData,
    key: str,
    *,
    on_advance: Callable[[], None] = _nothing,
    on_leave: Callable[[], None] = _nothing,
) -> Any:
    """Mount the room. Keep `key` constant over all tasks and stages that show it.

    Args:
        data: what to show; changes are taken over without touching the editor of the same task.
        key: identity on the page, and in `st.session_state`.
        on_advance: runs before the script when the page reports the end of the task.
        on_leave: runs before the script when `Leave the study` was clicked.

    Returns:
        Streamlit's result with `.advance` (`Advance`) and `.leave` (`{"n": int}`), each None except in the run that
        the page asked for.
    """
    return _renderer("workspace")(key=key, data=data, on_advance_change=on_advance, on_leave_change=on_leave)


def form(data: FormData, key: str, *, on_advance: Callable[[], None] = _nothing) -> Any:
    """Mount a page of a quiz or a survey.

    Args:
        data: what to show; what stands in the fields of the same page is never touched.
        key: identity on the page.
        on_advance: runs before the script when the page was handed in, or its time is up.
    """
    return _renderer("form")(key=key, data=data, on_advance_change=on_advance)


def countdown(data: CountdownData, key: str, *, on_expired: Callable[[], None] = _nothing) -> Any:
    """Mount the time left.

    Args:
        data: deadline and the server's present time; with `record`, attention on this page is logged.
        key: identity on the page.
        on_expired: runs before the script once the deadline has passed.

    Returns:
        Streamlit's result with `.expired` (`{"n": int, "deadline_ms": int}`), repeated every 3 s until `deadline_ms`
        changes or the component goes.
    """
    return _renderer("countdown")(key=key, data=data, on_expired_change=on_expired)


def top(screen: str, connection_lost: str, skip: str, *, followed: bool = False) -> None:
    """Scroll to the top whenever the screen is another one than before; call it in every run.

    Args:
        screen: changes with the screen; its title carries it as `data-screen`.
        followed: whether this tab has shown another screen since it was loaded; the focus then goes to the title.
        skip: what Streamlit's link past its own bar says.
        connection_lost: shown while the server cannot be reached, on pages without their own log.
    """
    data = {"screen": screen, "followed": followed, "connection_lost": connection_lost, "skip": skip}
    _renderer("top")(key="top", data=data)


def actions(data: ActionsData, key: str) -> None:
    """Mount what can be pressed on a page that asks nothing, and `Leave the study`.

    A press goes over the study's own route and is repeated until it is answered; then the page asks for a script run.
    """
    _renderer("actions")(key=key, data=data, on_went_change=_nothing)
