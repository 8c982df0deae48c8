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


def test_a_picture_of_another_site_is_a_link_and_one_in_the_text_is_a_picture():
    elsewhere = to_html('![a "map"](https://example.org/a.png?x=1&y=2)')
    assert "<img" not in elsewhere
    assert '<a href="https://example.org/a.png?x=1&amp;y=2" target="_blank" rel="noopener noreferrer">' in elsewhere
    assert "<img" not in to_html("![a](//example.org/a.png)")
    assert to_html("![dot](data:image/png;base64,AAAA)").count('<img src="data:image/png;base64,AAAA" alt="dot"') == 1
