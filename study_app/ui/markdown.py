"""Markdown of study files and packs as HTML; raw HTML in it is shown as text, and links open beside the study."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

ELSEWHERE = re.compile(r"(?i)https?:|//")
_renderer = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def _outside(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """Return a link that does not take the page with it, on which a clock may be running."""
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


def _picture(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """Return a picture that stands in the text itself, and a link in the place of one that another site has.

    A picture of another site would tell it who reads the page, so that the policy of the page refuses it.
    """
    token = tokens[index]
    address, words = str(token.attrGet("src") or ""), token.content or "image"
    if not ELSEWHERE.match(address.lstrip()):
        return renderer.image(tokens, index, options, env)
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(words)}</a>'


_renderer.add_render_rule("link_open", _outside)
_renderer.add_render_rule("image", _picture)


@lru_cache(maxsize=256)
def to_html(text: str) -> str:
    """HTML of a Markdown text."""
    return str(_renderer.render(text))
