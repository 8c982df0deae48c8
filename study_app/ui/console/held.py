"""What a form is about stays the same while a person fills it in, whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

Waiting = TypeVar("Waiting")


def held(waiting: Sequence[Waiting], name_of: Callable[[Waiting], str], key: str) -> Waiting:
    """Return what this page drew last, as long as it waits, else the first that waits.

    The order in which things wait may depend on what others have done. Were the first one drawn each time, a form that
    was sent would belong to another thing than the one that is drawn now, and what it says would be lost.

    Args:
        waiting: what waits; not empty.
        name_of: by which it is known.
        key: of the form, among what the page keeps.
    """
    shown = st.session_state.get(key)
    # What was shown is among the first as a rule, and nothing was on a page that has just been opened.
    found = waiting[0] if shown is None else next((each for each in waiting if name_of(each) == shown), waiting[0])
    st.session_state[key] = name_of(found)
    return found
