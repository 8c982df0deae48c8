"""Only tests marked `browser` are tried again: what a fixture or an argument is called decides nothing."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("page", ["docs/index.md"])
@pytest.mark.parametrize("person", ["P1"])
def test_an_argument_with_the_name_of_a_browser_fixture_brings_no_repetition(request, page, person):
    assert {"page", "person"} <= set(request.node.callspec.params)
    assert request.node.get_closest_marker("flaky") is None


@pytest.mark.browser
def test_the_marker_brings_two_repetitions(request):
    assert request.node.get_closest_marker("flaky").kwargs["reruns"] == 2


def test_every_collected_test_that_is_tried_again_has_the_marker(request):
    repeated = [item for item in request.session.items if item.get_closest_marker("flaky")]
    # A test may also say itself that it is tried again; then the marker stands above it.
    marked = [item for item in repeated if "flaky" in {mark.name for mark in getattr(item.obj, "pytestmark", ())}]
    assert [item.nodeid for item in repeated if not item.get_closest_marker("browser") and item not in marked] == []
