"""The replay of one participant, mounted from Streamlit: one scrubber over editor, output, chat, stages and lanes.

Plain JavaScript without packages, so it needs no build: `replay.js` and `replay.css` are what runs. The timeline itself
comes over a route of the console (`study_app/services/researcher/replay/timeline.py` makes it), so script runs carry
only its address.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parent


@cache
def _renderer() -> ComponentRenderer:
    import streamlit as st

    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("replay.css", "replay.js"))
    return st.components.v2.component("replay", css=style, js=script, isolate_styles=False)


def replay(address: str, key: str) -> Any:
    """Mount the player.

    Args:
        address: where the timeline is, on the same origin.
        key: identity on the page.
    """
    return _renderer()(key=key, data={"address": address})
