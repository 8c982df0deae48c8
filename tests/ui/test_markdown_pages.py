"""Briefs, notes and pages of the study: safe HTML, whose links leave the page where it is."""

from __future__ import annotations

import re

import pytest

from study_app.ui.markdown import to_html


@pytest.mark.parametrize(
    "text",
    ["[Trio](https://trio.readthedocs.io)", "<https://example.org>", "[a][1]\n\n[1]: https://example.org", "- [b](/c)"],
)
def test_every_link_opens_beside_the_study(text):
    links = re.findall(r"<a [^>]*>", to_html(text))
    assert len(links) == 1
    assert 'target="_blank"' in links[0]
    assert 'rel="noopener noreferrer"' in links[0]


def test_raw_html_is_text_and_inline_code_keeps_its_spaces():
    html = to_html("<a href=x>y</a> and `ab   `")
    assert "<a" not in html
    assert "<code>ab   </code>" in html
