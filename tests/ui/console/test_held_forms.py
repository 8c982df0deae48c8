"""What a form is about stays while it is filled in, whatever others do meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from study_app.ui.console import held as module


@pytest.mark.usefixtures("main_module")
def test_a_form_that_was_sent_belongs_to_what_was_drawn_although_the_order_has_changed():
    def page():
        import streamlit as st

        from study_app.ui.console.held import held

        waiting = st.session_state.get("order", ["a", "b", "c"])
        shown = held(waiting, str, "shown")
        with st.form(f"code:{shown}"):
            if st.form_submit_button("Save"):
                st.session_state["saved"] = shown

    at = AppTest.from_function(page, default_timeout=60).run()
    at.session_state["order"] = ["b", "a", "c"]
    at.button[0].click().run()
    assert at.session_state["saved"] == "a"
    at.session_state["order"] = ["c", "b"]
    at.run()
    assert at.session_state["shown"] == "c"


@given(st.lists(st.integers(), min_size=1, unique=True), st.integers())
def test_what_waits_no_more_gives_way_to_the_first(waiting, shown):
    module.st.session_state["key"] = shown
    assert module.held(waiting, lambda each: each, "key") == (shown if shown in waiting else waiting[0])
