"""Markdown of study files and packs as HTML; raw HTML in it is shown as text, and links open beside the study."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_renderer = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def _outside(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """Return a link that does not take the page with it, on which a clock may be running."""
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)


_renderer.add_render_rule("link_open", _outside)


@lru_cache(maxsize=256)
def to_html(text: str) -> str:
    """HTML of a Markdown text."""
    return str(_renderer.render(text))
