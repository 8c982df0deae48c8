"""Markdown of study files and packs as HTML; raw HTML in it is shown as text."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt

_renderer = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


@lru_cache(maxsize=256)
def to_html(text: str) -> str:
    """HTML of a Markdown text."""
    return str(_renderer.render(text))
